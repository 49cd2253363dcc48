"""Scores with intervals, from probabilities and labels. NumPy only; prints nothing.

N is the number of texts, C the number of classes.
"""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

CALIBRATION_BINS = 15

# The quantile of the standard normal distribution that leaves 2.5% on either side.
_Z_95 = 1.959963984540054
# float32 eps. Without it one text whose class got probability 0 would make the mean infinite; with it such a text costs
# 15.9 nats, and a float16 or float32 softmax that underflows costs the same.
LEAST_PROBABILITY = 2.0**-23
# Loose enough for a softmax in half precision, tight enough to tell probabilities from logits.
_SUM_TOLERANCE = 0.01


@dataclasses.dataclass(frozen=True)
class ClassScores:
    """Scores of one class against all others; a ratio without a denominator is 0.

    Attributes:
        name: the class name.
        precision: of the texts that got this label, the fraction that has it.
        recall: of the texts that have this label, the fraction that got it.
        f1: harmonic mean of the two.
        support: number of texts that have this label.
        predictions: number of texts that got this label.
    """

    name: str
    precision: float
    recall: float
    f1: float
    support: int
    predictions: int


@dataclasses.dataclass(frozen=True)
class Scores:
    """How good the probabilities of N texts are.

    Attributes:
        count: N.
        accuracy: fraction of texts that got their label.
        accuracy_interval: 95% Wilson score interval of the accuracy, low and high. It tells what another sample of
            texts as large as this one would change, not what another seed would.
        macro_f1: mean F1 over the classes that a text has or got, as scikit-learn's `f1_score` has it: of a class that
            is neither in the split nor ever predicted, nothing is known.
        classes: C entries, in the order of the class names.
        confusion_matrix: C rows (true) of C counts (predicted).
        nll: mean negative log-likelihood of the labels in nats; probabilities below 2^-23 count as 2^-23.
        brier: Brier's (1950) own definition: the squared error of the probabilities, summed over the classes, as a mean
            over the texts; 0 is perfect, 2 is certain and wrong each time. The two-class score that ends at 1 is half
            of it.
        ece: expected calibration error (Guo et al. 2017, equation 3): the gap between confidence and accuracy, as a
            mean over 15 bins of equal width, weighted by their texts. Confidence is the probability of the label given.
    """

    count: int
    accuracy: float
    accuracy_interval: tuple[float, float]
    macro_f1: float
    classes: tuple[ClassScores, ...]
    confusion_matrix: tuple[tuple[int, ...], ...]
    nll: float
    brier: float
    ece: float

    # What a line of the console and the JSON object of a run tell.
    MAIN: ClassVar[tuple[str, ...]] = ("accuracy", "macro_f1", "nll", "ece")

    def to_dict(self) -> dict[str, Any]:
        """Give the scores as what JSON knows: dicts, lists, strings and numbers."""
        return {
            **dataclasses.asdict(self),
            "accuracy_interval": list(self.accuracy_interval),
            "classes": [dataclasses.asdict(scores) for scores in self.classes],
            "confusion_matrix": [list(row) for row in self.confusion_matrix],
        }


def predict(probabilities: np.ndarray, threshold: float | None = None) -> np.ndarray:
    """Give each text its label, int64 (N,).

    Args:
        probabilities: float (N, C).
        threshold: None for the class of the greatest probability, the first of them where several are equal; of two
            classes, the probability from which on the second is given.
    """
    if threshold is None:
        return probabilities.argmax(axis=1)
    # As the graph compares them: in float32.
    return (probabilities[:, 1] >= np.float32(threshold)).astype(np.int64)


def score(
    probabilities: np.ndarray, labels: np.ndarray, class_names: Sequence[str], threshold: float | None = None
) -> Scores:
    """Score probabilities against labels.

    Args:
        probabilities: float (N, C); each row sums to 1.
        labels: int (N,), between 0 and C - 1.
        class_names: C names; a label is an index into them.
        threshold: as `predict` takes it.

    Raises:
        ValueError: there is no text, a threshold for more than two classes, the shapes or types do not fit, a label is
            out of range, or a row is no distribution.
    """
    if threshold is not None and len(class_names) != 2:
        raise ValueError(f"a threshold was given for {len(class_names)} classes; expected two classes, or None.")
    given = np.asarray(probabilities)
    probabilities, labels = _checked(given, np.asarray(labels), class_names)
    count = len(labels)
    predicted = predict(given, threshold)  # (N,)
    correct = predicted == labels  # (N,)
    matrix = _confusion_matrix(labels, predicted, len(class_names))
    classes = _class_scores(matrix, class_names)
    of_label = probabilities[np.arange(count), labels]  # (N,)
    errors = probabilities.copy()
    errors[np.arange(count), labels] -= 1
    return Scores(
        count=count,
        accuracy=float(correct.mean()),
        accuracy_interval=wilson_interval(int(correct.sum()), count),
        macro_f1=float(np.mean([scores.f1 for scores in classes if scores.support or scores.predictions])),
        classes=classes,
        confusion_matrix=tuple(tuple(row) for row in matrix.tolist()),
        # Rounding may leave 1.0000001 in a row; no text shall count as better than certain.
        nll=float(-np.log(of_label.clip(LEAST_PROBABILITY, 1)).mean()) + 0.0,
        brier=float(np.square(errors).sum(axis=1).mean()),
        ece=calibration_error(probabilities[np.arange(count), predicted], correct),
    )


