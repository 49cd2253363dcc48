"""What a classifier's answers add to a row: columns of their own, whatever the row's are called."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kseq.saved_model import Answer, LabelsAnswer

PREDICTED, CONFIDENCE, PROBLEM = "predicted", "confidence", "problem"
_PREFIX = "kseq_"


def answer_columns(several: bool, top_k: int, taken: Sequence[str]) -> tuple[str, ...]:
    """Name the columns of the answers.

    Args:
        several: whether a text can have several labels; then each of the first two columns holds a list.
        top_k: number of classes named, the most probable first.
        taken: names of the row's own columns; where one of ours is among them, all of ours get a prefix.
    """
    more = [] if several else [f"{name}_{place}" for place in range(2, top_k + 1) for name in (PREDICTED, CONFIDENCE)]
    names = (PREDICTED, "confidences" if several else CONFIDENCE, *more, PROBLEM)
    return tuple(_PREFIX + name for name in names) if set(names) & set(taken) else names


def answer_cells(answer: Answer | LabelsAnswer, class_names: Sequence[str], top_k: int) -> Iterator[tuple[Any, ...]]:
    """Give the cells of each text, without the one of the problem.

    The first class is the one that the model gives, which a threshold may make another than the most probable one; the
    others follow by their probability.
    """
    import numpy as np

    if isinstance(answer, LabelsAnswer):
        for labels, confidences in zip(answer.labels, answer.confidences, strict=True):
            yield labels, [_rounded(value) for value in confidences]
        return
    order = np.argsort(-answer.probabilities, axis=1, kind="stable")
    for given, row, places in zip(answer.label_ids.tolist(), answer.probabilities, order.tolist(), strict=True):
        chosen = [given, *(place for place in places if place != given)][:top_k]
        yield tuple(cell for place in chosen for cell in (class_names[place], _rounded(row[place])))


def with_answer(
    values: Mapping[str, Any], names: Sequence[str], cells: Sequence[Any] | None, problem: str
) -> dict[str, Any]:
    """Put the cells of an answer beside those of a row; None where there is no answer."""
    given = cells if cells is not None else [None] * (len(names) - 1)
    return {**values, **dict(zip(names, [*given, problem or None], strict=True))}


def _rounded(value: Any) -> float:
    """Six digits: what float32 holds of a probability."""
    return round(float(value), 6)
