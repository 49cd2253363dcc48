"""Word n-grams that occur more than once, as columns of a sparse matrix.

N is the number of texts, W the number of all their words, F the number of n-grams.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

# What a place or a key is where there is none.
_NONE = -1


def frequent_ngrams(words: np.ndarray, lengths: np.ndarray, longest: int) -> tuple[np.ndarray, ...]:
    """Find the n-grams that occur at least twice.

    An n-gram of several words is known by the places that two shorter ones have in their table: the one without its
    last word, and the one without its first. It can only occur twice where these do (Agrawal & Srikant 1994), so that
    most of the n-grams of a text are never counted.

    Args:
        words: int64 (W,), the words of all texts in a row, each as a number that is not negative.
        lengths: int (N,), words of each text.
        longest: of an n-gram, in words.

    Returns:
        For each length from 1 on, the keys of its n-grams, int64, ascending. An n-gram stays within one text.
    """
    texts = np.repeat(np.arange(len(lengths)), lengths)  # (W,)
    tables = [_repeated(words)]
    places = _places(words, tables[0])
    for length in range(2, longest + 1):
        keys = _longer(places, texts, length, len(tables[-1]))
        tables.append(_repeated(keys))
        places = _places(keys, tables[-1])
    return tuple(tables)


def ngram_matrix(words: np.ndarray, lengths: np.ndarray, tables: Sequence[np.ndarray]) -> Any:
    """Tell which n-grams stand in which texts.

    Args:
        words, lengths: of texts, as `frequent_ngrams` takes them.
        tables: what it gave, of these texts or of others.

    Returns:
        SciPy's CSR matrix, float32 (N, F), 1 where a text has an n-gram.
    """
    from scipy import sparse

    texts = np.repeat(np.arange(len(lengths)), lengths)  # (W,)
    blocks, places = [], _places(words, tables[0])
    for length, table in enumerate(tables, start=1):
        if length > 1:
            places = _places(_longer(places, texts, length, len(tables[length - 2])), table)
        found = places != _NONE
        ends = np.cumsum(np.bincount(texts[: len(places)][found], minlength=len(lengths)))
        columns = places[found].astype(np.int32)
        ones = np.ones(len(columns), np.float32)
        block = sparse.csr_matrix((ones, columns, np.append(0, ends)), shape=(len(lengths), len(table)))
        block.sum_duplicates()
        block.data[:] = 1
        blocks.append(block)
    return sparse.hstack(blocks, format="csr")


def _repeated(keys: np.ndarray) -> np.ndarray:
    """The keys that occur at least twice, ascending."""
    ordered = np.sort(keys[keys != _NONE])
    return np.unique(ordered[1:][ordered[1:] == ordered[:-1]])


def _places(keys: np.ndarray, table: np.ndarray) -> np.ndarray:
    """The place of each key in an ascending table."""
    if not len(table):
        return np.full(len(keys), _NONE)
    places = np.minimum(np.searchsorted(table, keys), len(table) - 1)
    return np.where(table[places] == keys, places, _NONE)


def _longer(places: np.ndarray, texts: np.ndarray, length: int, size: int) -> np.ndarray:
    """The keys of the n-grams of a length, by the word that each begins with.

    Args:
        places: of the n-grams shorter by one, (W - length + 2,).
        texts: number of each word's text, (W,).
        size: of the table that holds the places.
    """
    first, second = places[:-1], places[1:]  # (W - length + 1,)
    whole = (first != _NONE) & (second != _NONE) & (texts[: len(first)] == texts[length - 1 :])
    return np.where(whole, first * size + second, _NONE)
