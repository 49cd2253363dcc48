"""The decision thresholds: from which probability on a label is given. NumPy only.

Thresholds are float32 values, as probabilities are, so that every program that compares the two decides alike.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

DEFAULT = 0.5
# Fewer texts on one side would choose a threshold for themselves: of three, one text moves recall by a third.
FEWEST_TEXTS = 10


@dataclasses.dataclass(frozen=True)
class Decision:
    """How labels follow from probabilities.

    Attributes:
        thresholds: None where the most probable class is given; one number, from which on the second of two classes is
            given; or one a label, from which on it is given.
        validation_before: scores of validation with the default, where thresholds were chosen by it.
    """

    thresholds: tuple[float, ...] | None
    validation_before: Any = None

    @property
    def tuned(self) -> bool:
        """Whether the thresholds were chosen on validation."""
        return self.validation_before is not None

    def named(self, class_names: Sequence[str]) -> dict[str, float]:
        """Give the thresholds by the names of what is given from them on."""
        return dict(zip(class_names[-len(self.thresholds) :], self.thresholds, strict=True)) if self.thresholds else {}


def best_threshold(probabilities: np.ndarray, targets: np.ndarray, both: bool) -> float:
    """Find the threshold of the greatest F1; of several, the one that is nearest to 0.5.

    It lies halfway between two probabilities that occur, so that rounding on another machine changes no label.

    Args:
        probabilities: float32 (N,), between 0 and 1; a text is given the label where its probability is not less than
            the threshold.
        targets: (N,), 1 where the text has the label.
        both: take the mean F1 of having and not having the label (macro-F1 of two classes), not the first alone.

    Returns:
        A float32 value between 0 and 1; 0.5 where fewer than 10 texts have the label, or lack it.
    """
    probabilities, targets = np.asarray(probabilities, np.float32), np.asarray(targets).astype(bool)
    count, support = len(targets), int(targets.sum())
    if min(support, count - support) < FEWEST_TEXTS:
        return DEFAULT
    order = np.argsort(-probabilities, kind="stable")
    descending, found = probabilities[order], np.cumsum(targets[order])
    # A cut of k gives the label to the k most probable texts; equal probabilities cannot be parted.
    cuts = np.flatnonzero(np.append(descending[:-1] > descending[1:], True)) + 1
    if descending[0] < 1:
        cuts = np.append(0, cuts)
    hits = np.append(0, found)[cuts]
    f1 = 2 * hits / (cuts + support)
    if both:
        rejected = (count - support) - (cuts - hits)
        f1 = (f1 + 2 * rejected / (2 * count - cuts - support)) / 2
    thresholds = np.array([_between(descending, cut) for cut in cuts.tolist()])
    best = np.flatnonzero(f1 >= f1.max() - 1e-12)
    return float(thresholds[best[np.argmin(np.abs(thresholds[best] - DEFAULT))]])


def _between(descending: np.ndarray, cut: int) -> float:
    """Choose a number above `descending[cut]` and not above `descending[cut - 1]`."""
    above = descending[cut - 1] if cut else np.float32(1)
    below = descending[cut] if cut < len(descending) else np.float32(0)
    if below < DEFAULT <= above:
        return DEFAULT
    middle = np.float32((float(above) + float(below)) / 2)
    # Neighbouring float32 values have nothing between them.
    return float(middle if middle > below else above)
