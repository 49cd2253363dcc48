"""Positions: how a Transformer, whose attention knows no order, is told where a vector stands.

`build(sequence)` takes the sequence (B, T, D) before the first layer, and returns it with its positions, or as it is,
and the settings of the `SelfAttention` of every layer.

Keras is imported when a part is built, so that the registry can be listed without TensorFlow.
"""

from typing import Any

from kseq.errors import UsageError
from kseq.registry import Part


def sinusoidal(sequence: Any) -> tuple[Any, dict[str, bool]]:
    """Add waves to the vectors once; attention finds positions among the rest of what a vector holds."""
    from kseq.layers.positions import SinusoidalPositions

    return SinusoidalPositions(name="positions")(sequence), {}


def rotary(sequence: Any) -> tuple[Any, dict[str, bool]]:
    """Leave the vectors, and let the attention of each layer turn its queries and keys."""
    return sequence, {"rotary": True}


def _pairs(*, units: int, num_heads: int) -> None:
    """Refuse heads of an odd width, whose numbers make no pairs to be turned."""
    if units // num_heads % 2:
        raise UsageError(
            f"units is {units} and num_heads {num_heads}, so that a head has {units // num_heads} numbers; rotary "
            "positions expect an even number. Change --units or --num-heads, or choose --position sinusoidal."
        )


POSITIONS: dict[str, Part] = {
    "sinusoidal": Part(sinusoidal, "waves of many lengths, added to the vectors", "Vaswani et al. 2017"),
    "rotary": Part(rotary, "queries and keys turned by their places", "Su et al. 2021", check=_pairs),
}
