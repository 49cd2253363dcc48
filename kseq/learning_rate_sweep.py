"""The learning-rate range test: how the loss goes while the learning rate rises."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from kseq.errors import TrainingError
from kseq.losses import LabelWeights
from kseq.options import Options
from kseq.training import compile_model

# The weight that the smoothed loss keeps of what was before: of about ten batches.
_SMOOTHING = 0.9
# Beyond this many times its least value, the smoothed loss does not come back.
_DIVERGED = 4.0
# The lowest loss comes where descent and divergence are in balance, some steps after the best rate.
_SHARE_OF_LOWEST = 0.1


@dataclasses.dataclass(frozen=True)
class Sweep:
    """What a sweep over learning rates met, a number a step.

    Attributes:
        rates: the learning rate of each step, rising by a constant factor.
        losses: the loss of its batch.
        smoothed: the moving average of the losses.
        diverged: whether the sweep ended before its last step, since the loss grew beyond all bounds.
    """

    rates: Sequence[float]
    losses: Sequence[float]
    smoothed: Sequence[float]
    diverged: bool

    @property
    def lowest(self) -> int:
        """The step whose smoothed loss is the lowest, from 0."""
        return int(np.argmin(self.smoothed))

    @property
    def suggested(self) -> float | None:
        """A tenth of the learning rate at the lowest smoothed loss, to two digits; None where it never fell."""
        if self.lowest == 0:
            return None
        return float(f"{_SHARE_OF_LOWEST * self.rates[self.lowest]:.1e}")


def sweep_learning_rates(
    model: keras.Model,
    batches: tf.data.Dataset,
    options: Options,
    *,
    lowest: float,
    highest: float,
    steps: int,
    target_kind: str = "class",
    label_weights: LabelWeights | None = None,
) -> Sweep:
    """Train for some steps, each at a higher learning rate than the one before (Smith 2017, section 3.3).

    It ends early where the smoothed loss is four times its lowest value, or no number. The model is spoilt then.

    Args:
        model: untrained, as `kseq.training.train` takes it.
        batches: `tf.data` of `(inputs, target, sample_weight)`, at least `steps` of them.
        options: the group "training"; its schedule is not in use.
        lowest: the learning rate of the first step.
        highest: that of the last one.
        steps: how many, at least 2.
        target_kind: name in `OUTPUTS`.
        label_weights: as `train` takes them.

    Raises:
        TrainingError: the loss is no number from the beginning.
    """
    factor = highest / lowest
    rate = keras.optimizers.schedules.ExponentialDecay(lowest, decay_steps=steps - 1, decay_rate=factor)
    compile_model(model, rate, options, target_kind=target_kind, label_weights=label_weights)
    watch = _LossOfEachBatch()
    model.fit(batches, steps_per_epoch=steps, verbose=0, shuffle=False, callbacks=[watch])
    if not watch.losses:
        raise TrainingError(
            f"the loss is no number at the first step, at learning rate {lowest:g}. Look at the data and its weights."
        )
    rates = np.geomspace(lowest, highest, steps)[: len(watch.losses)]
    return Sweep(rates.tolist(), watch.losses, watch.smoothed, watch.diverged)


class _LossOfEachBatch(keras.callbacks.Callback):
    """Writes down the loss of each batch and its moving average, and stops when it diverges."""

    def __init__(self) -> None:
        super().__init__()
        self.losses: list[float] = []
        self.smoothed: list[float] = []
        self.diverged = False
        self._sum = 0.0

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        # Keras tells the mean since the last reset.
        self.model.reset_metrics()

    def on_train_batch_end(self, batch: int, logs: Mapping[str, float] | None = None) -> None:
        loss = float((logs or {})["loss"])
        if math.isfinite(loss):
            self._sum = _SMOOTHING * self._sum + (1 - _SMOOTHING) * loss
            self.losses.append(loss)
            # Divided by the sum of the weights so far, as in Adam: the first average is the first loss.
            self.smoothed.append(self._sum / (1 - _SMOOTHING ** len(self.losses)))
            self.diverged = self.smoothed[-1] > _DIVERGED * min(self.smoothed)
        else:
            self.diverged = True
        if self.diverged:
            self.model.stop_training = True
