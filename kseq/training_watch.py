"""What a training tells, and what ends it: the user, whoever has it trained, or a loss that is no number."""

import math
import time
from collections.abc import Callable, Mapping
from typing import Any

import keras

from kseq.errors import TrainingError

_ADVICE = (
    "Try a lower --learning-rate, a --clip-norm of 1 or less, a larger --warmup-fraction, or in a recurrence --cell "
    "gru or lstm."
)


class TrainingWatch(keras.callbacks.Callback):
    """Writes the history, and stops when the user asks, it is enough, or the loss is not a number.

    Args:
        on_epoch: called after each epoch with its number, from 1, and its metrics.
        interrupted: whether the user asks to stop; asked after each step.
        advice: what to try where the loss is not a number.
        enough: asked after each epoch.
    """

    STATE = ("history",)

    def __init__(
        self,
        on_epoch: Callable[[int, Mapping[str, float]], None] | None,
        interrupted: Callable[[], bool],
        advice: str = _ADVICE,
        enough: Callable[[], bool] | None = None,
    ):
        super().__init__()
        self._advice = advice
        self.history: dict[str, list[float]] = {}
        self._on_epoch = on_epoch
        self._interrupted = interrupted
        self._enough = enough
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
        if self._interrupted() or (self._enough is not None and self._enough()):
            # Asked for while validating: not one step more.
            self.model.stop_training = True

    def _check(self, name: str, value: float, when: str) -> None:
        """Raise `TrainingError` for a number that is none."""
        if not math.isfinite(value):
            raise TrainingError(
                f"{name} became {value} {when} of epoch {len(self.history.get('loss', ())) + 1}. {self._advice}"
            )
