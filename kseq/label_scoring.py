"""Scores of labels of which a text can have several, from probabilities. NumPy only; prints nothing.

N is the number of texts, C the number of labels.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from kseq.scoring import LEAST_PROBABILITY, ClassScores, calibration_error, ratio, shown_row, wilson_interval

_RESAMPLES = 2000


@dataclasses.dataclass(frozen=True)
class LabelScores(ClassScores):
    """Scores of one label; a ratio without a denominator is 0.

    Attributes:
        threshold: the probability from which on the label is given.
        average_precision: precision at the probability of each text that has the label, as a mean over those texts; it
            does not depend on the threshold.
    """

    threshold: float
    average_precision: float


@dataclasses.dataclass(frozen=True)
class LabelsScores:
    """How good the labels and probabilities of N texts are.

    Attributes:
        count: N.
        micro_f1: F1 over all decisions of all texts together.
        micro_f1_interval: its 95% interval, low and high, from 2,000 resamples of the texts. It tells what another
            sample of texts as large as this one would change; it has no width where no text has a fault.
        macro_f1: mean F1 over all C labels, also those without a text.
        subset_accuracy: fraction of texts whose labels are all right, none missing and none too many.
        subset_accuracy_interval: its 95% Wilson score interval.
        hamming_loss: fraction of the N · C decisions that are wrong.
        mean_average_precision: mean over the labels that a text has.
        classes: C entries, in the order of the class names.
        nll: mean negative log-likelihood of a decision in nats; probabilities below 2^-23 count as 2^-23.
        brier: mean squared error of the probabilities, between 0 and 1.
        ece: expected calibration error: the gap between a label's probability and how often it is there, as a mean over
            15 bins of equal width, weighted by their decisions.
    """

    count: int
    micro_f1: float
    micro_f1_interval: tuple[float, float]
    macro_f1: float
    subset_accuracy: float
    subset_accuracy_interval: tuple[float, float]
    hamming_loss: float
    mean_average_precision: float
    classes: tuple[LabelScores, ...]
    nll: float
    brier: float
    ece: float

    # What a line of the console and the JSON object of a run tell.
    MAIN: ClassVar[tuple[str, ...]] = ("micro_f1", "macro_f1", "subset_accuracy", "hamming_loss", "nll", "ece")

    def to_dict(self) -> dict[str, Any]:
        """Give the scores as what JSON knows: dicts, lists, strings and numbers."""
        return {
            **dataclasses.asdict(self),
            "micro_f1_interval": list(self.micro_f1_interval),
            "subset_accuracy_interval": list(self.subset_accuracy_interval),
            "classes": [dataclasses.asdict(scores) for scores in self.classes],
        }


def score_labels(
    probabilities: np.ndarray, targets: np.ndarray, class_names: Sequence[str], thresholds: Sequence[float] | None
) -> LabelsScores:
    """Score probabilities against labels.

    Args:
        probabilities: float (N, C), each between 0 and 1.
        targets: (N, C), 1 where the text has the label and 0 where not.
        class_names: C names.
        thresholds: C; a label is given where its probability is not less. None is 0.5 for all.

    Raises:
        ValueError: there is no text, shapes do not fit, a target is neither 0 nor 1, or a number is no probability.
    """
    probabilities, targets = _checked(np.asarray(probabilities), np.asarray(targets), class_names)
    # float32, as the graph compares them.
    limits = np.array([0.5] * len(class_names) if thresholds is None else thresholds, np.float32)
    if limits.shape != (len(class_names),):
        raise ValueError(f"there are {limits.size} thresholds; expected {len(class_names)}, one a label.")
    given = probabilities >= limits  # (N, C)
    hits, predictions, support = ((given & targets).sum(axis=0), given.sum(axis=0), targets.sum(axis=0))  # (C,) each
    probabilities = probabilities.astype(np.float64)
    classes = tuple(
        LabelScores(
            name=name,
            precision=ratio(hits[place], predictions[place]),
            recall=ratio(hits[place], support[place]),
            f1=ratio(2 * hits[place], predictions[place] + support[place]),
            support=int(support[place]),
            predictions=int(predictions[place]),
            threshold=float(limits[place]),
            average_precision=_average_precision(probabilities[:, place], targets[:, place]),
        )
        for place, name in enumerate(class_names)
    )
    right = (given == targets).all(axis=1)  # (N,)
    of_right = np.where(targets, probabilities, 1 - probabilities)  # (N, C)
    return LabelsScores(
        count=len(targets),
        micro_f1=ratio(2 * hits.sum(), (predictions + support).sum()),
        micro_f1_interval=_micro_f1_interval((given & targets).sum(axis=1), (given.sum(axis=1) + targets.sum(axis=1))),
        macro_f1=float(np.mean([scores.f1 for scores in classes])),
        subset_accuracy=float(right.mean()),
        subset_accuracy_interval=wilson_interval(int(right.sum()), len(right)),
        hamming_loss=float((given != targets).mean()),
        mean_average_precision=float(
            np.mean([scores.average_precision for scores in classes if scores.support] or [0])
        ),
        classes=classes,
        nll=float(-np.log(of_right.clip(LEAST_PROBABILITY, 1)).mean()) + 0.0,
        brier=float(np.square(1 - of_right).mean()),
        ece=calibration_error(probabilities.ravel(), targets.ravel()),
    )


def _average_precision(probabilities: np.ndarray, targets: np.ndarray) -> float:
    """Average the precision over the texts that have a label, each at its own probability, both (N,)."""
    support = int(targets.sum())
    if not support:
        return 0.0
    order = np.argsort(-probabilities, kind="stable")
    descending, found = probabilities[order], np.cumsum(targets[order])
    # Texts of one probability are taken together, whatever their order.
    last = np.flatnonzero(np.append(descending[:-1] > descending[1:], True))
    new = np.diff(found[last], prepend=0)
    return float((new * found[last] / (last + 1)).sum() / support)


def _micro_f1_interval(hits: np.ndarray, given_and_due: np.ndarray) -> tuple[float, float]:
    """Resample texts, of each its hits and its labels given plus its labels due, both int (N,)."""
    # Texts with the same two counts are the same to this score, so that one draw of their numbers is a resample.
    kinds, sizes = np.unique(np.stack([hits, given_and_due]), axis=1, return_counts=True)  # (2, K) and (K,)
    drawn = np.random.default_rng(0).multinomial(len(hits), sizes / len(hits), size=_RESAMPLES)  # (R, K)
    twice_hits, wholes = 2 * drawn @ kinds[0], drawn @ kinds[1]
    scores = np.divide(twice_hits, wholes, out=np.zeros(_RESAMPLES), where=wholes > 0)
    low, high = np.quantile(scores, [0.025, 0.975])
    return float(low), float(high)


def _checked(
    probabilities: np.ndarray, targets: np.ndarray, class_names: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Give the probabilities and bool (N, C), or raise `ValueError`."""
    if probabilities.ndim != 2 or probabilities.shape[1] != len(class_names) or not probabilities.size:
        raise ValueError(
            f"probabilities have the shape {probabilities.shape}; expected (texts, {len(class_names)}), one column for "
            "each class name, with at least one text and one class."
        )
    if targets.shape != probabilities.shape:
        raise ValueError(f"targets have the shape {targets.shape}; expected {probabilities.shape}, as probabilities.")
    strange = targets[(targets != 0) & (targets != 1)]
    if strange.size:
        raise ValueError(f"targets hold {strange[0]}; expected 1 where a text has a label, and 0 where not.")
    possible = ((probabilities >= 0) & (probabilities <= 1)).all(axis=1)
    if not possible.all():
        row = int(np.flatnonzero(~possible)[0])
        raise ValueError(
            f"row {row} of the probabilities is {shown_row(probabilities[row])}; expected numbers between 0 and 1. "
            "Logits need a sigmoid."
        )
    return probabilities, targets.astype(bool)
