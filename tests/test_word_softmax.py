"""The cross-entropy of words, by hand: a loop over predictions and words in NumPy."""

import math

import numpy as np
import pytest
import tensorflow as tf

from kseq import word_softmax
from kseq.word_softmax import (
    Sample,
    cross_entropy,
    draw_sample,
    sampled_cross_entropy,
    summed_cross_entropy,
    zipf_logits,
)

RANDOM = np.random.default_rng(4)
WORDS, WIDTH, COUNT = 9, 4, 11
TABLE = RANDOM.normal(size=(WORDS, WIDTH)).astype(np.float32)
BIAS = RANDOM.normal(size=WORDS).astype(np.float32)
STATES = RANDOM.normal(size=(COUNT, WIDTH)).astype(np.float32)
TARGETS = RANDOM.integers(1, WORDS, COUNT).astype(np.int32)


def by_hand(state, target, candidates, corrections):
    """-log of the share of the target among the candidates, each lessened by its correction."""
    weights = {word: math.exp(TABLE[word] @ state + BIAS[word]) / corrections[word] for word in candidates}
    return -math.log(weights[target] / sum(weights.values()))


def test_the_softmax_is_over_all_words_and_not_over_padding():
    expected = [
        by_hand(state, target, range(1, WORDS), dict.fromkeys(range(1, WORDS), 1))
        for state, target in zip(STATES, TARGETS, strict=True)
    ]
    np.testing.assert_allclose(cross_entropy(STATES, TARGETS, TABLE, BIAS), expected, rtol=1e-5)


@pytest.mark.parametrize("chunk", [1, 4, COUNT, 100])
def test_chunks_change_nothing(chunk, monkeypatch):
    monkeypatch.setattr(word_softmax, "_CHUNK", chunk)
    expected = sum(
        by_hand(state, target, range(1, WORDS), dict.fromkeys(range(1, WORDS), 1))
        for state, target in zip(STATES, TARGETS, strict=True)
    )
    np.testing.assert_allclose(summed_cross_entropy(STATES, TARGETS, TABLE, BIAS), expected, rtol=1e-5)
    assert float(summed_cross_entropy(STATES[:0], TARGETS[:0], TABLE, BIAS)) == 0


@pytest.mark.parametrize("sampled", [[3], [8, 2, 5], [1, 2, 3, 4, 5, 6, 7, 8]])
def test_a_sample_counts_each_word_once_and_by_how_often_it_was_to_be_expected(sampled):
    expected_counts = RANDOM.uniform(0.1, 1, WORDS)
    sample = Sample(
        tf.constant(sampled, tf.int64),
        tf.constant(expected_counts[sampled], tf.float32),
        tf.constant(expected_counts[TARGETS], tf.float32),
    )
    expected = [
        by_hand(state, target, {target, *sampled}, expected_counts)
        for state, target in zip(STATES, TARGETS, strict=True)
    ]
    np.testing.assert_allclose(sampled_cross_entropy(STATES, TARGETS, TABLE, BIAS, sample), expected, rtol=1e-4)


def test_a_sample_of_all_words_is_the_whole_softmax():
    everything = tf.range(1, WORDS, dtype=tf.int64)
    sample = Sample(everything, tf.ones(WORDS - 1), tf.ones(COUNT))
    table = tf.Variable(TABLE)
    with tf.GradientTape(persistent=True) as tape:
        whole = cross_entropy(STATES, TARGETS, table, BIAS)
        sampled = sampled_cross_entropy(STATES, TARGETS, table, BIAS, sample)
    np.testing.assert_allclose(sampled, whole, rtol=1e-5)
    gradients = (tf.convert_to_tensor(tape.gradient(loss, table)) for loss in (whole, sampled))
    np.testing.assert_allclose(*gradients, atol=1e-5)


def test_samples_follow_zipfs_law():
    tf.random.set_seed(5)
    size, count, draws = 100, 6, 500
    targets = np.arange(1, size)
    seen, expected = np.zeros(size), np.zeros(size)
    for _ in range(draws):
        sample = draw_sample(targets, size, count)
        words = sample.words.numpy()
        assert len(set(words)) == count
        assert words.min() >= 1
        np.testing.assert_allclose(sample.expected, sample.expected_targets.numpy()[words - 1], rtol=1e-5)
        seen[words] += 1 / draws
        expected[1:] += sample.expected_targets.numpy() / draws
    # Five standard errors of a share of 500; and TensorFlow's counts of different words are estimates.
    np.testing.assert_allclose(seen, expected, atol=0.15)
    assert seen[1] > 0.5
    assert seen[51:].sum() > 0.3


def test_the_logits_of_zipfs_law():
    logits = zipf_logits(50).numpy()
    expected = [math.log(math.log((rank + 2) / (rank + 1)) / math.log(50)) for rank in range(49)]
    np.testing.assert_allclose(logits[1:], expected, rtol=1e-5)
    assert np.exp(logits[1:]).sum() == pytest.approx(1, abs=1e-5)
    assert logits[0] == 0
