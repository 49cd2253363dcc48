"""Positions: how attention, which knows no order, is told where in the text a vector stands."""

import math

import keras
from keras import KerasTensor, ops

_LONGEST_WAVE = 10_000


def position_angles(length: KerasTensor | int, width: int) -> KerasTensor:
    r"""Give the angle of each wave at each step, \(t / 10000^{2i/d}\): float (T, ⌈d / 2⌉), in radians.

    Args:
        length: T.
        width: d.
    """
    frequencies = [_LONGEST_WAVE ** (-place / width) for place in range(0, width, 2)]
    steps = ops.cast(ops.arange(length), "float32")
    return steps[:, None] * ops.convert_to_tensor(frequencies, "float32")  # (T, ⌈d / 2⌉)


def rotate_by_position(vectors: KerasTensor) -> KerasTensor:
    r"""Turn pairs of numbers of each vector by angles that grow with the step.

    \((x_i, x_{i + d/2})\) is turned by \(t / 10000^{2i/d}\). The product of a query at s and a key at t, both turned,
    depends on the two and on s - t alone.

    Source: Su et al. 2021 (rotary position embedding), equations 14, 15 and 34, with i and i + d/2 as a pair in place
    of 2i and 2i + 1: the same for learned projections, whose columns have no order.

    Args:
        vectors: (..., T, d), d even.

    Returns:
        (..., T, d).
    """
    # Only what the waves give may be rounded: in half precision, a large angle is off by whole radians.
    angles = position_angles(ops.shape(vectors)[-2], vectors.shape[-1])  # (T, d / 2)
    cosines, sines = (ops.cast(wave(angles), vectors.dtype) for wave in (ops.cos, ops.sin))
    first, second = ops.split(vectors, 2, axis=-1)  # (..., T, d / 2) each
    return ops.concatenate([first * cosines - second * sines, second * cosines + first * sines], axis=-1)


@keras.saving.register_keras_serializable(package="kseq")
class SinusoidalPositions(keras.layers.Layer):
    r"""Add waves of many lengths, one a pair of numbers, to the vectors.

    \(y_t = \sqrt{D} x_t + p_t\) with \(p_{t, 2i} = \sin(t / 10000^{2i/D})\) and
    \(p_{t, 2i + 1} = \cos(t / 10000^{2i/D})\).

    Source: Vaswani et al. 2017, sections 3.4 and 3.5.

    Shapes: (B, T, D) → (B, T, D).

    Masking: none needed; each step has its own wave, whatever stands beside it.
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, vectors: KerasTensor) -> KerasTensor:
        width = vectors.shape[-1]
        angles = position_angles(ops.shape(vectors)[1], width)  # (T, ⌈D / 2⌉)
        waves = ops.stack([ops.sin(angles), ops.cos(angles)], axis=-1)  # (T, ⌈D / 2⌉, 2)
        waves = ops.reshape(waves, (-1, 2 * angles.shape[-1]))[:, :width]  # (T, D)
        return math.sqrt(width) * vectors + ops.cast(waves, vectors.dtype)  # (B, T, D)

    def compute_output_shape(self, vectors_shape):
        return vectors_shape
