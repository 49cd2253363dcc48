"""From texts to batches: nothing lost, nothing twice, an order that can be repeated, and little padding."""

import collections
import itertools
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from pipelines.batching import epoch_order, evaluation_batches, padding_share, training_batches
from pipelines.rows import Rows
from pipelines.vectorized_split import VectorizedSplit, vectorize_split

ROOT = Path(__file__).parents[1]
# Some orders of magnitude, as texts have them: half of the texts are shorter than a sixth of the longest.
SKEWED = np.minimum(np.random.default_rng(4).lognormal(4, 1, 6400).astype(int) + 1, 400)


def code_points(texts):
    """A vectorizer of a few lines: a character's number, 1 for a text without any, 0 to pad."""
    characters = tf.strings.unicode_decode(tf.where(texts == "", "\x01", texts), "UTF-8")
    return {"token_ids": characters.to_tensor(0)}


def code_points_by_hand(text):
    return [ord(character) for character in text] or [1]


def with_more_inputs(texts):
    """Three named inputs: ids (B, T), characters of each token (B, T, 3), and shorter rows (B, N) of int64."""
    ids = code_points(texts)["token_ids"]
    real = tf.cast(ids != 0, tf.int32)
    return {
        "token_ids": ids,
        # The second of three stays 0 inside a real step.
        "character_ids": tf.stack([ids, 0 * ids, ids + 7 * real], axis=2),
        "ngram_ids": tf.cast(ids[:, ::2], tf.int64),
    }


def dataset(texts, targets=None):
    targets = np.arange(len(texts), dtype=np.int32) if targets is None else targets
    return tf.data.Dataset.from_tensor_slices((np.array(texts, object), targets))


def split_of(lengths, targets=None):
    """A split whose text `number` holds `number + 1` in each of its tokens."""
    lengths = np.asarray(lengths)
    values = np.repeat(np.arange(1, len(lengths) + 1, dtype=np.int32), lengths)
    rows = Rows(values, np.concatenate([[0], np.cumsum(lengths)]))
    targets = np.arange(len(lengths), dtype=np.int32) if targets is None else targets
    return VectorizedSplit({"token_ids": rows}, targets, np.ones(len(lengths), np.float32))


def epoch_of(batches, steps):
    return [(inputs["token_ids"], target, weight) for inputs, target, weight in itertools.islice(batches, steps)]


# Vectorizing

TEXTS = [("xyzé影"[number % 5]) * (number % 13) + str(number) * (number % 3) for number in range(600)]


def test_a_vectorized_split_holds_each_text_as_it_is_alone():
    assert "" in TEXTS
    split = vectorize_split(dataset(TEXTS), code_points)
    assert len(split) == 600
    assert split.targets.tolist() == list(range(600))
    assert split.targets.dtype == np.int32
    assert split.sample_weights.dtype == np.float32
    assert split.sample_weights.tolist() == [1] * 600
    assert split.lengths.tolist() == [len(code_points_by_hand(text)) for text in TEXTS]
    for number, text in enumerate(TEXTS):
        inputs, target, weight = split.batch(np.array([number]))
        assert inputs["token_ids"].tolist() == [code_points_by_hand(text)], text
        assert (target.tolist(), weight.tolist()) == ([number], [1])


def test_a_batch_is_padded_on_the_right_to_its_own_longest_text():
    split = vectorize_split(dataset(["abc", "z", "ab", "abcdefgh"]), code_points)
    inputs, targets, weights = split.batch(np.array([2, 0, 1]))
    assert inputs["token_ids"].tolist() == [[97, 98, 0], [97, 98, 99], [122, 0, 0]]
    assert inputs["token_ids"].dtype == np.int32
    assert targets.tolist() == [2, 0, 1]
    assert weights.tolist() == [1, 1, 1]


def test_named_inputs_of_other_shapes_and_types_survive():
    texts = ["abc", "z", "abcde"]
    split = vectorize_split(dataset(texts), with_more_inputs)
    assert split.lengths.tolist() == [3, 1, 5]
    inputs, _, _ = split.batch(np.array([1, 2]))
    assert {name: (value.shape, value.dtype) for name, value in inputs.items()} == {
        "token_ids": ((2, 5), np.int32),
        "character_ids": ((2, 5, 3), np.int32),
        "ngram_ids": ((2, 3), np.int64),
    }
    assert inputs["character_ids"][0].tolist() == [[122, 0, 129]] + [[0, 0, 0]] * 4
    assert inputs["character_ids"][1].tolist() == [[code, 0, code + 7] for code in range(97, 102)]
    assert inputs["ngram_ids"].tolist() == [[122, 0, 0], [97, 99, 101]]
    for batches in (training_batches(split, 2, 0).take(2), evaluation_batches(split, 2)[0]):
        spec, _, _ = batches.element_spec
        assert {name: (one.shape.rank, one.dtype) for name, one in spec.items()} == {
            "token_ids": (2, tf.int32),
            "character_ids": (3, tf.int32),
            "ngram_ids": (2, tf.int64),
        }
        assert spec["character_ids"].shape[2] == 3
        for inputs, target, _ in batches.as_numpy_iterator():
            for row, number in enumerate(target):
                alone = split.batch(np.array([number]))[0]
                for name, value in inputs.items():
                    width = alone[name].shape[1]
                    np.testing.assert_array_equal(value[row, :width], alone[name][0])
                    assert not value[row, width:].any()


