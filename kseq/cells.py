"""Cells: the step that a recurrent layer repeats.

`build(units, *, options it reads, **settings)` makes a layer as Keras' recurrent ones are. Called with a sequence (B,
T, E), `mask=` bool (B, T) and `initial_state=`, it gives the sequence of states (B, T, units) and then the states
after the last real token, h first, each (B, units). `settings` are those of every recurrent layer of Keras:
`return_sequences`, `return_state`, `use_cudnn`, `name`. `keras.layers.Bidirectional` must be able to wrap it.

Keras is imported when a part is built, so that the registry can be listed without TensorFlow.
"""

from typing import Any

from kseq.registry import Part


def simple_rnn(units: int, *, layer_normalization: bool, **settings: Any) -> Any:
    """Make a `keras.layers.SimpleRNN`, which knows no cuDNN, or its layer-normalised kin."""
    import keras

    if layer_normalization:
        from kseq.layers.layer_normalized import LayerNormSimpleRNNCell

        return _projected(LayerNormSimpleRNNCell(units), settings)
    settings.pop("use_cudnn")
    return keras.layers.SimpleRNN(units, **settings)


def lstm(units: int, *, layer_normalization: bool, **settings: Any) -> Any:
    """Make a `keras.layers.LSTM`, or its layer-normalised kin."""
    import keras

    if layer_normalization:
        from kseq.layers.layer_normalized import LayerNormLSTMCell

        return _projected(LayerNormLSTMCell(units), settings)
    return keras.layers.LSTM(units, **settings)


def gru(units: int, *, layer_normalization: bool, **settings: Any) -> Any:
    """Make a `keras.layers.GRU`, or its layer-normalised kin."""
    import keras

    if layer_normalization:
        from kseq.layers.layer_normalized import LayerNormGRUCell

        return _projected(LayerNormGRUCell(units), settings)
    return keras.layers.GRU(units, **settings)


def mingru(units: int, **settings: Any) -> Any:
    """Make a minGRU."""
    from kseq.layers.mingru import MinGRUCell

    return _linear(MinGRUCell(units), settings)


def minlstm(units: int, **settings: Any) -> Any:
    """Make a minLSTM."""
    from kseq.layers.minlstm import MinLSTMCell

    return _linear(MinLSTMCell(units), settings)


def sru(units: int, **settings: Any) -> Any:
    """Make a layer of simple recurrent units."""
    from kseq.layers.sru import SRUCell

    return _linear(SRUCell(units), settings)


def indrnn(units: int, **settings: Any) -> Any:
    """Make an independently recurrent layer."""
    from kseq.layers.indrnn import IndRNNCell

    return _projected(IndRNNCell(units), settings)


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
    "lstm": Part(lstm, "a gated cell state beside h: remembers longest", "Hochreiter & Schmidhuber 1997"),
    "gru": Part(gru, "two gates, one state: near the LSTM with a quarter fewer weights", "Cho et al. 2014"),
    "mingru": Part(mingru, "a GRU whose gate reads the input alone: all steps in one product", "Feng et al. 2024"),
    "minlstm": Part(minlstm, "the same of the LSTM, with two gates that sum to 1", "Feng et al. 2024"),
    "sru": Part(sru, "the same recurrence, and a gate that mixes it with its input", "Lei et al. 2018"),
    "indrnn": Part(indrnn, "every unit sees itself alone: h = relu(W x + u h + b)", "Li et al. 2018"),
}
