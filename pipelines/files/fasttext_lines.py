"""fastText's lines: labels with a prefix, and then the text."""

import re
from collections.abc import Iterator, Sequence

from pipelines.files import encodings
from pipelines.files.encodings import Encoding, Undecodable
from pipelines.files.file_rows import UNDECODABLE, BadRow, Row, Table
from pipelines.files.trees import File

PREFIX = "__label__"
_LABELS = re.compile(rf"\s*((?:{PREFIX}\S*\s*)*)")


def open_table(file: File, encoding: Encoding) -> Table:
    """Take each line for a row of two columns: the text, and the list of its labels."""

    def read(chosen: Sequence[int]) -> Iterator[Row | BadRow]:
        with file.open() as stream:
            for number, line in enumerate(encodings.lines(stream, file.name, encoding), 1):
                if not line or line.isspace():
                    continue
                if type(line) is Undecodable:
                    yield BadRow(file.name, number, UNDECODABLE)
                    continue
                # The pattern fits every line, if only its beginning.
                end = _LABELS.match(line).end()  # type: ignore[union-attr]
                labels = [label.removeprefix(PREFIX) for label in line[:end].split()]
                # A line without labels is one that lacks them, not one that has none.
                fields = (line[end:], labels or None)
                yield Row(file.name, number, [fields[index] for index in chosen])

    return Table(file.name, "fastText lines", str(encoding), ("text", "label"), False, read, fixed=True)
