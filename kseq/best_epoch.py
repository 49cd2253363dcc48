"""The epoch whose weights are kept."""

from collections.abc import Mapping

import keras
import numpy as np

from kseq.monitors import merit


class BestEpoch(keras.callbacks.Callback):
    """Keeps the weights of the best epoch, and stops when no better one has come for a while.

    Args:
        monitor: name in `MONITORS`; `kseq.monitors.merit` says which of two epochs is better.
        patience: epochs without a better one.
    """

    STATE = ("best_epoch", "out_of_patience", "_best", "_weights")

    def __init__(self, monitor: str, patience: int):
        super().__init__()
        self.monitor = monitor
        self.patience = patience
        self.best_epoch = 0
        self.out_of_patience = False
        self._best: list[float] = []  # Less than any list that holds something.
        self._weights: list[np.ndarray] | None = None

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        values = merit(self.monitor, logs or {})
        if values > self._best:
            self._best, self.best_epoch, self._weights = values, epoch + 1, self.model.get_weights()
        elif epoch + 1 - self.best_epoch >= self.patience:
            self.out_of_patience = self.model.stop_training = True

    def restore(self, model: keras.Model) -> None:
        """Put the best weights back; without a finished epoch, the weights stay as they are."""
        if self._weights is not None:
            model.set_weights(self._weights)
