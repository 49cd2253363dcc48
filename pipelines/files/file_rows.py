"""What every reader gives: rows, bad rows, and the table they stand in."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence, Set
from typing import Any, NamedTuple

# Reasons a row is bad; reports count by them.
FIELDS = "wrong number of fields"
EMPTY = "empty text"
NO_LABEL = "missing label"
NUL = "NUL byte"
UNCLOSED = "unclosed quote"
MISPLACED = "misplaced quote"
UNDECODABLE = "undecodable bytes"
NO_OBJECT = "no JSON object"
NO_TEXT = "text that is none"
SURROGATE = "half a character"
NO_ID = "missing sequence id"
NO_VALUE = "empty cell"
NO_NUMBER = "cell that is no number"
INFINITE = "number that is not finite in float32"
NO_TIME = "time that is none"


class Row(NamedTuple):
    """Some columns of one row, as the file has them.

    Attributes:
        file: as messages name it.
        line: where the row begins, from 1; None where the file is one text.
        fields: in the order asked for; None where a row has no such field.
    """

    file: str
    line: int | None
    fields: Sequence[Any]


class BadRow(NamedTuple):
    """A row that cannot be used, and why.

    Attributes:
        file: as messages name it.
        line: where the row begins, from 1; None where the file is one text.
        reason: one of the reasons of this module.
        detail: what is particular to this row, or "".
        content: the row as it is written, where it is text.
    """

    file: str
    line: int | None
    reason: str
    detail: str = ""
    content: str = ""

    def __str__(self) -> str:
        return f"{place(self.file, self.line)}: {self.reason}{f' ({self.detail})' if self.detail else ''}"


def place(file: str, line: int | None) -> str:
    """Name a row for messages."""
    return file if line is None else f"{file}, line {line}"


@dataclasses.dataclass(frozen=True)
class Table:
    """Rows that can be read again and again, from one file or one folder of texts.

    Attributes:
        file: as messages name it.
        format: such as "CSV".
        encoding: such as "UTF-8"; "" where the format knows its own, or each text has one.
        columns: their names; numbers from 1 where the file names none.
        named: whether the file names them.
        read: columns by index to rows and bad rows, from the beginning.
        fixed: whether the format itself says which column is the text (the first) and which the label.
        details: what else the user should know of how it is read.
        seen: encodings of the texts that were read, where each is a file of its own.
    """

    file: str
    format: str
    encoding: str
    columns: tuple[str, ...]
    named: bool
    read: Callable[[Sequence[int]], Iterator[Row | BadRow]]
    fixed: bool = False
    details: str = ""
    seen: Set[str] = frozenset()

    @property
    def encodings(self) -> str:
        """The encoding, or those that were met so far."""
        return self.encoding or ", ".join(sorted(self.seen))
