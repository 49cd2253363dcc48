"""A training that stops at an epoch and goes on from a file, beside the one that never stopped."""

import keras
import numpy as np
import pytest

from kseq.training_state import load_state
from tests.training_toy import INPUTS, LABELS, TOY, batches_of, same, train_toy


def dropping_model(seed=1):
    """A bag of words with dropout, whose random numbers go on as well."""
    keras.utils.set_random_seed(seed)
    ids = keras.Input((None,), dtype="int32", name="token_ids")
    vectors = keras.layers.Dropout(0.3)(keras.layers.Embedding(9, 4)(ids))
    pooled = keras.layers.BatchNormalization()(keras.layers.GlobalMaxPooling1D()(vectors))
    return keras.Model({"token_ids": ids}, keras.layers.Dense(2)(keras.layers.Dropout(0.3)(pooled)))


def numbers(result):
    return {name: values for name, values in result.history.items() if name != "seconds"}


def batches_from(epoch):
    """What an epoch, from 0, is to see: the same texts in an order of its own."""
    ids = INPUTS["token_ids"]
    orders = [np.random.default_rng(each).permutation(len(ids)) for each in range(epoch, 6)]
    order = np.concatenate(orders)
    return batches_of({"token_ids": ids[order]}, LABELS[order])


@pytest.mark.parametrize(
    "changes",
    [
        {"schedule": "cosine", "warmup_fraction": 0.3},
        {"ema_momentum": 0.9, "optimizer": "adamw", "schedule": "one_cycle"},
        {"schedule": "plateau", "warmup_fraction": 0.6, "plateau_patience": 1, "patience": 9, "optimizer": "sgd"},
    ],
    ids=["dropout", "average", "plateau"],
)
def test_it_goes_on_as_if_it_had_not_stopped(changes, tmp_path):
    options = TOY.replace(epochs=6, **changes)
    whole, expected = train_toy(options, model=dropping_model(), batches=batches_from(0))

    first, stopped = train_toy(
        options.replace(last_epoch=2), model=dropping_model(), batches=batches_from(0), keep_state=True
    )
    assert len(stopped.history["loss"]) == stopped.state.epochs == 2
    assert not same(first.get_weights(), whole.get_weights())
    stopped.state.save(tmp_path / "state.npz")
    state = load_state(tmp_path / "state.npz")

    # Another seed: everything that counts comes out of the file.
    later = dropping_model(seed=5)
    seen = []
    _, found = train_toy(
        options, model=later, batches=batches_from(2), state=state, on_epoch=lambda number, logs: seen.append(number)
    )
    assert seen == [3, 4, 5, 6]
    assert numbers(found) == numbers(expected)
    assert found.best_epoch == expected.best_epoch
    assert same(later.get_weights(), whole.get_weights())
    assert state.epochs == len(state.callbacks["TrainingWatch"]["history"]["loss"]) == 2
    assert found.state is None


def test_one_that_ran_out_of_patience_is_not_trained_on():
    """A learning rate of 0 changes nothing."""
    options = TOY.replace(learning_rate=0.0, epochs=9, patience=2, monitor="val_loss", last_epoch=5)
    model, stopped = train_toy(options, keep_state=True)
    assert stopped.state.finished
    assert stopped.state.epochs == 3
    later, found = train_toy(options.replace(last_epoch=None), state=stopped.state, keep_state=True)
    assert numbers(found) == numbers(stopped)
    assert found.best_epoch == 1
    assert found.state.finished
    assert same(later.get_weights(), model.get_weights())


def test_it_ends_at_the_epoch_at_which_it_is_enough():
    asked = iter([False, True])
    _, found = train_toy(TOY, enough=lambda: next(asked), keep_state=True)
    assert len(found.history["loss"]) == 2
    assert not found.interrupted
    assert not found.state.finished


def test_a_file_that_is_not_whole_is_told(tmp_path):
    _, found = train_toy(TOY.replace(epochs=1), keep_state=True)
    found.state.save(tmp_path / "state.npz")
    content = (tmp_path / "state.npz").read_bytes()
    (tmp_path / "cut.npz").write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match=r"cut\.npz cannot be read as the state of a training"):
        load_state(tmp_path / "cut.npz")
    with pytest.raises(FileNotFoundError):
        load_state(tmp_path / "none.npz")
