"""What the model card says of a pretraining."""

from collections.abc import Iterable, Mapping
from typing import Any

from kseq.markdown import code


def before_the_labels(record: Mapping[str, Any]) -> Iterable[str]:
    """Say what was learned from the texts alone, where something was.

    Args:
        record: the run record; those of earlier versions know of no pretraining.
    """
    found = record.get("pretraining")
    if found is None:
        return
    how_well = cut_short = ""
    if found["perplexity"] is not None:
        how_well = f", to a perplexity of {found['perplexity']:.1f} on {found['held_out']:,} texts that were held out"
    if found["interrupted"]:
        cut_short = "; the user cut it short"
    layers = " and ".join(map(code, found["layers"]))
    both = " and the unlabeled ones" if "unlabeled" in record["data"]["sizes"] else ""
    yield (
        f"Before the labels, {layers} learned from {found['texts']:,} texts of train{both} alone ({code(found['name'])}"
        f"{how_well}{cut_short}). Unlabeled texts that also stand in validation or test are never among them."
    )
