"""Rows of fields with a separator between them: CSV, TSV and their relatives.

Python's csv module would do for good files. It does not know the line that a quote was opened in, and a quote that is
never closed makes it read the rest of the file as one field.
"""

import dataclasses
import itertools
import re
from collections import Counter, deque
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from pipelines.errors import DataError
from pipelines.files import encodings
from pipelines.files.column_names import is_known, looks_like_header
from pipelines.files.encodings import Encoding, Undecodable
from pipelines.files.file_rows import FIELDS, MISPLACED, UNCLOSED, UNDECODABLE, BadRow, Row, Table
from pipelines.files.trees import File

QUOTE = '"'
# The likelier first: where two separate as well, such as in a file of two lines, it is the first one.
SEPARATORS = {"\t": "tab", ";": "semicolon", "|": "bar", ",": "comma"}
_SAMPLE_LINES = 2000
_SAMPLE_CHARACTERS = 1 << 19
_MANY = 3
_ROWS, _ROWS_OF_TWO = 2, 10
# The values of a column are known where each comes so often on average; and while they are so few.
_OFTEN, _MOST_VALUES = 3, 1000
# What Excel takes for the separator; to everybody else it is a row.
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?', re.IGNORECASE)
# A quoted field beyond either is an unclosed quote.
_MOST_LINES = 100_000
_MOST_CHARACTERS = 1 << 24


@dataclasses.dataclass(frozen=True)
class Dialect:
    """How the fields of a file are written.

    Attributes:
        separator: one character.
        quoted: whether quotes delimit fields; otherwise they are text.
        blanks: whether an opening quote may stand after blanks.
        escaped: whether a backslash makes a quote text, beside doubling it.
    """

    separator: str
    quoted: bool = True
    blanks: bool = False
    escaped: bool = False


# A line end stands in no line: each is one field.
_LINES = Dialect("\n", quoted=False)


class Record(NamedTuple):
    """One row as it is written: the line it begins in, its fields, and what is wrong with it, or ""."""

    line: int
    fields: list[str]
    fault: str


class _Misplaced(Exception):
    """A quote that closes a field stands within it."""


def records(
    lines: Iterable[str],
    dialect: Dialect,
    *,
    width: int = 0,
    known: Mapping[int, Container[str]] = MappingProxyType({}),
    first: int = 1,
    cut: bool = False,
) -> Iterator[Record]:
    """Put lines together to rows.

    A quote that is never closed, or closed where no field ends, spoils the line it was opened in; reading goes on with
    the line after that.

    Args:
        lines: without their ends.
        dialect: how the fields are written.
        width: number of fields of a row, or 0 where it is not known yet.
        known: values of columns that have few, by index.
        first: number of the first line.
        cut: whether the lines are only the beginning of a file: a field may be open at the end.
    """
    separator = dialect.separator
    numbered = enumerate(lines, first)
    given_back: deque[tuple[int, str]] = deque()
    while True:
        if given_back:
            number, line = given_back.popleft()
        elif (following := next(numbered, None)) is not None:
            number, line = following
        else:
            return
        if not dialect.quoted or QUOTE not in line:
            if separator in line or (line and not line.isspace()):
                yield Record(number, line.split(separator), UNDECODABLE if type(line) is Undecodable else "")
            continue
        fields: list[str] = []
        taken: list[tuple[int, str]] = []
        fault, characters = (UNDECODABLE if type(line) is Undecodable else ""), 0
        try:
            parts = _scan(line, dialect, fields, None)
            while parts is not None:
                more = given_back.popleft() if given_back else next(numbered, None)
                if more is None or len(taken) == _MOST_LINES or characters > _MOST_CHARACTERS:
                    if more is not None:
                        taken.append(more)
                    elif cut and len(taken) < _SAMPLE_LINES // 10:
                        return
                    fault = UNCLOSED
                    break
                taken.append(more)
                characters += len(more[1])
                fault = UNDECODABLE if type(more[1]) is Undecodable else fault
                parts = _scan(more[1], dialect, fields, parts)
        except _Misplaced:
            fault = UNCLOSED if taken else MISPLACED
        if not fault and _are_rows([line, *(each for _, each in taken)], separator, width, known):
            fault = UNCLOSED
        if fault in (UNCLOSED, MISPLACED):
            given_back.extendleft(reversed(taken))
            fields = line.split(separator)
        yield Record(number, fields, fault)


