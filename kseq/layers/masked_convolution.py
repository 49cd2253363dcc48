"""Convolution over time that padding stays out of."""

from collections.abc import Sequence

import keras
from keras import KerasTensor, ops


@keras.saving.register_keras_serializable(package="kseq")
class MaskedConvolution(keras.layers.Layer):
    r"""Slide filters of several widths over the steps, side by side.

    \(y_t^k = \mathrm{relu}(\sum_{j=0}^{k-1} W_j^k m_s x_s + b^k)\) with \(s = t + j - \lfloor (k - 1) / 2 \rfloor\),
    for each width k, joined. Beyond either end of the text there are zeros, so that each step has its window, however
    short the text is.

    Source: Kim 2014, equation 2, at every step in place of those whose window lies within the text.

    Shapes: (B, T, E) with mask bool (B, T) → (B, T, filters × widths).

    Masking: required, as the second argument; padding is set to 0, as what lies beyond the text is. What comes out at
    padding means nothing.

    Args:
        filters: number of filters of each width.
        kernel_sizes: the widths k, in steps.
    """

    def __init__(self, filters: int, kernel_sizes: Sequence[int], **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.filters = filters
        self.kernel_sizes = list(kernel_sizes)
        self.convolutions = [
            keras.layers.Conv1D(filters, size, padding="same", activation="relu", name=f"of_{size}_tokens")
            for size in self.kernel_sizes
        ]

    def build(self, vectors_shape, mask_shape=None):
        for convolution in self.convolutions:
            convolution.build(vectors_shape)

    def call(self, vectors: KerasTensor, mask: KerasTensor) -> KerasTensor:
        vectors = vectors * ops.cast(mask, vectors.dtype)[:, :, None]  # (B, T, E)
        return ops.concatenate([convolution(vectors) for convolution in self.convolutions], axis=-1)

    def compute_output_shape(self, vectors_shape, mask_shape=None):
        return (*vectors_shape[:-1], self.filters * len(self.kernel_sizes))

    def get_config(self):
        return {**super().get_config(), "filters": self.filters, "kernel_sizes": self.kernel_sizes}
