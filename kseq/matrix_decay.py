"""Optimizers with decoupled weight decay, which decay matrices alone."""

from typing import Any

import keras


class _MatrixDecay(keras.optimizers.Optimizer):
    """Leaves vectors out of the decay: biases, scales, and a recurrence that is one number a unit.

    They are told by their one axis, so that a layer names its weights as it likes; Keras' GRU alone has two biases, as
    the rows of one weight.
    """

    def build(self, variables: Any) -> None:
        if not self.built:
            self.exclude_from_weight_decay(
                [variable for variable in variables if len(variable.shape) < 2 or variable.name == "bias"]
            )
        super().build(variables)


@keras.saving.register_keras_serializable(package="kseq")
class MatrixDecayAdamW(_MatrixDecay, keras.optimizers.AdamW):
    """`keras.optimizers.AdamW` that decays matrices alone."""


@keras.saving.register_keras_serializable(package="kseq")
class MatrixDecayLion(_MatrixDecay, keras.optimizers.Lion):
    """`keras.optimizers.Lion` that decays matrices alone."""
