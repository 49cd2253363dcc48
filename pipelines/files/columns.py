"""Which column holds the text and which the label: by their names, else by what is in them, else by asking.

Names count first, since they are what somebody meant; a column of such a name whose content cannot be meant does not
count. By content, a label is one of few values that come again and again, and a text is one of many values that are
long. Two columns that could be meant are a question to the user, and not a guess.
"""

import dataclasses
import itertools
import re
from collections.abc import Sequence
from typing import Any

from pipelines.errors import DataError
from pipelines.files.column_names import BODIES, LABELS, NUMBER, TITLES, WEAKER_LABELS, is_id, plain
from pipelines.files.file_rows import BadRow, Table
from pipelines.files.labels import parse

MOST_CLASSES = 1000
# By content alone, a column of more different values is no label.
_MOST_UNNAMED_CLASSES = 100
_SAMPLE = 2000
_LONGEST_LABEL = 80
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([T\s].*)?|\d{1,2}:\d{2}(:\d{2})?.*")
_URL = re.compile(r"(https?://|www\.)\S+")
# Characters of scripts that put no blanks between words, as a range for regular expressions.
WITHOUT_BLANKS = "\u0e00-\u0e7f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uff66-\uff9f"
_WITHOUT_BLANKS = re.compile(f"[{WITHOUT_BLANKS}]")
_TOKEN = re.compile(r"(?=\S*\d)[\w-]+")


@dataclasses.dataclass(frozen=True)
class Columns:
    """The columns of a text and of its label.

    Attributes:
        text: names of those that make the text together, by a line end between them.
        label: name of that of the label, or None where only texts are read.
        indices: where they are, texts first.
        note: how they were chosen, a sentence; "" where the format says it.
        asked: whether the user named the label's column.
    """

    text: tuple[str, ...]
    label: str | None
    indices: tuple[int, ...]
    note: str = ""
    asked: bool = False


@dataclasses.dataclass
class Profile:
    """What is in one column.

    Attributes:
        rows, filled: how many there are, and how many of them hold something.
        values: the different ones, until there are more than can be classes.
    """

    rows: int = 0
    filled: int = 0
    values: set[str] = dataclasses.field(default_factory=set)
    example: str = ""
    characters: int = 0
    words: int = 0
    lists: int = 0
    objects: int = 0
    numbers: int = 0
    dates_and_urls: int = 0
    tokens: int = 0

    def add(self, value: Any) -> None:
        """Look at one value."""
        self.rows += 1
        if isinstance(value, (dict, bytes)):
            self.objects += 1
            return
        if isinstance(value, list):
            self.lists += 1
            self.filled += 1
            self._keep(*(parse(value, None) or ()))
            return
        if value is None or not (text := str(value).strip()):
            return
        self.filled += 1
        self.example = self.example or text
        self.characters += len(text)
        self.words += text.count(" ") + 1 + len(_WITHOUT_BLANKS.findall(text[:200])) // 2
        self.numbers += NUMBER.fullmatch(text) is not None
        self.dates_and_urls += (_DATE.fullmatch(text) or _URL.fullmatch(text)) is not None
        self.tokens += len(text) >= 4 and _TOKEN.fullmatch(text) is not None
        self._keep(text)

    def _keep(self, *values: str) -> None:
        if len(self.values) <= MOST_CLASSES:
            self.values.update(value if len(value) <= _LONGEST_LABEL else str(hash(value)) for value in values)

    @property
    def is_varied(self) -> bool:
        """Whether every second value or more is another one."""
        return len(self.values) * 2 > self.filled or len(self.values) > MOST_CLASSES

    @property
    def is_common(self) -> bool:
        """Whether every second row or more has a value."""
        return self.filled * 2 >= self.rows

    def can_be_text(self) -> bool:
        """Whether it holds something to read."""
        plain_values = self.filled - self.lists
        return plain_values > 0 and max(self.numbers, self.dates_and_urls) * 10 <= plain_values * 9

    def is_long_text(self) -> bool:
        """Whether its content alone says that it is text."""
        return self.can_be_text() and self.is_varied and self.is_common and self.words >= 3 * self.filled

    def is_varied_words(self) -> bool:
        """Whether it may be text as short as a name."""
        return self.can_be_text() and self.is_varied and self.is_common and self.tokens * 2 < self.filled

    def can_be_label(self) -> bool:
        """Whether a name may make it one."""
        if not self.filled or self.dates_and_urls * 2 > self.filled:
            return False
        return self.lists > 0 or (self.characters <= _LONGEST_LABEL * self.filled)

    def is_label(self) -> bool:
        """Whether its content alone says that it is one."""
        return (
            self.can_be_label()
            and self.is_common
            and 2 <= len(self.values) <= _MOST_UNNAMED_CLASSES
            and (self.lists > 0 or (len(self.values) * 2 <= self.filled and self.words < 4 * self.filled))
        )

    def __str__(self) -> str:
        different = f"more than {MOST_CLASSES:,}" if len(self.values) > MOST_CLASSES else f"{len(self.values):,}"
        shown = self.example if len(self.example) <= 40 else self.example[:39] + "…"
        return f"{different} different values in {self.filled:,} rows" + (f", such as {shown!r}" if shown else "")


