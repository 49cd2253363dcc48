"""A moving average of the weights, beside the training."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf


class WeightAverage(keras.callbacks.Callback):
    r"""Average the weights of all steps so far, the latest most, and have validation see the average.

    With the weights \(w_t\) after step t and the momentum m,
    \(\bar w_t = \bar w_{t-1} + \frac{1 - m}{1 - m^t} (w_t - \bar w_{t-1})\): the exponential moving average, divided by
    the sum of its factors as Adam's moments are (Kingma & Ba 2015, section 3). Without that division the first weights
    of all would stand for everything before them: with m = 0.999, a third of the average would still be theirs after
    1,000 steps, which is a whole run on few texts. Averages of weights: Polyak & Juditsky 1992.

    All weights are averaged, the moving statistics of a batch normalisation too, which belong to the weights they were
    made with.

    The average is in the model from the beginning of each validation to the end of the epoch, so that callbacks in
    front of this one find it there in `on_epoch_end`, as the best weights or otherwise; training goes on with the
    weights as they were.

    Args:
        momentum: m, at least 0 and below 1.
    """

    STATE = ("_steps", "averages")

    def __init__(self, momentum: float):
        super().__init__()
        self.momentum = momentum
        self._steps = 0
        self._averages: list[tf.Variable] = []
        self._trained: list[Any] | None = None

    @property
    def averages(self) -> list[np.ndarray]:
        """Of each weight, in the order of the model."""
        return [average.numpy() for average in self._averages]

    @averages.setter
    def averages(self, values: Sequence[np.ndarray]) -> None:
        for average, value in zip(self._averages, values, strict=True):
            average.assign(value)

    def on_train_begin(self, logs: Any = None) -> None:
        self._steps = 0
        self._averages = [tf.Variable(weight.value) for weight in self.model.weights]
        # Traced for this model's weights.
        self._update = tf.function(self._move)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._steps += 1
        self._update(tf.constant((1 - self.momentum) / (1 - self.momentum**self._steps), tf.float32))

    def on_test_begin(self, logs: Any = None) -> None:
        self._trained = self.model.get_weights()
        self.model.set_weights(self._averages)

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        if self._trained is not None:
            self.model.set_weights(self._trained)
            self._trained = None

    def _move(self, share: tf.Tensor) -> None:
        """Move each average by a share of the way to its weight."""
        for average, weight in zip(self._averages, self.model.weights, strict=True):
            average.assign_add(share * (weight.value - average))
