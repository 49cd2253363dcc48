"""Training: compile, fit, keep the best weights by validation."""

import dataclasses
import math
import time
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from kseq.errors import TrainingError
from kseq.interruption import Interruption
from kseq.losses import LOSSES, LabelWeights
from kseq.optimizers import OPTIMIZERS, SCHEDULES
from kseq.options import MONITORS, Options
from kseq.outputs import OUTPUTS


@dataclasses.dataclass(frozen=True)
class TrainingResult:
    """What training leaves beside the trained weights.

    Attributes:
        history: one list a metric, one number an epoch, by Keras' names, with `learning_rate` and `seconds`.
        best_epoch: the epoch whose weights were kept, from 1; an epoch that the user cut short counts as it stands.
        seconds: of training and validating.
        interrupted: whether the user stopped it.
    """

    history: Mapping[str, list[float]]
    best_epoch: int
    seconds: float
    interrupted: bool


def train(
    model: keras.Model,
    batches: tf.data.Dataset,
    steps_per_epoch: int,
    validation_batches: tf.data.Dataset,
    options: Options,
    *,
    target_kind: str = "class",
    label_weights: LabelWeights | None = None,
    verbose: int = 0,
    on_epoch: Callable[[int, Mapping[str, float]], None] | None = None,
) -> TrainingResult:
    """Train a model in place; its weights are then those of its best epoch.

    SIGINT ends training after the step in flight and keeps the best weights so far; a second one is an ordinary
    KeyboardInterrupt.

    Args:
        model: from the batches' inputs to what the loss of `target_kind` reads.
        batches: `tf.data` of `(inputs, target, sample_weight)` for all epochs, in the order they are to be seen.
        steps_per_epoch: batches in one pass over the texts.
        validation_batches: every validation text once.
        options: the group "training", with `epochs` set.
        target_kind: name in `OUTPUTS`.
        label_weights: of absence and presence of each label, C each, where a text can have several; 1 where None.
        verbose: 1 for Keras' progress bar.
        on_epoch: called after each epoch with its number, from 1, and its metrics.

    Raises:
        TrainingError: the loss is not a number any more.
        ValueError: `options.epochs` is None.
    """
    if options.epochs is None:
        raise ValueError("epochs is None; expected a number. kseq.experiment.prepare fills it in.")
    rate = SCHEDULES[options.schedule](options.learning_rate, steps_per_epoch * options.epochs, options=options)
    output = OUTPUTS[target_kind]
    model.compile(
        optimizer=OPTIMIZERS[options.optimizer](rate, options=options),
        loss=LOSSES[options.loss](output.log_probabilities, label_weights, options=options),
        weighted_metrics=output.metrics(model.output_shape[-1]),
    )
    keeper = _BestEpoch(options.monitor or output.monitor, options.patience)
    start = time.perf_counter()
    with Interruption() as interruption:
        watch = _Watch(on_epoch, interruption.asked)
        model.fit(
            batches,
            steps_per_epoch=steps_per_epoch,
            epochs=options.epochs,
            validation_data=validation_batches,
            verbose=verbose,
            # The batches come in their order; Keras cannot shuffle tf.data and would say so.
            shuffle=False,
            # The watch first: what is no number must not be kept as the best.
            callbacks=[watch, keeper],
        )
    keeper.restore()
    return TrainingResult(watch.history, keeper.best_epoch, time.perf_counter() - start, interruption.asked())


class _BestEpoch(keras.callbacks.Callback):
    """Keeps the weights of the best epoch, and stops when no better one has come for a while.

    Of two epochs that the monitored score does not tell apart, the one with the lower validation loss is better: on few
    texts scores are equal often, and a score that stands still while the loss falls is no reason to stop.
    """

    def __init__(self, monitor: str, patience: int):
        super().__init__()
        self.monitor = monitor
        self.patience = patience
        self.best_epoch = 0
        self._sign = 1 if MONITORS[monitor] == "max" else -1
        self._best = (-math.inf, -math.inf)
        self._weights: list[np.ndarray] | None = None

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        found = logs or {}
        values = (self._sign * found[self.monitor], -found["val_loss"])
        if values > self._best:
            self._best, self.best_epoch, self._weights = values, epoch + 1, self.model.get_weights()
        elif epoch + 1 - self.best_epoch >= self.patience:
            self.model.stop_training = True

    def restore(self) -> None:
        """Put the best weights back; without a finished epoch, the weights stay as they are."""
        if self._weights is not None:
            self.model.set_weights(self._weights)


class _Watch(keras.callbacks.Callback):
    """Writes the history, and stops when the user asks, or the loss is not a number."""

    def __init__(self, on_epoch: Callable[[int, Mapping[str, float]], None] | None, interrupted: Callable[[], bool]):
        super().__init__()
        self.history: dict[str, list[float]] = {}
        self._on_epoch = on_epoch
        self._interrupted = interrupted
        self._start = 0.0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._start = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Mapping[str, float] | None = None) -> None:
        self._check("loss", (logs or {}).get("loss", 0.0), f"at step {batch + 1}")
        if self._interrupted():
            # Keras then validates the part of the epoch that is done, and on_epoch_end follows.
            self.model.stop_training = True

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        values = {name: float(value) for name, value in (logs or {}).items()}
        for name, value in values.items():
            # The last step of an epoch shows in no training loss.
            self._check(name, value, "at the end")
        values["learning_rate"] = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
        values["seconds"] = time.perf_counter() - self._start
        for name, value in values.items():
            self.history.setdefault(name, []).append(value)
        if self._on_epoch is not None:
            self._on_epoch(epoch + 1, values)
        if self._interrupted():
            # Asked for while validating: not one step more.
            self.model.stop_training = True

    def _check(self, name: str, value: float, when: str) -> None:
        """Raise `TrainingError` for a number that is none."""
        if not math.isfinite(value):
            raise TrainingError(
                f"{name} became {value} {when} of epoch {len(self.history.get('loss', ())) + 1}. Try a lower "
                "--learning-rate, a --clip-norm of 1 or less, a larger --warmup-fraction, or --cell gru or lstm."
            )
