"""N-grams that occur twice, against a count of tuples in plain Python."""

import collections

import numpy as np
import pytest

from kseq.word_ngrams import frequent_ngrams, ngram_matrix

RANDOM = np.random.default_rng(3)
# Texts of 0 to 12 of some words, few of them common; the numbers are as far apart as hashes are.
NUMBERS = np.array([0, 2**61 + 5, 17, 2**62 - 1, 2**40, *range(500, 580)])


def texts_of(sizes):
    return [NUMBERS[np.minimum(RANDOM.geometric(0.2, size), len(NUMBERS)) - 1].tolist() for size in sizes]


TEXTS = texts_of(RANDOM.integers(0, 13, 60))
OTHERS = texts_of((0, 1, 5, 9, 30))


def ngrams(text, longest):
    return [tuple(text[start : start + n]) for n in range(1, longest + 1) for start in range(len(text) - n + 1)]


def flat(texts):
    return np.array([word for text in texts for word in text], np.int64), np.array(
        [len(text) for text in texts], np.int64
    )


def signature(column):
    return tuple(column.astype(int).tolist())


@pytest.mark.parametrize("longest", [1, 2, 3])
def test_the_columns_are_those_of_a_count(longest):
    counts = collections.Counter(gram for text in TEXTS for gram in ngrams(text, longest))
    frequent = [gram for gram, count in counts.items() if count >= 2]
    assert 0 < len(frequent) < len(counts)
    tables = frequent_ngrams(*flat(TEXTS), longest)
    assert [len(table) for table in tables] == [
        sum(len(gram) == length for gram in frequent) for length in range(1, longest + 1)
    ]
    # What a column is called is nobody's business: they are compared by what they hold, over both sets of texts.
    found = np.concatenate([ngram_matrix(*flat(texts), tables).toarray() for texts in (TEXTS, OTHERS)])
    wanted = np.array([[gram in set(ngrams(text, longest)) for gram in frequent] for text in [*TEXTS, *OTHERS]])
    assert sorted(map(signature, found.T)) == sorted(map(signature, wanted.T))


def test_texts_without_words_are_rows():
    tables = frequent_ngrams(*flat([[], [7, 7], []]), 3)
    matrix = ngram_matrix(*flat([[], [7, 7], []]), tables)
    assert matrix.toarray().tolist() == [[0.0], [1.0], [0.0]]


@pytest.mark.parametrize("texts", [[], [[]], [[1]], [[1, 2], [3]]])
def test_where_nothing_occurs_twice_there_is_no_column(texts):
    tables = frequent_ngrams(*flat(texts), 3)
    assert [len(table) for table in tables] == [0, 0, 0]
    assert ngram_matrix(*flat(texts), tables).shape == (len(texts), 0)
