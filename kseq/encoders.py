"""Encoders: vectors with a mask become a sequence, a summary and a carry.

`build(vectors, mask, initial=None, *, options it reads)` returns `(sequence, summary, carry)`:
vectors (B, T, E), mask bool (B, T), sequence (B, T, D), summary (B, D); `carry` is the list of states that a stream
needs to go on (h, or h and c, a layer), each (B, units), and empty where there is none; `initial` is such a list.

Keras is imported when a part is built, so that the registries can be listed without TensorFlow.
"""

from typing import Any

from kseq.cells import CELLS
from kseq.registry import Part

# Why False: a model traced for cuDNN holds an operation that has no CPU kernel, and cuDNN fails on a row of padding.
# Training on a GPU builds with "auto" and copies the weights.
PORTABLE = False


def recurrent(
    vectors: Any,
    mask: Any,
    initial: list[Any] | None = None,
    *,
    options: Any,
    cell: str,
    bidirectional: bool,
    num_layers: int,
    units: int,
    layer_dropout: float,
    use_cudnn: bool | str = PORTABLE,
) -> tuple[Any, Any, list[Any]]:
    """Stack recurrent layers, each reading the sequence of the one below.

    Args:
        options: all of them, for the cell to take what it reads.
        cell: name in `CELLS`.
        bidirectional: read in both directions and join the halves; D is then twice `units`.
        num_layers: depth.
        units: width of one direction.
        layer_dropout: fraction of the sequence dropped between two layers.
        use_cudnn: as Keras takes it.
    """
    import keras

    sequence, carry, summary = vectors, [], None
    states_of_a_layer = len(initial) // num_layers if initial else 0
    for number in range(num_layers):
        if number:
            sequence = keras.layers.Dropout(layer_dropout, name=f"layer_dropout_{number}")(sequence)
        settings = {"return_sequences": True, "return_state": True, "use_cudnn": use_cudnn}
        layer = CELLS[cell](units, options=options, name=f"{cell}_{number + 1}", **settings)
        if bidirectional:
            layer = keras.layers.Bidirectional(layer, name=f"bidirectional_{number + 1}")
        first = initial[number * states_of_a_layer : (number + 1) * states_of_a_layer] if initial else None
        sequence, *states = layer(sequence, mask=mask, initial_state=first)  # (B, T, D)
        if bidirectional:
            # h comes first in the states of either direction.
            summary = keras.layers.Concatenate(name=f"summary_{number + 1}")([states[0], states[len(states) // 2]])
        else:
            summary = states[0]  # (B, D)
            carry += states
    return sequence, summary, carry


ENCODERS: dict[str, Part] = {
    "recurrent": Part(recurrent, "a stack of recurrent layers of one cell"),
}