@pytest.mark.parametrize(
    "targets",
    [np.array([2, 0, 1], np.int32), np.array([0.5, 0.25, 1], np.float32), np.eye(3, 4, dtype=np.float32)],
    ids=["class", "number", "soft"],
)
def test_targets_keep_their_type_and_shape(targets):
    split = vectorize_split(dataset(["a", "bb", "ccc"], targets), code_points)
    np.testing.assert_array_equal(split.targets, targets)
    batches, order = evaluation_batches(split, 2)
    assert batches.element_spec[1].dtype == targets.dtype
    seen = np.concatenate([target for _, target, _ in batches.as_numpy_iterator()])
    assert seen.dtype == targets.dtype
    np.testing.assert_array_equal(seen, targets[order])


def test_sample_weights_travel_with_their_texts():
    split = split_of([3, 1, 4, 1, 5])
    weighted = VectorizedSplit(split.inputs, split.targets, np.array([0.5, 1, 2, 0, 4], np.float32))
    for batches in (training_batches(weighted, 2, 7).take(3), evaluation_batches(weighted, 2)[0]):
        assert batches.element_spec[2].dtype == tf.float32
        seen = {}
        for _, target, weight in batches.as_numpy_iterator():
            seen |= dict(zip(target.tolist(), weight.tolist(), strict=True))
        assert seen == {0: 0.5, 1: 1, 2: 2, 3: 0, 4: 4}


# The order of an epoch