def choose(table: Table, text_column: str | None, label_column: str | None, *, labelled: bool = True) -> Columns:
    """Find the columns of text and label in a table.

    Args:
        table: the one that is trained on.
        text_column, label_column: as the user typed them: names, or numbers from 1; several texts with commas between.
        labelled: whether a label is needed.

    Raises:
        DataError: a column that is not there, or none that is clear.
    """
    if table.fixed:
        for flag, name in (("--text-column", text_column), ("--label-column", label_column)):
            if name is not None:
                raise DataError(f"{table.file}: {flag} is {name!r}, and {table.format} have no columns. Leave it out.")
        return Columns(("text",), "label" if labelled else None, (0, 1) if labelled else (0,))
    if labelled and len(table.columns) < 2:
        called = f" ({table.columns[0]!r})" if table.named else ""
        raise DataError(
            f"{table.file} has one column only{called}, where a text and a label are needed: no tab, semicolon, bar or "
            "comma divides its lines alike. Put one of these between text and label, or give each class a folder."
        )
    texts = _named_texts(table, text_column) if text_column is not None else None
    label = find(table, label_column, "--label-column") if label_column is not None and labelled else None
    typed = (texts or []) + ([label] if label is not None else [])
    if len(set(typed)) < len(typed):
        raise DataError(
            f"{table.file}: the column {table.columns[typed[-1]]!r} is named twice by --text-column and "
            "--label-column. Text and label are different columns."
        )
    if texts is None or (label is None and labelled):
        texts, label = _found(table, texts, label, labelled)
    names = tuple(table.columns[index] for index in texts)
    shown = " and ".join(map(_shown(table), texts))
    note = f"the text is in {shown}" + (f", the label in {_shown(table)(label)}" if label is not None else "")
    return Columns(
        names,
        table.columns[label] if label is not None else None,
        (*texts, label) if label is not None else tuple(texts),
        note,
        asked=label_column is not None,
    )


def same(table: Table, columns: Columns, train: Table, *, labelled: bool = True) -> Columns:
    """Find the columns of train in the table of another split.

    Raises:
        DataError: a column that is not there.
    """
    wanted = columns.text + ((columns.label,) if labelled and columns.label is not None else ())
    if table.fixed or train.fixed:
        if table.fixed:
            return Columns(("text",), "label" if labelled else None, (0, 1) if labelled else (0,))
        return choose(table, None, None, labelled=labelled)
    if not labelled and len(table.columns) == 1:
        return Columns(columns.text[:1], None, (0,))
    if table.named:
        if train.named:
            missing = [name for name in wanted if name not in table.columns]
            if not missing:
                return Columns(columns.text, columns.label, tuple(table.columns.index(name) for name in wanted))
            raise DataError(
                f"{table.file} has no column {missing[0]!r}, which {train.file} has; its columns are "
                f"{', '.join(map(repr, table.columns))}. Name its columns alike"
                + (", or give it as --unlabeled-file if it has no labels." if labelled else ".")
            )
        return choose(table, None, None, labelled=labelled)
    if len(table.columns) != len(train.columns):
        raise DataError(
            f"{table.file} names no columns in its first line and has {len(table.columns)}, where {train.file} has "
            f"{len(train.columns)}: {', '.join(map(repr, train.columns))}. Give it the same columns."
        )
    return Columns(columns.text, columns.label, columns.indices[: len(wanted)])


def find(table: Table, name: str, flag: str) -> int:
    """Find a column by its name, or by its number from 1.

    Raises:
        DataError: there is none, or several have the name.
    """
    places = [index for index, column in enumerate(table.columns) if column == name.strip()]
    if len(places) > 1:
        raise DataError(
            f"{table.file} has {len(places)} columns called {name!r}. Name the one you mean by its number, {flag} "
            f"{' or '.join(str(place + 1) for place in places)}."
        )
    if places:
        return places[0]
    if name.strip().isdecimal() and 1 <= int(name) <= len(table.columns):
        return int(name) - 1
    what = ", ".join(map(repr, table.columns)) if table.named else f"numbered from 1 to {len(table.columns)}"
    raise DataError(f"{table.file} has no column {name!r}; its columns are {what}. Take one of these for {flag}.")


def _named_texts(table: Table, typed: str) -> list[int]:
    if typed.strip() in table.columns or "," not in typed:
        return [find(table, typed, "--text-column")]
    return [find(table, name, "--text-column") for name in typed.split(",")]


def _shown(table: Table) -> Any:
    return lambda index: f"column {table.columns[index]!r}" if table.named else f"column {index + 1}"


