"""A learning rate that goes down where validation stands still."""

from collections.abc import Mapping

import keras

from kseq.monitors import merit


class Plateau(keras.callbacks.Callback):
    """Lowers the learning rate when no better epoch has come for a while, as `BestEpoch` understands better.

    `keras.callbacks.ReduceLROnPlateau` looks at one number, and takes a score that stands still for a plateau even
    where the loss falls.

    Args:
        monitor: name in `MONITORS`; `kseq.monitors.merit` says which of two epochs is better.
        factor: what the rate is multiplied by.
        patience: epochs without a better one, from the best one or from the last time that the rate went down.
    """

    STATE = ("_best", "_waited")

    def __init__(self, monitor: str, factor: float, patience: int):
        super().__init__()
        self.monitor = monitor
        self.factor = factor
        self.patience = patience
        self._best: list[float] = []  # Less than any list that holds something.
        self._waited = 0

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        values = merit(self.monitor, logs or {})
        if values > self._best:
            self._best, self._waited = values, 0
            return
        self._waited += 1
        if self._waited >= self.patience:
            optimizer, self._waited = self.model.optimizer, 0
            optimizer.learning_rate = self.factor * float(keras.ops.convert_to_numpy(optimizer.learning_rate))