@pytest.mark.parametrize(
    ("texts", "batch_size"), [(1, 64), (63, 64), (64, 64), (65, 64), (1000, 7), (6400, 64), (9, 1)]
)
def test_every_text_stands_in_one_batch_of_an_epoch(texts, batch_size):
    lengths = SKEWED[:texts]
    batches = epoch_order(lengths, batch_size, 3, 0)
    assert len(batches) == -(-texts // batch_size)
    assert sorted(np.concatenate(batches).tolist()) == list(range(texts))
    sizes = sorted(map(len, batches))
    assert sizes[1:] == [batch_size] * (len(batches) - 1)
    assert sizes[0] == texts - batch_size * (len(batches) - 1)


def test_the_order_follows_from_seed_and_epoch_alone():
    def flat(seed, epoch):
        return np.concatenate(epoch_order(SKEWED, 64, seed, epoch)).tolist()

    orders = {(seed, epoch): flat(seed, epoch) for seed in (0, 1, 2**32 - 1) for epoch in (0, 1, 2)}
    np.random.seed(5)
    tf.random.set_seed(5)
    assert {key: flat(*key) for key in orders} == orders
    assert len(set(map(tuple, orders.values()))) == 9


@pytest.mark.parametrize("texts", [300, 6400])
def test_a_text_meets_other_neighbours_in_every_epoch(texts):
    """Also where all lengths differ, so that sorting leaves nothing to chance."""
    lengths = np.random.default_rng(0).permutation(texts) + 1

    def neighbours(epoch):
        return {
            pair for batch in epoch_order(lengths, 16, 0, epoch) for pair in itertools.combinations(sorted(batch), 2)
        }

    first, second = neighbours(0), neighbours(1)
    assert len(first & second) < 0.5 * len(first)


def test_short_and_long_batches_follow_each_other_by_chance():
    longest = [SKEWED[batch].max() for batch in epoch_order(SKEWED, 64, 0, 0)]
    # Of chance, one half; where the batches come as they are cut from a pool, nearly all.
    assert 0.3 < np.mean(np.diff(longest) > 0) < 0.7


def test_label_sorted_data_give_mixed_batches():
    """The count of one class in a batch of 64 is near 32: six standard deviations of a fair draw are 24."""
    labels = np.repeat(np.array([0, 1], np.int32), 3200)
    lengths = SKEWED[:3200].tolist() + SKEWED[3200:].tolist()
    batches = epoch_order(np.array(lengths), 64, 0, 0)
    counts = np.array([labels[batch].sum() for batch in batches])
    assert (np.abs(counts - 32) < 24).all()
    # Of fair draws, the variance is 16; of batches of one class, 1024.
    assert 8 < counts.var() < 32
    halves = np.array([labels[np.concatenate(batches[start : start + 25])].mean() for start in range(0, 100, 25)])
    assert (np.abs(halves - 0.5) < 0.1).all()


# Padding


def naive_share(lengths, batch_size):
    chunks = [lengths[first : first + batch_size] for first in range(0, len(lengths), batch_size)]
    return 1 - sum(chunk.sum() for chunk in chunks) / sum(chunk.max() * len(chunk) for chunk in chunks)


def test_padding_share_is_what_the_batches_hold():
    split = split_of(SKEWED[:1000])
    order = epoch_order(split.lengths, 32, 5, 2)
    batches = epoch_of(training_batches(split, 32, 5, first_epoch=2).as_numpy_iterator(), len(order))
    zeros = sum(int((ids == 0).sum()) for ids, _, _ in batches)
    computed = sum(ids.size for ids, _, _ in batches)
    assert padding_share(split.lengths, order) == pytest.approx(zeros / computed)


def test_padding_is_little_where_lengths_are_skewed():
    for seed in range(3):
        share = padding_share(SKEWED, epoch_order(SKEWED, 64, seed, 0))
        assert share < 0.1
        assert share < 0.15 * naive_share(SKEWED, 64)
    assert naive_share(SKEWED, 64) > 0.6


def test_padding_share_by_hand():
    assert padding_share(np.array([1, 4, 2, 2]), [np.array([0, 1]), np.array([2, 3])]) == pytest.approx(3 / 12)
    assert padding_share(np.array([5, 5]), [np.array([1, 0])]) == 0


# Datasets for training and evaluation


def test_training_batches_hold_every_text_once_an_epoch_in_the_order_of_the_epoch():
    split = split_of(SKEWED[:200])
    batches = training_batches(split, 32, 9).as_numpy_iterator()
    for epoch in range(3):
        seen = epoch_of(batches, 7)
        for (ids, target, weight), expected in zip(seen, epoch_order(split.lengths, 32, 9, epoch), strict=True):
            assert target.tolist() == expected.tolist()
            assert weight.tolist() == [1] * len(expected)
            for row, number in zip(ids, expected, strict=True):
                assert collections.Counter(row[row != 0].tolist()) == {number + 1: SKEWED[number]}
        assert sorted(np.concatenate([target for _, target, _ in seen]).tolist()) == list(range(200))


def test_first_epoch_goes_on_where_another_run_stopped():
    split = split_of(SKEWED[:150])
    whole = epoch_of(training_batches(split, 16, 1).as_numpy_iterator(), 40)
    later = epoch_of(training_batches(split, 16, 1, first_epoch=2).as_numpy_iterator(), 20)
    for (ids, target, _), (later_ids, later_target, _) in zip(whole[20:], later, strict=True):
        np.testing.assert_array_equal(ids, later_ids)
        np.testing.assert_array_equal(target, later_target)


def test_a_second_reading_of_training_batches_begins_again():
    batches = training_batches(split_of(SKEWED[:50]), 16, 1)
    first = [target.tolist() for _, target, _ in batches.take(4).as_numpy_iterator()]
    assert [target.tolist() for _, target, _ in batches.take(4).as_numpy_iterator()] == first


@pytest.mark.parametrize("texts", [1, 64, 130])
def test_evaluation_batches_hold_every_text_once_and_their_positions(texts):
    split = split_of(SKEWED[:texts])
    batches, order = evaluation_batches(split, 64)
    assert int(batches.cardinality()) == -(-texts // 64)
    for _ in range(2):
        seen = list(batches.as_numpy_iterator())
        targets = np.concatenate([target for _, target, _ in seen])
        assert targets.tolist() == order.tolist()
        # An answer a text, put back as `experiment.probabilities` does.
        answers = np.concatenate([inputs["token_ids"].max(axis=1) for inputs, _, _ in seen])
        restored = np.empty_like(answers)
        restored[order] = answers
        assert restored.tolist() == list(range(1, texts + 1))
    lengths = SKEWED[:texts][order]
    assert (np.diff(lengths) >= 0).all()


def test_the_pipelines_import_neither_keras_nor_kseq():
    """TensorFlow itself looks for Keras when it is imported, so both are made to look as if they were not installed."""
    program = (
        "import sys; sys.modules.update(keras=None, kseq=None)\n"
        "import pipelines; assert 'tensorflow' not in sys.modules\n"
        "import pipelines.batching, pipelines.text_data\n"
        "print(len(pipelines.batching.epoch_order(__import__('numpy').ones(5, int), 2, 0, 0)))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "3"


def test_no_dataset_waits_for_a_tuner_when_it_ends():
    """In TensorFlow 2.21 the iterator of a tuned dataset can take a minute to end."""
    split = split_of(SKEWED[:50])
    for batches in (training_batches(split, 16, 1, epochs=1), evaluation_batches(split, 16)[0]):
        assert batches.options().autotune.enabled is False


def test_a_number_of_epochs_ends_the_batches():
    split = split_of(SKEWED[:50])
    assert training_batches(split, 16, 1, epochs=3).cardinality().numpy() == 3 * 4
