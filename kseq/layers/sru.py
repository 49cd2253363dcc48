"""The simple recurrent unit."""

import math

import keras
from keras import KerasTensor

from kseq.layers.linear_rnn import FORGET_BIAS


@keras.saving.register_keras_serializable(package="kseq")
class SRUCell(keras.layers.Layer):
    r"""Gate, candidate and highway of a simple recurrent unit, for `LinearRNN`.

    \(f_t = \sigma(W_f x_t + b_f)\), \(r_t = \sigma(W_r x_t + b_r)\),
    \(c_t = f_t \odot c_{t-1} + (1 - f_t) \odot W x_t\),
    \(h_t = r_t \odot c_t + (1 - r_t) \odot \alpha x_t\) with \(\alpha = \sqrt 3\). Where E is not `units`, the highway
    carries \(W_p x_t\) in place of \(x_t\).

    Source: Lei, Zhang, Wang, Dai and Artzi 2018, section 2, without the terms \(v_f \odot c_{t-1}\) and
    \(v_r \odot c_{t-1}\) of the gates, which the paper's first version (2017) does not have either, and with which the
    recurrence would not be linear. The scale \(\alpha\) and the uniform initial weights of variance 1/E are the
    paper's for a \(b_r\) that begins at 0; \(b_f\) begins at `FORGET_BIAS`.

    Shapes: (N, E) → four of (N, units). The states of the layer are the output \(h\), which it only hands on, and
    \(c\).

    Masking: none needed; `LinearRNN` closes the gate at padding. The outputs at padding are of no meaning.

    Args:
        units: width of the state.
    """

    def __init__(self, units: int, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.state_size = [units, units]
        settings = {"units": units, "kernel_initializer": "lecun_uniform"}
        opened = keras.initializers.Constant(FORGET_BIAS)
        self.forget = keras.layers.Dense(activation="sigmoid", bias_initializer=opened, name="forget", **settings)
        self.reset = keras.layers.Dense(activation="sigmoid", name="reset", **settings)
        self.candidate = keras.layers.Dense(use_bias=False, name="candidate", **settings)
        self.projection = keras.layers.Dense(use_bias=False, name="projection", **settings)

    def build(self, input_shape):
        for product in (self.forget, self.reset, self.candidate):
            product.build(input_shape)
        if input_shape[-1] != self.units:
            self.projection.build(input_shape)

    def call(self, inputs: KerasTensor) -> tuple[KerasTensor, KerasTensor, KerasTensor, KerasTensor]:
        highway = self.projection(inputs) if self.projection.built else inputs  # (N, units)
        return 1 - self.forget(inputs), self.candidate(inputs), self.reset(inputs), math.sqrt(3) * highway

    def outputs(self, states: KerasTensor, reset: KerasTensor, highway: KerasTensor) -> KerasTensor:
        """Mix the states with the highway: three of (N, units) → (N, units)."""
        return highway + reset * (states - highway)

    def get_config(self):
        return {**super().get_config(), "units": self.units}
