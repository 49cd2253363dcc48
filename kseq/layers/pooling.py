"""Pooling over time that leaves padding out."""

import keras
from keras import KerasTensor, ops


@keras.saving.register_keras_serializable(package="kseq")
class MaskedMaxPooling(keras.layers.Layer):
    r"""Take the maximum over the real time steps: \(y_d = \max_{t: m_t} x_{t,d}\).

    Unlike `keras.layers.GlobalMaxPooling1D`, which ignores masks, padding never wins.

    Source: Collobert et al. 2011, section 3.2.2, the "max over time".

    Shapes: (B, T, D) with mask bool (B, T) → (B, D). Each row needs one real step.

    Masking: required, as the second argument; the output has no time axis and so no mask.
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, sequence: KerasTensor, mask: KerasTensor) -> KerasTensor:
        lowest = ops.cast(-1e9 if self.compute_dtype != "float16" else -6e4, sequence.dtype)
        return ops.max(ops.where(mask[:, :, None], sequence, lowest), axis=1)  # (B, D)

    def compute_mask(self, sequence, mask=None):
        return None

    def compute_output_shape(self, sequence_shape, mask_shape=None):
        return (sequence_shape[0], sequence_shape[2])


@keras.saving.register_keras_serializable(package="kseq")
class MaskedMeanPooling(keras.layers.Layer):
    r"""Take the mean over the real time steps: \(y_d = \sum_t m_t x_{t,d} / \sum_t m_t\).

    Source: none but its definition.

    Shapes: (B, T, D) with mask bool (B, T) → (B, D). Each row needs one real step: of none, the mean is 0/0.

    Masking: required, as the second argument; the output has no time axis and so no mask.
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, sequence: KerasTensor, mask: KerasTensor) -> KerasTensor:
        weights = ops.cast(mask, sequence.dtype)[:, :, None]  # (B, T, 1)
        return ops.sum(sequence * weights, axis=1) / ops.sum(weights, axis=1)  # (B, D)

    def compute_mask(self, sequence, mask=None):
        return None

    def compute_output_shape(self, sequence_shape, mask_shape=None):
        return (sequence_shape[0], sequence_shape[2])
