"""The cross-entropy of words: over the whole vocabulary, and over a sample of it where that would take too long.

Words are ids as texts have them. Padding, 0, is no word: it gets no probability. N is a number of predictions, E the
width of a word vector, V the size of the vocabulary, S that of a sample.
"""

from typing import NamedTuple

import tensorflow as tf

from kseq.vocabulary import UNKNOWN_ID

# Predictions whose logits of all words are in memory at once: 80 MB with 20,000 words.
_CHUNK = 1024


class Sample(NamedTuple):
    """Words that stand for the whole vocabulary in one step.

    Attributes:
        words: int64 (S,), all different.
        expected: float32 (S,), how many times each was to be expected in such a sample.
        expected_targets: float32 (N,), the same of the words that are to be predicted.
    """

    words: tf.Tensor
    expected: tf.Tensor
    expected_targets: tf.Tensor


def draw_sample(targets: tf.Tensor, vocabulary_size: int, count: int) -> Sample:
    """Draw different words, the more likely the more frequent: p(k) is near 1 / k for the k-th most frequent word.

    It is Zipf's law, and asks for ids in the order of frequency, as those of a vocabulary are. The unknown word stands
    first among them.

    Args:
        targets: words to be predicted, int (N,).
        vocabulary_size: V.
        count: S, at most V - 1.
    """
    ranks = tf.cast(targets, tf.int64)[:, tf.newaxis] - UNKNOWN_ID
    found = tf.random.log_uniform_candidate_sampler(
        ranks, num_true=1, num_sampled=count, unique=True, range_max=vocabulary_size - UNKNOWN_ID
    )
    return Sample(
        found.sampled_candidates + UNKNOWN_ID,
        found.sampled_expected_count,
        found.true_expected_count[:, 0],
    )


def zipf_logits(vocabulary_size: int) -> tf.Tensor:
    """Give the logarithms, float32 (V,), of the probabilities that `draw_sample` draws words with; 0 for padding."""
    ranks = tf.range(vocabulary_size - UNKNOWN_ID, dtype=tf.float32)
    logits = tf.math.log(tf.math.log1p(1 / (ranks + 1)) / tf.math.log(float(vocabulary_size)))
    return tf.concat([[0.0], logits], axis=0)


def cross_entropy(states: tf.Tensor, targets: tf.Tensor, table: tf.Tensor, bias: tf.Tensor) -> tf.Tensor:
    r"""Compute \(-\log p(w)\), the softmax being over all words: \(p(w) \propto \exp(s \cdot v_w + b_w)\).

    Args:
        states: s, (N, E).
        targets: w, int (N,).
        table: the vectors v, (V, E).
        bias: b, (V,).

    Returns:
        float32 (N,).
    """
    logits = tf.matmul(states, table[UNKNOWN_ID:], transpose_b=True) + bias[UNKNOWN_ID:]  # (N, V - 1)
    return tf.nn.sparse_softmax_cross_entropy_with_logits(targets - UNKNOWN_ID, logits)  # (N,)


def summed_cross_entropy(states: tf.Tensor, targets: tf.Tensor, table: tf.Tensor, bias: tf.Tensor) -> tf.Tensor:
    """Add up the `cross_entropy` of all predictions, some at a time, so that memory does not grow with their number."""

    def of_chunk(start: tf.Tensor) -> tf.Tensor:
        end = start + _CHUNK
        return tf.reduce_sum(cross_entropy(states[start:end], targets[start:end], table, bias))

    starts = tf.range(0, tf.shape(states)[0], _CHUNK)
    return tf.reduce_sum(tf.map_fn(of_chunk, starts, fn_output_signature=tf.float32))


def sampled_cross_entropy(
    states: tf.Tensor, targets: tf.Tensor, table: tf.Tensor, bias: tf.Tensor, sample: Sample
) -> tf.Tensor:
    r"""Estimate `cross_entropy` by a softmax over each word and a sample of the others.

    Every logit is lessened by the logarithm of how often its word was to be expected in the sample, so that the
    gradient is right on average but for a bias that vanishes as S grows (Bengio & Senécal 2008; Jean et al. 2015,
    section 3). Where the word itself is in the sample, it counts once.

    Args:
        states: (N, E).
        targets: int (N,).
        table: (V, E).
        bias: (V,).
        sample: drawn for these targets.

    Returns:
        float32 (N,).
    """
    corrections = tf.gather(bias, sample.words) - tf.math.log(sample.expected)  # (S,)
    others = tf.matmul(states, tf.gather(table, sample.words), transpose_b=True) + corrections  # (N, S)
    hits = tf.equal(tf.cast(targets, tf.int64)[:, tf.newaxis], sample.words)  # (N, S)
    others = tf.reduce_logsumexp(tf.where(hits, others.dtype.min, others), axis=1)  # (N,)
    own = tf.reduce_sum(states * tf.gather(table, targets), axis=1) + tf.gather(bias, targets)  # (N,)
    # log(exp(own) + exp(others)) - own
    return tf.nn.softplus(others - own + tf.math.log(sample.expected_targets))  # (N,)
