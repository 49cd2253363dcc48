"""Is one classifier better than another one on the same texts? McNemar's test, and Holm's correction of several."""

import dataclasses
from collections.abc import Sequence

import numpy as np


@dataclasses.dataclass(frozen=True)
class McNemar:
    """McNemar's test of two classifiers on the same texts; texts that both or neither got right say nothing.

    Attributes:
        b: texts that the first one alone got right, or, of several models for either, texts that more of the first's
            got right.
        c: the same of the second.
        p: probability of a split of b + c at least this uneven, were either one as good as the other; two-sided.
    """

    b: int
    c: int
    p: float


def mcnemar(first_right: np.ndarray, second_right: np.ndarray) -> McNemar:
    """Compare two classifiers by the texts that only one of them got right.

    McNemar (1947), by the exact binomial distribution instead of his normal approximation. His is the sign test of
    outcomes that are right or wrong. Where several models stand for either, trained with several seeds, it is the sign
    test of how many of them got a text right: a text still counts once, while pooled pairs of models would count it
    several times, as if its copies were independent.

    Args:
        first_right: bool (N,), whether the first classifier got each text right; or int (N,), how many of its models
            did.
        second_right: the same of the second, of as many models, on the same texts in the same order.

    Raises:
        ValueError: not two rows of one length.
    """
    first, second = np.asarray(first_right, int), np.asarray(second_right, int)
    if first.ndim != 1 or first.shape != second.shape:
        raise ValueError(f"the answers have shapes {first.shape} and {second.shape}; expected (N,) twice.")
    from scipy.stats import binomtest

    b, c = int((first > second).sum()), int((second > first).sum())
    return McNemar(b, c, float(binomtest(b, b + c).pvalue) if b + c else 1.0)


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct p-values of several tests, so that one wrong finding among all of them is no likelier than p says.

    Holm (1979): the i-th smallest of m, counted from 1, is multiplied by m - i + 1, and none falls below one before it.

    Args:
        p_values: of m tests, in any order.

    Returns:
        The corrected ones, in the same order, at most 1.
    """
    corrected, least = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=lambda place: p_values[place])):
        least = min(max(least, (len(p_values) - rank) * p_values[place]), 1.0)
        corrected[place] = least
    return corrected
