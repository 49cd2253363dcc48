"""Recurrent layers of Keras that compute what they can outside of their loop."""

from typing import Any

import keras
from keras import KerasTensor, ops


@keras.saving.register_keras_serializable(package="kseq")
class HoistedRNN(keras.layers.RNN):
    r"""Run the loop of a `keras.layers.SimpleRNN`, `LSTM` or `GRU` with `gated_recurrence`, where that is possible.

    \(h_t = f(W x_t + b,\; U h_{t-1} + d,\; \ldots)\), with \(W x_t + b\) of all steps in one product before the loop,
    and the gradients of W and U in one product each after it.

    It is possible where `parts` is not 0, the backend is TensorFlow, the whole sequence of outputs and no state is
    asked for, and the cell is as Keras makes it, but for the initialisers and a known activation. Otherwise Keras' own
    loop runs. The weights are the same for both.

    Source: none but its definition; `kseq.kernels.gated_recurrence` has the gradients.

    Shapes: (B, T, E) → (B, T, units), or whatever else `keras.layers.RNN` is asked for, in Keras' own loop.

    Masking: optional bool (B, T) of tokens before padding. The loop goes on over the padding, and what the layer gives
    there means nothing.

    Args:
        arguments: those of the layer of Keras.
        parts: of the batch that are computed at once; 0 for Keras' own loop.
    """

    def __init__(self, *arguments: Any, parts: int = 0, **kwargs: Any):
        super().__init__(*arguments, **kwargs)
        self.parts = parts

    def inner_loop(self, sequences: KerasTensor, initial_state: Any, mask: KerasTensor | None, training: bool = False):
        step = self._step()
        if step is None:
            return super().inner_loop(sequences, initial_state, mask, training=training)
        from kseq.kernels.gated_recurrence import gated_recurrence

        cell = self.cell
        # A GRU has two biases.
        biases = ops.unstack(ops.reshape(cell.bias, (-1, cell.kernel.shape[1])))
        outputs = gated_recurrence(
            step,
            sequences,
            cell.kernel,
            cell.recurrent_kernel,
            *biases,
            mask=mask,
            go_backwards=self.go_backwards,
            parts=self.parts,
        )
        # The sequence alone was asked for.
        return outputs[:, -1], outputs, initial_state

    def _step(self) -> Any:
        """Choose the step of the cell, or None where Keras' own loop must run."""
        cell = self.cell
        asked = self.return_sequences and not self.return_state and not self.stateful and not self.zero_output_for_mask
        if not (self.parts and asked and keras.backend.backend() == "tensorflow"):
            return None
        if not cell.use_bias or cell.dropout or cell.recurrent_dropout or self.compute_dtype != "float32":
            return None
        from kseq.kernels.recurrent_steps import GRU, LSTM, simple_rnn_step

        if isinstance(cell, keras.layers.SimpleRNNCell):
            return simple_rnn_step(cell.activation)
        usual = cell.activation is keras.activations.tanh and cell.recurrent_activation is keras.activations.sigmoid
        if not usual:
            return None
        if isinstance(cell, keras.layers.LSTMCell):
            return LSTM
        return GRU if cell.reset_after else None

    def get_config(self):
        return {**super().get_config(), "parts": self.parts}
