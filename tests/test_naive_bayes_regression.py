"""The weights by the formulas of the paper, in dense NumPy, and the regression by another solver of scikit-learn."""

import dataclasses
import math

import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from kseq.naive_bayes_regression import fit, log_count_ratios

RANDOM = np.random.default_rng(5)
PRESENT = RANDOM.random(120) < 0.4
NGRAMS = (RANDOM.random((120, 30)) < np.where(PRESENT[:, np.newaxis], 0.35, 0.2)).astype(np.float32)
NGRAMS[17] = 0
OTHERS = np.concatenate([np.zeros((1, 30)), RANDOM.random((20, 30)) < 0.3]).astype(np.float32)
WEIGHTS = np.where(PRESENT, 4.0, 1.0)


def ratios_by_hand():
    """r, text by text and n-gram by n-gram."""
    p, q = [1.0] * 30, [1.0] * 30
    for row, present in zip(NGRAMS, PRESENT, strict=True):
        for place in range(30):
            (p if present else q)[place] += float(row[place])
    return [math.log((p[place] / sum(p)) / (q[place] / sum(q))) for place in range(30)]


def unit_rows(ngrams, ratios):
    rows = ngrams.astype(np.float64) * ratios
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)


def test_ratios_are_those_of_the_paper():
    found = log_count_ratios(sparse.csr_matrix(NGRAMS), PRESENT)
    np.testing.assert_allclose(found, ratios_by_hand(), atol=1e-12)


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_probabilities_are_those_of_another_solver(weights):
    ratios = np.array(ratios_by_hand())
    # liblinear takes the intercept for one more weight, and keeps it small as well: a column of ones does that here.
    ones = [np.ones((len(ngrams), 1)) for ngrams in (NGRAMS, OTHERS)]
    train, others = (
        np.hstack([unit_rows(ngrams, ratios), column]) for ngrams, column in zip((NGRAMS, OTHERS), ones, strict=True)
    )
    exact = LogisticRegression(C=10.0, fit_intercept=False, tol=1e-8, max_iter=10_000)
    expected = exact.fit(train, PRESENT, sample_weight=weights).predict_proba(others)[:, 1]
    found = fit(sparse.csr_matrix(NGRAMS), PRESENT, weights).probabilities(sparse.csr_matrix(OTHERS))
    # It stops early.
    np.testing.assert_allclose(found, expected, atol=0.02)
    assert found[0] == pytest.approx(expected[0], abs=0.02)
    assert np.ptp(expected) > 0.5


def test_weights_count():
    plain, weighted = (fit(sparse.csr_matrix(NGRAMS), PRESENT, weights) for weights in (None, WEIGHTS))
    others = sparse.csr_matrix(OTHERS)
    assert (weighted.probabilities(others) > plain.probabilities(others)).mean() > 0.9


def test_large_logits_do_not_overflow():
    model = fit(sparse.csr_matrix(NGRAMS), PRESENT)
    for factor in (1e6, -1e6):
        certain = dataclasses.replace(model, coefficients=model.coefficients * factor, intercept=0.0)
        found = certain.probabilities(sparse.csr_matrix(OTHERS))
        assert found[0] == 0.5
        assert set(found[1:].tolist()) <= {0.0, 1.0}
