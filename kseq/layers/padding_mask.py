"""Where the real tokens are."""

import keras
from keras import KerasTensor, ops


@keras.saving.register_keras_serializable(package="kseq")
class PaddingMask(keras.layers.Layer):
    """Tell real tokens from padding: True where an id is not 0.

    The mask is a tensor of its own that every layer takes as an argument. Keras' implicit masks get lost, without a
    warning, at the first operator that does not know them.

    Shapes: integer (B, T) → bool (B, T).

    Masking: none needed.
    """

    def call(self, ids: KerasTensor) -> KerasTensor:
        return ops.not_equal(ids, 0)  # (B, T)

    def compute_output_spec(self, ids):
        return KerasTensor(ids.shape, dtype="bool")
