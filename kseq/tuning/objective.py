"""What a search makes best on validation, and in which direction. No TensorFlow here."""

import dataclasses

from kseq.errors import UsageError
from kseq.monitors import MONITORS
from kseq.outputs import OUTPUTS
from kseq.registry import unknown

_BOTH = {"macro_f1": "max", "nll": "min", "brier": "min"}
# By the kind of the targets, the scores that can be searched by, and which of their ends is the good one.
MEASURES = {
    "class": {"accuracy": "max", **_BOTH},
    "classes": {
        "micro_f1": "max",
        "subset_accuracy": "max",
        "mean_average_precision": "max",
        "hamming_loss": "min",
        **_BOTH,
    },
}
NAMES = tuple(dict.fromkeys(f"val_{measure}" for measures in MEASURES.values() for measure in measures))


@dataclasses.dataclass(frozen=True)
class Objective:
    """What is made best.

    Attributes:
        name: such as "val_accuracy".
        direction: "min" or "max".
        monitor: name in `MONITORS` of what the kept epoch of a trial is best by; None for what a run takes.
    """

    name: str
    direction: str
    monitor: str | None

    @property
    def measure(self) -> str:
        """The name of the score of validation."""
        return self.name.removeprefix("val_")

    def better(self, one: float, other: float | None) -> bool:
        """Whether a value is better than another one, or than none."""
        return other is None or (one > other if self.direction == "max" else one < other)


def objective_of(name: str | None, target_kind: str, monitor: str | None) -> Objective:
    """Find what is made best.

    Args:
        name: None for what a line of an epoch shows: accuracy, or macro-F1 where a text can have several labels.
        target_kind: of the data.
        monitor: of the options, where it is set.

    Raises:
        UsageError: an unknown name, or one of another kind of targets.
    """
    output, measures = OUTPUTS[target_kind], MEASURES[target_kind]
    name = name or f"val_{output.shown[1]}"
    if name.removeprefix("val_") not in measures or not name.startswith("val_"):
        raise UsageError(unknown("objective", name, [f"val_{measure}" for measure in measures]))
    if monitor is None:
        # The score itself, where training shows it and it moves from the beginning; or else the loss.
        own = name if name in MONITORS and output.monitor != "val_loss" else "val_loss"
        monitor = own if own != output.monitor else None
    return Objective(name, measures[name.removeprefix("val_")], monitor)
