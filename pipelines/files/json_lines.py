"""JSON: one object a line, or one array of objects."""

import itertools
import json
from collections.abc import Iterator, Sequence
from typing import Any

from pipelines.errors import DataError
from pipelines.files import encodings
from pipelines.files.encodings import Encoding, Undecodable
from pipelines.files.file_rows import NO_OBJECT, UNDECODABLE, BadRow, Row, Table
from pipelines.files.trees import File

_SAMPLE = 1000
_BLANKS = " \t\r\n"
# Numbers stay as they are written: a label 1.0 is not 1, and an id of fifty digits is no matter.
_AS_WRITTEN = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=lambda _: None)
# An object that is longer is one that never ends.
_MOST_CHARACTERS = 1 << 26
# An error this near to the end of what was read may be one of what was not.
_NEAR = 32


def open_table(file: File, encoding: Encoding, *, array: bool) -> Table:
    """Find the names of the first objects, which are the columns.

    Args:
        file: to read.
        encoding: of its text.
        array: whether the file is one array; otherwise each line is an object.

    Raises:
        DataError: no object at all, or an array that is broken.
    """

    columns: dict[str, None] = {}
    first = list(itertools.islice(objects(file, encoding, array=array), _SAMPLE))
    for found in first:
        if not isinstance(found, BadRow):
            columns.update(dict.fromkeys(found[1]))
    if not columns:
        broken = f" The first: {first[0]}." if first and isinstance(first[0], BadRow) else ""
        raise DataError(
            f"{file.name} holds no JSON object with a text and a label; expected lines such as "
            f'{{"text": "a text", "label": "a label"}}.{broken}'
        )
    names = tuple(columns)

    def read(chosen: Sequence[int]) -> Iterator[Row | BadRow]:
        wanted = [names[index] for index in chosen]
        for found in objects(file, encoding, array=array):
            if isinstance(found, BadRow):
                yield found
            else:
                yield Row(file.name, found[0], [found[1].get(name) for name in wanted])

    return Table(file.name, "a JSON array" if array else "JSON lines", str(encoding), names, True, read)


def objects(
    file: File, encoding: Encoding, *, array: bool, decoder: json.JSONDecoder = _AS_WRITTEN
) -> Iterator[tuple[int, dict[str, Any]] | BadRow]:
    """Read all objects with the lines that they begin in, from the beginning.

    Args:
        file: to read.
        encoding: of its text.
        array: whether the file is one array; otherwise each line is an object.
        decoder: of the objects; one that leaves numbers as they are written where none is given.

    Raises:
        DataError: an array that is broken.
    """
    with file.open() as stream:
        yield from (_in_array if array else _in_lines)(stream, file.name, encoding, decoder)


def _in_lines(
    stream: Any, file: str, encoding: Encoding, decoder: json.JSONDecoder
) -> Iterator[tuple[int, dict[str, Any]] | BadRow]:
    for number, line in enumerate(encodings.lines(stream, file, encoding), 1):
        if not line or line.isspace():
            continue
        if type(line) is Undecodable:
            yield BadRow(file, number, UNDECODABLE, content=line)
            continue
        try:
            found = decoder.decode(line)
        except json.JSONDecodeError as error:
            yield BadRow(file, number, NO_OBJECT, f"{error.msg} at character {error.colno}", line)
        except RecursionError:
            yield BadRow(file, number, NO_OBJECT, "nested too deeply", line)
        else:
            if isinstance(found, dict):
                yield number, found
            else:
                yield BadRow(file, number, NO_OBJECT, f"a {type(found).__name__}", line)


def _in_array(
    stream: Any, file: str, encoding: Encoding, decoder: json.JSONDecoder
) -> Iterator[tuple[int, dict[str, Any]] | BadRow]:
    """Decode an array piece by piece: it may be larger than memory, all on one line."""
    text = _Window(encodings.chunks(stream, file, encoding), decoder)
    text.expect("[", file)
    if text.peek() == "]":
        return
    while True:
        text.peek()
        line, found = text.line, text.value(file)
        yield (line, found) if isinstance(found, dict) else BadRow(file, line, NO_OBJECT, f"a {type(found).__name__}")
        if text.peek() == "]":
            return
        text.expect(",", file)


class _Window:
    """The part of a text that is being decoded, and the line it begins in."""

    def __init__(self, chunks: Iterator[str], decoder: json.JSONDecoder) -> None:
        self.line = 1
        self._chunks, self._text, self._at = chunks, "", 0
        self._decoder = decoder

    def _more(self) -> bool:
        chunk = next(self._chunks, None)
        if chunk is None:
            return False
        self._text, self._at = self._text[self._at :] + chunk, 0
        return True

    def _advance(self, end: int) -> None:
        self.line += self._text.count("\n", self._at, end)
        self._at = end

    def peek(self) -> str:
        """Go to the next character that is not blank; "" at the end."""
        while True:
            end = self._at
            while end < len(self._text) and self._text[end] in _BLANKS:
                end += 1
            self._advance(end)
            if end < len(self._text):
                return self._text[end]
            if not self._more():
                return ""

    def expect(self, character: str, file: str) -> None:
        """Step over a character that must come next."""
        found = self.peek()
        if found != character:
            raise _broken(file, self.line, f"expected {character!r} and found {found or 'the end of the file'!r}")
        self._at += 1

    def value(self, file: str) -> Any:
        """Decode the value that comes next."""
        while True:
            try:
                found, end = self._decoder.raw_decode(self._text, self._at)
                # A number at the very end may go on.
                if end < len(self._text) or not self._more():
                    self._advance(end)
                    return found
            except json.JSONDecodeError as error:
                near = error.pos > len(self._text) - _NEAR or error.msg.startswith("Unterminated")
                if not near or len(self._text) - self._at > _MOST_CHARACTERS or not self._more():
                    line = self.line + self._text.count("\n", self._at, error.pos)
                    raise _broken(file, line, error.msg) from error
            except RecursionError as error:
                raise _broken(file, self.line, "nested too deeply") from error


def _broken(file: str, line: int, why: str) -> DataError:
    return DataError(
        f"{file}, line {line}: the JSON array is broken: {why}. Mend it there, or write one object a line, so that a "
        "broken one can be skipped."
    )
