"""Multiplicative attention, whose query is the summary of the text."""

import keras
from keras import KerasTensor, ops

from kseq.layers.masked_softmax import masked_softmax


@keras.saving.register_keras_serializable(package="kseq")
class MultiplicativeAttention(keras.layers.Layer):
    r"""Weigh the time steps by their product with a query through a learned matrix, and sum them.

    \(a = \mathrm{softmax}_{t: m_t}(q^\top W x_t)\), \(y = \sum_t a_t x_t\).

    Source: Luong, Pham and Manning 2015, section 3.1, the score "general".

    Shapes: (B, T, D), (B, Q) with mask bool (B, T) → (B, D). Each row needs one real step.

    Masking: required, as the third argument; padding gets the weight 0.
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, sequence_shape, query_shape, mask_shape=None):
        self.kernel = self.add_weight(name="kernel", shape=(query_shape[-1], sequence_shape[-1]))

    def weights_of(self, sequence: KerasTensor, query: KerasTensor, mask: KerasTensor) -> KerasTensor:
        """Compute the attention weights, float32 (B, T): 0 at padding, 1 in sum over a row."""
        asked = ops.matmul(query, self.kernel)[:, :, None]  # (B, D, 1)
        scores = ops.matmul(sequence, asked)[:, :, 0]  # (B, T)
        return masked_softmax(scores, mask)  # (B, T)

    def call(self, sequence: KerasTensor, query: KerasTensor, mask: KerasTensor) -> KerasTensor:
        weights = ops.cast(self.weights_of(sequence, query, mask), sequence.dtype)  # (B, T)
        return ops.sum(sequence * weights[:, :, None], axis=1)  # (B, D)

    def compute_mask(self, sequence, query=None, mask=None):
        return None

    def compute_output_shape(self, sequence_shape, query_shape=None, mask_shape=None):
        return (sequence_shape[0], sequence_shape[2])
