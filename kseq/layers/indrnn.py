"""The independently recurrent network."""

import keras
from keras import KerasTensor, ops


@keras.saving.register_keras_serializable(package="kseq")
class IndRNNCell(keras.layers.Layer):
    r"""A step in which every unit sees itself alone, for `ProjectedRNN`.

    \(h_t = \max(0, W x_t + u \odot h_{t-1} + b)\), with \(0 \le u \le 1\) to begin with and \(|u| \le 1\) always.

    Source: Li, Li, Cook, Zhu and Gao 2018, section 3, with the rectifier. The paper bounds \(|u|\) by
    \(\sqrt[T]{\gamma}\) for a gain of at most \(\gamma\) over T steps; 1 is the bound that holds for any T.

    Shapes: projected (B, units) and a list of one state (B, units) → the same.

    Masking: none needed; the layer keeps the state at padding.

    Args:
        units: width of the state.
    """

    def __init__(self, units: int, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.state_size = units
        self.project = keras.layers.Dense(units, name="product")

    def build(self, input_shape):
        self.project.build(input_shape)
        self.recurrent = self.add_weight(
            name="recurrent",
            shape=(self.units,),
            initializer=keras.initializers.RandomUniform(0, 1),
            # Over no axis, the norm is the absolute value.
            constraint=keras.constraints.MaxNorm(1, axis=()),
        )

    def call(self, projected: KerasTensor, states: list[KerasTensor]) -> tuple[KerasTensor, list[KerasTensor]]:
        state = ops.relu(projected + self.recurrent * states[0])  # (B, units)
        return state, [state]

    def get_config(self):
        return {**super().get_config(), "units": self.units}
