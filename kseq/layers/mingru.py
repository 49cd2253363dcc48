"""The minimal GRU."""

import keras
from keras import KerasTensor

from kseq.layers.linear_rnn import FORGET_BIAS


@keras.saving.register_keras_serializable(package="kseq")
class MinGRUCell(keras.layers.Layer):
    r"""Gate and candidate of a minGRU, for `LinearRNN`.

    \(z_t = \sigma(W_z x_t + b_z)\), \(\tilde h_t = W_h x_t + b_h\),
    \(h_t = (1 - z_t) \odot h_{t-1} + z_t \odot \tilde h_t\).

    Source: Feng, Tung, Ahmed, Bengio and Hajimirsadeghi 2024, "Were RNNs All We Needed?", section 3.1, in the form
    without logarithms, so that candidates and states take both signs. \(b_z\) begins at minus `FORGET_BIAS`.

    Shapes: (N, E) → two of (N, units).

    Masking: none needed; `LinearRNN` closes the gate at padding.

    Args:
        units: width of the state.
    """

    def __init__(self, units: int, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.state_size = units
        closed = keras.initializers.Constant(-FORGET_BIAS)
        self.gate = keras.layers.Dense(units, activation="sigmoid", bias_initializer=closed, name="gate")
        self.candidate = keras.layers.Dense(units, name="candidate")

    def build(self, input_shape):
        self.gate.build(input_shape)
        self.candidate.build(input_shape)

    def call(self, inputs: KerasTensor) -> tuple[KerasTensor, KerasTensor]:
        return self.gate(inputs), self.candidate(inputs)

    def get_config(self):
        return {**super().get_config(), "units": self.units}
