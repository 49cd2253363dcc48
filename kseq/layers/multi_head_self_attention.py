"""Self-attention in several heads."""

import keras
from keras import KerasTensor, ops

from kseq.layers.positions import rotate_by_position
from kseq.layers.scaled_dot_product import join_heads, scaled_dot_product, split_heads


@keras.saving.register_keras_serializable(package="kseq")
class MultiHeadSelfAttention(keras.layers.Layer):
    r"""Let every step look at every real step, in several heads side by side.

    \([Q, K, V] = X W + b\), each split into H heads of D / H numbers; head h is
    \(\mathrm{softmax}(Q_h K_h^\top / \sqrt{D / H}) V_h\) over the real steps, and
    \(Y = \mathrm{concat}_h(\mathrm{head}_h) W^O + b^O\).

    Source: Vaswani et al. 2017, section 3.2.2; with `rotary`, queries and keys are turned by their positions as Su et
    al. 2021 do.

    Shapes: (B, T, D) with mask bool (B, T) → (B, T, D). Each row needs one real step.

    Masking: required, as the second argument; no step looks at padding, whose own vectors mean nothing.

    Args:
        num_heads: H; it divides D.
        rotary: whether queries and keys are turned by their positions; D / H is then even.
    """

    def __init__(self, num_heads: int, rotary: bool = False, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.num_heads = num_heads
        self.rotary = rotary

    def build(self, sequence_shape, mask_shape=None):
        width = sequence_shape[-1]
        if width % self.num_heads or (self.rotary and width // self.num_heads % 2):
            even = " into heads of an even width" if self.rotary else ""
            raise ValueError(f"num_heads is {self.num_heads}; expected what divides the width {width}{even}.")
        # One product for the three: a larger one is faster than three smaller ones.
        self.projection = keras.layers.Dense(3 * width, name="projection")
        self.projection.build(sequence_shape)
        self.output_projection = keras.layers.Dense(width, name="output_projection")
        self.output_projection.build(sequence_shape)

    def call(self, sequence: KerasTensor, mask: KerasTensor) -> KerasTensor:
        projected = ops.split(self.projection(sequence), 3, axis=-1)  # (B, T, D) each
        queries, keys, values = (split_heads(part, self.num_heads) for part in projected)  # (B, H, T, D / H)
        if self.rotary:
            queries, keys = rotate_by_position(queries), rotate_by_position(keys)
        heads = scaled_dot_product(queries, keys, values, mask[:, None, None, :])  # (B, H, T, D / H)
        return self.output_projection(join_heads(heads))  # (B, T, D)

    def compute_output_shape(self, sequence_shape, mask_shape=None):
        return sequence_shape

    def get_config(self):
        return {**super().get_config(), "num_heads": self.num_heads, "rotary": self.rotary}
