"""Where the real time steps of numeric sequences are."""

import keras
from keras import KerasTensor, ops


@keras.saving.register_keras_serializable(package="kseq")
class LengthMask(keras.layers.Layer):
    r"""Tell real time steps from padding by the length n of each row: \(m_t = [t < n]\), with t from 0.

    A number may be 0, so that the numbers themselves do not tell.

    Source: none but its definition.

    Shapes: (B, T, F) with lengths integer (B,) → bool (B, T).

    Masking: none needed.
    """

    def call(self, values: KerasTensor, lengths: KerasTensor) -> KerasTensor:
        steps = ops.arange(ops.shape(values)[1], dtype=lengths.dtype)  # (T,)
        return steps[None, :] < lengths[:, None]  # (B, T)

    def compute_output_spec(self, values, lengths):
        return KerasTensor(values.shape[:2], dtype="bool")
