"""Rows to files: CSV, JSON lines and Parquet, in pieces that are put together in the end."""

import csv
import io
import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from kseq.csv_files import neutral
from kseq.replacing import replacing

SUFFIXES = {".csv": "csv", ".jsonl": "jsonl", ".parquet": "parquet"}


def write_rows(stream: TextIO, form: str, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows as text; a CSV file's line of names is `header`.

    Cells that a spreadsheet would compute are written as `kseq.csv_files` has it; a list is a row of CSV in its cell.

    Args:
        stream: to write to.
        form: "csv" or "jsonl".
        columns: of CSV, in order; a row without one has an empty cell.
        rows: values by column.
    """
    if form == "jsonl":
        for row in rows:
            stream.write(json.dumps(row, ensure_ascii=False) + "\n")
        return
    writer = csv.writer(stream)
    writer.writerows([_cell(row.get(column)) for column in columns] for row in rows)


def header(form: str, columns: Sequence[str]) -> str:
    """Give what a file begins with, before its rows."""
    if form != "csv":
        return ""
    line = io.StringIO()
    csv.writer(line).writerow([neutral(column) for column in columns])
    return line.getvalue()


def write_piece(path: Path, form: str, columns: Sequence[str], rows: Sequence[Mapping[str, Any]], schema: Any) -> None:
    """Write one piece of a file whole, or leave nothing under its name.

    Args:
        path: of the piece.
        form: one of `SUFFIXES`' values.
        columns: of the whole file.
        rows: of this piece.
        schema: of Parquet, as `answer_schema` makes it.
    """
    with replacing(path) as unfinished:
        if form == "parquet":
            import pyarrow
            from pyarrow import parquet

            parquet.write_table(pyarrow.Table.from_pylist(list(rows), schema=schema), unfinished)
        else:
            with unfinished.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
                write_rows(file, form, columns, rows)


def join_pieces(path: Path, form: str, columns: Sequence[str], pieces: Sequence[Path], schema: Any) -> None:
    """Put the pieces of a file together.

    Args:
        path: of the file.
        form, columns, schema: those of the pieces.
        pieces: in order.
    """
    if form == "parquet":
        from pyarrow import parquet

        with parquet.ParquetWriter(path, schema) as writer:
            for piece in pieces:
                writer.write_table(parquet.read_table(piece, schema=schema))
    else:
        with path.open("wb") as file:
            file.write(header(form, columns).encode("utf-8", "backslashreplace"))
            for piece in pieces:
                with piece.open("rb") as part:
                    shutil.copyfileobj(part, file, 1 << 20)


def answer_schema(given: Any, columns: Sequence[str], several: bool, own: Sequence[str]) -> Any:
    """Make the schema of a Parquet file: the user's columns as they are, text where no types are known, and ours.

    Args:
        given: the schema of the file that is answered, or None.
        columns: names of the user's columns.
        several: whether answers are lists.
        own: names of our columns: names and numbers in turn, and a text last.
    """
    import pyarrow

    kinds = [pyarrow.string(), pyarrow.float64()]
    if several:
        kinds = [pyarrow.list_(kind) for kind in kinds]
    ours = [(name, kinds[place % 2]) for place, name in enumerate(own[:-1])] + [(own[-1], pyarrow.string())]
    fields = list(given) if given is not None else [pyarrow.field(name, pyarrow.string()) for name in columns]
    return pyarrow.schema([*fields, *(pyarrow.field(name, kind) for name, kind in ours)])


def _cell(value: Any) -> Any:
    if isinstance(value, list):
        line = io.StringIO()
        csv.writer(line, lineterminator="").writerow(value)
        return neutral(line.getvalue()) if value else ""
    return neutral(json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value)
