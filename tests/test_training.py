"""Training on a toy: the epoch that is kept, when it stops, what it answers to Ctrl-C, seeds and weights."""

import itertools
import signal
import threading

import numpy as np
import pytest
from sklearn.metrics import f1_score

from kseq.best_epoch import BestEpoch
from kseq.errors import TrainingError
from kseq.losses import LOSSES
from kseq.training import train
from kseq.training_watch import TrainingWatch
from tests.training_toy import (
    HELD_OUT,
    HELD_OUT_LABELS,
    INPUTS,
    LABELS,
    TOY,
    batches_of,
    by_hand,
    new_model,
    recurrent_model,
    same,
    train_toy,
)  # fmt: skip


@pytest.fixture
def handler():
    """A handler of SIGINT that is not Python's own, put back to Python's at the end."""
    previous = signal.getsignal(signal.SIGINT)

    def mine(number, frame):
        raise RuntimeError("training did not take the signal")

    signal.signal(signal.SIGINT, mine)
    yield mine
    signal.signal(signal.SIGINT, previous)


# The epoch that is kept


@pytest.mark.parametrize(
    ("monitor", "best"), [("val_loss", np.argmin), ("val_accuracy", np.argmax), ("val_macro_f1", np.argmax)]
)
def test_the_weights_of_the_best_epoch_are_put_back(monitor, best):
    """Validation against turned labels gets worse from epoch to epoch, so that the last one is not the best."""
    options = TOY.replace(monitor=monitor, epochs=5)
    seen = []
    model = recurrent_model(options)
    turned = 1 - HELD_OUT_LABELS
    _, result = train_toy(
        options,
        model=model,
        held_out_labels=turned,
        on_epoch=lambda number, logs: seen.append((number, model.get_weights(), dict(logs))),
    )
    assert [number for number, _, _ in seen] == [1, 2, 3, 4, 5]
    place = int(best(result.history[monitor]))
    assert place < 4
    assert result.best_epoch == place + 1
    assert same(model.get_weights(), seen[place][1])
    assert not same(model.get_weights(), seen[-1][1])
    loss, accuracy = by_hand(model, HELD_OUT, turned)
    assert loss == pytest.approx(result.history["val_loss"][place], abs=1e-5)
    assert accuracy == pytest.approx(result.history["val_accuracy"][place], abs=1e-6)
    predicted = model(HELD_OUT, training=False).numpy().argmax(axis=1)
    assert f1_score(turned, predicted, average="macro") == pytest.approx(
        result.history["val_macro_f1"][place], abs=1e-6
    )
    assert not result.interrupted


def test_it_learns_and_the_history_says_so(handler):
    options = TOY.replace(epochs=8)
    model, result = train_toy(options)
    assert by_hand(model, HELD_OUT, HELD_OUT_LABELS)[1] > 0.9
    metrics = {"loss", "accuracy", "macro_f1", "val_loss", "val_accuracy", "val_macro_f1"}
    assert set(result.history) == {*metrics, "learning_rate", "seconds"}
    assert {len(values) for values in result.history.values()} == {8}
    assert all(type(value) is float for values in result.history.values() for value in values)
    assert result.history["loss"][-1] < result.history["loss"][0]
    assert result.history["learning_rate"] == pytest.approx([options.learning_rate] * 8)
    assert 0 < sum(result.history["seconds"]) <= result.seconds
    assert signal.getsignal(signal.SIGINT) is handler


def test_patience_stops_and_of_equal_epochs_the_first_is_kept():
    """A learning rate of 0 changes nothing."""
    _, result = train_toy(TOY.replace(learning_rate=0.0, epochs=6, patience=2, monitor="val_loss"))
    assert len(result.history["loss"]) == 3
    assert len(set(result.history["val_loss"])) == 1
    assert result.best_epoch == 1
    assert not result.interrupted


def test_a_better_epoch_gives_patience_anew():
    """Against the true labels, the loss falls in every epoch."""
    _, result = train_toy(TOY.replace(epochs=5, patience=1, monitor="val_loss", learning_rate=0.003))
    assert (np.diff(result.history["val_loss"]) < 0).all()
    assert len(result.history["loss"]) == result.best_epoch == 5


def test_the_number_of_epochs_must_be_set():
    with pytest.raises(ValueError, match="epochs is None; expected a number"):
        train_toy(TOY.replace(epochs=None))


# Numbers that are none


def test_a_loss_that_is_no_number_names_what_to_change():
    weights = np.ones(64)
    weights[40] = np.nan
    with pytest.raises(TrainingError) as error:
        train_toy(weights=weights)
    message = str(error.value)
    # Text 40 stands in the third batch.
    assert message.startswith("loss became nan at step 3 of epoch 1.")
    for flag in ("--learning-rate", "--clip-norm", "--warmup-fraction", "--cell"):
        assert flag in message


