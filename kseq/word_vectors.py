"""Word vectors from which words stand near each other: positive pointwise mutual information, and its singular vectors.

Levy & Goldberg 2014: what word2vec does by gradient steps is near to a factorization of this matrix.
"""

from collections.abc import Iterable

import numpy as np
import scipy.sparse
import scipy.sparse.linalg

# Contexts count as if they were drawn from their frequencies to this power, or rare ones would have the largest
# information (Levy, Goldberg & Dagan 2015, section 3.2).
_CONTEXT_POWER = 0.75
# The singular values count by their square roots (the same, section 3.3).
_VALUE_POWER = 0.5
# Pairs that are held before they are added up: some 100 MB.
_MOST_PAIRS = 4_000_000
# A matrix up to this size is factorized whole.
_DENSE = 1000


def count_pairs(batches: Iterable[np.ndarray], vocabulary_size: int, window: int) -> scipy.sparse.csr_array:
    """Count how often one word stands near another.

    Args:
        batches: ids, int (B, T), 0 where padded on the right.
        vocabulary_size: V.
        window: most steps between two words of a pair.

    Returns:
        Counts, float32 (V, V), symmetric. Padding, 0, has none.
    """
    shape = (vocabulary_size, vocabulary_size)
    total = scipy.sparse.csr_array(shape, dtype=np.float32)
    lefts: list[np.ndarray] = []
    rights: list[np.ndarray] = []

    def added() -> scipy.sparse.csr_array:
        left, right = np.concatenate(lefts), np.concatenate(rights)
        lefts.clear()
        rights.clear()
        ones = np.ones(len(left), np.float32)
        # A sum of float32 stays exact up to 16 million.
        return total + scipy.sparse.coo_array((ones, (left, right)), shape).tocsr()

    waiting = 0
    for ids in batches:
        for distance in range(1, min(window, ids.shape[1] - 1) + 1):
            left, right = ids[:, :-distance], ids[:, distance:]
            near = right != 0
            lefts.append(left[near])
            rights.append(right[near])
            waiting += len(lefts[-1])
        if waiting >= _MOST_PAIRS:
            total, waiting = added(), 0
    if lefts:
        total = added()
    return (total + total.T).tocsr()


def positive_mutual_information(counts: scipy.sparse.csr_array) -> scipy.sparse.csr_array:
    r"""Compute \(\max(0, \log \frac{p(i, j)}{p(i) \, p_{0.75}(j)})\) of each pair that was counted.

    Args:
        counts: (V, V), of words i in rows and contexts j in columns.
    """
    pairs = counts.tocoo()
    of_words = counts.sum(axis=1)
    of_contexts = counts.sum(axis=0) ** _CONTEXT_POWER
    information = np.log(pairs.data * of_contexts.sum()) - np.log(
        of_words[pairs.coords[0]] * of_contexts[pairs.coords[1]]
    )
    found = scipy.sparse.coo_array((np.maximum(information, 0), pairs.coords), counts.shape).tocsr()
    found.eliminate_zeros()
    return found


def leading_vectors(matrix: scipy.sparse.csr_array, width: int, seed: int) -> np.ndarray:
    r"""Give \(U \Sigma^{1/2}\) of the largest singular values, (V, width), the largest first.

    The sign of a column is such that its largest number is positive. Where the matrix has fewer singular values, the
    last columns are 0.

    Args:
        matrix: (V, V).
        width: number of columns.
        seed: of the vector that the search begins with.
    """
    size = matrix.shape[0]
    if size <= _DENSE or width >= size // 2:
        left, values, _ = np.linalg.svd(matrix.toarray())
    else:
        start = np.random.default_rng(seed).normal(size=size).astype(matrix.dtype)
        left, values, _ = scipy.sparse.linalg.svds(matrix, k=width, v0=start, return_singular_vectors="u")
        left, values = left[:, ::-1], values[::-1]
    left, values = left[:, :width], values[:width]
    largest = left[np.abs(left).argmax(axis=0), np.arange(left.shape[1])]
    vectors = left * np.where(largest < 0, -1, 1) * values**_VALUE_POWER
    return np.pad(vectors, [(0, 0), (0, width - vectors.shape[1])])


def scaled(vectors: np.ndarray, deviation: float) -> np.ndarray:
    """Scale vectors (V, E), so that the numbers of those that are not 0 have this root of their mean square."""
    there = vectors[vectors.any(axis=1)]
    return (vectors * (deviation / np.sqrt(np.mean(there**2)) if len(there) else 1)).astype(np.float32)
