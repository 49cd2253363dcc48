"""The first reading of a split: which labels it has, what is broken in it, and how long its texts are."""

import dataclasses
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from pipelines.errors import DataError
from pipelines.files import labels
from pipelines.files.bad_rows import Tally
from pipelines.files.columns import MOST_CLASSES, WITHOUT_BLANKS, Columns
from pipelines.files.file_rows import NO_LABEL, NUL, SURROGATE, BadRow, Table, place
from pipelines.files.texts import text_of
from pipelines.files.trees import changed

# About the words of the vectorizer, which needs TensorFlow: signs, and characters of scripts without blanks, one each.
_TOKENS = re.compile(f"[{WITHOUT_BLANKS}]|[^\\W{WITHOUT_BLANKS}]+|[!?]")
# Lengths are counted in the first texts, and then in every such one.
_MEASURED, _MEASURED_OF = 2000, 16
# Half stars are classes; more different fractions than this are measurements.
_FRACTION = re.compile(r"[+-]?\d*\.\d*[1-9]\d*", re.ASCII)
_MOST_FRACTIONS = 20
SHORTEST, LONGEST = 32, 400


class Example(NamedTuple):
    """A text that can be learned from, with where it stands: UTF-8, and what its label field says, or None."""

    text: bytes
    labels: Any
    file: str
    line: int | None


@dataclasses.dataclass
class FileSplit:
    """One split of the user's files, read once.

    Attributes:
        name: such as "train".
        parts: the tables with their columns, in order.
        separator: what stands between several labels of a text, or None.
        labelled: whether its texts have labels.
        tally: rows read and skipped.
        counts: how often each label field comes.
        places: where each came first.
        lengths: of some of its texts, in words, by the number of the text from 0.
    """

    name: str
    parts: Sequence[tuple[Table, Columns]]
    separator: str | None = None
    labelled: bool = True
    tally: Tally = dataclasses.field(default_factory=Tally)
    counts: dict[Any, int] = dataclasses.field(default_factory=dict)
    places: dict[Any, str] = dataclasses.field(default_factory=dict)
    lengths: dict[int, int] = dataclasses.field(default_factory=dict)

    def examples(self) -> Iterator[Example | BadRow]:
        """Read all rows, from the beginning."""
        for table, columns in self.parts:
            texts = len(columns.text)
            for row in table.read(columns.indices):
                yield row if isinstance(row, BadRow) else self._example(row.file, row.line, row.fields, texts)

    def _example(self, file: str, line: int | None, fields: Sequence[Any], texts: int) -> Example | BadRow:
        text, reason, detail = text_of(fields[:texts])
        if reason:
            return BadRow(file, line, reason, detail)
        found: Any = labels.parse(fields[texts], self.separator) if self.labelled else ""
        if found is None:
            return BadRow(file, line, NO_LABEL)
        said = (found,) if isinstance(found, str) else found
        if any("\0" in label for label in said):
            return BadRow(file, line, NUL)
        try:
            for label in said:
                label.encode("utf-8")
            return Example(text.encode("utf-8"), found, file, line)
        except UnicodeEncodeError:
            return BadRow(file, line, SURROGATE, "a lone surrogate")

    def texts(self) -> Iterator[tuple[bytes, Any]]:
        """Read the texts again, with what their label fields say.

        Raises:
            DataError: there are more or fewer than there were, or other labels: the files changed.
        """
        count = 0
        for example in self.examples():
            if not isinstance(example, BadRow):
                count += 1
                if count > self.tally.read or (self.labelled and example.labels not in self.counts):
                    raise DataError(changed(self.files))
                yield example.text, example.labels
        # Splits are carved by the number of a text: one less, and those after it would change sides.
        if count < self.tally.read:
            raise DataError(changed(self.files))

    @property
    def files(self) -> str:
        """Its files as messages name them."""
        names = list(dict.fromkeys(table.file for table, _ in self.parts))
        return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def read_split(split: FileSplit, on_bad_rows: str) -> FileSplit:
    """Read a split once, and fill in what is found.

    Raises:
        DataError: too many bad rows, or any where they are errors; more labels than can be classes.
    """
    tally, counts = split.tally, split.counts
    for number, example in enumerate(split.examples()):
        if isinstance(example, BadRow):
            tally.skip(example, on_bad_rows)
            continue
        tally.read += 1
        if split.labelled:
            if example.labels not in counts:
                counts[example.labels] = 0
                split.places[example.labels] = place(example.file, example.line)
                if isinstance(example.labels, str) and len(counts) > MOST_CLASSES:
                    raise _too_many(split, f"more than {MOST_CLASSES:,}")
            counts[example.labels] += 1
        if number < _MEASURED or number % _MEASURED_OF == 0:
            words = _TOKENS.finditer(example.text.decode("utf-8"))
            split.lengths[tally.read - 1] = sum(1 for _ in words)
    tally.check(split.files, _hint(split))
    if not tally.read:
        raise DataError(
            f"{split.files}: there is no row with a text{' and a label' if split.labelled else ''}. Add some."
        )
    if split.labelled:
        _check_plausible(split)
    return split


