"""Logistic regression on n-grams that naive Bayes weighs: the linear model that is hard to beat on short budgets.

Source: Wang and Manning 2012, "Baselines and bigrams", section 2. Two things are otherwise here: rows have unit length,
so that long texts weigh no more than short ones, and nothing is interpolated. N texts, F n-grams.
"""

import dataclasses
import warnings
from typing import Any

import numpy as np

# Chosen, as the unit length, on the validation of five datasets: see benchmarks/README.md.
_INVERSE_REGULARISATION = 10.0
_PASSES = 30
# liblinear's own default for this solver; a hundredth of it changed no score.
_TOLERANCE = 0.1
_SMOOTHING = 1.0


@dataclasses.dataclass(frozen=True)
class NaiveBayesRegression:
    """Whether a text has one label.

    Attributes:
        ratios: weights of the n-grams by naive Bayes, (F,).
        coefficients: weights of the logistic regression on top of them, (F,).
        intercept: its constant.
    """

    ratios: np.ndarray
    coefficients: np.ndarray
    intercept: float

    def probabilities(self, ngrams: Any) -> np.ndarray:
        """Compute the probability of the label for each text, float64 (N,).

        Args:
            ngrams: CSR matrix (N, F), 1 where a text has an n-gram.
        """
        logits = (ngrams @ (self.ratios * self.coefficients)) / _norms(ngrams, self.ratios) + self.intercept
        # Without an overflow on either side.
        return 0.5 * (1 + np.tanh(logits / 2))


def log_count_ratios(ngrams: Any, present: np.ndarray) -> np.ndarray:
    """Compare how often n-grams stand in texts with and without a label, float64 (F,).

    r = log((p / |p|) / (q / |q|)), where p counts the texts with the label that have an n-gram, plus 1, q those without
    it, plus 1, and |.| is the sum.

    Args:
        ngrams: CSR matrix (N, F), 1 where a text has an n-gram.
        present: bool (N,), whether a text has the label.
    """
    with_label = _SMOOTHING + ngrams.T @ present.astype(np.float64)  # (F,)
    without = _SMOOTHING + ngrams.T @ (~present).astype(np.float64)  # (F,)
    return np.log(with_label / with_label.sum()) - np.log(without / without.sum())


def fit(ngrams: Any, present: np.ndarray, sample_weights: np.ndarray | None = None) -> NaiveBayesRegression:
    """Fit the regression of one label.

    Args:
        ngrams: CSR matrix (N, F), 1 where a text has an n-gram.
        present: bool (N,), whether a text has the label; some have it and some do not.
        sample_weights: of the texts in the regression, (N,), or None where each counts once.
    """
    from scipy import sparse
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    ratios = log_count_ratios(ngrams, present)
    values = ratios[ngrams.indices] / np.repeat(_norms(ngrams, ratios), np.diff(ngrams.indptr))
    rows = sparse.csr_matrix((values, ngrams.indices, ngrams.indptr), shape=ngrams.shape)
    regression = LogisticRegression(
        C=_INVERSE_REGULARISATION, solver="liblinear", dual=True, tol=_TOLERANCE, max_iter=_PASSES, random_state=0
    )
    with warnings.catch_warnings():
        # More passes moved no score by more than chance.
        warnings.simplefilter("ignore", ConvergenceWarning)
        regression.fit(rows, present, sample_weight=sample_weights)
    return NaiveBayesRegression(ratios, regression.coef_[0], float(regression.intercept_[0]))


def _norms(ngrams: Any, ratios: np.ndarray) -> np.ndarray:
    """Lengths of the weighted rows, (N,); 1 where a row has no length, as that of a text without known n-grams."""
    squares = ngrams @ np.square(ratios)
    return np.sqrt(np.where(squares > 0, squares, 1.0))
