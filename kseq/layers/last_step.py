"""The vector at the end of a reading."""

import keras
from keras import KerasTensor, ops


@keras.saving.register_keras_serializable(package="kseq")
class LastStep(keras.layers.Layer):
    r"""Take the vector of the step that was read last, of each direction where there are two.

    \(y = x_l\), and with two directions \(y = [x_l^{(1..D/2)}; x_f^{(D/2+1..D)}]\): f and l are the first and the last
    real step, and what reads backward reads the first one last.

    Source: none but its definition.

    Shapes: (B, T, D) with mask bool (B, T) → (B, D). Each row needs one real step.

    Masking: required, as the second argument; the output has no time axis and so no mask.

    Args:
        bidirectional: whether the second half of D was read backward.
    """

    def __init__(self, bidirectional: bool = False, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.bidirectional = bidirectional

    def call(self, sequence: KerasTensor, mask: KerasTensor) -> KerasTensor:
        steps = ops.arange(ops.shape(mask)[1], dtype="int32")  # (T,)
        forward = _at(sequence, ops.max(ops.where(mask, steps, 0), axis=1))  # (B, D)
        if not self.bidirectional:
            return forward
        backward = _at(sequence, ops.argmax(ops.cast(mask, "int32"), axis=1))  # (B, D)
        half = sequence.shape[-1] // 2
        return ops.concatenate([forward[:, :half], backward[:, half:]], axis=-1)  # (B, D)

    def compute_mask(self, sequence, mask=None):
        return None

    def compute_output_shape(self, sequence_shape, mask_shape=None):
        return (sequence_shape[0], sequence_shape[2])

    def get_config(self):
        return {**super().get_config(), "bidirectional": self.bidirectional}


def _at(sequence: KerasTensor, step: KerasTensor) -> KerasTensor:
    """Take one step (B,) of each row of a sequence (B, T, D)."""
    return ops.squeeze(ops.take_along_axis(sequence, step[:, None, None], axis=1), 1)  # (B, D)
