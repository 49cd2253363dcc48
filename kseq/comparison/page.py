"""The page of a comparison: one HTML file that needs nothing beside it."""

import base64
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from kseq.comparison.results import RowResult
from kseq.comparison.table import table

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; margin: 2rem auto; max-width: 78rem; padding: 0 1rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .7rem; text-align: right; white-space: nowrap; border-bottom: 1px solid #ddd; }
th:nth-child(2), td:nth-child(2), .facts td { text-align: left; }
tbody tr:first-child { background: #f4f4f4; }
code { font-size: 90%; }
pre { background: #f4f4f4; padding: .8rem; overflow-x: auto; }
img { max-width: 100%; height: auto; }
"""


def html_page(
    title: str,
    results: Sequence[RowResult],
    notes: Sequence[str],
    facts: Mapping[str, Any],
    picture: bytes | None,
) -> str:
    """Write the table, what has to be known to read it, the picture, and the command of each row.

    Args:
        title: of the page.
        results: of the rows.
        notes: sentences.
        facts: of the data, the machine and the versions, by their names.
        picture: a PNG file, or None where no row was trained.
    """
    header, rows = table(results)
    head = "".join(f"<th>{escape(name)}</th>" for name in header)
    body = "\n".join(
        f"<tr><td>{escape(number)}</td><td><code>{escape(label)}</code></td>"
        + "".join(f"<td>{escape(cell)}</td>" for cell in cells)
        + "</tr>"
        for number, label, *cells in rows
    )
    image = ""
    if picture is not None:
        coded = base64.b64encode(picture).decode("ascii")
        words = (
            "Accuracy with intervals, accuracy by seconds of an epoch, and learning curves of the rows in the table."
        )
        image = f'<p><img alt="{words}" src="data:image/png;base64,{coded}"></p>'
    listed = "\n".join(f"<li>{escape(note)}</li>" for note in notes)
    told = "\n".join(f"<tr><td>{escape(name)}</td><td>{escape(str(value))}</td></tr>" for name, value in facts.items())
    commands = escape("\n".join(row.command for row in results))
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>{escape(title)}</h1>
<div class="wide"><table>
<thead><tr>{head}</tr></thead>
<tbody>
{body}
</tbody>
</table></div>
<ul>
{listed}
</ul>
{image}
<h2>Each row alone, with its first seed</h2>
<pre>{commands}</pre>
<h2>Data, machine, versions</h2>
<table class="facts">
{told}
</table>
</body>
</html>
"""
