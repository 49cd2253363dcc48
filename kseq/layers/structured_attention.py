"""Structured self-attention: several weighted sums of one sequence."""

import keras
from keras import KerasTensor, ops

from kseq.layers.masked_softmax import masked_softmax


@keras.saving.register_keras_serializable(package="kseq")
class StructuredAttention(keras.layers.Layer):
    r"""Weigh the time steps several times, each hop in its own way, and join the sums.

    \(A = \mathrm{softmax}_{t: m_t}(W_2 \tanh(W_1 X^\top))\), \(y\) = the rows of \(A X\), joined.

    In training, \(c \lVert A A^\top - I \rVert_F^2\), its mean over the batch, is added to the loss: it keeps hops from
    looking at the same words, and a hop from looking at many. Scores and validation losses are without it.

    Source: Lin et al. 2017, equations 6 to 8.

    Shapes: (B, T, D) with mask bool (B, T) → (B, hops · D). Each row needs one real step.

    Masking: required, as the second argument; padding gets the weight 0.

    Args:
        hops: number of weighted sums.
        units: width of the hidden layer that scores a step.
        penalty: c, the share of the penalty in the loss; 0 for none.
    """

    def __init__(self, hops: int, units: int, penalty: float = 0.0, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.hops = hops
        self.units = units
        self.penalty = penalty
        self.hidden = keras.layers.Dense(units, activation="tanh", use_bias=False, name="hidden")
        self.queries = keras.layers.Dense(hops, use_bias=False, name="queries")

    def build(self, sequence_shape):
        self.hidden.build(sequence_shape)
        self.queries.build((*sequence_shape[:-1], self.units))

    def weights_of(self, sequence: KerasTensor, mask: KerasTensor) -> KerasTensor:
        """Compute the attention weights, float32 (B, hops, T): 0 at padding, 1 in sum over the steps."""
        scores = ops.transpose(self.queries(self.hidden(sequence)), (0, 2, 1))  # (B, hops, T)
        return masked_softmax(scores, mask[:, None, :])  # (B, hops, T)

    def call(self, sequence: KerasTensor, mask: KerasTensor, training: bool = False) -> KerasTensor:
        weights = self.weights_of(sequence, mask)  # (B, hops, T)
        if training and self.penalty:
            self.add_loss(self.penalty * ops.mean(_overlap(weights)))
        sums = ops.matmul(ops.cast(weights, sequence.dtype), sequence)  # (B, hops, D)
        return ops.reshape(sums, (-1, self.hops * sequence.shape[-1]))  # (B, hops · D)

    def compute_mask(self, sequence, mask=None):
        return None

    def compute_output_shape(self, sequence_shape, mask_shape=None):
        return (sequence_shape[0], self.hops * sequence_shape[2])

    def get_config(self):
        return {**super().get_config(), "hops": self.hops, "units": self.units, "penalty": self.penalty}


def _overlap(weights: KerasTensor) -> KerasTensor:
    """Measure how far hops share steps or spread: the penalty of each row, (B,)."""
    products = ops.matmul(weights, ops.transpose(weights, (0, 2, 1)))  # (B, hops, hops)
    return ops.sum(ops.square(products - ops.eye(weights.shape[1])), axis=(1, 2))  # (B,)
