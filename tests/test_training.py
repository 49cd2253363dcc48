"""Training on a toy: the epoch that is kept, when it stops, what it answers to Ctrl-C, schedules and optimizers."""

import itertools
import math
import signal
import threading

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.metrics import f1_score

from kseq.errors import TrainingError
from kseq.losses import LOSSES
from kseq.model import build_model
from kseq.optimizers import OPTIMIZERS, SCHEDULES
from kseq.options import Options
from kseq.training import _BestEpoch, _Watch, train

SPEC = {"token_ids": tf.TensorSpec((None, None), tf.int32)}
TOY = Options(
    "toy", vocabulary_size=9, units=5, embedding_dim=4, batch_size=16, epochs=4, patience=9, learning_rate=0.03,
    schedule="constant", warmup_fraction=0.0, word_dropout=0.0, embedding_dropout=0.0, dropout=0.0, cell="simple_rnn",
    head="max", optimizer="adam", clip_norm=1.0, num_layers=1, bidirectional=False,
)  # fmt: skip


def rows(count, seed):
    """Class 1 where word 2 stands somewhere."""
    random = np.random.default_rng(seed)
    ids = random.integers(3, 9, size=(count, 6)).astype(np.int32)
    labels = random.integers(0, 2, size=count).astype(np.int32)
    ids[np.arange(count), random.integers(0, 6, size=count)] = np.where(labels == 1, 2, 3)
    return {"token_ids": ids}, labels


INPUTS, LABELS = rows(64, 0)
HELD_OUT, HELD_OUT_LABELS = rows(48, 1)


def batches_of(inputs, labels, weights=None, batch_size=16):
    weights = np.ones(len(labels), np.float32) if weights is None else np.asarray(weights, np.float32)
    return tf.data.Dataset.from_tensor_slices((inputs, labels, weights)).batch(batch_size)


def new_model(seed=1):
    """A bag of words: what training does, it does with any model, and this one is traced in no time."""
    keras.utils.set_random_seed(seed)
    ids = keras.Input((None,), dtype="int32", name="token_ids")
    pooled = keras.layers.GlobalMaxPooling1D()(keras.layers.Embedding(9, 4)(ids))
    return keras.Model({"token_ids": ids}, keras.layers.Dense(2)(pooled))


def recurrent_model(options, seed=1):
    keras.utils.set_random_seed(seed)
    return build_model(options, SPEC, 2)


def train_toy(options=TOY, *, model=None, weights=None, held_out=None, held_out_labels=HELD_OUT_LABELS, **more):
    model = model or new_model()
    result = train(
        model,
        batches_of(INPUTS, LABELS, weights).repeat(),
        4,
        held_out or batches_of(HELD_OUT, held_out_labels),
        options,
        **more,
    )
    return model, result


def by_hand(model, inputs, labels):
    """Mean cross-entropy and accuracy, from the logits, in NumPy."""
    logits = model(inputs, training=False).numpy().astype(np.float64)
    logits -= logits.max(axis=1, keepdims=True)
    log_probabilities = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    loss = -log_probabilities[np.arange(len(labels)), labels].mean()
    return loss, (logits.argmax(axis=1) == labels).mean()


def same(weights, others):
    return all(np.array_equal(one, other) for one, other in zip(weights, others, strict=True))


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
    report = _Watch.on_train_batch_end

    def on_train_batch_end(self, batch, logs=None):
        if next(steps) == step:
            signal.raise_signal(signal.SIGINT)
        report(self, batch, logs)

    monkeypatch.setattr(_Watch, "on_train_batch_end", on_train_batch_end)


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


# Schedules


def rate_by_hand(schedule, step, steps, peak, fraction):
    warmup = round(fraction * steps)
    if step < warmup:
        return peak * step / warmup
    if schedule == "constant":
        return peak
    done = min((step - warmup) / max(steps - warmup, 1), 1)
    return peak * 0.5 * (1 + math.cos(math.pi * done))