def wilson_interval(successes: float, count: int) -> tuple[float, float]:
    """Compute the 95% interval of a fraction (Wilson 1927), which stays within 0 and 1 and has a width at both ends.

    Args:
        successes: between 0 and `count`; a mean of several counts need not be whole.
        count: at least 1.

    Returns:
        The low and the high end.
    """
    fraction, z2 = successes / count, _Z_95**2
    middle = (fraction + z2 / (2 * count)) / (1 + z2 / count)
    half = _Z_95 / (1 + z2 / count) * math.sqrt(fraction * (1 - fraction) / count + z2 / (4 * count**2))
    # In exact numbers the ends are 0 and 1 there.
    return (middle - half if successes else 0.0), (middle + half if successes < count else 1.0)


def _checked(
    probabilities: np.ndarray, labels: np.ndarray, class_names: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Give float64 (N, C) and int64 (N,), or raise `ValueError`."""
    if probabilities.ndim != 2 or probabilities.shape[1] != len(class_names):
        raise ValueError(
            f"probabilities have the shape {probabilities.shape}; expected (texts, {len(class_names)}), one column for "
            "each class name."
        )
    if labels.shape != probabilities.shape[:1]:
        raise ValueError(
            f"labels have the shape {labels.shape}; expected {probabilities.shape[:1]}, one for each row of "
            "probabilities."
        )
    if not labels.size or not len(class_names):
        raise ValueError(
            f"probabilities have the shape {probabilities.shape}; expected at least one text and one class."
        )
    if not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(f"labels have the type {labels.dtype}; expected integers, indices into the class names.")
    outside = labels[(labels < 0) | (labels >= len(class_names))]
    if outside.size:
        raise ValueError(
            f"labels hold {outside[0]} ({outside.size} of {labels.size} are out of range); expected 0 to "
            f"{len(class_names) - 1}, one for each of the {len(class_names)} class names."
        )
    probabilities = probabilities.astype(np.float64)
    finite = np.isfinite(probabilities).all(axis=1)
    if not finite.all():
        row = int(np.flatnonzero(~finite)[0])
        raise ValueError(
            f"row {row} of the probabilities is {shown_row(probabilities[row])} ({np.count_nonzero(~finite)} of "
            f"{labels.size} rows are not finite); expected numbers between 0 and 1."
        )
    distribution = (np.abs(probabilities.sum(axis=1) - 1) <= _SUM_TOLERANCE) & (probabilities >= 0).all(axis=1)
    if not distribution.all():
        row = int(np.flatnonzero(~distribution)[0])
        raise ValueError(
            f"row {row} of the probabilities is {shown_row(probabilities[row])}, with the sum "
            f"{probabilities[row].sum():g}; expected numbers between 0 and 1 with the sum 1. Logits need a softmax."
        )
    return probabilities, labels.astype(np.int64)


def shown_row(row: np.ndarray) -> str:
    """Show the first numbers of a row."""
    numbers = [f"{number:g}" for number in row[:5]] + ["…"] * (len(row) > 5)
    return f"[{', '.join(numbers)}]"


def _confusion_matrix(labels: np.ndarray, predicted: np.ndarray, width: int) -> np.ndarray:
    """Count texts by label (row) and prediction (column): int64 (C, C)."""
    return np.bincount(labels * width + predicted, minlength=width * width).reshape(width, width)


def _class_scores(matrix: np.ndarray, class_names: Sequence[str]) -> tuple[ClassScores, ...]:
    """Score each class by its row and column of the confusion matrix (C, C)."""
    hits, given, support = matrix.diagonal(), matrix.sum(axis=0), matrix.sum(axis=1)  # (C,) each
    return tuple(
        ClassScores(
            name=name,
            precision=ratio(hits[place], given[place]),
            recall=ratio(hits[place], support[place]),
            # Over counts it stays exact where precision + recall would round.
            f1=ratio(2 * hits[place], given[place] + support[place]),
            support=int(support[place]),
            predictions=int(given[place]),
        )
        for place, name in enumerate(class_names)
    )


def ratio(part: int, whole: int) -> float:
    """Divide; without a denominator, the ratio is 0."""
    return float(part / whole) if whole else 0.0


def calibration_error(confidences: np.ndarray, correct: np.ndarray) -> float:
    """Weigh the gaps between confidence and accuracy, both (N,), over bins that are open below and closed above."""
    edges = np.arange(1, CALIBRATION_BINS + 1) / CALIBRATION_BINS
    places = np.minimum(np.searchsorted(edges, confidences, side="left"), CALIBRATION_BINS - 1)
    # In a bin of n texts, n · |mean confidence - mean accuracy| is the absolute sum of the differences.
    sums = np.bincount(places, weights=confidences - correct, minlength=CALIBRATION_BINS)
    return float(np.abs(sums).sum() / len(correct))
