"""Parquet files, through pyarrow."""

import functools
from collections.abc import Iterator, Sequence
from typing import Any

from pipelines.errors import DataError
from pipelines.files.file_rows import BadRow, Row, Table
from pipelines.files.trees import File

_BATCH = 1000


def open_table(file: File) -> Table:
    """Read the names of the columns.

    Raises:
        DataError: a damaged file.
    """
    names = tuple(schema(file).names)
    return Table(file.name, "Parquet", "", names, True, functools.partial(_read, file, names))


def schema(file: File) -> Any:
    """Read names and types of the columns, as pyarrow has them.

    Raises:
        DataError: a damaged file.
    """
    with file.open() as stream:
        return _opened(stream, file.name).schema_arrow


def rows(file: File, size: int = _BATCH) -> Iterator[dict[str, Any]]:
    """Read all rows with the values that they have in Python, from the beginning.

    Raises:
        DataError: a damaged file.
    """
    import pyarrow

    with file.open() as stream:
        try:
            for batch in _opened(stream, file.name).iter_batches(size, use_threads=False):
                yield from batch.to_pylist()
        except (pyarrow.ArrowException, KeyError, TypeError) as error:
            raise _damaged(file.name, error) from error


def _read(file: File, names: Sequence[str], chosen: Sequence[int]) -> Iterator[Row | BadRow]:
    import pyarrow

    with file.open() as stream:
        try:
            # By index and not by name, of which a file may have one twice.
            parquet = _opened(stream, file.name)
            whole = len(set(names)) < len(names)
            batches = parquet.iter_batches(
                _BATCH, columns=None if whole else [names[index] for index in chosen], use_threads=False
            )
            number = 0
            for batch in batches:
                columns = [
                    batch.column(index if whole else batch.schema.names.index(names[index])).to_pylist()
                    for index in chosen
                ]
                for fields in zip(*columns, strict=True):
                    number += 1
                    yield Row(file.name, number, [as_text(field) for field in fields])
        except (pyarrow.ArrowException, KeyError, TypeError) as error:
            raise _damaged(file.name, error) from error


def _opened(stream: Any, name: str) -> Any:
    # Slow to import, and of use for this format alone.
    import pyarrow
    from pyarrow import parquet

    try:
        return parquet.ParquetFile(pyarrow.PythonFile(stream, mode="r"), pre_buffer=False)
    except (pyarrow.ArrowException, KeyError, TypeError) as error:
        raise _damaged(name, error) from error


def _damaged(name: str, error: Exception) -> DataError:
    reason = str(error).partition("\n")[0].rstrip(".")
    return DataError(f"{name} cannot be read as Parquet: {reason}. Check that it is whole, or write it again.")


def as_text(field: Any) -> Any:
    """Bring a value into the form that the other formats have: text, lists of text, or None."""
    if field is None or isinstance(field, str):
        return field
    if isinstance(field, bool):
        return str(field).lower()
    if isinstance(field, float):
        # What pandas writes for a value that is missing.
        return None if field != field else repr(field)
    if isinstance(field, bytes):
        try:
            return field.decode("utf-8")
        except UnicodeDecodeError:
            return field
    if isinstance(field, list):
        return [as_text(each) for each in field]
    return field if isinstance(field, dict) else str(field)
