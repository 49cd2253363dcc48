"""Thresholds against a search over all of them, with scikit-learn's F1."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from kseq.thresholds import FEWEST_TEXTS, Decision, best_threshold


def slow_best(probabilities, targets, both):
    """Try a threshold at and between all values, and beyond both ends."""
    values = np.unique(probabilities.astype(np.float64))
    tried = [*values, *(values[1:] + values[:-1]) / 2, 2.0]
    average = {"average": "macro", "labels": [0, 1]} if both else {}
    return max(f1_score(targets, probabilities >= threshold, zero_division=0, **average) for threshold in tried)


def f1_at(threshold, probabilities, targets, both):
    average = {"average": "macro", "labels": [0, 1]} if both else {}
    return f1_score(targets, probabilities >= np.float32(threshold), zero_division=0, **average)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), both=st.booleans(), levels=st.sampled_from([3, 10, 10**6]))
def test_no_threshold_is_better(seed, both, levels):
    random = np.random.default_rng(seed)
    targets = (random.random(60) < random.uniform(0.2, 0.8)).astype(int)
    sharpness = random.uniform(0, 0.5)
    probabilities = np.clip(random.random(60) * (1 - sharpness) + sharpness * targets, 0, 1)
    probabilities = (np.round(probabilities * levels) / levels).astype(np.float32)
    if min(targets.sum(), 60 - targets.sum()) < FEWEST_TEXTS:
        return
    threshold = best_threshold(probabilities, targets, both)
    assert 0 <= threshold <= 1
    assert float(np.float32(threshold)) == threshold
    assert f1_at(threshold, probabilities, targets, both) == pytest.approx(
        slow_best(probabilities, targets, both), abs=1e-12
    )


def test_of_equal_thresholds_the_nearest_to_a_half_is_taken():
    targets = np.repeat([0, 1], 20)
    assert best_threshold(np.repeat([0.1, 0.9], 20), targets, both=True) == 0.5
    # Halfway, since nothing lies between.
    assert best_threshold(np.repeat([0.7, 0.9], 20), targets, both=True) == pytest.approx(0.8)
    assert best_threshold(np.repeat([0.1, 0.2], 20), targets, both=False) == pytest.approx(0.15)


def test_neighbours_in_float32_are_parted():
    low = np.float32(0.7)
    high = np.nextafter(low, np.float32(1))
    probabilities = np.repeat([low, high], 20)
    threshold = best_threshold(probabilities, np.repeat([0, 1], 20), both=True)
    assert low < np.float32(threshold) <= high


@pytest.mark.parametrize("few", [0, FEWEST_TEXTS - 1])
def test_few_texts_choose_no_threshold(few):
    targets = np.repeat([1, 0], [few, 50])
    probabilities = np.where(targets == 1, 0.3, 0.1)
    assert best_threshold(probabilities, targets, both=False) == 0.5
    assert best_threshold(probabilities, 1 - targets, both=True) == 0.5


def test_the_extremes_of_probability():
    targets = np.repeat([0, 1], 20)
    for value in (0.0, 1.0):
        threshold = best_threshold(np.full(40, value), targets, both=False)
        # All are given the label: better than none.
        assert f1_at(threshold, np.full(40, value, np.float32), targets, False) == pytest.approx(2 / 3)


def test_thresholds_go_by_the_names_of_what_they_give():
    assert Decision(None).named(("a", "b", "c")) == {}
    assert Decision((0.25,)).named(("a", "b")) == {"b": 0.25}
    assert Decision((0.25, 0.5, 0.75)).named(("a", "b", "c")) == {"a": 0.25, "b": 0.5, "c": 0.75}
    assert not Decision((0.25,)).tuned
