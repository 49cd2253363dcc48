"""What a search leaves in its folder beside keras-tuner's project: the table, the pictures and the page."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kseq.csv_files import write_csv
from kseq.replacing import replacing
from kseq.run_record import environment
from kseq.terms import writing
from kseq.tuning.figure import draw_course, draw_options, draw_together
from kseq.tuning.folder import FLAG, WHAT, SearchFolder
from kseq.tuning.importance import importances
from kseq.tuning.objective import Objective
from kseq.tuning.page import search_page
from kseq.tuning.results import TrialResult, best_first, table_rows
from kseq.tuning.space import Space


def write_trials(
    folder: SearchFolder,
    results: Sequence[TrialResult],
    objective: Objective,
    space: Space,
    command: str,
    found: Mapping[str, Any],
) -> None:
    """Write what the trials say.

    Args:
        folder: where to.
        results: in the order of the ends of the trials.
        objective: what they are judged by.
        space: that was searched, resolved.
        command: that does all this again.
        found: what `search.json` holds beside the terms.

    Raises:
        ExportError: a file cannot be written.
    """
    leaderboard = best_first(list(results), objective)
    done = [row for row in results if row.status == "COMPLETED"]
    shares = importances([row.values for row in done], [row.value or 0.0 for row in done])
    here = environment()
    folder.keep_search({**found, "command": command, "importance": shares, **here})
    facts = {
        "searched": ", ".join(f"{name} {values}" for name, values in space.items()),
        "fingerprints": ", ".join(f"{split} {print_}" for split, print_ in folder.terms["data"].items()),
        "machine": f"{here['machine']['processor']}, {here['machine']['cores']} cores",
        "versions": ", ".join(f"{name} {version}" for name, version in folder.terms["versions"].items()),
        "written": here["created"],
        "command": command,
    }
    with writing(folder.path, WHAT, FLAG):
        with replacing(folder.path / "trials.csv") as file:
            write_csv(file, *table_rows(leaderboard, list(space)))
        pictures = _pictures(done, objective, space, shares) if done else {}
        page = search_page(f"Search: {folder.path.name}", leaderboard, _notes(found), facts, pictures)
        with replacing(folder.path / "search.html") as file:
            file.write_text(page, encoding="utf-8")


def _pictures(
    done: Sequence[TrialResult], objective: Objective, space: Space, shares: Mapping[str, float]
) -> dict[str, bytes]:
    """Draw the pictures of the page, by what they show."""
    with tempfile.TemporaryDirectory() as made:
        files = {
            "The best value over time, and the importance of each option.": Path(made) / "course.png",
            "Each option against the objective.": Path(made) / "options.png",
            "The values of each trial as a line.": Path(made) / "together.png",
        }
        course, options, together = files.values()
        draw_course(done, objective, shares, course)
        draw_options(done, objective, space, options)
        draw_together(done, objective, space, together)
        return {words: path.read_bytes() for words, path in files.items()}


def _notes(found: Mapping[str, Any]) -> list[str]:
    """Say what has to be known to read the page."""
    trials = found["trials"]
    return [
        f"{trials['tried']} trials: {trials['completed']} completed, {trials['failed']} failed. The search ended since "
        f"{found['stopped']}.",
        "A trial is judged on validation. The best of many is good by chance, too: what the best settings are worth is "
        "told by the training that followed the search, on the test split.",
        *found.get("verdict", ()),
        "The importance of an option is the share of the variance of a random forest's predictions that it explains "
        "alone. Values that were seldom tried tell little.",
    ]
