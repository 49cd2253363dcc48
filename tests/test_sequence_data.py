"""Numeric sequences in splits: carved, checked, sampled, and as batches."""

import numpy as np
import pytest

from kseq.standardizer import Standardizer, channel_statistics
from pipelines.batching import evaluation_batches, training_batches
from pipelines.errors import DataError
from pipelines.numeric_split import numeric_split
from pipelines.sampling import sample_train
from pipelines.sequence_data import Sequences, from_sequences


def sequences(count, seed=0, classes=2, channels=3, longest=9):
    random = np.random.default_rng(seed)
    arrays = [random.normal(size=(random.integers(1, longest + 1), channels)) for _ in range(count)]
    return Sequences.of_arrays(arrays, np.arange(count) % classes, [f"s{number}" for number in range(count)])


def contents(split):
    return [split[place].tobytes() for place in range(len(split))]


def test_sequences_come_back_as_they_were():
    arrays = [np.arange(6.0).reshape(3, 2), np.array([[7, 8]]), np.zeros((2, 2), np.int64)]
    found = Sequences.of_arrays(arrays, [1, 0, 1], ["a", "b", "c"])
    assert (len(found), found.channels, found.targets.tolist()) == (3, 2, [1, 0, 1])
    for place, array in enumerate(arrays):
        np.testing.assert_array_equal(found[place], array)
    some = found.select(np.array([True, False, True]))
    assert (some.ids, some.targets.tolist(), some.lengths.tolist()) == (("a", "c"), [1, 1], [3, 2])
    np.testing.assert_array_equal(some[1], arrays[2])


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ([np.zeros((2, 3)), np.zeros((2, 4))], r"sequence 1 has the shape \(2, 4\); .* 3 channels"),
        ([np.zeros((0, 3))], r"sequence 0 has the shape \(0, 3\)"),
        ([np.zeros(4)], r"sequence 0 has the shape \(4,\)"),
        ([np.array([[1.0, np.nan]])], r"sequence 0\[0, 1\] is nan"),
        ([np.array([[1.0], [np.inf], [np.nan]])], r"sequence 0\[1, 0\] is inf, and 1 more"),
        ([np.array([[1e39]])], r"sequence 0\[0, 0\] is 1e\+39"),
        ([np.array([["a"]])], "sequence 0 holds <U1; expected numbers"),
    ],
)
def test_what_is_no_sequence_is_refused(arrays, said):
    with pytest.raises(DataError, match=said):
        Sequences.of_arrays(arrays, [0] * len(arrays))


def test_carved_splits_share_nothing_keep_the_shares_and_follow_from_their_seed():
    whole = sequences(400, classes=4)
    # Every tenth sequence is there a second time, under another id.
    twice = whole.select(np.arange(400) % 10 == 0)
    values = np.concatenate([whole.values, twice.values])
    lengths = np.concatenate([whole.lengths, twice.lengths])
    targets = np.concatenate([whole.targets, twice.targets])
    every = Sequences(values, lengths, targets, (*whole.ids, *(f"again {name}" for name in twice.ids)))
    data = from_sequences("toy", every, None, "abcd", split_seed=3)
    splits = [data.train, data.validation, data.test]
    assert sum(map(len, splits)) == len(every)
    assert sorted(text for split in splits for text in contents(split)) == sorted(contents(every))
    ids = [set(split.ids) for split in splits]
    assert not ids[0] & ids[1]
    assert not ids[0] & ids[2]
    assert not ids[1] & ids[2]
    unlike = [set(contents(split)) for split in splits]
    assert not unlike[0] & unlike[1]
    assert not unlike[0] & unlike[2]
    assert not unlike[1] & unlike[2]
    for split, share in zip(splits, (0.72, 0.08, 0.2), strict=True):
        np.testing.assert_allclose(np.bincount(split.targets) / np.bincount(every.targets), share, atol=0.05)
    again, other = (from_sequences("toy", every, None, "abcd", split_seed=seed) for seed in (3, 4))
    assert again.fingerprints == data.fingerprints
    assert other.fingerprints["test"] != data.fingerprints["test"]
    assert data.warnings == ()


