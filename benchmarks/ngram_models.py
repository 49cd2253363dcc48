"""Linear models on binary word 1-3-grams: what a recurrent classifier has to be held against."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

Split = tuple[Sequence[str], np.ndarray]

PLAIN = "logistic regression, binary 1-3-grams"
NAIVE_BAYES = "the same, naive-Bayes-weighted (Wang & Manning 2012)"
_STRENGTHS = (0.1, 1.0, 10.0)


def texts_and_labels(dataset) -> Split:
    """Read a split whole."""
    pairs = list(dataset.as_numpy_iterator())
    return [text.decode() for text, _ in pairs], np.array([label for _, label in pairs])


def linear_models(
    train: Split, validation: Split, names: Sequence[str] = (PLAIN, NAIVE_BAYES)
) -> Iterator[tuple[str, Callable[[Sequence[str]], np.ndarray]]]:
    """Fit models of two classes, regularised as validation says, and give for each a function from texts to labels."""
    counter = CountVectorizer(binary=True, ngram_range=(1, 3), token_pattern=r"[\w']+|[!?]", dtype=np.float32)
    features = counter.fit_transform(train[0])
    positive = np.asarray(features[train[1] == 1].sum(axis=0)).ravel() + 1.0
    negative = np.asarray(features[train[1] == 0].sum(axis=0)).ravel() + 1.0
    ratio = np.log((positive / positive.sum()) / (negative / negative.sum())).astype(np.float32)
    weights = {PLAIN: np.ones_like(ratio), NAIVE_BAYES: ratio}
    held_out = counter.transform(validation[0])
    for name in names:
        scale = sparse.diags(weights[name])
        fitted = [
            LogisticRegression(C=strength, solver="liblinear").fit(features @ scale, train[1])
            for strength in _STRENGTHS
        ]
        best = max(fitted, key=lambda model: model.score(held_out @ scale, validation[1]))
        yield name, lambda texts, model=best, scale=scale: model.predict(counter.transform(texts) @ scale)