def suggested_sequence_length(lengths: Iterable[int]) -> int:
    """Suggest as many words as 95% of the texts have at most, from 32 to 400, in steps of 8."""
    ordered = sorted(lengths)
    if not ordered:
        return SHORTEST
    enough = ordered[int(0.95 * (len(ordered) - 1))]
    return min(max(-(-enough // 8) * 8, SHORTEST), LONGEST)


def _check_plausible(split: FileSplit) -> None:
    """Raise `DataError` where the label is no label, but a number of the row or a text.

    Only of train is it asked: a test of a few rows may have as many labels. Nor where the user said which column it is,
    or that texts have several labels: then labels may well be nearly as many as rows.
    """
    number = len(labels.class_names(split.counts))
    table, columns = split.parts[0]
    sure = table.fixed or columns.asked or split.separator is not None
    several = any(isinstance(said, tuple) for said in split.counts)
    if number > MOST_CLASSES or (split.name == "train" and not sure and not several and number == split.tally.read > 9):
        raise _too_many(split, f"{number:,}")


def doubt(split: FileSplit) -> str:
    """Say that labels are measurements, or that more than every second row has one of its own; else ""."""
    table, columns = split.parts[0]
    fractions = [said for said in split.counts if isinstance(said, str) and _FRACTION.fullmatch(said)]
    if len(fractions) > _MOST_FRACTIONS:
        return (
            f"Labels are numbers such as {fractions[0]!r}, {len(split.counts):,} different ones: each is taken for a "
            "class of its own, and that one number is near another is not learned. Put them into ranges with a name "
            "each, such as low and high."
        )
    if table.fixed or columns.asked or split.separator is not None or not split.tally.read > 9:
        return ""
    number = len(split.counts)
    if number * 2 <= split.tally.read or any(isinstance(said, tuple) for said in split.counts):
        return ""
    return (
        f"Column {columns.label!r} holds {number:,} different labels in {split.tally.read:,} rows, such as "
        f"{next(iter(split.counts))!r}, which few texts each have. If another column is the label, name it with "
        "--label-column."
    )


def _too_many(split: FileSplit, number: str) -> DataError:
    table, columns = split.parts[0]
    others = [name for name in table.columns if name != columns.label and name not in columns.text]
    separator = labels.likely_separator({name: 1 for name in split.counts if isinstance(name, str)})
    if columns.asked:
        mend = f"Name another column than {columns.label!r}, or put labels together"
    else:
        mend = f"Name the label's column with --label-column{f': {_listed(others)}' if others else ''}"
    if separator is not None and split.separator is None:
        mend += f"; if a text has several labels with {separator!r} between them, add --label-separator '{separator}'"
    return DataError(
        f"{table.file}: column {columns.label!r} holds {number} different labels in the first {split.tally.read:,} "
        f"rows, such as {next(iter(split.counts))!r}; a label comes again and again, and there are at most "
        f"{MOST_CLASSES:,} of them. {mend}."
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names[:8])) + (", …" if len(names) > 8 else "")


def _hint(split: FileSplit) -> str:
    form = split.parts[0][0].format if split.parts else ""
    if not form.startswith(("CSV", "TSV")):
        return ""
    return f"The file was read as {form}: put quotes around fields that hold the separator or a line end. "
