"""The standardiser against loops over single numbers, and what it refuses."""

import numpy as np
import pytest
import tensorflow as tf

from kseq.standardizer import Standardizer, channel_statistics

RANDOM = np.random.default_rng(4)
SEQUENCES = [RANDOM.normal(3, 5, (length, 2)).astype(np.float32) for length in (4, 1, 9, 6)]
MEANS, DEVIATIONS = np.float32([2.5, -1]), np.float32([4, 0.5])


def padded(sequences, steps=None, fill=np.nan):
    steps = max(map(len, sequences)) if steps is None else steps
    values = np.full((len(sequences), steps, 2), fill, np.float32)
    for row, sequence in zip(values, sequences, strict=True):
        row[: len(sequence)] = sequence
    return tf.constant(values), tf.constant([len(sequence) for sequence in sequences], tf.int32)


def kept_by_hand(sequence, most, truncation):
    steps = list(sequence)
    if len(steps) <= most:
        return steps
    if truncation == "head":
        return steps[:most]
    if truncation == "tail":
        return steps[len(steps) - most :]
    return steps[: most - most // 2] + steps[len(steps) - most // 2 :]


def standardizer(most=20, truncation="head", means=MEANS, deviations=DEVIATIONS):
    return Standardizer(means, deviations, ("a", "b"), most, truncation)


@pytest.mark.parametrize("truncation", ["head", "tail", "head_tail"])
@pytest.mark.parametrize("most", [1, 2, 5, 8, 20])
def test_each_real_number_is_standardised_and_padding_is_zero(most, truncation):
    named = standardizer(most, truncation)(*padded(SEQUENCES, 12))
    values, lengths = named["values"].numpy(), named["lengths"].numpy()
    by_hand = [kept_by_hand(sequence, most, truncation) for sequence in SEQUENCES]
    assert lengths.tolist() == [len(steps) for steps in by_hand]
    assert values.shape == (4, max(map(len, by_hand)), 2)
    assert (values.dtype, lengths.dtype) == (np.float32, np.int32)
    for row, steps in zip(values, by_hand, strict=True):
        for place in range(len(row)):
            for channel in range(2):
                expected = 0.0
                if place < len(steps):
                    expected = (float(steps[place][channel]) - float(MEANS[channel])) / float(DEVIATIONS[channel])
                assert row[place, channel] == pytest.approx(expected, abs=1e-5)


def test_neither_padding_nor_neighbours_change_a_sequence():
    each = standardizer(5, "head_tail")
    together = each(*padded(SEQUENCES, 30, fill=7.0))
    for place, sequence in enumerate(SEQUENCES):
        alone = each(*padded([sequence]))
        length = int(alone["lengths"][0])
        assert int(together["lengths"][place]) == length
        np.testing.assert_array_equal(together["values"][place, :length], alone["values"][0])


def test_an_empty_batch_has_no_rows():
    named = standardizer()(tf.zeros((0, 0, 2)), tf.zeros((0,), tf.int32))
    assert named["values"].shape[0] == named["lengths"].shape[0] == 0
    assert named["values"].shape[2] == 2


def test_statistics_are_those_of_single_numbers():
    values = np.concatenate(SEQUENCES)
    means, deviations = channel_statistics(values)
    for channel in range(2):
        numbers = [float(value) for value in values[:, channel]]
        mean = sum(numbers) / len(numbers)
        deviation = (sum((number - mean) ** 2 for number in numbers) / len(numbers)) ** 0.5
        assert means[channel] == pytest.approx(mean, rel=1e-6)
        assert deviations[channel] == pytest.approx(deviation, rel=1e-6)


def test_statistics_of_many_large_numbers_keep_their_digits(monkeypatch):
    monkeypatch.setattr("kseq.standardizer._BLOCK", 1000)
    # In single precision the sum of these squares would have no digit left for a deviation of 8.
    values = np.float32(1e8) + 8 * RANDOM.integers(-1, 2, (5003, 1)).astype(np.float32)
    means, deviations = channel_statistics(values)
    assert means[0] == np.float32(np.mean(values.astype(np.float64)))
    assert deviations[0] == pytest.approx(np.std(values.astype(np.float64)), rel=1e-6)


@pytest.mark.parametrize("number", [0.1, 0.0, -3e38, 1e-40])
def test_a_constant_channel_is_divided_by_one(number):
    values = np.stack([np.full(1001, number, np.float32), np.arange(1001, dtype=np.float32)], axis=1)
    means, deviations = channel_statistics(values)
    assert deviations[0] == 0
    each = standardizer(means=means, deviations=deviations)
    assert each.constant == ("a",)
    steps = np.float32([[number, 0], [number + 2, 1000]])
    named = each(*padded([steps]))["values"].numpy()
    assert named[0, 0, 0] == pytest.approx(float(steps[0, 0]) - float(means[0]), abs=1e-6)
    if abs(number) < 1:
        assert named[0, 1, 0] == pytest.approx(2, abs=1e-6)
    # A deviation of one is no sign of a constant.
    assert standardizer(deviations=np.float32([1, 0])).constant == ("b",)


def test_the_greatest_numbers_stay_finite():
    greatest = np.finfo(np.float32).max
    each = standardizer(means=np.float32([-greatest, 0]), deviations=np.float32([1e-30, greatest]))
    values = each(*padded([np.float32([[greatest, greatest], [-greatest, -greatest]])]))["values"].numpy()
    np.testing.assert_allclose(values[0], [[1e6, 1], [0, -1]])


@pytest.mark.parametrize("lengths", [[0, 2], [2, 4], [-1, 1]])
def test_lengths_that_cannot_be_are_refused(lengths):
    with pytest.raises(tf.errors.InvalidArgumentError, match="lengths must lie between 1 and the time steps"):
        standardizer()(tf.zeros((2, 3, 2)), tf.constant(lengths))


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_real_values_that_are_not_finite_are_refused(number):
    values = np.zeros((2, 3, 2), np.float32)
    values[1, 1, 0] = number
    with pytest.raises(tf.errors.InvalidArgumentError, match="values must be finite numbers"):
        standardizer()(tf.constant(values), tf.constant([3, 2]))
    standardizer()(tf.constant(values), tf.constant([3, 1]))


def test_settings_that_cannot_be_are_refused():
    for arguments, received in (
        ((MEANS, DEVIATIONS, ("a", "b"), 5, "middle"), "truncation is 'middle'"),
        ((MEANS, DEVIATIONS, ("a", "b"), 0), "sequence_length is 0"),
        ((MEANS, DEVIATIONS, ("a",), 5), "there are 1 channel names"),
    ):
        with pytest.raises(ValueError, match=received):
            Standardizer(*arguments)
