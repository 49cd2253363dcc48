"""Learning-rate schedules against their formulas, and in training."""

import math

import keras
import numpy as np
import pytest

from kseq.errors import UsageError
from kseq.piecewise_linear import PiecewiseLinear
from kseq.schedules import SCHEDULES
from tests.training_toy import HELD_OUT_LABELS, TOY, train_toy


def rate_by_hand(schedule, step, steps, peak, fraction):
    if schedule == "one_cycle":
        # Smith & Topin (2019): up, down for as long, and then to nothing.
        return float(np.interp(step, [0, 0.45 * steps, 0.9 * steps, steps], [0.1 * peak, peak, 0.1 * peak, 0]))
    warmup = round(fraction * steps)
    if step < warmup:
        return peak * step / warmup
    if schedule == "constant":
        return peak
    done = min((step - warmup) / max(steps - warmup, 1), 1)
    return peak * 0.5 * (1 + math.cos(math.pi * done))


# The rates of the other one are made while training, and tested there.
OF_STEPS = ["constant", "cosine", "one_cycle"]


def test_every_schedule_has_a_formula():
    assert set(SCHEDULES) == {*OF_STEPS, "plateau"}


@pytest.mark.parametrize("schedule", OF_STEPS)
@pytest.mark.parametrize(("steps", "fraction"), [(40, 0.0), (40, 0.25), (37, 0.1), (10, 1.0), (5, 0.05), (1, 0.5)])
def test_schedules_equal_their_formula(schedule, steps, fraction):
    made = SCHEDULES[schedule](0.02, steps, "val_loss", options=TOY.replace(warmup_fraction=fraction))
    assert made.callbacks == ()
    got = [float(made.learning_rate(step)) for step in range(steps + 3)]
    expected = [rate_by_hand(schedule, step, steps, 0.02, fraction) for step in range(steps + 3)]
    np.testing.assert_allclose(got, expected, atol=1e-8)


@pytest.mark.parametrize("schedule", ["cosine", "one_cycle"])
def test_the_schedule_spans_all_epochs(schedule):
    options = TOY.replace(schedule=schedule, warmup_fraction=0.25, epochs=3, learning_rate=0.01)
    _, result = train_toy(options)
    expected = [rate_by_hand(schedule, step, 12, 0.01, 0.25) for step in (4, 8, 12)]
    np.testing.assert_allclose(result.history["learning_rate"], expected, atol=1e-8)


def test_straight_lines_come_back_from_their_config():
    lines = PiecewiseLinear([2.0, 4.0, 9.0], [0.5, 1.0, 0.25])
    again = keras.optimizers.schedules.deserialize(keras.optimizers.schedules.serialize(lines))
    steps = [0, 2, 3, 4, 5, 8, 9, 20]
    expected = np.interp(steps, [2, 4, 9], [0.5, 1, 0.25])
    np.testing.assert_allclose([float(again(step)) for step in steps], expected, rtol=1e-6)


def rates_of_steps(monkeypatch):
    """Collect the learning rate that each step is made with."""
    rates = []
    report = keras.callbacks.History.on_train_batch_end

    def on_train_batch_end(self, batch, logs=None):
        rates.append(float(self.model.optimizer.learning_rate))
        report(self, batch, logs)

    monkeypatch.setattr(keras.callbacks.History, "on_train_batch_end", on_train_batch_end)
    return rates


def test_the_plateau_lowers_the_rate_where_validation_stands_still(monkeypatch):
    """Against turned labels, the loss of validation rises from the first epoch on."""
    rates = rates_of_steps(monkeypatch)
    options = TOY.replace(
        schedule="plateau", monitor="val_loss", epochs=6, patience=9, plateau_factor=0.25, plateau_patience=2
    )
    _, result = train_toy(options, held_out_labels=1 - HELD_OUT_LABELS)
    assert (np.diff(result.history["val_loss"]) > 0).all()
    # The first epoch is the best; two more are waited for, twice. An epoch's rate is that of its steps.
    expected = np.array([1, 1, 1, 0.25, 0.25, 0.0625]) * TOY.learning_rate
    np.testing.assert_allclose(result.history["learning_rate"], expected, rtol=1e-6)
    np.testing.assert_allclose(rates, np.repeat(expected, 4), rtol=1e-6)


def test_a_falling_loss_is_no_plateau():
    _, result = train_toy(TOY.replace(schedule="plateau", monitor="val_loss", epochs=4, learning_rate=0.003))
    assert (np.diff(result.history["val_loss"]) < 0).all()
    np.testing.assert_allclose(result.history["learning_rate"], 0.003, rtol=1e-6)


def test_of_a_score_the_greatest_is_the_best():
    """Against labels of which some are turned, the score goes up and down while the loss rises and falls."""
    options = TOY.replace(schedule="plateau", monitor="val_macro_f1", epochs=12, plateau_patience=1, plateau_factor=0.5)
    turned = np.where(np.arange(len(HELD_OUT_LABELS)) % 5 == 0, 1 - HELD_OUT_LABELS, HELD_OUT_LABELS)
    _, result = train_toy(options, held_out_labels=turned)
    rate, best, losses = options.learning_rate, -math.inf, math.inf
    scores, rates = result.history["val_macro_f1"], result.history["learning_rate"]
    for score, loss, got in zip(scores, result.history["val_loss"], rates, strict=True):
        assert got == pytest.approx(rate)
        if score > best or (score == best and loss < losses):
            best, losses = score, loss
        else:
            rate *= 0.5
    assert rate < options.learning_rate
    assert len(set(scores)) > 1


def test_a_score_that_stands_still_while_the_loss_falls_is_no_plateau():
    """The epochs that `BestEpoch` would keep are those after which the rate stays."""
    options = TOY.replace(schedule="plateau", monitor="val_accuracy", epochs=9, plateau_patience=1)
    _, result = train_toy(options)
    assert result.history["val_accuracy"][-3:] == [1, 1, 1]
    assert (np.diff(result.history["val_loss"]) < 0).all()
    assert result.best_epoch == 9
    np.testing.assert_allclose(result.history["learning_rate"], options.learning_rate, rtol=1e-6)


def test_the_plateau_has_a_warmup(monkeypatch):
    rates = rates_of_steps(monkeypatch)
    train_toy(TOY.replace(schedule="plateau", monitor="val_loss", epochs=3, warmup_fraction=0.5))
    expected = [rate_by_hand("constant", step, 12, TOY.learning_rate, 0.5) for step in range(12)]
    np.testing.assert_allclose(rates, expected, rtol=1e-6)


@pytest.mark.parametrize("patience", [1, 2])
def test_a_plateau_that_comes_after_the_end_is_refused(patience):
    with pytest.raises(UsageError) as error:
        TOY.replace(schedule="plateau", plateau_patience=2, patience=patience)
    assert str(error.value).startswith(f"plateau_patience is 2 and patience is {patience}; expected less than")
    assert TOY.replace(plateau_patience=2, patience=patience).schedule == "constant"
