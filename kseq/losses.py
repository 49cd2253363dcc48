"""Losses, by name: how far the model's probabilities are from the targets.

`build(log_probabilities, label_weights, *, options it reads)` makes a function of targets and logits that gives the
loss of each text, (B,), as Keras takes it. `log_probabilities` is that of an `Output`: it turns logits into (…, K), the
log-probabilities of the K alternatives of each choice, and a target is the index of the right one. A text of one class
is one choice, among C; a text of several labels is C choices, each between absent and present.

Keras is imported when a part is built, so that the registry can be listed without TensorFlow.
"""

from collections.abc import Callable, Sequence
from typing import Any

from kseq.registry import Part

LogProbabilities = Callable[[Any], Any]
# The weights of absence and of presence of each label, C each.
LabelWeights = tuple[Sequence[float], Sequence[float]]

# In float32, 1 - p below this is rounding; without a least value its power has no finite slope.
_LEAST_DOUBT = 1e-7


def cross_entropy(
    log_probabilities: LogProbabilities, label_weights: LabelWeights | None = None, *, label_smoothing: float
) -> Callable[[Any, Any], Any]:
    """Make the cross-entropy, against targets of which a fraction is spread over all alternatives.

    Szegedy et al. (2016), section 7, with the uniform distribution as prior: the right alternative gets
    1 - s + s / K, the others s / K.
    """
    import keras

    def loss(targets: Any, logits: Any) -> Any:
        logs = log_probabilities(logits)  # (B, …, K)
        surprise = -_right(logs, targets)  # (B, …)
        if label_smoothing:
            surprise = (1 - label_smoothing) * surprise - label_smoothing * keras.ops.mean(logs, axis=-1)
        return _of_texts(surprise, targets, label_weights)

    return loss


def focal(
    log_probabilities: LogProbabilities, label_weights: LabelWeights | None = None, *, focal_gamma: float
) -> Callable[[Any, Any], Any]:
    """Make the focal loss, (1 - p)^gamma · -log p: what is easy already counts for little.

    Lin et al. (2017), equation 4, with the softmax in place of the sigmoid where a text has one class; their alpha is
    what `--class-weight` gives.
    """
    import keras

    def loss(targets: Any, logits: Any) -> Any:
        log_right = _right(log_probabilities(logits), targets)  # (B, …)
        doubt = keras.ops.maximum(1 - keras.ops.exp(log_right), _LEAST_DOUBT)
        return _of_texts(-(doubt**focal_gamma) * log_right, targets, label_weights)

    return loss


def squared(
    log_probabilities: LogProbabilities, label_weights: LabelWeights | None = None
) -> Callable[[Any, Any], Any]:
    """Make the squared loss, the sum over the alternatives of (p - q)^2, where q is 1 for the right one and else 0.

    The score of Brier (1950), of one text: from 0 to 2. Unlike the cross-entropy it is bounded, so that a wrong label
    costs no more than that. (Hui & Belkin 2021 take the square over logits instead, without a softmax.)
    """
    import keras

    def loss(targets: Any, logits: Any) -> Any:
        probabilities = keras.ops.exp(log_probabilities(logits))  # (B, …, K)
        right = keras.ops.one_hot(keras.ops.cast(targets, "int32"), probabilities.shape[-1], dtype=probabilities.dtype)
        return _of_texts(keras.ops.sum(keras.ops.square(probabilities - right), axis=-1), targets, label_weights)

    return loss


def _right(logs: Any, targets: Any) -> Any:
    """Take the log-probability of the right alternative: (B, …, K) to (B, …)."""
    import keras

    places = keras.ops.expand_dims(keras.ops.cast(targets, "int32"), -1)
    return keras.ops.squeeze(keras.ops.take_along_axis(logs, places, axis=-1), -1)


def _of_texts(losses: Any, targets: Any, label_weights: LabelWeights | None) -> Any:
    """Give one loss a text, the weighted mean over its labels where there are several: (B,) or (B, C) to (B,)."""
    import keras

    if label_weights is not None:
        absent, present = (keras.ops.convert_to_tensor(side, losses.dtype) for side in label_weights)  # (C,) each
        losses = losses * keras.ops.where(keras.ops.cast(targets, "bool"), present, absent)
    return keras.ops.mean(losses, axis=-1) if len(losses.shape) > 1 else losses


LOSSES: dict[str, Part] = {
    "cross_entropy": Part(cross_entropy, "the surprise at the right answer, in nats"),
    "focal": Part(focal, "cross-entropy that leaves the easy texts aside", "Lin et al. 2017"),
    "squared": Part(squared, "the squared error of the probabilities, which no outlier makes large", "Brier 1950"),
}
