"""Pages that need nothing beside them: one HTML file, in which whatever comes from a user is text. No TensorFlow."""

import base64
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

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


def html_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a table whose first row is set off and whose second column holds flags.

    Args:
        header: names of the columns.
        rows: all words.
    """
    head = "".join(f"<th>{escape(name)}</th>" for name in header)
    body = "\n".join(
        f"<tr><td>{escape(number)}</td><td><code>{escape(label)}</code></td>"
        + "".join(f"<td>{escape(cell)}</td>" for cell in cells)
        + "</tr>"
        for number, label, *cells in rows
    )
    return f"""<div class="wide"><table>
<thead><tr>{head}</tr></thead>
<tbody>
{body}
</tbody>
</table></div>"""


def picture(content: bytes, words: str) -> str:
    """Put a PNG file into the page.

    Args:
        content: of the file.
        words: what it shows.
    """
    coded = base64.b64encode(content).decode("ascii")
    return f'<p><img alt="{escape(words)}" src="data:image/png;base64,{coded}"></p>\n'


def html_document(title: str, body: str, facts: Mapping[str, Any]) -> str:
    """Write a whole page.

    Args:
        title: of the page.
        body: HTML.
        facts: of the data, the machine and the versions, by their names.
    """
    told = "\n".join(f"<tr><td>{escape(name)}</td><td>{escape(str(value))}</td></tr>" for name, value in facts.items())
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
{body}
<h2>Data, machine, versions</h2>
<table class="facts">
{told}
</table>
</body>
</html>
"""
