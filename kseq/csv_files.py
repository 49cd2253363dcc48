"""Write tables that spreadsheets open safely: predictions.csv, history.csv."""

import csv
import os
import re
from collections.abc import Iterable, Sequence

# Spreadsheets compute a cell that begins so, and some formulas call programs or web addresses (OWASP, CSV injection).
# The wide signs count in East Asian editions.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

_NUMBER = re.compile(r"[+-]?[0-9]+([.,][0-9]+)?")


def write_csv(path: str | os.PathLike[str], header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    r"""Write a table as RFC 4180 has it: UTF-8, commas, `\r\n` after each row, quotes where a cell needs them.

    A text that a spreadsheet would take for a formula gets an apostrophe in front: `=HYPERLINK("…")` is written as
    `'=HYPERLINK("…")`. Numbers compute nothing: `-0.5` and a label "-1" are written as they are. None is an empty cell.

    Half a surrogate pair, which is no UTF-8, is written as `\udc80` and the like, so that one odd text costs no file.

    Args:
        path: the file; an old one is replaced.
        header: names of the columns.
        rows: each as long as the header.

    Raises:
        ValueError: a row of another length; the rows before it are written.
    """
    with open(path, "w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([neutral(name) for name in header])
        for number, row in enumerate(rows, start=1):
            if len(row) != len(header):
                raise ValueError(
                    f"row {number} has {len(row)} cells; expected {len(header)}, one for each of {', '.join(header)}."
                )
            writer.writerow([neutral(cell) for cell in row])


def neutral(cell: object) -> object:
    """Put an apostrophe before a text that a spreadsheet would take for a formula."""
    if isinstance(cell, str) and cell.startswith(_FORMULA_STARTS) and not _NUMBER.fullmatch(cell):
        return "'" + cell
    return cell
