"""The epoch whose weights are kept."""

import math
from collections.abc import Mapping

import keras
import numpy as np

from kseq.monitors import MONITORS


class BestEpoch(keras.callbacks.Callback):
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
