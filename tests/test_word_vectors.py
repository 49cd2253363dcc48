"""Word vectors from counts: against loops, and a dense eigendecomposition, in NumPy."""

import collections
import math

import numpy as np
import pytest
import scipy.sparse

from kseq import word_vectors
from kseq.word_vectors import count_pairs, leading_vectors, positive_mutual_information, scaled

RANDOM = np.random.default_rng(6)
SIZE = 12
TEXTS = [RANDOM.integers(1, SIZE - 1, RANDOM.integers(1, 15)).tolist() for _ in range(40)]


def batches(texts, batch_size=7):
    for start in range(0, len(texts), batch_size):
        rows = texts[start : start + batch_size]
        ids = np.zeros((len(rows), max(map(len, rows))), np.int32)
        for row, text in zip(ids, rows, strict=True):
            row[: len(text)] = text
        yield ids


def counts_by_hand(texts, window):
    found = np.zeros((SIZE, SIZE))
    for text in texts:
        for place, word in enumerate(text):
            for other, neighbour in enumerate(text):
                if other != place and abs(other - place) <= window:
                    found[word, neighbour] += 1
    return found


@pytest.mark.parametrize("window", [1, 3, 50])
@pytest.mark.parametrize("most", [1, 100, 10_000])
def test_pairs_are_counted_within_a_text_and_not_with_padding(window, most, monkeypatch):
    monkeypatch.setattr(word_vectors, "_MOST_PAIRS", most)
    found = count_pairs(batches(TEXTS), SIZE, window)
    np.testing.assert_array_equal(found.toarray(), counts_by_hand(TEXTS, window))


def test_no_pairs():
    assert count_pairs(batches([[3], [5]]), SIZE, 2).nnz == 0
    assert not leading_vectors(positive_mutual_information(count_pairs([], SIZE, 2)), 3, 0).any()


def test_information_is_that_of_the_definition():
    counts = counts_by_hand(TEXTS, 2)
    found = positive_mutual_information(scipy.sparse.csr_array(counts.astype(np.float32))).toarray()
    total = counts.sum()
    contexts = collections.Counter()
    for word in range(SIZE):
        contexts[word] = counts[:, word].sum() ** 0.75
    all_contexts = sum(contexts.values())
    for word in range(SIZE):
        for context in range(SIZE):
            expected = 0.0
            if counts[word, context]:
                together = counts[word, context] / total
                apart = counts[word].sum() / total * contexts[context] / all_contexts
                expected = max(0.0, math.log(together / apart))
            assert found[word, context] == pytest.approx(expected, abs=1e-5)
    assert (found > 0).sum() > 20
    assert (found == 0).sum() > 20


def random_matrix(size):
    dense = RANDOM.normal(size=(size, size)) * (RANDOM.uniform(size=(size, size)) < 0.2)
    return dense.astype(np.float32)


@pytest.mark.parametrize("dense", [1000, 0])
def test_vectors_are_those_of_the_largest_singular_values(dense, monkeypatch):
    monkeypatch.setattr(word_vectors, "_DENSE", dense)
    matrix = random_matrix(60)
    vectors = leading_vectors(scipy.sparse.csr_array(matrix), 5, seed=1)
    squares, left = np.linalg.eigh(matrix.astype(np.float64) @ matrix.T)
    expected = (left[:, -5:] * squares[-5:] ** 0.25)[:, ::-1]
    np.testing.assert_allclose(vectors @ vectors.T, expected @ expected.T, atol=1e-3)
    np.testing.assert_allclose(np.abs(vectors), np.abs(expected), atol=1e-3)
    assert (vectors[np.abs(vectors).argmax(axis=0), np.arange(5)] > 0).all()
    np.testing.assert_array_equal(vectors, leading_vectors(scipy.sparse.csr_array(matrix), 5, seed=1))


def test_more_columns_than_singular_values():
    matrix = random_matrix(4)
    vectors = leading_vectors(scipy.sparse.csr_array(matrix), 7, seed=0)
    assert vectors.shape == (4, 7)
    assert not vectors[:, 4:].any()
    squares, left = np.linalg.eigh(matrix.astype(np.float64) @ matrix.T)
    np.testing.assert_allclose(vectors @ vectors.T, (left * np.sqrt(np.maximum(squares, 0))) @ left.T, atol=1e-4)


def test_scaling_leaves_words_without_pairs_alone():
    vectors = RANDOM.normal(size=(10, 4)) * 7
    vectors[[0, 3]] = 0
    found = scaled(vectors, 0.1)
    assert found.dtype == np.float32
    there = found[[1, 2, 4, 5, 6, 7, 8, 9]]
    assert np.sqrt((there.astype(np.float64) ** 2).sum() / there.size) == pytest.approx(0.1, rel=1e-5)
    assert not found[[0, 3]].any()
    np.testing.assert_allclose(found[1] / found[2], vectors[1] / vectors[2], rtol=1e-5)
    assert not scaled(np.zeros((3, 2)), 0.1).any()


def test_words_of_the_same_neighbours_have_like_vectors():
    # 2 and 3 stand between 4 and 5, 6 and 7 between 8 and 9.
    texts = [[4, word, 5] for word in (2, 3)] * 20 + [[8, word, 9] for word in (6, 7)] * 20
    vectors = leading_vectors(positive_mutual_information(count_pairs(batches(texts), SIZE, 2)), 4, 0)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-9
    like = vectors @ vectors.T
    assert like[2, 3] > 0.99
    assert like[6, 7] > 0.99
    assert abs(like[2, 6]) < 0.01
