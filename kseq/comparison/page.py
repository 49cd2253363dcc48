"""The page of a comparison: one HTML file that needs nothing beside it."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from kseq.comparison.results import RowResult
from kseq.comparison.table import table
from kseq.page import html_document, html_table, picture

_SHOWN = "Accuracy with intervals, accuracy by seconds of an epoch, and learning curves of the rows in the table."


def html_page(
    title: str,
    results: Sequence[RowResult],
    notes: Sequence[str],
    facts: Mapping[str, Any],
    image: bytes | None,
) -> str:
    """Write the table, what has to be known to read it, the picture, and the command of each row.

    Args:
        title: of the page.
        results: of the rows.
        notes: sentences.
        facts: of the data, the machine and the versions, by their names.
        image: a PNG file, or None where no row was trained.
    """
    listed = "\n".join(f"<li>{escape(note)}</li>" for note in notes)
    commands = escape("\n".join(row.command for row in results))
    body = f"""{html_table(*table(results))}
<ul>
{listed}
</ul>
{picture(image, _SHOWN) if image is not None else ""}
<h2>Each row alone, with its first seed</h2>
<pre>{commands}</pre>"""
    return html_document(title, body, facts)