def test_a_learning_rate_beyond_all_bounds_is_a_training_error():
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(TrainingError, match=r"loss became (nan|inf) at step \d of epoch [12]\."):
        train_toy(TOY.replace(optimizer="sgd", momentum=0.9, learning_rate=1e38, clip_norm=0.0))
    assert signal.getsignal(signal.SIGINT) is before


# Ctrl-C


def interrupt_after(step, monkeypatch):
    """Send SIGINT at the end of a step, counted from 1."""
    steps = itertools.count(1)
    report = TrainingWatch.on_train_batch_end

    def on_train_batch_end(self, batch, logs=None):
        if next(steps) == step:
            signal.raise_signal(signal.SIGINT)
        report(self, batch, logs)

    monkeypatch.setattr(TrainingWatch, "on_train_batch_end", on_train_batch_end)


def test_sigint_ends_after_the_step_and_keeps_the_best_weights(handler, monkeypatch):
    # The tenth of 4 steps an epoch: in the third epoch.
    interrupt_after(10, monkeypatch)
    model = new_model()
    seen = []
    _, result = train_toy(
        TOY.replace(epochs=50, monitor="val_loss"),
        model=model,
        held_out_labels=1 - HELD_OUT_LABELS,
        on_epoch=lambda number, logs: seen.append(model.get_weights()),
    )
    assert result.interrupted
    assert len(result.history["loss"]) == len(seen) == 3
    assert int(model.optimizer.iterations) == 10
    assert result.best_epoch == 1 + int(np.argmin(result.history["val_loss"])) < 3
    assert same(model.get_weights(), seen[result.best_epoch - 1])
    assert signal.getsignal(signal.SIGINT) is handler


def test_sigint_before_the_first_step_is_not_forgotten(handler, monkeypatch):
    """Keras forgets a wish to stop that comes while it still builds the model."""
    model = new_model()
    monkeypatch.setattr(model, "_maybe_symbolic_build", lambda **_: signal.raise_signal(signal.SIGINT))
    # Validation builds too, which would be a second signal.
    monkeypatch.setattr(model, "evaluate", lambda **_: {"loss": 1.0, "accuracy": 0.5})
    _, result = train_toy(TOY.replace(epochs=50), model=model)
    assert result.interrupted
    assert int(model.optimizer.iterations) == 1
    assert len(result.history["loss"]) == result.best_epoch == 1


def test_sigint_while_validating_adds_no_step(handler):
    def once(number, logs):
        if number == 1:
            signal.raise_signal(signal.SIGINT)

    model = new_model()
    _, result = train_toy(TOY.replace(epochs=50), model=model, on_epoch=once)
    assert result.interrupted
    assert int(model.optimizer.iterations) == 4
    assert result.best_epoch == len(result.history["loss"]) == 1


def test_sigint_in_the_first_epoch_keeps_what_is_there(handler, monkeypatch):
    interrupt_after(2, monkeypatch)
    model, result = train_toy(TOY.replace(epochs=50, monitor="val_loss"))
    assert result.interrupted
    assert result.best_epoch == 1
    assert by_hand(model, HELD_OUT, HELD_OUT_LABELS)[0] == pytest.approx(result.history["val_loss"][0], abs=1e-5)


def test_a_second_sigint_is_a_keyboard_interrupt(handler):
    def twice(number, logs):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train_toy(TOY.replace(epochs=50), on_epoch=twice)
    assert signal.getsignal(signal.SIGINT) is handler


def test_training_runs_in_a_thread_of_its_own(handler):
    results = []
    thread = threading.Thread(target=lambda: results.append(train_toy(TOY.replace(epochs=1))[1]))
    thread.start()
    thread.join(60)
    assert [len(result.history["loss"]) for result in results] == [1]
    assert signal.getsignal(signal.SIGINT) is handler


# Seeds and weights


def test_the_same_seed_gives_the_same_bits():
    options = TOY.replace(word_dropout=0.2, embedding_dropout=0.2, dropout=0.2, epochs=1)
    first, result = train_toy(options, model=recurrent_model(options, 3))
    second, again = train_toy(options, model=recurrent_model(options, 3))
    other, _ = train_toy(options, model=recurrent_model(options, 4))
    assert same(first.get_weights(), second.get_weights())
    assert result.history["val_loss"] == again.history["val_loss"]
    assert not same(first.get_weights(), other.get_weights())


