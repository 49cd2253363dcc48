"""McNemar's test against sums of binomial terms, and Holm's correction against its definition."""

import itertools
import math

import numpy as np
import pytest

from kseq.paired_tests import McNemar, holm, mcnemar


@pytest.mark.parametrize(("b", "c"), [(0, 0), (1, 0), (0, 7), (5, 5), (3, 12), (40, 61), (300, 250)])
def test_mcnemar_is_the_two_sided_tail_of_the_binomial_distribution(b, c):
    rows = [(True, False)] * b + [(False, True)] * c + [(True, True)] * 9 + [(False, False)] * 4
    first, second = np.array(rows)[np.random.default_rng(b).permutation(len(rows))].T
    found = mcnemar(first, second)
    assert (found.b, found.c) == (b, c)
    ways = [math.comb(b + c, k) for k in range(b + c + 1)]
    expected = sum(way for way in ways if way <= ways[b]) / 2 ** (b + c)
    assert found.p == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("b", "c", "p", "verdict", "shown"),
    [
        (9, 1, 0.0499, "better", "p = 0.050"),
        (1, 9, 0.001, "worse", "p = 0.001"),
        (1, 90, 0.00099, "worse", "p < 0.001"),
        (9, 1, 0.05, "not distinguishable", "p = 0.050"),
        (0, 0, 1.0, "not distinguishable", "p = 1.000"),
    ],
)
def test_the_verdict_is_put_in_words(b, c, p, verdict, shown):
    assert (McNemar(b, c, p).verdict, McNemar(b, c, p).shown_p) == (verdict, shown)


def test_answers_to_different_texts_are_refused():
    with pytest.raises(ValueError, match=r"shapes \(3,\) and \(4,\)"):
        mcnemar(np.ones(3, bool), np.ones(4, bool))


def test_holm_rejects_what_his_procedure_rejects():
    """Step by step: the smallest against alpha / m, the next against alpha / (m - 1), until one is not below."""
    for p_values in itertools.product([0.004, 0.012, 0.03, 0.03, 0.2], repeat=4):
        corrected = holm(p_values)
        for alpha in (0.01, 0.05, 0.1):
            rejected = set()
            for rank, place in enumerate(np.argsort(p_values, kind="stable")):
                if p_values[place] * (4 - rank) > alpha:
                    break
                rejected.add(place)
            assert {place for place in range(4) if corrected[place] <= alpha} == rejected
    assert holm([]) == []
    assert holm([0.9, 0.8]) == [1.0, 1.0]
