"""A warm-up for a learning rate that callbacks change."""

from typing import Any

import keras


class Warmup(keras.callbacks.Callback):
    """Let the rate rise from 0 to its peak over the first steps, and leave it alone from then on.

    Of schedules that are functions of the step, the warm-up is a part; a rate that another callback sets has none.

    Args:
        peak: the rate at the end of the rise.
        steps: optimizer steps that the rise takes; 0 for none.
    """

    STATE = ("_step",)

    def __init__(self, peak: float, steps: int):
        super().__init__()
        self.peak = peak
        self.steps = steps
        self._step = 0

    def on_train_begin(self, logs: Any = None) -> None:
        self._step = 0

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        if self._step < self.steps:
            self.model.optimizer.learning_rate = self.peak * self._step / self.steps
        elif self._step == self.steps:
            self.model.optimizer.learning_rate = self.peak
        self._step += 1
