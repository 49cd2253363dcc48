"""Recurrent layers whose recurrence is linear in the state."""

from typing import Any

import keras
from keras import KerasTensor, ops

from kseq.layers.linear_recurrence import linear_recurrence

# Where the bias of a forget gate begins: seven eighths of the state stay at a step. From 0, half of it is gone at every
# step, and what lies some words back never shows in the gradient. Of 0, 2 and 3, it was best on validation of the
# built-in reviews.
FORGET_BIAS = 2.0


@keras.saving.register_keras_serializable(package="kseq")
class LinearRNN(keras.layers.RNN):
    r"""Compute what depends on the input for all steps in one product, and then the states.

    \(h_t = (1 - z_t) \odot h_{t-1} + z_t \odot c_t\), where the gate \(z_t\) and the candidate \(c_t\) depend on
    \(x_t\) alone.

    Source: Martin and Cundy 2018, section 2, on recurrences of this form.

    Shapes: (B, T, E) → (B, T, units) or (B, units), as `keras.layers.RNN`, which explains the arguments.

    Masking: optional bool (B, T); the state stays as it is at padding.

    Args:
        cell: a layer with `units` and `state_size`. From inputs (N, E), the steps of all texts, it gives the gate (N,
            units), the candidate (N, units) and whatever else its outputs are made of. A cell whose state size is a
            list has `outputs(states, …)`, which makes its outputs (N, units) of the states (N, units) and of these;
            the states of such a layer are the last output and the last \(h\).
    """

    def inner_loop(self, sequences: KerasTensor, initial_state: Any, mask: Any, training: bool = False) -> tuple:
        batch, length = ops.shape(sequences)[:2]
        if self.go_backwards:
            sequences = ops.flip(sequences, axis=1)
            mask = None if mask is None else ops.flip(mask, axis=1)
        steps = ops.transpose(sequences, (1, 0, 2))  # (T, B, E)
        flat = ops.reshape(steps, (-1, sequences.shape[-1]))  # (T * B, E)
        by_step = (length, batch, self.cell.units)
        gate, candidate, *rest = self.cell(flat)  # (T * B, units)
        gate = ops.reshape(gate, by_step)  # (T, B, units)
        if mask is not None:
            mask = ops.transpose(mask)  # (T, B)
            gate *= ops.cast(mask, gate.dtype)[:, :, None]
        states = linear_recurrence(gate, ops.reshape(candidate, by_step), initial_state[-1])  # (T, B, units)
        outputs, last_states = states, [states[-1]]
        if not self.single_state:
            flat_states = ops.reshape(states, (-1, self.cell.units))  # (T * B, units)
            outputs = ops.reshape(self.cell.outputs(flat_states, *rest), by_step)  # (T, B, units)
            last_states = [_last(outputs, mask, initial_state[0]), states[-1]]
        if self.zero_output_for_mask and mask is not None:
            outputs = ops.where(mask[:, :, None], outputs, ops.zeros_like(outputs))
        return last_states[0], ops.transpose(outputs, (1, 0, 2)), last_states


def _last(outputs: KerasTensor, mask: Any, initial: KerasTensor) -> KerasTensor:
    """Take the output of the last real step (B, units), or the initial one where no step is real."""
    if mask is None:
        return outputs[-1]
    # From 1, so that 0 says that there is none.
    numbers = ops.arange(1, ops.shape(outputs)[0] + 1, dtype="int32")[:, None]  # (T, 1)
    last = ops.max(ops.where(mask, numbers, 0), axis=0)  # (B,)
    found = ops.take_along_axis(outputs, ops.maximum(last - 1, 0)[None, :, None], axis=0)[0]  # (B, units)
    return ops.where(last[:, None] > 0, found, initial)
