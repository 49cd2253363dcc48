"""What `prepare` fills in where the user set nothing."""

import numpy as np
import pytest
import tensorflow as tf

from kseq.experiment import prepare
from kseq.options import Options
from pipelines.batching import training_batches
from pipelines.text_data import from_splits


def toy(size):
    texts = [f"some words {number % 7}" for number in range(size)]
    split = tf.data.Dataset.from_tensor_slices(([f"{text} {n}" for n, text in enumerate(texts)], np.arange(size) % 2))
    return from_splits(
        "toy", split, split.take(20), ("no", "yes"), validation=split.skip(20).take(20), suggested_sequence_length=8,
        suggested_vocabulary_size=50,
    )  # fmt: skip


@pytest.mark.parametrize(("size", "dropout", "epochs"), [(640, 0.5, 20), (9_999, 0.5, 7), (10_000, 0.3, 7)])
def test_dropout_and_epochs_follow_the_number_of_texts(size, dropout, epochs):
    options = prepare(toy(size), Options("toy")).options
    assert (options.dropout, options.embedding_dropout, options.epochs) == (dropout, dropout, epochs)
    assert options.learning_rate == 0.003
    assert options.sequence_length == 8


def test_what_is_set_stays():
    options = prepare(toy(640), Options("toy", dropout=0.0, epochs=3, learning_rate=0.5, sequence_length=4)).options
    assert (options.dropout, options.embedding_dropout, options.epochs) == (0.0, 0.5, 3)
    assert (options.learning_rate, options.sequence_length) == (0.5, 4)


def test_tensors_that_a_chosen_part_needs_reach_the_batches():
    prepared = prepare(toy(60), Options("toy", head="attention", attention="hierarchical"))
    assert list(prepared.preprocessor.spec) == ["token_ids", "sentence_ids"]
    (inputs, _, _), *_ = training_batches(prepared.splits["train"], 8, seed=0, epochs=1)
    np.testing.assert_array_equal(inputs["sentence_ids"] != 0, inputs["token_ids"] != 0)
