"""Biases that set how long a gated cell remembers before it has learned anything."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="kseq")
class ChronoBias(keras.initializers.RandomUniform):
    r"""Draw the biases of gates so that the units' memories reach from 2 to T time steps.

    \(b = \log u\) with \(u \sim \mathcal{U}(1, T - 1)\) for the gate that keeps the state, \(-b\) for the gate that
    lets the input in, 0 for the rest. At its bias alone the gate keeps \(\sigma(b) = u / (1 + u)\) of the state a step,
    and the unit forgets within about \(1 + u\) steps.

    Source: Tallec and Ollivier 2018, section 2.

    Args:
        chrono_length: T, the longest dependency that is expected, in tokens.
        signs: of b in each block of `units` biases: 1 where the gate keeps the state, -1 where it lets the input in, 0
            where the block starts at 0.
        seed: of the draw.
    """

    def __init__(self, chrono_length: int, signs: Sequence[int], seed: int | None = None):
        super().__init__(1.0, chrono_length - 1.0, seed=seed)
        self.chrono_length = chrono_length
        self.signs = tuple(signs)

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        """Draw the biases (len(signs) * units,), or (2, len(signs) * units), of which the second row is 0."""
        memory = ops.log(super().__call__((shape[-1] // len(self.signs),), dtype))  # (units,)
        bias = ops.concatenate([sign * memory for sign in self.signs])  # (len(signs) * units,)
        # The GRU has a row for what it reads and one for its state, which are added up.
        return bias if len(shape) == 1 else ops.stack([bias, ops.zeros_like(bias)])

    def get_config(self) -> dict[str, Any]:
        return {"chrono_length": self.chrono_length, "signs": self.signs, "seed": super().get_config()["seed"]}
