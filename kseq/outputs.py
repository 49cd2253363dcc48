"""Outputs: the last layer, its loss, its metrics and what is served, by the kind of target.

Keras is imported when a part is built, so that the registry can be listed without TensorFlow.
"""

import dataclasses
from collections.abc import Callable
from typing import Any


def class_logits(vector: Any, number_of_classes: int) -> Any:
    """Map a vector (B, D) to one logit a class (B, C)."""
    import keras

    return keras.layers.Dense(number_of_classes, dtype="float32", name="logits")(vector)


def class_probabilities(logits: Any) -> Any:
    """Map logits (B, C) to probabilities (B, C) that sum to 1."""
    import keras

    return keras.layers.Softmax(dtype="float32", name="probabilities")(logits)


def class_loss() -> Any:
    """Make the cross-entropy of integer targets (B,) against logits (B, C)."""
    import keras

    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def class_metrics() -> list[Any]:
    """Make the metrics shown while training."""
    import keras

    return [keras.metrics.SparseCategoricalAccuracy(name="accuracy")]


@dataclasses.dataclass(frozen=True)
class Output:
    """One kind of target.

    Attributes:
        logits: `(vector (B, D) or sequence (B, T, D), number of classes)` → what the loss reads.
        probabilities: logits → what is served.
        loss: makes the Keras loss.
        metrics: makes the Keras metrics.
        reads: "vector", what the head gives, or "sequence", what the encoder gives.
    """

    logits: Callable[[Any, int], Any]
    probabilities: Callable[[Any], Any]
    loss: Callable[[], Any]
    metrics: Callable[[], list[Any]]
    reads: str = "vector"


OUTPUTS: dict[str, Output] = {
    "class": Output(class_logits, class_probabilities, class_loss, class_metrics),
}
