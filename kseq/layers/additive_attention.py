"""Additive attention with one learned query."""

import keras
from keras import KerasTensor, ops

from kseq.layers.masked_softmax import masked_softmax


@keras.saving.register_keras_serializable(package="kseq")
class AdditiveAttention(keras.layers.Layer):
    r"""Weigh the time steps by additive attention with a learned query, and sum them.

    \(u_t = \tanh(W x_t + b)\), \(a = \mathrm{softmax}_{t: m_t}(q^\top u_t)\), \(y = \sum_t a_t x_t\).

    Nothing asks here as a translation's decoder does, so that the query q is a weight: what counts in any text.

    Source: Bahdanau, Cho and Bengio 2015, with the learned query of Yang et al. 2016, equations 5 to 7.

    Shapes: (B, T, D) with mask bool (B, T) → (B, D). Each row needs one real step.

    Masking: required, as the second argument; padding gets the weight 0.

    Args:
        units: width of the hidden layer that scores a step.
    """

    def __init__(self, units: int, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.units = units
        self.hidden = keras.layers.Dense(units, activation="tanh", name="hidden")
        self.query = keras.layers.Dense(1, use_bias=False, name="query")

    def build(self, sequence_shape):
        self.hidden.build(sequence_shape)
        self.query.build((*sequence_shape[:-1], self.units))

    def scores_of(self, sequence: KerasTensor) -> KerasTensor:
        """Score each step by itself, (B, T)."""
        return self.query(self.hidden(sequence))[:, :, 0]  # (B, T)

    def weights_of(self, sequence: KerasTensor, mask: KerasTensor) -> KerasTensor:
        """Compute the attention weights, float32 (B, T): 0 at padding, 1 in sum over a row."""
        return masked_softmax(self.scores_of(sequence), mask)  # (B, T)

    def call(self, sequence: KerasTensor, mask: KerasTensor) -> KerasTensor:
        weights = ops.cast(self.weights_of(sequence, mask), sequence.dtype)  # (B, T)
        return ops.sum(sequence * weights[:, :, None], axis=1)  # (B, D)

    def compute_mask(self, sequence, mask=None):
        return None

    def compute_output_shape(self, sequence_shape, mask_shape=None):
        return (sequence_shape[0], sequence_shape[2])

    def get_config(self):
        return {**super().get_config(), "units": self.units}
