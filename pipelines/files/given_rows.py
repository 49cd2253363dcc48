"""Rows with all their columns, in their order, broken ones included: what a trained model is to answer.

Reading for training keeps text and label and skips what is broken. Here every row comes out again, as the file has it.
"""

import dataclasses
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from pipelines.errors import DataError
from pipelines.files import columns, delimited, encodings, formats, json_lines, parquet
from pipelines.files.file_rows import UNDECODABLE, BadRow, Table
from pipelines.files.opening import open_path
from pipelines.files.texts import text_of
from pipelines.files.trees import File, Tree, decompressed

FORMATS = ("csv", "jsonl", "parquet", "lines")
STANDARD_INPUT = "-"
_STANDARD_INPUT = "standard input"
_COLUMN = "column {}"
_TEXT = "text"


class GivenRow(NamedTuple):
    """One row.

    Attributes:
        values: by the names of the columns; what cannot be read has none.
        text: what a model reads; "" where there is a problem.
        problem: why there is no text, with file and line, or "".
    """

    values: Mapping[str, Any]
    text: str
    problem: str


@dataclasses.dataclass(frozen=True)
class GivenRows:
    """The rows of a file, which can be read again and again; those of standard input once.

    Attributes:
        form: one of `FORMATS`.
        columns: their names, all different; of JSON, those of the first objects.
        note: how the file is read, for the user.
        read: gives the rows from the beginning.
        schema: of a Parquet file, as pyarrow has it.
    """

    form: str
    columns: tuple[str, ...]
    note: str
    read: Callable[[], Iterator[GivenRow]]
    schema: Any = None


def open_rows(
    path: str,
    *,
    form: str | None = None,
    text_column: str | None = None,
    trained_on: Sequence[str] = (),
    encoding: str | None = None,
) -> GivenRows:
    """Find out how a file is written and which of its columns hold the text.

    Args:
        path: of a file, gzipped or not; or `STANDARD_INPUT`.
        form: one of `FORMATS`; found by content where None, and one text a line on standard input.
        text_column: as the user typed it; several with commas between.
        trained_on: names of the columns that the model was trained on; they are taken where the file has them.
        encoding: that the user typed.

    Raises:
        DataError: nothing there, or what cannot be read as rows with a text.
    """
    given = encodings.checked(encoding)
    if path == STANDARD_INPUT:
        form = form or "lines"
        if form == "lines":
            return _lines(lambda: _from_standard_input(given), _STANDARD_INPUT)
        # Found out at the beginning and then read again, both of which a stream cannot do.
        return _opened(_spooled(), form, text_column, trained_on, given)
    found = open_path(path, given)
    if isinstance(found, Tree):
        raise DataError(f"{path} is {_a(found.kind)}; expected one file of rows. Name a file.")
    return _opened(found, form, text_column, trained_on, given)


def _opened(
    file: File, form: str | None, text_column: str | None, trained_on: Sequence[str], given: str | None
) -> GivenRows:
    wanted = [*(name for name in (text_column, *(text_column or "").split(",")) if name), *trained_on]
    if form == "csv":
        table = delimited.open_table(file, encodings.find(file.head(encodings.HEAD), given), wanted, None)
    elif form != "lines":
        table = formats.open_table(file, given, wanted)
    if form == "lines" or (form is None and _is_plain_text(file, table, wanted)):
        encoding = encodings.find(file.head(encodings.HEAD), given)

        def lines() -> Iterator[str]:
            with file.open() as stream:
                yield from encodings.lines(stream, file.name, encoding)

        return _lines(lines, file.name)
    found = _form(table)
    if form is not None and found != form:
        raise DataError(f"{file.name} is {table.format}, and --format says {form}. Leave --format out.")
    chosen = _texts(table, text_column, trained_on)
    names = _names(table)
    where = " and ".join(repr(names[index]) for index in chosen)
    how = ", ".join(part for part in (table.format, table.encodings) if part)
    note = f"{file.name} ({how}; the text is in {where})"
    if found == "parquet":
        schema = parquet.schema(file)
        return GivenRows(found, names, note, lambda: _of_dicts(parquet.rows(file), file.name, names, chosen), schema)
    if found == "jsonl":
        encoding = encodings.find(file.head(encodings.HEAD), given)
        array = "array" in table.format

        def objects() -> Iterator[GivenRow]:
            exact = json.JSONDecoder()
            return _of_objects(json_lines.objects(file, encoding, array=array, decoder=exact), names, chosen)

        return GivenRows(found, names, note, objects)
    return GivenRows(found, names, note, lambda: _of_table(table, names, chosen))


