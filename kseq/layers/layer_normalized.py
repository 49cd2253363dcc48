"""Cells with layer normalisation, for `ProjectedRNN`.

The source of all is Ba, Kiros and Hinton 2016, with a normalisation LN that has a gain of its own each time it occurs.
Its shift is left out where it would only be added to a bias. LN runs over all gates of a product at once, as their
equations say, not over each gate. Weights lie as in Keras' cells, and start from `kernel_initializer`,
`recurrent_initializer` and `bias_initializer`, which all take as Keras' cells do.
"""

from typing import Any

import keras
from keras import KerasTensor, ops


class _Cell(keras.layers.Layer):
    """What the cells have in common: the weights and LN."""

    gates = 1

    def __init__(
        self,
        units: int,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.units = units
        self.state_size: Any = units
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.recurrent_initializer = keras.initializers.get(recurrent_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)

    def build(self, input_shape):
        width = self.gates * self.units
        self.kernel = self.add_weight(
            name="kernel", shape=(input_shape[-1], width), initializer=self.kernel_initializer
        )
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel", shape=(self.units, width), initializer=self.recurrent_initializer
        )
        self.bias = self.add_weight(name="bias", shape=(width,), initializer=self.first_bias)

    def first_bias(self, shape: tuple[int], dtype: Any = None) -> KerasTensor:
        """Give the bias to begin with."""
        return self.bias_initializer(shape, dtype=dtype)

    def normalization(self, name: str, width: int) -> keras.layers.Layer:
        """Make an LN without shift for (N, width)."""
        # Small beside the variance of the states of the first steps; Keras' 1e-3 is not.
        layer = keras.layers.LayerNormalization(epsilon=1e-5, center=False, name=name)
        layer.build((None, width))
        return layer

    def get_config(self):
        names = ("kernel_initializer", "recurrent_initializer", "bias_initializer")
        initializers = {name: keras.initializers.serialize(getattr(self, name)) for name in names}
        return {**super().get_config(), "units": self.units, **initializers}


@keras.saving.register_keras_serializable(package="kseq")
class LayerNormSimpleRNNCell(_Cell):
    r"""A step of a plain recurrent network.

    \(h_t = \phi(\mathrm{LN}(W x_t + U h_{t-1}) + b)\).

    Source: Ba et al. 2016, equation 4.

    Shapes: projected (B, units) and a list of one state (B, units) → the same.

    Masking: none needed; the layer keeps the state at padding.

    Args:
        units: width of the state.
        activation: \(\phi\), as Keras takes it.
    """

    def __init__(self, units: int, activation: str = "tanh", **kwargs: Any):
        super().__init__(units, **kwargs)
        self.activation = keras.activations.get(activation)

    def build(self, input_shape):
        super().build(input_shape)
        self.normalize = self.normalization("normalization", self.units)

    def project(self, inputs: KerasTensor) -> KerasTensor:
        """Multiply the inputs: (N, E) → (N, units)."""
        return ops.matmul(inputs, self.kernel)

    def call(self, projected: KerasTensor, states: list[KerasTensor]) -> tuple[KerasTensor, list[KerasTensor]]:
        total = projected + ops.matmul(states[0], self.recurrent_kernel)  # (B, units)
        state = self.activation(self.normalize(total) + self.bias)  # (B, units)
        return state, [state]

    def get_config(self):
        return {**super().get_config(), "activation": keras.activations.serialize(self.activation)}


