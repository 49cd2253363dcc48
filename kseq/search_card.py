"""What the model card of a search's best model says of the search. No TensorFlow here."""

from collections.abc import Iterable, Mapping
from typing import Any

from kseq.markdown import fenced, text


def search(record: Mapping[str, Any]) -> Iterable[str]:
    """Say how the options were chosen, and what that was worth; nothing of a run that searched nothing.

    Args:
        record: of the run.
    """
    found = record.get("search")
    if found is None:
        return
    trials, best = found["trials"], found["best"]
    yield (
        f"The options are the best of a search: {trials['tried']:,} trials of the tuner {text(found['tuner'])}, of "
        f"which {trials['completed']:,} were completed, judged by {text(found['objective'])}. Trial {best['trial']} "
        f"was the best, with {best['value']:.4f}. {' '.join(map(text, found['verdict']))}"
    )
    yield "That trial again:"
    yield fenced("sh", best["command"])
