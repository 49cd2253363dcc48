"""Scores of several labels, against scikit-learn and slow loops."""

import dataclasses
import json

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn import metrics

from kseq.label_scoring import LabelsScores, score_labels
from kseq.scoring import score


def random_case(seed, count=300, width=5, levels=None):
    random = np.random.default_rng(seed)
    targets = (random.random((count, width)) < np.linspace(0.05, 0.6, width)).astype(np.int8)
    probabilities = (0.3 * targets + 0.7 * random.random((count, width))).astype(np.float32)
    if levels:
        probabilities = np.round(probabilities * levels) / levels
    return probabilities, targets, [f"label {place}" for place in range(width)]


@pytest.mark.parametrize("thresholds", [None, (0.1, 0.3, 0.5, 0.7, 0.9)])
@pytest.mark.parametrize(("seed", "levels"), [(0, None), (1, None), (2, 4)])
def test_labels_agree_with_scikit_learn(seed, levels, thresholds):
    probabilities, targets, names = random_case(seed, levels=levels)
    limits = np.array(thresholds or [0.5] * 5, np.float32)
    given = probabilities >= limits
    found = score_labels(probabilities, targets, names, thresholds)
    precision, recall, f1, support = metrics.precision_recall_fscore_support(targets, given, zero_division=0)
    near = {"abs": 1e-12}
    assert found.count == 300
    assert found.micro_f1 == pytest.approx(metrics.f1_score(targets, given, average="micro"), **near)
    assert found.macro_f1 == pytest.approx(f1.mean(), **near)
    assert found.subset_accuracy == pytest.approx(metrics.accuracy_score(targets, given), **near)
    assert found.hamming_loss == pytest.approx(metrics.hamming_loss(targets, given), **near)
    assert [entry.name for entry in found.classes] == names
    assert [entry.precision for entry in found.classes] == pytest.approx(precision, **near)
    assert [entry.recall for entry in found.classes] == pytest.approx(recall, **near)
    assert [entry.f1 for entry in found.classes] == pytest.approx(f1, **near)
    assert [entry.support for entry in found.classes] == support.tolist()
    assert [entry.predictions for entry in found.classes] == given.sum(axis=0).tolist()
    assert [entry.threshold for entry in found.classes] == pytest.approx(limits)
    average = metrics.average_precision_score(targets, probabilities, average=None)
    assert [entry.average_precision for entry in found.classes] == pytest.approx(average, abs=1e-9)
    assert found.mean_average_precision == pytest.approx(average.mean(), abs=1e-9)
    correct = int((given == (targets == 1)).all(axis=1).sum())
    interval = binomtest(correct, 300).proportion_ci(method="wilson")
    assert found.subset_accuracy_interval == pytest.approx((interval.low, interval.high), abs=1e-12)


def test_probabilities_agree_with_loops():
    probabilities, targets, names = random_case(3)
    found = score_labels(probabilities, targets, names, None)
    pairs = [
        (probability if target else 1 - probability)
        for row, labels in zip(probabilities.astype(float).tolist(), targets.tolist(), strict=True)
        for probability, target in zip(row, labels, strict=True)
    ]
    assert found.nll == pytest.approx(-np.mean([np.log(max(value, 2.0**-23)) for value in pairs]), rel=1e-9)
    assert found.brier == pytest.approx(np.mean([(1 - value) ** 2 for value in pairs]), rel=1e-9)
    # Each decision is a text of two classes that always gets the second: its confidence is the label's probability.
    bins = {}
    for probability, target in zip(probabilities.astype(float).ravel(), targets.ravel(), strict=True):
        number = next((m for m in range(1, 16) if (m - 1) / 15 < probability <= m / 15), 1)
        bins.setdefault(number, []).append(probability - target)
    assert found.ece == pytest.approx(sum(abs(sum(gaps)) for gaps in bins.values()) / len(pairs), abs=1e-9)


