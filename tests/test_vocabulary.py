"""What is counted, and what gets an id of its own."""

import collections
import random

import numpy as np
import pytest

from kseq.errors import UsageError
from kseq.vocabulary import count_tokens, frequent_tokens


def test_count_tokens_over_many_batches():
    texts = [f"word{number % 7} common {'é' * (number % 3)}".split() for number in range(700)]
    batches = (np.array([token.encode() for text in texts[start : start + 90] for token in text], object)
               for start in range(0, 700, 90))  # fmt: skip
    assert count_tokens(batches) == collections.Counter(token for text in texts for token in text)


def test_count_tokens_of_none_is_empty():
    assert count_tokens([]) == {}
    assert count_tokens([np.array([], object)]) == {}


COUNTS = {"the": 9, "b": 4, "a": 4, "é": 4, "rare": 2, "once": 1, "z": 2}


def test_vocabulary_is_by_count_then_by_word_whatever_the_order_of_the_texts():
    expected = ["[PAD]", "[UNK]", "the", "a", "b", "é", "rare", "z", "once"]
    items = list(COUNTS.items())
    for shuffle in range(5):
        random.Random(shuffle).shuffle(items)
        assert frequent_tokens(collections.Counter(dict(items)), 100, 1) == expected


@pytest.mark.parametrize(
    ("vocabulary_size", "min_count", "words"),
    [
        (100, 2, ["the", "a", "b", "é", "rare", "z"]),
        (100, 4, ["the", "a", "b", "é"]),
        (5, 1, ["the", "a", "b"]),
        (4, 4, ["the", "a"]),
        (3, 1, ["the"]),
        (9, 1, ["the", "a", "b", "é", "rare", "z", "once"]),
    ],
)
def test_vocabulary_is_capped_and_leaves_rare_words_out(vocabulary_size, min_count, words):
    got = frequent_tokens(collections.Counter(COUNTS), vocabulary_size, min_count)
    assert got == ["[PAD]", "[UNK]", *words]
    assert len(got) <= vocabulary_size


@pytest.mark.parametrize(("counts", "received"), [(COUNTS, "at most 9 times"), ({}, "not at all")])
def test_a_vocabulary_without_words_is_refused(counts, received):
    with pytest.raises(UsageError, match="min_count is 10") as error:
        frequent_tokens(collections.Counter(counts), 100, 10)
    assert received in str(error.value)
    assert "--min-count" in str(error.value)


def test_count_tokens_holds_no_more_than_it_may_and_keeps_the_frequent_ones_exact():
    frequent = {f"often {number}".encode(): 40 + number for number in range(10)}
    rare = [f"once {number}".encode() for number in range(5000)]
    tokens = [token for token, count in frequent.items() for _ in range(count)] + rare
    # In any order that keeps each frequent token coming, as words do in texts.
    random.Random(0).shuffle(tokens)
    batches = [np.array(tokens[start : start + 100], object) for start in range(0, len(tokens), 100)]
    found = count_tokens(batches, most=300)
    assert len(found) <= 300
    best = dict(found.most_common(10))
    assert set(best) == {token.decode() for token in frequent}
    for token, count in frequent.items():
        assert count - 20 <= best[token.decode()] <= count
    assert count_tokens(batches, most=5010) == collections.Counter(token.decode() for token in tokens)
