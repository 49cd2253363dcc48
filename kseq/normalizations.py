"""Normalisations of the vectors that an encoder reads.

`build(vectors, mask)` takes vectors (B, T, E) and mask bool (B, T), and returns vectors (B, T, E). They stand between
the embedding and its dropout, as in BERT (Devlin et al. 2019). Laurent et al. (2016) found that batch normalisation can
speed up training where it is of what enters a recurrence, and not within it. Behind a dropout, the variance of training
would not be that of inference (Li et al. 2019).

Keras is imported when a part is built, so that the registry can be listed without TensorFlow.
"""

from typing import Any

from kseq.registry import Part

# Keras' own, 0.001, is as large as the variance of untrained word vectors.
_EPSILON = 1e-5
# Keras' own, 0.99, keeps half of the initial statistics through an epoch of 70 steps, and validation would show it.
_MOMENTUM = 0.9


def no_normalization(vectors: Any, mask: Any) -> Any:
    """Leave the vectors as they are."""
    return vectors


def batch_normalization(vectors: Any, mask: Any) -> Any:
    """Normalise each of the E numbers over the real tokens of a batch; at inference, by moving statistics."""
    import keras

    layer = keras.layers.BatchNormalization(momentum=_MOMENTUM, epsilon=_EPSILON, name="batch_normalization")
    return layer(vectors, mask=mask)  # (B, T, E)


def layer_normalization(vectors: Any, mask: Any) -> Any:
    """Normalise each vector over its E numbers."""
    import keras

    return keras.layers.LayerNormalization(epsilon=_EPSILON, name="layer_normalization")(vectors)  # (B, T, E)


NORMALIZATIONS: dict[str, Part] = {
    "none": Part(no_normalization, "as they are"),
    "batch": Part(batch_normalization, "each number over the batch's real tokens", "Ioffe & Szegedy 2015"),
    "layer": Part(layer_normalization, "each vector over its own numbers", "Ba et al. 2016"),
}