def test_the_interval_is_a_bootstraps():
    probabilities, targets, names = random_case(5, count=200)
    found = score_labels(probabilities, targets, names, None)
    random = np.random.default_rng(1)
    drawn = [random.integers(0, 200, 200) for _ in range(1500)]
    scores = [metrics.f1_score(targets[rows], probabilities[rows] >= 0.5, average="micro") for rows in drawn]
    assert found.micro_f1_interval == pytest.approx(tuple(np.quantile(scores, [0.025, 0.975])), abs=0.012)
    assert found.micro_f1_interval[0] < found.micro_f1 < found.micro_f1_interval[1]


def test_labels_without_texts_and_texts_without_labels():
    targets = np.array([[0, 0], [0, 1], [0, 0]])
    found = score_labels(np.array([[0.1, 0.2], [0.1, 0.9], [0.4, 0.4]]), targets, ["none", "some"], None)
    assert (found.micro_f1, found.macro_f1, found.subset_accuracy, found.hamming_loss) == (1, 0.5, 1, 0)
    assert [entry.average_precision for entry in found.classes] == [0, 1]
    assert found.mean_average_precision == 1
    nothing = score_labels(np.full((2, 2), 0.1), np.zeros((2, 2), int), ["a", "b"], None)
    assert (nothing.micro_f1, nothing.micro_f1_interval, nothing.subset_accuracy) == (0, (0, 0), 1)


def test_to_dict_is_what_json_gives_back():
    found = score_labels(*random_case(0), None)
    content = found.to_dict()
    assert json.loads(json.dumps(content, allow_nan=False)) == content
    assert set(content) == {field.name for field in dataclasses.fields(LabelsScores)}
    assert set(LabelsScores.MAIN) <= set(content)


@pytest.mark.parametrize(
    ("probabilities", "targets", "thresholds", "said"),
    [
        (np.ones((0, 2)), np.ones((0, 2)), None, "at least one text"),
        (np.ones((2, 3)), np.ones((2, 3)), None, r"\(2, 3\); expected \(texts, 2\)"),
        (np.ones((2, 2)), np.ones(2), None, r"targets have the shape \(2,\); expected \(2, 2\)"),
        (np.ones((1, 2)), np.array([[0, 2]]), None, "targets hold 2; expected 1 where"),
        (np.array([[0.5, 1.5]]), np.zeros((1, 2)), None, r"row 0 .* \[0.5, 1.5\]; expected numbers between 0 and 1"),
        (np.array([[0.5, np.nan]]), np.zeros((1, 2)), None, r"\[0.5, nan\].*sigmoid"),
        (np.ones((1, 2)), np.zeros((1, 2)), (0.5,), "1 thresholds; expected 2"),
    ],
)
def test_errors_tell_what_arrived(probabilities, targets, thresholds, said):
    with pytest.raises(ValueError, match=said):
        score_labels(probabilities, targets, ["a", "b"], thresholds)


# One class of two, by a threshold


def test_a_threshold_of_two_classes_changes_labels_and_their_confidence():
    probabilities = np.array([[0.8, 0.2], [0.6, 0.4], [0.3, 0.7]], np.float32)
    found = score(probabilities, np.array([0, 1, 1]), ["a", "b"], 0.3)
    assert found.accuracy == 1
    assert found.confusion_matrix == ((1, 0), (0, 2))
    # Confidence is the probability of the label given: 0.8, 0.4 and 0.7, each right.
    assert found.ece == pytest.approx((0.2 + 0.6 + 0.3) / 3, abs=1e-6)
    usual = score(probabilities, np.array([0, 1, 1]), ["a", "b"])
    assert usual.accuracy == pytest.approx(2 / 3)
    assert (usual.nll, usual.brier) == (found.nll, found.brier)
    # At the threshold, the second class is given.
    assert score(probabilities, np.array([0, 1, 1]), ["a", "b"], float(np.float32(0.4))).accuracy == 1
    with pytest.raises(ValueError, match="a threshold was given for 3 classes"):
        score(np.full((1, 3), 1 / 3), np.array([0]), ["a", "b", "c"], 0.5)
