"""Recurrent layers that drop weights of their recurrent matrix."""

from typing import Any

import keras
from keras import KerasTensor

from kseq.layers.hoisted_rnn import HoistedRNN


@keras.saving.register_keras_serializable(package="kseq")
class WeightDropRNN(keras.layers.RNN):
    r"""Repeat a cell, and drop weights of its recurrent matrix U, in training only.

    \(\tilde U = M \odot U / (1 - p)\) with \(M_{ij} \sim \mathrm{Bernoulli}(1 - p)\), drawn once a batch: one matrix
    for all its texts and time steps. Only kept weights get a gradient.

    Source: Merity, Keskar and Socher 2018, section 2, with the DropConnect of Wan et al. 2013.

    Shapes: (B, T, E) → (B, T, units) or (B, units), as `keras.layers.RNN`. The cell's weight `recurrent_kernel` is U.
    Within `keras.layers.Bidirectional` either direction has masks of its own.

    Masking: that of `keras.layers.RNN`.

    Args:
        arguments: those of the layer of Keras, such as the cell.
        weight_drop: p, the fraction of the weights to drop.
    """

    def __init__(self, *arguments: Any, weight_drop: float = 0.0, **kwargs: Any):
        super().__init__(*arguments, **kwargs)
        self.weight_drop = weight_drop
        self.weight_drop_generator = keras.random.SeedGenerator() if weight_drop else None

    def inner_loop(self, sequences: KerasTensor, initial_state: Any, mask: KerasTensor | None, training: bool = False):
        if not (training and self.weight_drop):
            return super().inner_loop(sequences, initial_state, mask, training=training)
        kernel = self.cell.recurrent_kernel
        dropped = keras.random.dropout(kernel, self.weight_drop, seed=self.weight_drop_generator)  # as the kernel
        # In this scope the weight has the dropped value, for the loop over steps as well as for cuDNN.
        with keras.StatelessScope([(kernel, dropped)]):
            return super().inner_loop(sequences, initial_state, mask, training=training)

    def get_config(self):
        return {**super().get_config(), "weight_drop": self.weight_drop}


@keras.saving.register_keras_serializable(package="kseq")
class WeightDropSimpleRNN(WeightDropRNN, HoistedRNN, keras.layers.SimpleRNN):
    r"""Repeat a plain recurrent step with weight drop.

    \(h_t = \phi(W x_t + \tilde U h_{t-1} + b)\), with \(\tilde U\) as `WeightDropRNN` has it.

    Source: Elman 1990, with the weight drop of Merity et al. 2018.

    Shapes: (B, T, E) → (B, T, units) or (B, units).

    Masking: optional bool (B, T); the state stays as it is at padding, but for what `HoistedRNN` says.

    Args:
        arguments: those of `keras.layers.SimpleRNN`.
        weight_drop: as of `WeightDropRNN`.
        parts: as of `HoistedRNN`.
    """


@keras.saving.register_keras_serializable(package="kseq")
class WeightDropLSTM(WeightDropRNN, HoistedRNN, keras.layers.LSTM):
    r"""Repeat a step of an LSTM with weight drop.

    \((i, f, g, o) = W x_t + \tilde U h_{t-1} + b\), \(c_t = \sigma(f) \odot c_{t-1} + \sigma(i) \odot \tanh g\),
    \(h_t = \sigma(o) \odot \tanh c_t\), with \(\tilde U\) as `WeightDropRNN` has it.

    Source: Hochreiter and Schmidhuber 1997, with the forget gate of Gers, Schmidhuber and Cummins 2000 and the weight
    drop of Merity et al. 2018.

    Shapes: (B, T, E) → (B, T, units) or (B, units).

    Masking: optional bool (B, T); the states stay as they are at padding, but for what `HoistedRNN` says.

    Args:
        arguments: those of `keras.layers.LSTM`.
        weight_drop: as of `WeightDropRNN`.
        parts: as of `HoistedRNN`.
    """


@keras.saving.register_keras_serializable(package="kseq")
class WeightDropGRU(WeightDropRNN, HoistedRNN, keras.layers.GRU):
    r"""Repeat a step of a GRU with weight drop.

    \((z, r) = \sigma(W_{zr} x_t + b_{zr} + \tilde U_{zr} h_{t-1} + d_{zr})\),
    \(\hat h_t = \tanh(W_h x_t + b_h + r \odot (\tilde U_h h_{t-1} + d_h))\),
    \(h_t = z \odot h_{t-1} + (1 - z) \odot \hat h_t\), with \(\tilde U\) as `WeightDropRNN` has it.

    Source: Cho et al. 2014, with the reset after the product and two biases as in Keras, and the weight drop of Merity
    et al. 2018.

    Shapes: (B, T, E) → (B, T, units) or (B, units).

    Masking: optional bool (B, T); the state stays as it is at padding, but for what `HoistedRNN` says.

    Args:
        arguments: those of `keras.layers.GRU`.
        weight_drop: as of `WeightDropRNN`.
        parts: as of `HoistedRNN`.
    """