@keras.saving.register_keras_serializable(package="kseq")
class LayerNormLSTMCell(_Cell):
    r"""A step of an LSTM.

    \((i, f, g, o) = \mathrm{LN}_1(U h_{t-1}) + \mathrm{LN}_2(W x_t) + b\),
    \(c_t = \sigma(f) \odot c_{t-1} + \sigma(i) \odot \tanh g\),
    \(h_t = \sigma(o) \odot \tanh(\mathrm{LN}_3(c_t) + \beta)\).

    Source: Ba et al. 2016, supplementary material.

    Shapes: projected (B, 4 * units) and a list of the states h and c, (B, units) each → (B, units) and such a list.

    Masking: none needed; the layer keeps the states at padding.

    Args:
        units: width of a state.
        unit_forget_bias: let the biases of \(f\) start at 1, and the others at 0, as Keras' LSTM does.
    """

    gates = 4

    def __init__(self, units: int, unit_forget_bias: bool = True, **kwargs: Any):
        super().__init__(units, **kwargs)
        self.unit_forget_bias = unit_forget_bias
        self.state_size = [units, units]

    def first_bias(self, shape, dtype=None):
        if not self.unit_forget_bias:
            return super().first_bias(shape, dtype)
        gate = (self.units,)
        return ops.concatenate([ops.zeros(gate, dtype), ops.ones(gate, dtype), ops.zeros((2 * self.units,), dtype)])

    def build(self, input_shape):
        super().build(input_shape)
        self.normalize_input = self.normalization("input_normalization", 4 * self.units)
        self.normalize_recurrent = self.normalization("recurrent_normalization", 4 * self.units)
        self.normalize_state = self.normalization("state_normalization", self.units)
        self.state_shift = self.add_weight(name="state_shift", shape=(self.units,), initializer="zeros")

    def project(self, inputs: KerasTensor) -> KerasTensor:
        """Multiply and normalise the inputs: (N, E) → (N, 4 * units)."""
        return self.normalize_input(ops.matmul(inputs, self.kernel)) + self.bias

    def call(self, projected: KerasTensor, states: list[KerasTensor]) -> tuple[KerasTensor, list[KerasTensor]]:
        gates = projected + self.normalize_recurrent(ops.matmul(states[0], self.recurrent_kernel))  # (B, 4 * units)
        i, f, g, o = ops.split(gates, 4, axis=-1)  # (B, units)
        cell_state = ops.sigmoid(f) * states[1] + ops.sigmoid(i) * ops.tanh(g)  # (B, units)
        state = ops.sigmoid(o) * ops.tanh(self.normalize_state(cell_state) + self.state_shift)  # (B, units)
        return state, [state, cell_state]

    def get_config(self):
        return {**super().get_config(), "unit_forget_bias": self.unit_forget_bias}


@keras.saving.register_keras_serializable(package="kseq")
class LayerNormGRUCell(_Cell):
    r"""A step of a GRU.

    \((z, r) = \mathrm{LN}_1(U_{zr} h_{t-1}) + \mathrm{LN}_2(W_{zr} x_t) + b_{zr}\),
    \(\hat h_t = \tanh(\mathrm{LN}_3(W_h x_t) + b_h + \sigma(r) \odot (\mathrm{LN}_4(U_h h_{t-1}) + \beta))\),
    \(h_t = \sigma(z) \odot h_{t-1} + (1 - \sigma(z)) \odot \hat h_t\).

    Source: Ba et al. 2016, supplementary material, with \(z\) and \(1 - z\) exchanged as in Keras' GRU.

    Shapes: projected (B, 3 * units) and a list of one state (B, units) → (B, units) and such a list.

    Masking: none needed; the layer keeps the state at padding.

    Args:
        units: width of the state.
    """

    gates = 3

    def build(self, input_shape):
        super().build(input_shape)
        self.normalize_input_gates = self.normalization("input_gates_normalization", 2 * self.units)
        self.normalize_input = self.normalization("input_normalization", self.units)
        self.normalize_recurrent_gates = self.normalization("recurrent_gates_normalization", 2 * self.units)
        self.normalize_recurrent = self.normalization("recurrent_normalization", self.units)
        self.recurrent_shift = self.add_weight(name="recurrent_shift", shape=(self.units,), initializer="zeros")

    def project(self, inputs: KerasTensor) -> KerasTensor:
        """Multiply and normalise the inputs: (N, E) → (N, 3 * units)."""
        gates, candidate = ops.split(ops.matmul(inputs, self.kernel), [2 * self.units], axis=-1)
        both = [self.normalize_input_gates(gates), self.normalize_input(candidate)]
        return ops.concatenate(both, axis=-1) + self.bias

    def call(self, projected: KerasTensor, states: list[KerasTensor]) -> tuple[KerasTensor, list[KerasTensor]]:
        gates, candidate = ops.split(ops.matmul(states[0], self.recurrent_kernel), [2 * self.units], axis=-1)
        input_gates, input_candidate = ops.split(projected, [2 * self.units], axis=-1)
        z, r = ops.split(ops.sigmoid(input_gates + self.normalize_recurrent_gates(gates)), 2, axis=-1)  # (B, units)
        recurrent = self.normalize_recurrent(candidate) + self.recurrent_shift  # (B, units)
        found = ops.tanh(input_candidate + r * recurrent)  # (B, units)
        state = z * states[0] + (1 - z) * found  # (B, units)
        return state, [state]
