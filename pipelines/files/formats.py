"""Which format a file has: by its content, and by its suffix where content does not tell."""

import re
from collections.abc import Sequence
from pathlib import PurePath

from pipelines.errors import DataError
from pipelines.files import delimited, encodings, fasttext_lines, json_lines, parquet
from pipelines.files.file_rows import Table
from pipelines.files.trees import File

_JSON = {".json", ".jsonl", ".ndjson"}
_ARRAY = re.compile(r"\s*\[\s*(\{\s*[\"}]|\]\s*$)")
_OBJECT = re.compile(r"\s*\{\s*[\"}]")


def open_table(file: File, given: str | None, wanted: Sequence[str] = (), texts: Sequence[str] = ()) -> Table:
    """Open a file of rows.

    Args:
        file: to read.
        given: the encoding that the user typed, as `encodings.checked` returns it.
        wanted: names of columns that the user asks for.
        texts: names of the columns that make the text, where only texts are read; a .txt file without them has one
            text a line.

    Raises:
        DataError: no rows, no text, or text of another encoding.
    """
    head = file.head(encodings.HEAD)
    if not head:
        raise DataError(f"{file.name} is empty: it has no bytes. Expected texts with their labels.")
    if head.startswith(b"PAR1"):
        return parquet.open_table(file)
    if head.startswith(b"PK\x03\x04") or head[257:262] == b"ustar":
        raise DataError(f"{file.name} is an archive within another one. Unpack the outer one, and name this one.")
    encoding = encodings.find(head, given)
    beginning = head[encoding.mark :].decode(encoding.codec, "replace")
    suffixes = {suffix.lower() for suffix in PurePath(file.parts[-1]).suffixes}
    if _ARRAY.match(beginning) or (suffixes & _JSON and beginning.lstrip().startswith("[")):
        return json_lines.open_table(file, encoding, array=True)
    if _OBJECT.match(beginning) or suffixes & _JSON:
        return json_lines.open_table(file, encoding, array=False)
    if beginning.lstrip().startswith(fasttext_lines.PREFIX):
        return fasttext_lines.open_table(file, encoding)
    if ".parquet" in suffixes:
        raise DataError(f"{file.name} is no Parquet file, which begins with PAR1. Check that it is whole.")
    table = delimited.open_table(file, encoding, wanted, "\t" if suffixes & {".tsv", ".tab"} else None)
    if texts and ".txt" in suffixes and not (table.named and set(texts) <= set(table.columns)):
        return delimited.open_lines(file, encoding)
    return table
