"""The report on a dataset: what is in it, what is wrong with it, and which options it suggests."""

from typing import Any

import numpy as np

from kseq.inputs import INPUTS
from kseq.options import Options
from pipelines.sequence_data import SequenceData
from pipelines.survey import Survey
from pipelines.text_data import TextData

_EXAMPLES = 3
# How many times as common as another a class is when weights begin to help.
_UNEVEN = 4


def data_report(data: TextData | SequenceData, options: Options) -> dict[str, Any]:
    """Look at every text or sequence of the splits.

    Args:
        data: the splits.
        options: the group "text": what is to be set instead of suggested.

    Returns:
        What JSON knows: `name`, `sizes`, `reading`, `notes`, `classes`, `target_kind`, `repeated` and `conflicting`
        ones, `suggested` options, `warnings`, and what `Input.report` finds.
    """
    surveys = {split: data.survey(split) for split in ("train", "validation", "test")}
    kind = INPUTS[data.input_kind]
    of_input = kind.report(data, options)
    train = surveys["train"]
    conflicts = train.conflicting
    return {
        "name": data.name,
        "input_kind": data.input_kind,
        "target_kind": data.target_kind,
        "sizes": dict(data.sizes),
        "reading": dict(data.reading),
        "notes": list(data.notes),
        "classes": _classes(surveys, data.class_names),
        "repeated": len(train) - len(np.unique(train.hashes)),
        "conflicting": {
            f"{kind.noun}s": len(conflicts),
            "examples": kind.shown(data.train, _first_of(train, conflicts[:_EXAMPLES])),
        },
        "warnings": list(data.warnings),
        **of_input,
        "suggested": {**of_input["suggested"], "uneven": bool(_uneven(train, len(data.class_names)))},
    }


def _uneven(found: Survey, number_of_classes: int) -> bool:
    """Whether some class is so rare beside another that a model may leave it out."""
    counts = found.counts(number_of_classes)
    return counts.max() > _UNEVEN * counts.min()


def _classes(surveys: dict[str, Survey], class_names: tuple[str, ...]) -> list[dict[str, Any]]:
    counts = {split: found.counts(len(class_names)) for split, found in surveys.items()}
    return [
        {
            "name": name,
            **{split: int(counts[split][place]) for split in counts},
            "share": float(counts["train"][place] / len(surveys["train"])),
        }
        for place, name in enumerate(class_names)
    ]


def _first_of(found: Survey, hashes: np.ndarray) -> np.ndarray:
    """Flag, bool (N,), the first one of each hash."""
    chosen = np.zeros(len(found), bool)
    chosen[[int(np.flatnonzero(found.hashes == each)[0]) for each in hashes]] = True
    return chosen
