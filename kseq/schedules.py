"""Learning-rate schedules, by name: how the rate goes over a run.

`build(peak, steps, monitor, *, options it reads)` makes a `Schedule`. `peak` is the highest rate, `steps` the number of
optimizer steps of the whole run, `monitor` the name in `MONITORS` of what validation is judged by.

Keras is imported when a part is built, so that the registry can be listed without TensorFlow.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

from kseq.errors import UsageError
from kseq.registry import Part

# Smith & Topin (2019) want the way up and down to be of one length and most of the run, and leave the numbers open.
# A tenth of the peak to begin with is of Smith (2018), who names a tenth or a twentieth for a single cycle.
_ONE_CYCLE_START = 0.1
_ONE_CYCLE_RISE = 0.45


@dataclasses.dataclass(frozen=True)
class Schedule:
    """How the learning rate goes.

    Attributes:
        learning_rate: what a Keras optimizer takes: a number, which callbacks may change, or a function of the step.
        callbacks: Keras callbacks that are to watch the training.
    """

    learning_rate: Any
    callbacks: Sequence[Any] = ()


def _warmup(peak: float, steps: int, fraction: float) -> dict[str, Any]:
    """Arguments of `CosineDecay` that let the rate rise from 0 to the peak over a fraction of all steps."""
    warmup_steps = round(fraction * steps)
    return {
        "initial_learning_rate": 0.0 if warmup_steps else peak,
        "warmup_target": peak if warmup_steps else None,
        "warmup_steps": warmup_steps,
        "decay_steps": max(steps - warmup_steps, 1),
    }


def constant(peak: float, steps: int, monitor: str, *, warmup_fraction: float) -> Schedule:
    """Hold the learning rate, after the warm-up."""
    import keras

    return Schedule(keras.optimizers.schedules.CosineDecay(**_warmup(peak, steps, warmup_fraction), alpha=1.0))


def cosine(peak: float, steps: int, monitor: str, *, warmup_fraction: float) -> Schedule:
    """Let the learning rate fall to 0 along half a cosine, after the warm-up."""
    import keras

    return Schedule(keras.optimizers.schedules.CosineDecay(**_warmup(peak, steps, warmup_fraction)))


def one_cycle(peak: float, steps: int, monitor: str) -> Schedule:
    """Let the learning rate rise in a straight line, fall again as long, and then to 0 in the last tenth.

    The rise is its warm-up. The momentum, which Smith & Topin (2019) let fall while the rate rises, stays as it is:
    Keras' optimizers compute with one momentum throughout.
    """
    from kseq.piecewise_linear import PiecewiseLinear

    start, top = _ONE_CYCLE_START * peak, _ONE_CYCLE_RISE * steps
    return Schedule(PiecewiseLinear([0.0, top, 2 * top, float(steps)], [start, peak, start, 0.0]))


def plateau(
    peak: float,
    steps: int,
    monitor: str,
    *,
    warmup_fraction: float,
    plateau_factor: float,
    plateau_patience: int,
) -> Schedule:
    """Hold the learning rate, after the warm-up, and lower it whenever validation has not become better for a while.

    The rate can be lowered from the end of the warm-up on: while it rises, it goes its way.
    """
    from kseq.plateau import Plateau
    from kseq.warmup import Warmup

    warmup = Warmup(peak, round(warmup_fraction * steps))
    return Schedule(float(peak), [warmup, Plateau(monitor, plateau_factor, plateau_patience)])


def _check_patience(*, patience: int, plateau_patience: int) -> None:
    """Raise `UsageError` where training would stop before a lower rate is tried."""
    if plateau_patience >= patience:
        raise UsageError(
            f"plateau_patience is {plateau_patience} and patience is {patience}; expected less than patience, or "
            "training stops before a lower learning rate is tried. Raise --patience, or lower --plateau-patience."
        )


SCHEDULES: dict[str, Part] = {
    "constant": Part(constant, "one rate throughout"),
    "cosine": Part(cosine, "half a cosine down to 0 at the last epoch", "Loshchilov & Hutter 2017"),
    "one_cycle": Part(one_cycle, "up, down, and to 0 in the last tenth, in straight lines", "Smith & Topin 2019"),
    "plateau": Part(plateau, "lower by a factor where validation no longer gets better", check=_check_patience),
}
