"""Scores, against scikit-learn, SciPy and slow loops."""

import dataclasses
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn import metrics

from kseq.scoring import Scores, score, wilson_interval


def random_case(seed, count=500, width=4, sharpness=2.0, dtype=np.float32):
    """Draw probabilities that know something of the labels; the last class never occurs where there are four."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, max(width - (width == 4), 1), count)
    logits = random.normal(size=(count, width)) * sharpness
    logits[np.arange(count), labels] += 1.0
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (exponentials / exponentials.sum(axis=1, keepdims=True)).astype(dtype), labels, names(width)


def names(width):
    return [f"class {place}" for place in range(width)]


@pytest.fixture(params=[(0, 500, 4), (1, 1, 2), (2, 37, 2), (3, 200, 20), (4, 3, 6)], ids=str)
def case(request):
    seed, count, width = request.param
    return random_case(seed, count, width)


def test_labels_agree_with_scikit_learn(case):
    probabilities, labels, class_names = case
    found = score(probabilities, labels, class_names)
    predicted = [max(range(len(row)), key=row.__getitem__) for row in probabilities.tolist()]
    every = range(len(class_names))
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        labels, predicted, labels=every, zero_division=0
    )
    assert found.count == len(labels)
    assert found.accuracy == pytest.approx(metrics.accuracy_score(labels, predicted), abs=1e-12)
    assert found.macro_f1 == pytest.approx(metrics.f1_score(labels, predicted, average="macro"), abs=1e-12)
    assert [entry.name for entry in found.classes] == class_names
    assert [entry.precision for entry in found.classes] == pytest.approx(precision, abs=1e-12)
    assert [entry.recall for entry in found.classes] == pytest.approx(recall, abs=1e-12)
    assert [entry.f1 for entry in found.classes] == pytest.approx(f1, abs=1e-12)
    assert [entry.support for entry in found.classes] == support.tolist()
    assert [entry.predictions for entry in found.classes] == [predicted.count(place) for place in every]
    np.testing.assert_array_equal(
        found.confusion_matrix, metrics.confusion_matrix(labels, predicted, labels=list(every))
    )


def test_nll_agrees_with_scikit_learn(case):
    probabilities, labels, class_names = case
    # In float32, scikit-learn clips where we do.
    expected = metrics.log_loss(labels, probabilities, labels=range(len(class_names)))
    assert score(probabilities, labels, class_names).nll == pytest.approx(expected, rel=1e-5)


def test_nll_of_a_certain_mistake_is_finite():
    certain = np.array([[1.0, 0.0], [1.0, 0.0]], np.float32)
    found = score(certain, np.array([1, 0]), names(2))
    assert found.nll == pytest.approx(metrics.log_loss([1, 0], certain), rel=1e-6)
    assert found.nll == pytest.approx(-math.log(np.finfo(np.float32).eps) / 2, rel=1e-12)


def test_brier_agrees_with_loops(case):
    probabilities, labels, class_names = case
    total = 0.0
    for row, label in zip(probabilities.tolist(), labels.tolist(), strict=True):
        for place, probability in enumerate(row):
            total += (probability - (1.0 if place == label else 0.0)) ** 2
    assert score(probabilities, labels, class_names).brier == pytest.approx(total / len(labels), rel=1e-12)


def slow_calibration_error(probabilities, labels):
    """Sort one text after another into its bin, and compare the means of every bin."""
    bins = {}
    for row, label in zip(probabilities.tolist(), labels.tolist(), strict=True):
        confidence = max(row)
        number = next((m for m in range(1, 16) if (m - 1) / 15 < confidence <= m / 15), 15)
        bins.setdefault(number, []).append((confidence, row.index(confidence) == label))
    error = 0.0
    for texts in bins.values():
        confidence = sum(entry[0] for entry in texts) / len(texts)
        accuracy = sum(entry[1] for entry in texts) / len(texts)
        error += len(texts) / len(labels) * abs(confidence - accuracy)
    return error


def test_ece_agrees_with_a_slow_loop(case):
    probabilities, labels, class_names = case
    expected = slow_calibration_error(probabilities, labels)
    assert score(probabilities, labels, class_names).ece == pytest.approx(expected, abs=1e-12)


def test_ece_puts_a_confidence_on_an_edge_into_the_lower_bin():
    # 9/15 closes a bin that holds a right and a wrong text; 0.61 opens the next, whose gap must not cancel theirs.
    probabilities = np.array([[9 / 15, 6 / 15], [0.59, 0.41], [0.61, 0.39]])
    labels = np.array([0, 1, 1])
    expected = (abs(0.6 + 0.59 - 1) + 0.61) / 3
    assert score(probabilities, labels, names(2)).ece == pytest.approx(expected, abs=1e-12)
    assert slow_calibration_error(probabilities, labels) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("successes", "count"), [(0, 1), (1, 1), (0, 50), (50, 50), (7, 9), (22_050, 25_000), (1, 10**6)]
)
def test_wilson_agrees_with_scipy(successes, count):
    expected = binomtest(successes, count).proportion_ci(confidence_level=0.95, method="wilson")
    assert wilson_interval(successes, count) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_accuracy_interval_is_wilsons(case):
    probabilities, labels, class_names = case
    found = score(probabilities, labels, class_names)
    correct = int((probabilities.argmax(axis=1) == labels).sum())
    expected = binomtest(correct, len(labels)).proportion_ci(method="wilson")
    assert found.accuracy_interval == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_ties_go_to_the_first_class():
    found = score(np.full((1, 4), 0.25), np.array([0]), names(4))
    assert found.accuracy == 1.0


def test_perfect_answers():
    labels = np.array([0, 1, 2, 1])
    found = score(np.eye(3, dtype=np.float32)[labels], labels, names(3))
    assert (found.accuracy, found.macro_f1, found.nll, found.brier, found.ece) == (1, 1, 0, 0, 0)
    assert math.copysign(1, found.nll) == 1
    assert found.accuracy_interval[0] < 1
    assert found.accuracy_interval[1] == 1


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 60), width=st.integers(2, 7), sharpness=st.floats(0, 60))
def test_properties(seed, count, width, sharpness):
    probabilities, labels, class_names = random_case(seed, count, width, sharpness)
    found = score(probabilities, labels, class_names)
    low, high = found.accuracy_interval
    assert 0 <= low <= found.accuracy <= high <= 1
    assert 0 <= found.macro_f1 <= 1
    assert 0 <= found.nll <= 16
    assert 0 <= found.brier <= 2 + 1e-6
    assert 0 <= found.ece <= 1
    assert sum(map(sum, found.confusion_matrix)) == count == sum(entry.support for entry in found.classes)
    assert found.ece == pytest.approx(slow_calibration_error(probabilities, labels), abs=1e-9)
    # The order of the texts says nothing.
    order = np.random.default_rng(seed).permutation(count)
    shuffled = score(probabilities[order], labels[order], class_names)
    assert shuffled.confusion_matrix == found.confusion_matrix
    for name in ("accuracy", "macro_f1", "nll", "brier", "ece"):
        assert getattr(shuffled, name) == pytest.approx(getattr(found, name), abs=1e-12)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), width=st.integers(2, 6))
def test_renumbering_the_classes_changes_no_total(seed, width):
    probabilities, labels, class_names = random_case(seed, 40, width)
    order = np.random.default_rng(seed).permutation(width)
    renumbered = score(probabilities[:, order], np.argsort(order)[labels], [class_names[place] for place in order])
    found = score(probabilities, labels, class_names)
    for name in ("accuracy", "macro_f1", "nll", "brier", "ece"):
        assert getattr(renumbered, name) == pytest.approx(getattr(found, name), abs=1e-12)
    assert {entry.name: entry for entry in renumbered.classes} == {entry.name: entry for entry in found.classes}


def test_to_dict_is_what_json_gives_back():
    found = score(*random_case(0))
    content = found.to_dict()
    assert json.loads(json.dumps(content, allow_nan=False)) == content
    assert set(content) == {field.name for field in dataclasses.fields(Scores)}
    assert content["classes"][0].keys() == {"name", "precision", "recall", "f1", "support", "predictions"}


def test_arguments_stay_as_they_are():
    probabilities, labels, class_names = random_case(0, dtype=np.float64)
    before = probabilities.copy(), labels.copy()
    score(probabilities, labels, class_names)
    np.testing.assert_array_equal(probabilities, before[0])
    np.testing.assert_array_equal(labels, before[1])


@pytest.mark.parametrize(
    ("probabilities", "labels", "class_names", "arrived", "allowed"),
    [
        (np.zeros((0, 2)), np.zeros(0, int), "ab", r"\(0, 2\)", "at least one text"),
        (np.zeros((1, 0)), np.zeros(1, int), "", r"\(1, 0\)", "at least one text and one class"),
        (np.full(2, 0.5), np.zeros(2, int), "ab", r"\(2,\)", r"\(texts, 2\)"),
        (np.full((2, 3), 1 / 3), np.zeros(2, int), "ab", r"\(2, 3\)", r"\(texts, 2\)"),
        (np.full((2, 2), 0.5), np.zeros(3, int), "ab", r"\(3,\)", r"\(2,\)"),
        (np.full((2, 2), 0.5), np.zeros((2, 1), int), "ab", r"\(2, 1\)", r"\(2,\)"),
        (np.full((2, 2), 0.5), np.zeros(2), "ab", "float64", "integers"),
        (np.full((2, 2), 0.5), np.array([0, 2]), "ab", "hold 2", "0 to 1"),
        (np.full((2, 2), 0.5), np.array([-1, 1]), "ab", "hold -1", "0 to 1"),
        (np.array([[0.5, 0.5], [np.nan, 0.5]]), np.zeros(2, int), "ab", r"row 1 .* \[nan, 0.5\]", "between 0 and 1"),
        (np.array([[np.inf, 0.5]]), np.zeros(1, int), "ab", r"\[inf, 0.5\]", "between 0 and 1"),
        (np.array([[1.5, -0.5]]), np.zeros(1, int), "ab", r"\[1.5, -0.5\]", "between 0 and 1"),
        (np.array([[2.0, 1.5]]), np.zeros(1, int), "ab", "sum 3.5", "softmax"),
    ],
)
def test_errors_tell_what_arrived_and_what_is_allowed(probabilities, labels, class_names, arrived, allowed):
    with pytest.raises(ValueError, match=arrived) as caught:
        score(probabilities, labels, list(class_names))
    assert caught.match(allowed)
