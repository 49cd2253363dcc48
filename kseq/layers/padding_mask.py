"""Where the real tokens are."""

import keras
from keras import KerasTensor, ops


@keras.saving.register_keras_serializable(package="kseq")
class PaddingMask(keras.layers.Layer):
    r"""Tell real tokens from padding: \(m_t = [i_t \ne 0]\) for the id \(i_t\).

    The mask is a tensor of its own that every layer takes as an argument. Keras' implicit masks get lost, without a
    warning, at the first operator that does not know them.

    Source: none but its definition.

    Shapes: integer (B, T) → bool (B, T).

    Masking: none needed.
    """

    def call(self, ids: KerasTensor) -> KerasTensor:
        return ops.not_equal(ids, 0)  # (B, T)

    def compute_output_spec(self, ids):
        return KerasTensor(ids.shape, dtype="bool")
