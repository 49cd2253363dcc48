"""A learning rate that goes in straight lines."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import KerasTensor, ops


@keras.saving.register_keras_serializable(package="kseq")
class PiecewiseLinear(keras.optimizers.schedules.LearningRateSchedule):
    """Go from value to value in straight lines; before the first and after the last boundary, stay.

    Args:
        boundaries: steps, each after the one before it.
        values: the learning rate at each of them.
    """

    def __init__(self, boundaries: Sequence[float], values: Sequence[float]):
        super().__init__()
        self.boundaries = list(boundaries)
        self.values = list(values)

    def __call__(self, step: int | KerasTensor) -> KerasTensor:
        """Give the rate of a step, counted from 0."""
        step = ops.cast(step, "float32")
        rate = ops.cast(self.values[0], "float32")
        for place in range(1, len(self.values)):
            start, end = self.boundaries[place - 1 : place + 1]
            done = ops.clip((step - start) / (end - start), 0.0, 1.0)
            rate = rate + done * (self.values[place] - self.values[place - 1])
        return rate

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal schedule."""
        return {"boundaries": self.boundaries, "values": self.values}
