"""The page of a search: one HTML file that needs nothing beside it."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from kseq.page import html_document, html_table, picture
from kseq.tuning.results import TrialResult


def search_page(
    title: str,
    leaderboard: Sequence[TrialResult],
    notes: Sequence[str],
    facts: Mapping[str, Any],
    pictures: Mapping[str, bytes],
) -> str:
    """Write the leaderboard, what has to be known to read it, the pictures, and the command of each trial.

    Args:
        title: of the page.
        leaderboard: the best first.
        notes: sentences.
        facts: of the search, the data, the machine and the versions, by their names.
        pictures: PNG files, by what they show.
    """
    header = ["trial", "settings that differ", "value", "epochs", "seconds", ""]
    rows = [
        [
            str(row.number),
            row.label or "the defaults",
            "" if row.value is None else f"{row.value:.4f}",
            "" if row.epochs is None else f"{row.epochs} of {row.of_epochs}",
            "" if row.seconds is None else f"{row.seconds:.0f}",
            row.reason or ("cut short by the budget" if row.cut else ""),
        ]
        for row in leaderboard
    ]
    commands = "\n".join(f"# trial {row.number}\n{row.command}" for row in leaderboard if row.command)
    listed = "\n".join(f"<li>{escape(note)}</li>" for note in notes)
    body = f"""<ul>
{listed}
</ul>
{"".join(picture(content, words) for words, content in pictures.items())}
<h2>Trials, the best first</h2>
{html_table(header, rows)}
<h2>Each trial alone</h2>
<pre>{escape(commands)}</pre>
"""
    return html_document(title, body, facts)
