"""Recurrent layers that multiply the input once for all steps."""

from typing import Any

import keras
from keras import KerasTensor, ops

from kseq.layers.weight_drop import WeightDropRNN


@keras.saving.register_keras_serializable(package="kseq")
class ProjectedRNN(WeightDropRNN):
    r"""Compute what a cell needs of the input for all steps in one product, then go step by step.

    \(p_t = \mathrm{project}(x_t)\) for all t at once, then \((h_t, s_t) = \mathrm{cell}(p_t, s_{t-1})\).

    Source: none but its definition.

    Shapes: (B, T, E) → (B, T, units) or (B, units), as `keras.layers.RNN`, which explains the arguments.

    Masking: optional bool (B, T); the states stay as they are at padding.

    Args:
        cell: as Keras' cells, but for inputs (B, P) that its method `project` has made: (N, E) → (N, P).
        weight_drop: as `WeightDropRNN`, of a cell that has the weight `recurrent_kernel`.
    """

    def inner_loop(self, sequences: KerasTensor, initial_state: Any, mask: Any, training: bool = False) -> tuple:
        batch, length = ops.shape(sequences)[:2]
        flat = ops.reshape(sequences, (-1, sequences.shape[-1]))  # (B * T, E)
        projected = self.cell.project(flat)  # (B * T, P)
        projected = ops.reshape(projected, (batch, length, projected.shape[-1]))  # (B, T, P)
        return super().inner_loop(projected, initial_state, mask, training)
