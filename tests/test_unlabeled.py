"""Unlabeled texts: none that is held out, counted as they are read."""

import numpy as np
import pytest
import tensorflow as tf

from pipelines.text_data import from_splits
from pipelines.unlabeled import read_unlabeled

TRAIN = [(f"train {number}", number % 2) for number in range(40)]
VALIDATION = [(f"validation {number}", number % 2) for number in range(8)]
TEST = [(f"test {number}", number % 2) for number in range(10)]
# Of test three, one of them twice; of validation two; and one of train, which may stay.
UNLABELED = [
    "new 0", "test 3", "validation 7", "new 1", "test 0", "train 5", "test 9", "validation 0", "test 3", "new 2",
]  # fmt: skip


def pairs_of(examples):
    texts, labels = zip(*examples, strict=True)
    return tf.data.Dataset.from_tensor_slices((list(texts), np.array(labels, np.int32)))


def toy(unlabeled=UNLABELED, size=10):
    return from_splits(
        "toy",
        pairs_of(TRAIN),
        pairs_of(TEST),
        ("no", "yes"),
        validation=pairs_of(VALIDATION),
        unlabeled=None if unlabeled is None else tf.data.Dataset.from_tensor_slices(unlabeled),
        unlabeled_size=size,
        suggested_sequence_length=8,
        suggested_vocabulary_size=50,
        reading={"text_column": ["text"]},
    )


def texts_of(data):
    return [text.decode() for text in data.unlabeled.as_numpy_iterator()]


def test_texts_that_are_held_out_are_left_out_and_counted():
    data = read_unlabeled(toy())
    assert texts_of(data) == ["new 0", "new 1", "train 5", "new 2"]
    assert data.sizes == {"train": 40, "validation": 8, "test": 10, "unlabeled": 4}
    assert data.reading == {"text_column": ["text"], "unlabeled_left_out": 6}


def test_a_carved_validation_is_held_out_too():
    whole = from_splits(
        "toy",
        pairs_of(TRAIN),
        pairs_of(TEST),
        ("no", "yes"),
        unlabeled=tf.data.Dataset.from_tensor_slices([text for text, _ in TRAIN]),
        suggested_sequence_length=8,
        suggested_vocabulary_size=50,
    )
    carved = {text.decode() for text, _ in whole.validation.as_numpy_iterator()}
    assert len(carved) == 4
    assert texts_of(read_unlabeled(whole)) == [text for text, _ in TRAIN if text not in carved]


def test_what_is_not_known_is_not_counted():
    data = read_unlabeled(toy(size=None))
    assert data.sizes["unlabeled"] == 4
    assert "unlabeled_left_out" not in data.reading


def test_the_fingerprint_is_of_the_texts_that_are_left():
    found = read_unlabeled(toy()).fingerprints["unlabeled"]
    assert read_unlabeled(toy(["new 0", "new 1", "train 5", "new 2", "test 1"])).fingerprints["unlabeled"] == found
    assert read_unlabeled(toy(["new 0", "new 1", "train 5", "new 3"])).fingerprints["unlabeled"] != found


@pytest.mark.parametrize(("most", "left"), [(2, 2), (4, 4), (100, 4)])
def test_a_sample_keeps_the_first_texts(most, left):
    data = read_unlabeled(toy(), most)
    assert texts_of(data) == ["new 0", "new 1", "train 5", "new 2"][:left]
    assert data.sizes["unlabeled"] == left
    assert data.reading["unlabeled_left_out"] == 6


def test_data_without_unlabeled_texts_stays_as_it_is():
    data = toy(None)
    assert read_unlabeled(data) is data
