"""Markdown that shows whatever a user wrote as it is, and never as markup."""

import re
from collections.abc import Iterable, Sequence

_MARKDOWN = re.compile(r"([\\`*_\[\]|~$#])")
_ADDRESS = re.compile(r"(:(?=//)|(?<=www)\.)", re.IGNORECASE)
_BLOCK_START = re.compile(r"^(?:[-+=]|\d+[.)](?=\s|$))")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def text(value: object) -> str:
    """Escape a text for a line or a table cell of Markdown, so that it shows as it is."""
    line = _CONTROL.sub("\ufffd", " ".join(str(value).split()))
    line = _MARKDOWN.sub(r"\\\1", line).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # Bare addresses become links, and at the start of a list item these would begin a list or a heading's underline.
    return _BLOCK_START.sub(lambda start: f"{start[0][:-1]}\\{start[0][-1]}", _ADDRESS.sub(r"\\\1", line))


def code(value: object) -> str:
    """Show a text as code within a line or a table cell."""
    line = _CONTROL.sub("\ufffd", " ".join(str(value).split()))
    fence = "`" * (_longest_run(line) + 1)
    space = " " if line.startswith("`") or line.endswith("`") or not line else ""
    return f"{fence}{space}{line}{space}{fence}".replace("|", r"\|")


def fenced(language: str, lines_of_code: str) -> str:
    """Show lines as code; the fence is longer than any within."""
    fence = "`" * max(_longest_run(lines_of_code) + 1, 3)
    lines = [_CONTROL.sub("\ufffd", line) for line in lines_of_code.splitlines()]
    return "\n".join([f"{fence}{language}", *lines, fence])


def _longest_run(line: str) -> int:
    return max(map(len, re.findall("`+", line)), default=0)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Make a table; the first column is words, the others are numbers."""
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
