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

    def build(self, vectors_shape, mask_shape=None):
        self.kernels = [
            self.add_weight(name=f"kernel_of_{size}", shape=(size, vectors_shape[-1], self.filters))
            for size in self.kernel_sizes
        ]
        self.biases = [
            self.add_weight(name=f"bias_of_{size}", shape=(self.filters,), initializer="zeros")
            for size in self.kernel_sizes
        ]

    def call(self, vectors: KerasTensor, mask: KerasTensor) -> KerasTensor:
        vectors = vectors * ops.cast(mask, vectors.dtype)[:, :, None]  # (B, T, E)
        # TensorFlow's convolution of no texts at all, on a CPU, has the width of its input.
        shape = (*ops.shape(vectors)[:2], self.filters)
        settings = {"padding": "same", "data_format": "channels_last"}
        found = [ops.reshape(ops.conv(vectors, kernel, **settings), shape) for kernel in self.kernels]
        sums = [each + bias for each, bias in zip(found, self.biases, strict=True)]  # (B, T, filters) each
        return ops.relu(ops.concatenate(sums, axis=-1))  # (B, T, filters × widths)

    def compute_output_shape(self, vectors_shape, mask_shape=None):
        return (*vectors_shape[:-1], self.filters * len(self.kernel_sizes))

    def get_config(self):
        return {**super().get_config(), "filters": self.filters, "kernel_sizes": self.kernel_sizes}
