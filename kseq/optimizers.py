"""Optimizers and learning-rate schedules, by their Keras names.

`OPTIMIZERS`: `build(learning_rate, *, options it reads)`; `SCHEDULES`: `build(peak, steps, *, options it reads)`,
where `steps` is the number of the whole run. Both take and return what Keras takes.

Keras is imported when a part is built, so that the registries can be listed without TensorFlow.
"""

from typing import Any

from kseq.registry import Part


def adam(learning_rate: Any, *, clip_norm: float) -> Any:
    """Make `keras.optimizers.Adam`."""
    import keras

    return keras.optimizers.Adam(learning_rate, global_clipnorm=clip_norm or None)


def adamw(learning_rate: Any, *, clip_norm: float, weight_decay: float) -> Any:
    """Make `keras.optimizers.AdamW`, which decays matrices alone, not biases."""
    import keras

    optimizer = keras.optimizers.AdamW(learning_rate, weight_decay=weight_decay, global_clipnorm=clip_norm or None)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    return optimizer


def rmsprop(learning_rate: Any, *, clip_norm: float, momentum: float | None) -> Any:
    """Make `keras.optimizers.RMSprop`, without momentum where none is set."""
    import keras

    return keras.optimizers.RMSprop(learning_rate, momentum=momentum or 0.0, global_clipnorm=clip_norm or None)


def sgd(learning_rate: Any, *, clip_norm: float, momentum: float | None) -> Any:
    """Make `keras.optimizers.SGD`, with Nesterov's momentum, of 0.9 where none is set."""
    import keras

    momentum = 0.9 if momentum is None else momentum
    return keras.optimizers.SGD(
        learning_rate, momentum=momentum, nesterov=momentum > 0, global_clipnorm=clip_norm or None
    )


OPTIMIZERS: dict[str, Part] = {
    "adam": Part(adam, "adaptive moments: the usual choice", "Kingma & Ba 2015"),
    "adamw": Part(adamw, "Adam with decoupled weight decay", "Loshchilov & Hutter 2019"),
    "rmsprop": Part(rmsprop, "adaptive second moment alone", "Tieleman & Hinton 2012"),
    "sgd": Part(sgd, "stochastic gradient descent with momentum"),
}
# Where none is set. One rate cannot serve all: the size of the gradient changes plain descent's steps, and not Adam's.
LEARNING_RATES = {"adam": 0.003, "adamw": 0.003, "rmsprop": 0.001, "sgd": 0.3}


def _warmup(peak: float, steps: int, fraction: float) -> dict[str, Any]:
    """Arguments of `CosineDecay` that let the rate rise from 0 to the peak over a fraction of all steps."""
    warmup_steps = round(fraction * steps)
    return {
        "initial_learning_rate": 0.0 if warmup_steps else peak,
        "warmup_target": peak if warmup_steps else None,
        "warmup_steps": warmup_steps,
        "decay_steps": max(steps - warmup_steps, 1),
    }


def constant(peak: float, steps: int, *, warmup_fraction: float) -> Any:
    """Hold the learning rate, after the warm-up."""
    import keras

    return keras.optimizers.schedules.CosineDecay(**_warmup(peak, steps, warmup_fraction), alpha=1.0)


def cosine(peak: float, steps: int, *, warmup_fraction: float) -> Any:
    """Let the learning rate fall to 0 along half a cosine, after the warm-up."""
    import keras

    return keras.optimizers.schedules.CosineDecay(**_warmup(peak, steps, warmup_fraction))


SCHEDULES: dict[str, Part] = {
    "constant": Part(constant, "one rate throughout"),
    "cosine": Part(cosine, "half a cosine down to 0 at the last epoch", "Loshchilov & Hutter 2017"),
}
