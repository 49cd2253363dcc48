"""Cells: the step that a recurrent layer repeats.

`build(units, *, options it reads, **settings)` makes a layer as Keras' recurrent ones are. Called with a sequence (B,
T, E), `mask=` bool (B, T) and `initial_state=`, it gives the sequence of states (B, T, units) and then the states
after the last real token, h first, each (B, units). `settings` are those of every recurrent layer of Keras:
`return_sequences`, `return_state`, `use_cudnn`, `name`. `keras.layers.Bidirectional` must be able to wrap it.

Keras is imported when a part is built, so that the registry can be listed without TensorFlow.
"""

import importlib
from collections.abc import Callable
from typing import Any

from kseq.errors import UsageError
from kseq.registry import Part

# Keras' own names.
ACTIVATIONS = ("tanh", "relu", "leaky_relu")
KERNEL_INITIALIZERS = ("glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_uniform", "lecun_normal")
RECURRENT_INITIALIZERS = ("orthogonal", "identity", *KERNEL_INITIALIZERS)


def simple_rnn(
    units: int,
    *,
    layer_normalization: bool,
    activation: str,
    kernel_initializer: str,
    recurrent_initializer: str,
    weight_drop: float,
    **settings: Any,
) -> Any:
    """Make a `keras.layers.SimpleRNN`, which knows no cuDNN, or its layer-normalised kin."""
    cell: dict[str, Any] = {
        "activation": activation,
        "kernel_initializer": kernel_initializer,
        "recurrent_initializer": recurrent_initializer,
    }
    settings |= {"weight_drop": weight_drop}
    if layer_normalization:
        from kseq.layers.layer_normalized import LayerNormSimpleRNNCell

        return _projected(LayerNormSimpleRNNCell(units, **cell), settings)
    from kseq.layers.weight_drop import WeightDropSimpleRNN

    parts = _parts(settings.pop("use_cudnn"))
    return WeightDropSimpleRNN(units, **cell, parts=parts, **settings)


def lstm(
    units: int,
    *,
    layer_normalization: bool,
    kernel_initializer: str,
    recurrent_initializer: str,
    chrono_length: int | None,
    weight_drop: float,
    **settings: Any,
) -> Any:
    """Make a `keras.layers.LSTM`, or its layer-normalised kin."""
    cell: dict[str, Any] = {"kernel_initializer": kernel_initializer, "recurrent_initializer": recurrent_initializer}
    if chrono_length is not None:
        # The gates are input, forget, candidate and output. Keras would start those of the forget gate at 1.
        cell |= {"bias_initializer": _chrono(chrono_length, -1, 1, 0, 0), "unit_forget_bias": False}
    settings |= {"weight_drop": weight_drop}
    if layer_normalization:
        from kseq.layers.layer_normalized import LayerNormLSTMCell

        return _projected(LayerNormLSTMCell(units, **cell), settings)
    from kseq.layers.weight_drop import WeightDropLSTM

    return WeightDropLSTM(units, **cell, parts=_parts(settings["use_cudnn"]), **settings)


def gru(
    units: int,
    *,
    layer_normalization: bool,
    kernel_initializer: str,
    recurrent_initializer: str,
    chrono_length: int | None,
    weight_drop: float,
    **settings: Any,
) -> Any:
    """Make a `keras.layers.GRU`, or its layer-normalised kin."""
    cell: dict[str, Any] = {"kernel_initializer": kernel_initializer, "recurrent_initializer": recurrent_initializer}
    if chrono_length is not None:
        # The gates are update, which keeps the state in Keras, reset and candidate.
        cell |= {"bias_initializer": _chrono(chrono_length, 1, 0, 0)}
    settings |= {"weight_drop": weight_drop}
    if layer_normalization:
        from kseq.layers.layer_normalized import LayerNormGRUCell

        return _projected(LayerNormGRUCell(units, **cell), settings)
    from kseq.layers.weight_drop import WeightDropGRU

    return WeightDropGRU(units, **cell, parts=_parts(settings["use_cudnn"]), **settings)


def _parts(use_cudnn: bool | str) -> int:
    """Choose how many parts of a batch are computed at once; what leaves this machine keeps Keras' own loop."""
    if use_cudnn is False:
        return 0
    from kseq.kernels.gated_recurrence import parts_at_once

    return parts_at_once()


def _chrono(chrono_length: int, *signs: int) -> Any:
    """Make the initialiser of the biases of gates that set how long a unit remembers."""
    from kseq.chrono_bias import ChronoBias

    return ChronoBias(chrono_length, signs)


def _no_identity(*, cell: str, recurrent_initializer: str) -> None:
    """Refuse the identity for the matrix of several gates."""
    if recurrent_initializer == "identity":
        raise UsageError(
            f"recurrent_initializer is 'identity' and cell is {cell!r}, whose recurrent matrix holds several gates and "
            "is not square. Choose another --recurrent-initializer, or --cell simple_rnn."
        )


def _own(layer: Callable[[Any, dict[str, Any]], Any], module: str, name: str) -> Callable[..., Any]:
    """Make the `build` of a cell of our own that takes its width and no option.

    Args:
        layer: `_linear` or `_projected`, as the cell is made for.
        module: in `kseq.layers`.
        name: of the cell's class in it.
    """

    def build(units: int, **settings: Any) -> Any:
        cell = getattr(importlib.import_module(f"kseq.layers.{module}"), name)
        return layer(cell(units), settings)

    return build


def _linear(cell: Any, settings: dict[str, Any]) -> Any:
    """Make the layer of a cell that is linear in its state."""
    from kseq.layers.linear_rnn import LinearRNN

    settings.pop("use_cudnn")
    return LinearRNN(cell, **settings)


def _projected(cell: Any, settings: dict[str, Any]) -> Any:
    """Make the layer of another cell of our own."""
    from kseq.layers.projected_rnn import ProjectedRNN

    settings.pop("use_cudnn")
    return ProjectedRNN(cell, **settings)


CELLS: dict[str, Part] = {
    "simple_rnn": Part(simple_rnn, "h = tanh(W x + U h + b): fast, forgets within some tens of tokens", "Elman 1990"),
    "lstm": Part(
        lstm,
        "a gated cell state beside h: remembers longest",
        "Hochreiter & Schmidhuber 1997",
        check=_no_identity,
    ),
    "gru": Part(
        gru,
        "two gates, one state: near the LSTM with a quarter fewer weights",
        "Cho et al. 2014",
        check=_no_identity,
    ),
    "mingru": Part(
        _own(_linear, "mingru", "MinGRUCell"),
        "a GRU whose gate reads the input alone: all steps in one product",
        "Feng et al. 2024",
    ),
    "minlstm": Part(
        _own(_linear, "minlstm", "MinLSTMCell"),
        "the same of the LSTM, with two gates that sum to 1",
        "Feng et al. 2024",
    ),
    "sru": Part(
        _own(_linear, "sru", "SRUCell"),
        "the same recurrence, and a gate that mixes it with its input",
        "Lei et al. 2018",
    ),
    "indrnn": Part(
        _own(_projected, "indrnn", "IndRNNCell"),
        "every unit sees itself alone: h = relu(W x + u h + b)",
        "Li et al. 2018",
    ),
}
