"""What a run can be judged by on validation. No TensorFlow here."""

from collections.abc import Mapping

# Keras' names, and whether the least or the greatest is the best.
MONITORS = {"val_loss": "min", "val_accuracy": "max", "val_macro_f1": "max"}


def merit(monitor: str, logs: Mapping[str, float]) -> list[float]:
    """Order epochs by their validation: of two, the better one has the greater list.

    Of two epochs that the monitored score does not tell apart, the one with the lower validation loss is better: on few
    texts scores are equal often, and a score that stands still while the loss falls is no reason to stop, nor to lower
    the learning rate.

    Args:
        monitor: name in `MONITORS`.
        logs: of the end of an epoch, by Keras' names.
    """
    sign = 1 if MONITORS[monitor] == "max" else -1
    return [sign * logs[monitor], -logs["val_loss"]]