def profiles(table: Table, most: int | None = None) -> list[Profile]:
    """Look at the columns, in all rows or in the first ones."""
    indices = range(len(table.columns))
    found = [Profile() for _ in indices]
    for row in itertools.islice(table.read(indices), most):
        if not isinstance(row, BadRow):
            for profile, value in zip(found, row.fields, strict=True):
                profile.add(value)
    return found


def _found(table: Table, texts: list[int] | None, label: int | None, labelled: bool) -> tuple[list[int], int | None]:
    """Choose what the user did not."""
    seen = profiles(table, _SAMPLE)
    if texts is None and table.named:
        texts = _texts_by_name(table, seen, label)
    if label is None and labelled and table.named:
        label = _label_by_name(table, seen, texts or [])
    if texts is not None and (label is not None or not labelled):
        return texts, label
    # Rows may be sorted by label: only the whole file tells what is in a column.
    if seen and seen[0].rows == _SAMPLE:
        seen = profiles(table)
    if table.named and not any(profile.filled for profile in seen):
        raise DataError(
            f"{table.file} has a first line of names ({', '.join(map(repr, table.columns))}) and no row after it that "
            "can be read. Add texts with their labels."
        )
    free = [index for index in range(len(table.columns)) if index not in [*(texts or []), label]]
    free = [index for index in free if not (table.named and is_id(table.columns[index]))]
    if label is None and labelled:
        label = _only([index for index in free if seen[index].is_label()])
    if texts is None:
        candidates = [index for index in free if index != label]
        long = [index for index in candidates if seen[index].is_long_text()]
        short = [index for index in candidates if seen[index].is_varied_words()]
        chosen = _only(long) if long else _only(short)
        texts = [chosen] if chosen is not None else None
    missing = [what for what, found in (("text", texts), ("label", label)) if found is None]
    if missing and (labelled or texts is None):
        raise _unclear(table, seen, missing if labelled else ["text"], [*(texts or []), label])
    return texts or [], label


def _only(candidates: Sequence[int]) -> int | None:
    return candidates[0] if len(candidates) == 1 else None


def _texts_by_name(table: Table, seen: Sequence[Profile], label: int | None) -> list[int] | None:
    """Take the one column that is called like a text, and a title beside it; None where it is not clear."""
    able = [
        index
        for index, profile in enumerate(seen)
        if index != label and (profile.can_be_text() or not profile.filled) and profile.lists * 10 <= profile.rows
    ]
    bodies = [index for index in able if plain(table.columns[index]) in BODIES]
    titles = [index for index in able if plain(table.columns[index]) in TITLES]
    if len(bodies) > 1:
        bodies = [index for index in bodies if seen[index].is_long_text()]
    # A subject may be one of few, and then is no title.
    titles = [index for index in titles if seen[index].is_varied]
    if len(bodies) == 1:
        return [*titles, *bodies] if len(titles) == 1 else bodies
    return titles if len(titles) == 1 and not bodies else None


def _label_by_name(table: Table, seen: Sequence[Profile], texts: Sequence[int]) -> int | None:
    """Take the one column that is called like a label; None where it is not clear."""
    able = [
        index
        for index, profile in enumerate(seen)
        if index not in texts and (profile.can_be_label() or not profile.filled)
    ]
    for names in (LABELS, WEAKER_LABELS):
        found = [index for index in able if plain(table.columns[index]) in names]
        if found:
            return _only(found)
    return None


def _unclear(table: Table, seen: Sequence[Profile], missing: Sequence[str], taken: Sequence[int | None]) -> DataError:
    show = _shown(table)
    listed = "; ".join(f"{show(index)}: {profile}" for index, profile in enumerate(seen[:12]))
    candidates = {
        "text": [i for i, profile in enumerate(seen) if profile.is_varied_words()],
        "label": [i for i, profile in enumerate(seen) if profile.is_label()],
    }
    flags = []
    for what in missing:
        possible = [i for i, name in enumerate(table.columns) if not (table.named and is_id(name))]
        free = [i for i in possible if i not in taken]
        if what == "label":
            # Nothing looks like one: the column that repeats itself most is the best example.
            free.sort(key=lambda i: len(seen[i].values) / max(seen[i].filled, 1))
        likely = candidates[what] or free or possible or list(range(len(seen)))
        first = table.columns[likely[0]] if table.named else str(likely[0] + 1)
        if table.columns.count(first) > 1:
            first = str(likely[0] + 1)
        flags.append(f"--{what}-column {first!r}" if " " in first else f"--{what}-column {first}")
    numbers = sum(profile.numbers > 0 and profile.numbers == profile.filled for profile in seen)
    steps = ""
    if "text" in missing and numbers * 2 >= len(seen):
        steps = " If its rows are the time steps of numeric sequences, name the column of their ids: --sequence-column."
    return DataError(
        f"{table.file}: it is not clear which column holds the {' and which the '.join(missing)}. {listed}. "
        f"Name {'them' if len(missing) > 1 else 'it'}, such as {' '.join(flags)}.{steps}"
    )