def test_sample_weights_matter():
    """Where the texts of one class weigh nothing, the other class is all that is learned."""
    options = TOY.replace(epochs=4, monitor="val_loss")
    model, result = train_toy(options, weights=LABELS == 0, held_out=batches_of(HELD_OUT, 0 * HELD_OUT_LABELS))
    logits = model(HELD_OUT, training=False).numpy()
    assert (logits.argmax(axis=1) == 0).all()
    # The metrics are weighted too.
    assert result.history["accuracy"][-1] == 1


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_trains(loss):
    model, _ = train_toy(TOY.replace(loss=loss, epochs=8, label_smoothing=0.1 if loss == "cross_entropy" else 0.0))
    assert by_hand(model, HELD_OUT, HELD_OUT_LABELS)[1] > 0.9


@pytest.mark.parametrize("loss", LOSSES)
def test_labels_of_which_a_text_can_have_several_are_learned(loss):
    """Label 0 where word 2 stands, label 1 where word 4 does: both, one or none."""

    def labels_of(inputs):
        return np.stack([(inputs["token_ids"] == word).any(axis=1) for word in (2, 4)], axis=1).astype(np.int8)

    model = new_model()
    result = train(
        model,
        batches_of(INPUTS, labels_of(INPUTS)).repeat(),
        4,
        batches_of(HELD_OUT, labels_of(HELD_OUT)),
        TOY.replace(epochs=14, loss=loss),
        target_kind="classes",
    )
    given = model(HELD_OUT, training=False).numpy() >= 0
    targets = labels_of(HELD_OUT)
    assert f1_score(targets, given, average="macro") > 0.9
    assert result.best_epoch == 1 + int(np.argmin(result.history["val_loss"]))
    place = result.best_epoch - 1
    assert result.history["val_macro_f1"][place] == pytest.approx(f1_score(targets, given, average="macro"), abs=1e-6)
    assert result.history["val_accuracy"][place] == pytest.approx((given == targets).all(axis=1).mean(), abs=1e-6)


def test_label_weights_move_probabilities():
    """Presence that weighs more is predicted more; nothing else is different."""
    labels = np.stack([LABELS, 1 - LABELS], axis=1).astype(np.int8)
    means = {}
    for weight in (1.0, 9.0):
        model = new_model()
        weights = ([1.0, 1.0], [weight, 1.0])
        batches = batches_of(INPUTS, labels)
        train(model, batches.repeat(), 4, batches, TOY.replace(epochs=1), target_kind="classes", label_weights=weights)
        means[weight] = model(INPUTS, training=False).numpy().mean(axis=0)
    assert means[9.0][0] > means[1.0][0] + 0.1


def test_validation_is_weighted():
    weights = (HELD_OUT_LABELS == 1).astype(np.float32)
    held_out = batches_of(HELD_OUT, HELD_OUT_LABELS, weights)
    model, result = train_toy(TOY.replace(epochs=1), held_out=held_out)
    chosen = HELD_OUT_LABELS == 1
    loss, accuracy = by_hand(model, {"token_ids": HELD_OUT["token_ids"][chosen]}, HELD_OUT_LABELS[chosen])
    assert result.history["val_accuracy"][0] == pytest.approx(accuracy, abs=1e-6)
    # Keras divides the weighted loss by the number of texts in each batch, and batches here are of one size.
    assert result.history["val_loss"][0] == pytest.approx(loss * chosen.mean(), rel=1e-3)


# Of equal scores


class _Scripted:
    """Stands for a model whose weights are the number of the epoch."""

    def __init__(self):
        self.epoch = 0
        self.stop_training = False

    def get_weights(self):
        return self.epoch

    def set_weights(self, weights):
        self.epoch = weights


@pytest.mark.parametrize(
    ("scores", "losses", "best", "trained"),
    [
        ([0.5, 0.6, 0.6, 0.6], [0.9, 0.8, 0.7, 0.75], 3, 4),
        # A score that stands still while the loss falls is no reason to stop.
        ([0.5, 0.5, 0.5, 0.5, 0.9], [0.9, 0.8, 0.7, 0.6, 0.5], 5, 5),
        ([0.6, 0.5, 0.5, 0.5, 0.9], [0.9, 0.8, 0.7, 0.6, 0.5], 1, 3),
        ([0.6, 0.6, 0.6, 0.9], [0.5, 0.5, 0.6, 0.1], 1, 3),
    ],
)
def test_of_epochs_with_one_score_the_lowest_loss_is_kept(scores, losses, best, trained):
    keeper, model = BestEpoch("val_accuracy", patience=2), _Scripted()
    keeper.set_model(model)
    for epoch, (score, loss) in enumerate(zip(scores, losses, strict=True)):
        model.epoch = epoch + 1
        keeper.on_epoch_end(epoch, {"val_accuracy": score, "val_loss": loss})
        if model.stop_training:
            break
    assert (keeper.best_epoch, model.epoch) == (best, trained)
    keeper.restore(model)
    assert model.epoch == best