def _are_rows(lines: Sequence[str], separator: str, width: int, known: Mapping[int, Container[str]]) -> bool:
    """Whether the lines of one record are rows each, which a quote that was never closed holds together.

    Such a quote ends where another one happens to stand before a separator. Lines of a text have as many separators as
    rows do by chance: of two fields easily, of more hardly. And where a row has its label, they do not have one of the
    few values that other rows have there; the first line and the last are broken, and may.
    """
    enough = _ROWS_OF_TWO if width == 2 else _ROWS
    if width < 2 or len(lines) <= enough or not all(each.count(separator) == width - 1 for each in lines):
        return False
    inner = [each.split(separator) for each in lines[1:-1]]
    return bool(known) and all(
        sum(fields[index].strip() in values for fields in inner) * 2 >= len(inner) for index, values in known.items()
    )


def _few_values(rows: Sequence[Sequence[str]], width: int) -> dict[int, set[str]]:
    """Find the columns whose values come again and again, with these values."""
    values = {index: {row[index].strip() for row in rows} for index in range(width)}
    return {index: found for index, found in values.items() if len(found) * _OFTEN <= len(rows)}


def _scan(line: str, dialect: Dialect, fields: list[str], parts: list[str] | None) -> list[str] | None:
    """Split a line with quotes into fields; return the parts of a field that is still open, or None.

    Args:
        fields: those before; grows.
        parts: of the field that was open at the end of the line before, or None.
    """
    separator, position = dialect.separator, 0
    while True:
        if parts is None:
            opening = position
            if dialect.blanks:
                while line.startswith(" ", opening):
                    opening += 1
            if not line.startswith(QUOTE, opening):
                end = line.find(separator, position)
                if end < 0:
                    fields.append(line[position:])
                    return None
                fields.append(line[position:end])
                position = end + 1
                continue
            parts, position = [], opening + 1
        end = line.find(QUOTE, position)
        if end < 0:
            parts += (line[position:], "\n")
            return parts
        if dialect.escaped and end > position and line[end - 1] == "\\":
            parts += (line[position : end - 1], QUOTE)
            position = end + 1
            continue
        parts.append(line[position:end])
        if line.startswith(QUOTE, end + 1):
            parts.append(QUOTE)
            position = end + 2
            continue
        fields.append("".join(parts))
        parts, position = None, end + 1
        if position == len(line):
            return None
        if line[position] != separator:
            end = line.find(separator, position)
            # Blanks after a quoted field are nobody's text.
            if line[position : end if end >= 0 else None].strip(" "):
                raise _Misplaced
            if end < 0:
                return None
            position = end
        position += 1


class _Reading(NamedTuple):
    """A dialect, and how the beginning of a file looks in it."""

    dialect: Dialect
    sample: list[Record]
    width: int
    good: int

    @property
    def share(self) -> float:
        return self.good / len(self.sample) if self.sample else 0.0


def _try(sample: Sequence[str], dialect: Dialect, cut: bool) -> _Reading:
    found = list(records(sample, dialect, cut=cut))
    widths = Counter(len(record.fields) for record in found if not record.fault)
    width = max(widths, key=lambda width: (widths[width], width == len(found[0].fields)), default=0)
    if found and is_known(found[0].fields) and not found[0].fault:
        width = len(found[0].fields)
    return _Reading(dialect, found, width, widths[width])


def _faults(reading: _Reading) -> int:
    return len(reading.sample) - reading.good


def _best_quoting(sample: Sequence[str], separator: str, cut: bool) -> _Reading:
    """Find out whether quotes delimit fields or are text."""
    plain = _try(sample, Dialect(separator, quoted=False), cut)
    if not _left_quotes(plain):
        # Where no field begins with a quote, later ones that do are delimited in a CSV file, and text in a TSV file.
        return plain if separator == "\t" else plain._replace(dialect=Dialect(separator))
    candidates = [Dialect(separator)]
    if any(f"{separator} {QUOTE}" in line for line in sample):
        candidates.append(Dialect(separator, blanks=True))
    if any(f"\\{QUOTE}" in line for line in sample):
        candidates += [dataclasses.replace(dialect, escaped=True) for dialect in list(candidates)]
    quoted = min(
        (_try(sample, dialect, cut) for dialect in candidates),
        key=lambda reading: (_faults(reading), _left_quotes(reading)),
    )
    if separator == "\t":
        # Quotes are mostly text there. They delimit where fewer rows are broken so; or as many, if the same rows come
        # of it, or if so many quotes would hardly close where fields end by chance.
        same = quoted.good == plain.good or _left_quotes(plain) >= _MANY
        return quoted if _faults(quoted) < _faults(plain) + same else plain
    # A row or two with broken quotes are broken rows; quotes that break more rows than they hold are text.
    broken = sum(record.fault in (UNCLOSED, MISPLACED) for record in quoted.sample)
    whole = sum(QUOTE in "".join(record.fields) for record in plain.sample) - broken
    return plain if broken > max(2, whole) and _faults(plain) * 10 < _faults(quoted) else quoted