def test_every_schedule_has_a_formula():
    assert set(SCHEDULES) == {"constant", "cosine"}


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize(("steps", "fraction"), [(40, 0.0), (40, 0.25), (37, 0.1), (10, 1.0), (5, 0.05), (1, 0.5)])
def test_schedules_equal_their_formula(schedule, steps, fraction):
    options = TOY.replace(warmup_fraction=fraction)
    rate = SCHEDULES[schedule](0.02, steps, options=options)
    got = [float(rate(step)) for step in range(steps + 3)]
    expected = [rate_by_hand(schedule, step, steps, 0.02, fraction) for step in range(steps + 3)]
    np.testing.assert_allclose(got, expected, atol=1e-8)


def test_the_schedule_spans_all_epochs():
    options = TOY.replace(schedule="cosine", warmup_fraction=0.25, epochs=3, learning_rate=0.01)
    _, result = train_toy(options)
    expected = [rate_by_hand("cosine", step, 12, 0.01, 0.25) for step in (4, 8, 12)]
    np.testing.assert_allclose(result.history["learning_rate"], expected, atol=1e-8)


# Optimizers


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_trains_and_clips(name):
    options = TOY.replace(optimizer=name, clip_norm=0.5, epochs=2, learning_rate=0.3 if name == "sgd" else 0.02)
    start = by_hand(new_model(), INPUTS, LABELS)[0]
    model, _ = train_toy(options.replace(monitor="val_loss"))
    assert by_hand(model, INPUTS, LABELS)[0] < start
    assert model.optimizer.global_clipnorm == 0.5
    assert model.optimizer.clipnorm is model.optimizer.clipvalue is None
    assert OPTIMIZERS[name](0.1, options=options.replace(clip_norm=0.0)).global_clipnorm is None


def test_the_norm_is_of_all_gradients_together():
    """One step of plain SGD from gradients 3 and 4, whose norm is 5, clipped to 1."""
    optimizer = OPTIMIZERS["sgd"](1.0, options=TOY.replace(clip_norm=1.0, momentum=0.0))
    first, second = keras.Variable([0.0]), keras.Variable([0.0])
    optimizer.apply([tf.constant([3.0]), tf.constant([4.0])], [first, second])
    np.testing.assert_allclose([float(first[0]), float(second[0])], [-0.6, -0.8], atol=1e-6)


@pytest.mark.parametrize("name", ["sgd", "rmsprop"])
def test_momentum_is_handed_on(name):
    for momentum in (0.0, 0.7):
        assert OPTIMIZERS[name](0.1, options=TOY.replace(momentum=momentum)).momentum == momentum


def test_adamw_decays_matrices_and_no_biases():
    """Without gradients, decay alone is left: a step takes away rate times decay of each decayed weight."""
    options = TOY.replace(num_layers=2, bidirectional=True, head="attention")
    model = recurrent_model(options)
    model.set_weights([np.ones_like(weight) for weight in model.get_weights()])
    optimizer = OPTIMIZERS["adamw"](0.1, options=options.replace(weight_decay=0.5, clip_norm=0.0))
    optimizer.build(model.trainable_variables)
    optimizer.apply([tf.zeros(weight.shape) for weight in model.trainable_variables])
    biases = [weight for weight in model.trainable_variables if "bias" in weight.name]
    assert 0 < len(biases) < len(model.trainable_variables)
    for weight in model.trainable_variables:
        np.testing.assert_allclose(
            weight.numpy(), 1.0 if "bias" in weight.name else 0.95, rtol=1e-5, err_msg=weight.path
        )


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
    keeper, model = _BestEpoch("val_accuracy", patience=2), _Scripted()
    keeper.set_model(model)
    for epoch, (score, loss) in enumerate(zip(scores, losses, strict=True)):
        model.epoch = epoch + 1
        keeper.on_epoch_end(epoch, {"val_accuracy": score, "val_loss": loss})
        if model.stop_training:
            break
    assert (keeper.best_epoch, model.epoch) == (best, trained)
    keeper.restore()
    assert model.epoch == best
