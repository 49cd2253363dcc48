"""Optimizers, by their Keras names.

`build(learning_rate, *, options it reads)` takes and returns what Keras takes. Gradients are clipped by the norm of all
of them together, at 1 where nothing is set, or by value: Keras does one of the two.

Keras is imported when a part is built, so that the registry can be listed without TensorFlow.
"""

from collections.abc import Callable
from typing import Any

from kseq.errors import UsageError
from kseq.registry import Part

_CLIP_NORM = 1.0


def adam(learning_rate: Any, *, clip_norm: float | None, clip_value: float) -> Any:
    """Make `keras.optimizers.Adam`."""
    import keras

    return keras.optimizers.Adam(learning_rate, **_clipping(clip_norm, clip_value))


def adamw(learning_rate: Any, *, clip_norm: float | None, clip_value: float, weight_decay: float | None) -> Any:
    """Make `keras.optimizers.AdamW` that decays matrices alone, by 0.01 where nothing is set."""
    from kseq.matrix_decay import MatrixDecayAdamW

    decay = 0.01 if weight_decay is None else weight_decay
    return MatrixDecayAdamW(learning_rate, weight_decay=decay, **_clipping(clip_norm, clip_value))


def lion(learning_rate: Any, *, clip_norm: float | None, clip_value: float, weight_decay: float | None) -> Any:
    """Make `keras.optimizers.Lion` that decays matrices alone, by 0.1 where nothing is set.

    Its authors advise a learning rate 3 to 10 times smaller than that of AdamW, and a decay as many times larger.
    """
    from kseq.matrix_decay import MatrixDecayLion

    decay = 0.1 if weight_decay is None else weight_decay
    return MatrixDecayLion(learning_rate, weight_decay=decay, **_clipping(clip_norm, clip_value))


def rmsprop(learning_rate: Any, *, clip_norm: float | None, clip_value: float, momentum: float | None) -> Any:
    """Make `keras.optimizers.RMSprop`, without momentum where none is set."""
    import keras

    return keras.optimizers.RMSprop(learning_rate, momentum=momentum or 0.0, **_clipping(clip_norm, clip_value))


def sgd(learning_rate: Any, *, clip_norm: float | None, clip_value: float, momentum: float | None) -> Any:
    """Make `keras.optimizers.SGD`, with Nesterov's momentum, of 0.9 where none is set."""
    import keras

    momentum = 0.9 if momentum is None else momentum
    return keras.optimizers.SGD(
        learning_rate, momentum=momentum, nesterov=momentum > 0, **_clipping(clip_norm, clip_value)
    )


def _check_clipping(*, clip_norm: float | None, clip_value: float) -> None:
    """Raise `UsageError` where gradients are to be clipped in both ways, which Keras does not do."""
    if clip_norm and clip_value:
        raise UsageError(
            f"clip_norm is {clip_norm} and clip_value is {clip_value}; expected one of the two. Leave one out, or set "
            "it to 0."
        )


def _clipping(clip_norm: float | None, clip_value: float) -> dict[str, float | None]:
    """Give Keras' argument of the one kind of clipping that is in use."""
    if clip_value:
        return {"clipvalue": clip_value}
    return {"global_clipnorm": _CLIP_NORM if clip_norm is None else clip_norm or None}


def _part(build: Callable[..., Any], summary: str, source: str = "") -> Part:
    """Make the part of an optimizer; all of them clip alike."""
    return Part(build, summary, source, check=_check_clipping)


OPTIMIZERS: dict[str, Part] = {
    "adam": _part(adam, "adaptive moments: the usual choice", "Kingma & Ba 2015"),
    "adamw": _part(adamw, "Adam with decoupled weight decay", "Loshchilov & Hutter 2019"),
    "lion": _part(lion, "the sign of a momentum, with decoupled weight decay", "Chen et al. 2023"),
    "rmsprop": _part(rmsprop, "adaptive second moment alone", "Tieleman & Hinton 2012"),
    "sgd": _part(sgd, "stochastic gradient descent with momentum"),
}
# Where none is set. One rate cannot serve all: the size of the gradient changes plain descent's steps, and not Adam's.
LEARNING_RATES = {"adam": 0.003, "adamw": 0.003, "lion": 0.0003, "rmsprop": 0.001, "sgd": 0.3}