def _form(table: Table) -> str:
    if table.format == "Parquet":
        return "parquet"
    return "jsonl" if table.format.startswith(("JSON", "a JSON")) else "csv"


def _is_plain_text(file: File, table: Table, wanted: Sequence[str]) -> bool:
    """Whether a .txt file has a text a line: commas are no separators there, and tabs or known columns are."""
    if ".txt" not in Path(file.parts[-1]).suffixes:
        return False
    return table.format != "TSV" and not (table.named and set(wanted) & set(table.columns)) and not table.fixed


def _names(table: Table) -> tuple[str, ...]:
    names = table.columns if table.named or table.fixed else tuple(map(_COLUMN.format, table.columns))
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(
            f"{table.file} has several columns called {twice[0]!r}; each becomes one of the answer's. Give them names "
            "of their own."
        )
    return names


def _texts(table: Table, text_column: str | None, trained_on: Sequence[str]) -> Sequence[int]:
    """Choose the columns that make the text: those asked for, else those of training, else those that look like it."""
    if text_column is None and not table.fixed:
        if len(table.columns) == 1:
            return [0]
        if trained_on and table.named and set(trained_on) <= set(table.columns):
            return [table.columns.index(name) for name in trained_on]
    return columns.choose(table, text_column, None, labelled=False).indices


def _of_table(table: Table, names: Sequence[str], chosen: Sequence[int]) -> Iterator[GivenRow]:
    for row in table.read(range(len(names))):
        if isinstance(row, BadRow):
            yield _broken(row, names, chosen)
        else:
            fields = [row.fields[index] for index in chosen]
            yield _row(dict(zip(names, row.fields, strict=True)), fields, row.file, row.line)


def _of_objects(
    found: Iterator[tuple[int, dict[str, Any]] | BadRow], names: Sequence[str], chosen: Sequence[int]
) -> Iterator[GivenRow]:
    for each in found:
        if isinstance(each, BadRow):
            yield _broken(each, names, chosen)
        else:
            line, values = each
            yield _row(values, [_number_as_text(values.get(names[index])) for index in chosen], "", line)


def _of_dicts(
    found: Iterator[dict[str, Any]], file: str, names: Sequence[str], chosen: Sequence[int]
) -> Iterator[GivenRow]:
    for number, values in enumerate(found, 1):
        yield _row(values, [parquet.as_text(values[names[index]]) for index in chosen], file, number)


def _row(values: Mapping[str, Any], fields: Sequence[Any], file: str, line: int | None) -> GivenRow:
    text, reason, detail = text_of(fields)
    return GivenRow(values, text, str(BadRow(file, line, reason, detail)) if reason else "")


def _broken(row: BadRow, names: Sequence[str], chosen: Sequence[int]) -> GivenRow:
    """Give a row that cannot be read back as it is written, in the place of its text."""
    return GivenRow({names[chosen[0]]: row.content} if row.content else {}, "", str(row))


def _number_as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _lines(read: Callable[[], Iterator[str]], name: str) -> GivenRows:
    """Take each line for a text, an empty one too: the answers stand in the same lines."""

    def rows() -> Iterator[GivenRow]:
        for number, line in enumerate(read(), 1):
            if type(line) is encodings.Undecodable:
                yield GivenRow({_TEXT: line}, "", str(BadRow(name, number, UNDECODABLE)))
            else:
                yield _row({_TEXT: line}, [line], name, number)

    return GivenRows("lines", (_TEXT,), f"{name} (one text a line)", rows)


def _from_standard_input(given: str | None) -> Iterator[str]:
    """Read lines as they come: whoever types shall not wait until a block is full."""
    codec = given or "utf-8"
    for line in iter(sys.stdin.buffer.readline, b""):
        try:
            yield line.decode(codec).rstrip("\r\n").removeprefix("\ufeff")
        except UnicodeDecodeError:
            yield encodings.Undecodable(line.decode(codec, "replace"))


def _spooled() -> File:
    """Copy standard input to a file without a name, which can be read again."""
    copy = tempfile.TemporaryFile()  # noqa: SIM115 - it goes with the process
    shutil.copyfileobj(sys.stdin.buffer, copy)

    def opened() -> BinaryIO:
        copy.seek(0)
        return decompressed(os.fdopen(os.dup(copy.fileno()), "rb"))

    return File(_STANDARD_INPUT, (_STANDARD_INPUT,), opened)


def _a(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"
