"""Scaled dot-product self-attention, of one head or several."""

import math

import keras
from keras import KerasTensor, ops

from kseq.layers.masked_softmax import masked_softmax
from kseq.layers.positions import rotate_by_position


@keras.saving.register_keras_serializable(package="kseq")
class SelfAttention(keras.layers.Layer):
    r"""Let every time step look at all of them: scaled dot-product attention.

    \(A^i = \mathrm{softmax}_{t: m_t}(X W_Q^i (X W_K^i)^\top / \sqrt{K})\), \(Z^i = A^i X W_V^i\), and several heads
    \(Z^i\), joined, times \(W_O\). K is D / heads, rounded down, and at least 1; \(W_O\), (heads · K, D), gives the
    width back that rounding leaves out. Memory grows with heads · T².

    Source: Vaswani et al. 2017, sections 3.2.1 and 3.2.2. One head has no \(W_O\), which would be a second matrix after
    \(W_V\). With `rotary`, the queries and keys of each head are turned by their positions, as Su et al. 2021 do.

    Shapes: (B, T, D) with mask bool (B, T) → (B, T, D). Each row needs one real step.

    Masking: required, as the second argument; no step looks at padding. What stands at padding is of no use.

    Args:
        num_heads: number of heads.
        rotary: whether attention knows how far apart two steps are; K is then even.
    """

    def __init__(self, num_heads: int = 1, rotary: bool = False, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.num_heads = num_heads
        self.rotary = rotary

    def build(self, sequence_shape):
        width = sequence_shape[-1]
        self.head_width = max(1, width // self.num_heads)
        if self.rotary and self.head_width % 2:
            raise ValueError(
                f"the width {width} gives {self.head_width} numbers a head; rotary expects an even number."
            )
        shape = (width, self.num_heads * self.head_width)
        # No biases: that of the keys would move all scores of a query together, and so no weight.
        self.query_kernel = self.add_weight(name="query_kernel", shape=shape)
        self.key_kernel = self.add_weight(name="key_kernel", shape=shape)
        self.value_kernel = self.add_weight(name="value_kernel", shape=shape)
        if self.num_heads > 1:
            self.output_kernel = self.add_weight(name="output_kernel", shape=(shape[1], width))

    def weights_of(self, sequence: KerasTensor, mask: KerasTensor) -> KerasTensor:
        """Compute what each step has of the mean over all looking steps, float32 (B, heads, T), 1 in sum.

        The mean of the outputs over the real steps is the sum of the values with these weights.
        """
        real = ops.cast(mask, "float32")[:, None, :, None]  # (B, 1, T, 1)
        attended = self._attended(sequence, mask)  # (B, heads, T, T)
        return ops.sum(attended * real, axis=2) / ops.sum(real, axis=2)  # (B, heads, T)

    def call(self, sequence: KerasTensor, mask: KerasTensor) -> KerasTensor:
        attended = ops.cast(self._attended(sequence, mask), sequence.dtype)  # (B, heads, T, T)
        values = self._heads(sequence, self.value_kernel)  # (B, heads, T, K)
        joined = ops.transpose(ops.matmul(attended, values), (0, 2, 1, 3))  # (B, T, heads, K)
        joined = ops.reshape(joined, (*ops.shape(joined)[:2], self.num_heads * self.head_width))  # (B, T, heads · K)
        return ops.matmul(joined, self.output_kernel) if self.num_heads > 1 else joined  # (B, T, D)

    def _attended(self, sequence: KerasTensor, mask: KerasTensor) -> KerasTensor:
        """Compute the weight of each step (last axis) for each step that looks: float32 (B, heads, T, T)."""
        queries = self._heads(sequence, self.query_kernel)  # (B, heads, T, K)
        keys = self._heads(sequence, self.key_kernel)  # (B, heads, T, K)
        if self.rotary:
            queries, keys = rotate_by_position(queries), rotate_by_position(keys)
        # The queries, and not the scores, which are many more.
        queries = queries / math.sqrt(self.head_width)
        scores = ops.matmul(queries, ops.transpose(keys, (0, 1, 3, 2)))  # (B, heads, T, T)
        return masked_softmax(scores, mask[:, None, None, :])  # (B, heads, T, T)

    def _heads(self, sequence: KerasTensor, kernel: KerasTensor) -> KerasTensor:
        """Project every step for each head: (B, heads, T, K)."""
        projected = ops.matmul(sequence, kernel)  # (B, T, heads · K)
        shape = (*ops.shape(projected)[:2], self.num_heads, self.head_width)
        return ops.transpose(ops.reshape(projected, shape), (0, 2, 1, 3))

    def compute_mask(self, sequence, mask=None):
        return mask

    def compute_output_shape(self, sequence_shape, mask_shape=None):
        return sequence_shape

    def get_config(self):
        return {**super().get_config(), "num_heads": self.num_heads, "rotary": self.rotary}
