"""External attention: the time steps look at a memory that all texts share."""

import keras
from keras import KerasTensor, ops

from kseq.layers.masked_softmax import masked_softmax


@keras.saving.register_keras_serializable(package="kseq")
class ExternalAttention(keras.layers.Layer):
    r"""Let every time step look at a learned memory, so that the cost grows with T and not with T².

    \(S = X M_K^\top\), \(\hat A_{t,j} = \mathrm{softmax}_{t: m_t}(S_{t,j})\),
    \(A_{t,j} = \hat A_{t,j} / \sum_k \hat A_{t,k}\), \(Z = A M_V\): normalised over the steps first, then over the
    memory, so that a step of large numbers is no louder.

    Source: Guo et al. 2021 (arXiv 2105.02358), with its double normalisation.

    Shapes: (B, T, D) with mask bool (B, T) → (B, T, D). Each row needs one real step.

    Masking: required, as the second argument; padding has no part in the first sum. What stands at padding is of no
    use.

    Args:
        memory_units: rows of the memory, at least 2: of one, every step has all.
    """

    def __init__(self, memory_units: int, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.memory_units = memory_units

    def build(self, sequence_shape):
        width = sequence_shape[-1]
        self.memory_keys = self.add_weight(name="memory_keys", shape=(width, self.memory_units))
        self.memory_values = self.add_weight(name="memory_values", shape=(self.memory_units, width))

    def weights_of(self, sequence: KerasTensor, mask: KerasTensor) -> KerasTensor:
        """Compute how far each row of the memory is drawn to each step, float32 (B, memory_units, T), 1 in sum."""
        scores = ops.transpose(ops.matmul(sequence, self.memory_keys), (0, 2, 1))  # (B, memory_units, T)
        return masked_softmax(scores, mask[:, None, :])  # (B, memory_units, T)

    def call(self, sequence: KerasTensor, mask: KerasTensor) -> KerasTensor:
        scores = ops.cast(ops.matmul(sequence, self.memory_keys), "float32")  # (B, T, memory_units)
        real = mask[:, :, None]  # (B, T, 1)
        # Both normalisations at once, in logarithms: where the first one leaves next to nothing of a step for every row
        # of the memory, the second one would divide it by next to nothing.
        of_steps = ops.logsumexp(ops.where(real, scores, -1e9), axis=1, keepdims=True)  # (B, 1, memory_units)
        shares = masked_softmax(scores - of_steps, real)  # (B, T, memory_units)
        return ops.matmul(ops.cast(shares, sequence.dtype), self.memory_values)  # (B, T, D)

    def compute_mask(self, sequence, mask=None):
        return mask

    def compute_output_shape(self, sequence_shape, mask_shape=None):
        return sequence_shape

    def get_config(self):
        return {**super().get_config(), "memory_units": self.memory_units}
