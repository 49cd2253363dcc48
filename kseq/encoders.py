"""Encoders: vectors with a mask become a sequence, a summary and a carry.

`build(vectors, mask, *, options it reads, **recurrence)` returns `(sequence, summary, carry)`:
vectors (B, T, E), mask bool (B, T), sequence (B, T, D), summary (B, D), which is the state of a recurrence after the
last token, and without one the vector of the last token; `carry` is the list of states that a stream needs to go on (h,
or h and c, a layer), each (B, units), and empty where there is none or the model is one to train. `recurrence` is for
recurrent layers alone: `initial`, a list such as `carry`, and `use_cudnn`, as Keras takes it: `PORTABLE`, or "auto" to
train.

Keras is imported when a part is built, so that the registries can be listed without TensorFlow.
"""

import dataclasses
from typing import Any

from kseq import descriptions
from kseq.cells import CELLS
from kseq.errors import UsageError
from kseq.kernel_sizes import read_kernel_sizes
from kseq.positions import POSITIONS
from kseq.registry import Part

# Why False: a model traced for cuDNN holds an operation that has no CPU kernel, and cuDNN fails on a row of padding.
# Training on a GPU builds with "auto" and copies the weights.
PORTABLE = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class Encoder(Part):
    """A part that reads the sequence.

    Attributes:
        describe: what it does, in words, for the console and the model card.
    """

    describe: descriptions.Describe


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
    variational_dropout: float,
    residual: bool,
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
        variational_dropout: fraction of the numbers that a layer reads of a text, dropped at every time step alike (Gal
            and Ghahramani 2016, section 4.1, on the inputs).
        residual: add to what a layer gives what it was given: y = F(x) + x, and y = F(x) + W x where their widths
            differ (He et al. 2016, equations 1 and 2; between recurrent layers, Wu et al. 2016, equation 6). Dropout is
            within F, so that x goes by whole.
        use_cudnn: as Keras takes it.
    """
    import keras

    from kseq.layers.last_step import LastStep

    sequence = vectors
    carry: list[Any] = []
    states_of_a_layer = len(initial) // num_layers if initial else 0
    for number in range(num_layers):
        below = sequence
        if number:
            sequence = keras.layers.Dropout(layer_dropout, name=f"layer_dropout_{number}")(sequence)
        # One mask a text, for all its time steps.
        dropout = keras.layers.SpatialDropout1D(variational_dropout, name=f"variational_dropout_{number + 1}")
        # Nothing goes on from a model that is trained, and its layers are faster without states.
        states_wanted = use_cudnn is PORTABLE or initial is not None
        settings: dict[str, Any] = {"return_sequences": True, "return_state": states_wanted, "use_cudnn": use_cudnn}
        layer = CELLS[cell](units, options=options, name=f"{cell}_{number + 1}", **settings)
        if bidirectional:
            layer = keras.layers.Bidirectional(layer, name=f"bidirectional_{number + 1}")
        first = initial[number * states_of_a_layer : (number + 1) * states_of_a_layer] if initial else None
        outputs = layer(dropout(sequence), mask=mask, initial_state=first)
        sequence, *states = outputs if states_wanted else [outputs]  # (B, T, D)
        if not bidirectional:
            carry += states
        if residual:
            width = sequence.shape[-1]
            if below.shape[-1] != width:
                below = keras.layers.Dense(width, use_bias=False, name=f"residual_projection_{number + 1}")(below)
            sequence = keras.layers.Add(name=f"residual_{number + 1}")([sequence, below])  # (B, T, D)
    summary = LastStep(bidirectional, name="summary")(sequence, mask)  # (B, D)
    return sequence, summary, carry


RECURRENT = Encoder(recurrent, "a stack of recurrent layers of one cell", describe=descriptions.recurrent)


def convolution(
    vectors: Any, mask: Any, *, kernel_sizes: str, filters: int, **recurrence: Any
) -> tuple[Any, Any, list[Any]]:
    """Slide filters of several widths over the steps; D is `filters` times the number of widths.

    Args:
        kernel_sizes: the widths, in steps, with commas between.
        filters: number of filters of each width.
    """
    from kseq.layers.last_step import LastStep
    from kseq.layers.masked_convolution import MaskedConvolution

    sequence = MaskedConvolution(filters, read_kernel_sizes(kernel_sizes), name="convolution")(vectors, mask)
    return sequence, LastStep(name="summary")(sequence, mask), []


CONVOLUTION = Encoder(
    convolution,
    "filters over runs of tokens; with the head max, Kim's network",
    "Kim 2014",
    describe=descriptions.convolution,
    streamable=False,
)


def convolution_recurrent(vectors: Any, mask: Any, *, options: Any, **recurrence: Any) -> tuple[Any, Any, list[Any]]:
    """Let recurrent layers read what a convolution makes of each step and its neighbours."""
    features, _, _ = CONVOLUTION(vectors, mask, options=options)
    sequence, summary, _ = RECURRENT(features, mask, options=options, **recurrence)
    # The states alone do not carry a stream on: the filters see steps that are still to come.
    return sequence, summary, []


def transformer(
    vectors: Any,
    mask: Any,
    *,
    options: Any,
    num_layers: int,
    units: int,
    num_heads: int,
    feed_forward_units: int,
    position: str,
    residual_dropout: float,
    **recurrence: Any,
) -> tuple[Any, Any, list[Any]]:
    """Stack Transformer layers, normalised before each of their two halves and once more at the end.

    x + F(LN(x)), F being self-attention and then max(0, x W + b) W + b at each step: Vaswani et al. 2017, section 3,
    with the normalisation where Xiong et al. 2020 have it (figure 1b), which needs no slow start.

    Args:
        options: all of them, for the positions to take what they read.
        num_layers: depth.
        units: D; vectors of another width are projected to it.
        num_heads: of the attention; it divides D.
        feed_forward_units: width of the hidden layer of the second half.
        position: name in `POSITIONS`.
        residual_dropout: fraction dropped of what a half adds, and of the vectors with their positions.
    """
    import keras

    from kseq.layers.last_step import LastStep
    from kseq.layers.self_attention import SelfAttention

    def normalized(sequence: Any, name: str) -> Any:
        # Keras' own epsilon, 0.001, is as large as the variance of untrained word vectors.
        return keras.layers.LayerNormalization(epsilon=1e-5, name=name)(sequence)

    def added(sequence: Any, change: Any, name: str) -> Any:
        change = keras.layers.Dropout(residual_dropout, name=f"{name}_dropout")(change)
        return keras.layers.Add(name=f"{name}_residual")([sequence, change])

    sequence = vectors
    if vectors.shape[-1] != units:
        sequence = keras.layers.Dense(units, use_bias=False, name="projection")(sequence)
    sequence, settings = POSITIONS[position](sequence, options=options)
    sequence = keras.layers.Dropout(residual_dropout, name="positions_dropout")(sequence)  # (B, T, D)
    for number in range(1, num_layers + 1):
        name = f"attention_{number}"
        attention = SelfAttention(num_heads, name=name, **settings)
        sequence = added(sequence, attention(normalized(sequence, f"{name}_norm"), mask), name)  # (B, T, D)
        name = f"feed_forward_{number}"
        hidden = keras.layers.Dense(feed_forward_units, activation="relu", name=f"{name}_hidden")
        change = keras.layers.Dense(units, name=name)(hidden(normalized(sequence, f"{name}_norm")))
        sequence = added(sequence, change, name)  # (B, T, D)
    sequence = normalized(sequence, "norm")
    return sequence, LastStep(name="summary")(sequence, mask), []


def _equal_heads(*, units: int, num_heads: int) -> None:
    """Refuse heads that leave some of the width over."""
    if units % num_heads:
        divisors = [str(number) for number in range(1, units + 1) if units % number == 0]
        raise UsageError(
            f"num_heads is {num_heads} and units is {units}; a Transformer expects heads that divide its width. "
            f"Set --num-heads to one of {', '.join(divisors)}, or change --units."
        )


def bag(vectors: Any, mask: Any, **recurrence: Any) -> tuple[Any, Any, list[Any]]:
    """Give the vectors as they are."""
    from kseq.layers.last_step import LastStep

    return vectors, LastStep(name="summary")(vectors, mask), []


ENCODERS: dict[str, Encoder] = {
    "recurrent": RECURRENT,
    "convolution": CONVOLUTION,
    "convolution_recurrent": Encoder(
        convolution_recurrent,
        "filters over runs of tokens, read by recurrent layers",
        "Zhou et al. 2015",
        made_of=(CONVOLUTION, RECURRENT),
        describe=descriptions.convolution_recurrent,
        streamable=False,
    ),
    "transformer": Encoder(
        transformer,
        "layers of self-attention, normalised before each half",
        "Vaswani et al. 2017; Xiong et al. 2020",
        check=_equal_heads,
        describe=descriptions.transformer,
        streamable=False,
    ),
    "bag": Encoder(
        bag,
        "the vectors alone; with --head mean and --ngrams 2, the fastText model",
        "Joulin et al. 2017",
        describe=descriptions.bag,
        order_sensitive=False,
    ),
}