def test_fingerprints_change_with_a_number_a_label_and_the_order():
    def fingerprint(split):
        return from_sequences("toy", split, sequences(8, 1), "ab").fingerprints["train"]

    base = sequences(40)
    changed = base.values.copy()
    changed[5, 1] += 1
    flipped = base.targets.copy()
    flipped[[0, 1]] = flipped[[1, 0]]
    zeros = Sequences.of_arrays([[[0.0]], [[1.0]], [[2.0]], [[3.0]]] * 5, [0, 1] * 10)
    negative = Sequences(np.where(zeros.values == 0, -0.0, zeros.values), zeros.lengths, zeros.targets)
    assert np.signbit(negative.values).any()
    assert negative.survey().fingerprint == zeros.survey().fingerprint
    found = {
        fingerprint(base),
        fingerprint(Sequences(changed, base.lengths, base.targets)),
        fingerprint(Sequences(base.values, base.lengths, flipped)),
        fingerprint(sequences(40, seed=1)),
    }
    assert len(found) == 4


def test_a_sequence_in_two_given_splits_is_told():
    train = sequences(30)
    test = train.select(np.arange(30) < 3)
    found = from_sequences("toy", train, test, "ab")
    assert any("test sequences also stand in" in sentence for sentence in found.warnings)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"class_names": ["a", "b", "c"]}, "no sequence of class 'c'"),
        ({"class_names": ["a"]}, "sequences of at least two"),
        ({"channel_names": ["x", "y"]}, "expected 3 different ones"),
        ({"channel_names": ["x", "y", "y"]}, "expected 3 different ones"),
        ({"test": sequences(5, channels=2)}, "the test split of 'toy' has 2 channels, where train has 3"),
        ({"test": sequences(0)}, "the test split of 'toy' is empty; it needs at least one labelled sequence"),
        ({"test_fraction": 1.0}, "the test fraction is 1.0"),
        ({"test": sequences(5, 1), "test_fraction": 0.5}, "has a test split of its own"),
        ({"train": sequences(2)}, "2 sequences, 2 are different.*Add sequences"),
    ],
)
def test_data_that_nothing_can_be_made_of_is_refused(changes, said):
    given = {"train": sequences(30), "test": None, "class_names": ["a", "b"]} | changes
    with pytest.raises(DataError, match=said):
        from_sequences("toy", **given)


def test_a_sample_of_train_keeps_every_class_and_all_of_the_others():
    data = from_sequences("toy", sequences(200, classes=4), None, "abcd")
    some = sample_train(data, 20, 0)
    assert (len(some.train), some.sizes["train"]) == (20, 20)
    assert np.bincount(some.train.targets).tolist() == [5] * 4
    assert set(some.train.ids) <= set(data.train.ids)
    assert contents(some.test) == contents(data.test)
    assert some.fingerprints["train"] != data.fingerprints["train"]
    with pytest.raises(DataError, match="3 sequences cannot be a sample of train"):
        sample_train(data, 3, 0)


@pytest.mark.parametrize("truncation", ["head", "head_tail"])
def test_batches_hold_each_sequence_once_standardised_with_its_length(truncation):
    split = sequences(77, longest=20)
    means, deviations = channel_statistics(split.values)
    standardizer = Standardizer(means, deviations, "abc", 12, truncation)
    numeric = numeric_split(split, standardizer)
    batches, order = evaluation_batches(numeric, 16)
    place = 0
    for inputs, targets, weights in batches.as_numpy_iterator():
        assert inputs["values"].shape == (len(targets), inputs["lengths"].max(), 3)
        assert weights.tolist() == [1] * len(targets)
        for row, length, target in zip(inputs["values"], inputs["lengths"], targets, strict=True):
            found = split[order[place]].astype(np.float64)
            if len(found) > 12:
                found = found[:12] if truncation == "head" else np.concatenate([found[:6], found[-6:]])
            assert (length, target) == (len(found), split.targets[order[place]])
            np.testing.assert_allclose(row[:length], (found - means) / deviations, atol=1e-4)
            assert not row[length:].any()
            place += 1
    assert place == 77
    # Neighbours in length share a batch: 20 lengths over 5 batches.
    padding = [
        1 - inputs["lengths"].sum() / inputs["values"][..., 0].size
        for inputs, _, _ in training_batches(numeric, 16, seed=0, epochs=1).as_numpy_iterator()
    ]
    assert np.mean(padding) < 0.35
