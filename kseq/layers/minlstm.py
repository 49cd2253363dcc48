"""The minimal LSTM."""

import keras
from keras import KerasTensor, ops

from kseq.layers.linear_rnn import FORGET_BIAS


@keras.saving.register_keras_serializable(package="kseq")
class MinLSTMCell(keras.layers.Layer):
    r"""Gate and candidate of a minLSTM, for `LinearRNN`.

    \(f_t = \sigma(W_f x_t + b_f)\), \(i_t = \sigma(W_i x_t + b_i)\), \(\tilde h_t = W_h x_t + b_h\),
    \(h_t = f'_t \odot h_{t-1} + i'_t \odot \tilde h_t\) with \(f'_t = f_t / (f_t + i_t)\) and
    \(i'_t = i_t / (f_t + i_t) = 1 - f'_t\).

    The quotient is computed as \(i'_t = \sigma(\log i_t - \log f_t)\), which is never 0/0.

    Source: Feng, Tung, Ahmed, Bengio and Hajimirsadeghi 2024, "Were RNNs All We Needed?", section 3.2, in the form
    without logarithms of the states. \(b_f\) begins at `FORGET_BIAS` and \(b_i\) at minus that, so that
    \(f'_t\) begins as in a minGRU.

    Shapes: (N, E) → two of (N, units).

    Masking: none needed; `LinearRNN` closes the gate at padding.

    Args:
        units: width of the state.
    """

    def __init__(self, units: int, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.state_size = units
        opened, closed = (keras.initializers.Constant(bias) for bias in (FORGET_BIAS, -FORGET_BIAS))
        self.forget = keras.layers.Dense(units, bias_initializer=opened, name="forget")
        self.input_gate = keras.layers.Dense(units, bias_initializer=closed, name="input_gate")
        self.candidate = keras.layers.Dense(units, name="candidate")

    def build(self, input_shape):
        for product in (self.forget, self.input_gate, self.candidate):
            product.build(input_shape)

    def call(self, inputs: KerasTensor) -> tuple[KerasTensor, KerasTensor]:
        forget = ops.log_sigmoid(self.forget(inputs))  # (N, units)
        gate = ops.sigmoid(ops.log_sigmoid(self.input_gate(inputs)) - forget)  # (N, units)
        return gate, self.candidate(inputs)

    def get_config(self):
        return {**super().get_config(), "units": self.units}