def _left_quotes(reading: _Reading) -> int:
    """Count the fields that begin with a quote."""
    return sum(field.lstrip(" ").startswith(QUOTE) for record in reading.sample for field in record.fields)


def open_lines(file: File, encoding: Encoding) -> Table:
    """Take each line for a text."""

    def read(chosen: Sequence[int]) -> Iterator[Row | BadRow]:
        with file.open() as stream:
            for line, fields, fault in records(encodings.lines(stream, file.name, encoding), _LINES):
                yield (
                    BadRow(file.name, line, fault)
                    if fault
                    else Row(file.name, line, [fields[index] for index in chosen])
                )

    return Table(file.name, "text", str(encoding), ("1",), False, read, details="one text a line")


def open_table(file: File, encoding: Encoding, wanted: Sequence[str], preferred: str | None) -> Table:
    """Find out how a delimited file is written.

    Args:
        file: to read.
        encoding: of its text.
        wanted: names of columns that the user asks for; a first row that has one is a header.
        preferred: the separator that the file's suffix promises.

    Raises:
        DataError: an empty file, or one that no separator divides.
    """
    sample, cut = _read_sample(file, encoding)
    told = _SEPARATOR_LINE.fullmatch(sample[0]) if sample else None
    before = 0 if told is None else 1
    sample = sample[before:]
    separators = SEPARATORS if told is None else [told[1]]
    readings = [_best_quoting(sample, each, cut) for each in separators if any(each in line for line in sample)]
    readings = [reading for reading in readings if reading.width > 1]
    promised = [reading for reading in readings if reading.dialect.separator == preferred and reading.share > 0.5]
    # `max` keeps the first of equals, and so the order of SEPARATORS.
    best = max(
        promised or readings,
        key=lambda reading: (is_known(reading.sample[0].fields), reading.share),
        default=_best_quoting(sample, ",", cut),
    )
    if best.share < (0.5 if best.width > 1 else 0.99) and not (best.sample and is_known(best.sample[0].fields)):
        best = _try(sample, _LINES, cut)
    if not best.sample:
        raise DataError(f"{file.name} is empty: it has no row. Expected texts with their labels.")
    first = best.sample[0]
    rows = [record.fields for record in best.sample[1:] if not record.fault and len(record.fields) == best.width]
    named = len(first.fields) == best.width and not first.fault and looks_like_header(first.fields, rows, wanted)
    columns = [name.strip() for name in first.fields] if named else [str(number + 1) for number in range(best.width)]
    dialect, width = best.dialect, best.width
    few = _few_values(rows, width)

    def read(chosen: Sequence[int]) -> Iterator[Row | BadRow]:
        name = file.name
        # Of its own at each reading, which shall all be alike.
        known = {index: set(values) for index, values in few.items()}
        with file.open() as stream:
            lines = itertools.islice(encodings.lines(stream, name, encoding), before, None)
            found = records(lines, dialect, width=width, known=known, first=1 + before)
            if named:
                next(found, None)
            for line, fields, fault in found:
                if fault:
                    yield BadRow(name, line, fault, content=dialect.separator.join(fields))
                elif len(fields) != width:
                    detail = f"{len(fields)} instead of {width}"
                    yield BadRow(name, line, FIELDS, detail, dialect.separator.join(fields))
                else:
                    # Rows may be sorted by label.
                    for index, values in known.items():
                        if len(values) < _MOST_VALUES:
                            values.add(fields[index].strip())
                    yield Row(name, line, [fields[index] for index in chosen])

    separator = SEPARATORS.get(dialect.separator, repr(dialect.separator))
    form = {"\t": "TSV", ",": "CSV", "\n": "text"}.get(dialect.separator, f"CSV with a {separator} as separator")
    return Table(
        file.name,
        form,
        str(encoding),
        tuple(columns),
        named,
        read,
        details=(f"its line {first.line + before} names the columns" if named else "no line of it names columns"),
    )


def _read_sample(file: File, encoding: Encoding) -> tuple[list[str], bool]:
    """Read the first lines, and tell whether there are more."""
    sample, characters = [], 0
    with file.open() as stream:
        found = encodings.lines(stream, file.name, encoding)
        for line in itertools.islice(found, _SAMPLE_LINES):
            sample.append(line)
            characters += len(line)
            if characters > _SAMPLE_CHARACTERS:
                break
        return sample, next(found, None) is not None
