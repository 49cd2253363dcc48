"""The moving average of the weights, against NumPy on weights that are written down step by step."""

import numpy as np
import pytest

from kseq.weight_average import WeightAverage
from tests.training_toy import HELD_OUT, HELD_OUT_LABELS, TOY, by_hand, new_model, recurrent_model, same, train_toy


def averages_by_hand(steps, momentum):
    """The average after each step: every weight so far, times momentum to the power of its age, over their sum."""
    averages = []
    for count in range(1, len(steps) + 1):
        factors = momentum ** np.arange(count - 1, -1, -1.0)
        averages.append(
            [
                np.tensordot(factors / factors.sum(), np.stack(weights), 1)
                for weights in zip(*steps[:count], strict=True)
            ]
        )
    return averages


@pytest.fixture
def trained_steps(monkeypatch):
    """The weights after each step, before anything else sees them."""
    steps = []
    report = WeightAverage.on_train_batch_end

    def on_train_batch_end(self, batch, logs=None):
        steps.append([weight.astype(np.float64) for weight in self.model.get_weights()])
        report(self, batch, logs)

    monkeypatch.setattr(WeightAverage, "on_train_batch_end", on_train_batch_end)
    return steps


@pytest.mark.parametrize("momentum", [0.5, 0.99])
def test_validation_and_the_kept_epoch_are_of_the_average(momentum, trained_steps):
    """Against turned labels each epoch is worse than the one before, so that the kept one is not the last."""
    turned = 1 - HELD_OUT_LABELS
    seen = []
    model = new_model()
    options = TOY.replace(ema_momentum=momentum, monitor="val_loss", epochs=3)
    _, result = train_toy(
        options,
        model=model,
        held_out_labels=turned,
        on_epoch=lambda number, logs: seen.append((model.get_weights(), logs["val_loss"])),
    )
    assert len(trained_steps) == 12
    averages = averages_by_hand(trained_steps, momentum)
    other = new_model()
    for epoch, (weights, loss) in enumerate(seen):
        expected = averages[4 * epoch + 3]
        for got, one in zip(weights, expected, strict=True):
            np.testing.assert_allclose(got, one, atol=1e-6)
        other.set_weights(expected)
        assert loss == pytest.approx(by_hand(other, HELD_OUT, turned)[0], abs=1e-5)
    assert result.best_epoch == 1
    assert same(model.get_weights(), seen[0][0])


def test_training_goes_on_with_the_weights_as_they_were(trained_steps):
    """Step by step the same weights as without an average, to the last bit."""
    averaged, _ = train_toy(TOY.replace(ema_momentum=0.9, epochs=3))
    plain = []
    model = new_model()
    train_toy(TOY.replace(epochs=3), model=model, on_epoch=lambda number, logs: plain.append(model.get_weights()))
    assert len(plain) == 3
    for epoch, weights in enumerate(plain):
        assert same(trained_steps[4 * epoch + 3], weights)
    assert not same(averaged.get_weights(), model.get_weights())


def test_moving_statistics_are_averaged_too(trained_steps):
    model = recurrent_model(TOY.replace(normalization="batch"))
    train_toy(TOY.replace(ema_momentum=0.8, epochs=1), model=model)
    statistics = [place for place, weight in enumerate(model.weights) if weight.name.startswith("moving")]
    assert len(statistics) == 2
    expected = averages_by_hand(trained_steps, 0.8)[-1]
    for place in statistics:
        np.testing.assert_allclose(model.get_weights()[place], expected[place], rtol=1e-5)
        assert np.abs(expected[place] - trained_steps[-1][place]).max() > 1e-4


def test_one_average_serves_one_training_after_the_other():
    """What is counted begins anew with each."""
    average = WeightAverage(0.9)
    for seed in (1, 2):
        model = new_model(seed)
        average.set_model(model)
        average.on_train_begin()
        model.set_weights([np.full_like(weight, seed) for weight in model.get_weights()])
        average.on_train_batch_end(0)
        model.set_weights([np.zeros_like(weight) for weight in model.get_weights()])
        average.on_test_begin()
        for weight in model.get_weights():
            np.testing.assert_allclose(weight, seed, rtol=1e-6)
        average.on_epoch_end(0)
        assert all((weight == 0).all() for weight in model.get_weights())


def test_no_average_costs_nothing(monkeypatch):
    monkeypatch.setattr(WeightAverage, "__init__", lambda self, momentum: pytest.fail("an average of nothing"))
    train_toy(TOY.replace(epochs=1))
