"""Cells: the step that a recurrent layer repeats.

`build(units, *, options it reads, **settings)` makes a layer as Keras' recurrent ones are. Called with a sequence (B,
T, E), `mask=` bool (B, T) and `initial_state=`, it gives the sequence of states (B, T, units) and then the states
after the last real token, h first, each (B, units). `settings` are those of every recurrent layer of Keras:
`return_sequences`, `return_state`, `use_cudnn`, `name`. `keras.layers.Bidirectional` must be able to wrap it.

Keras is imported when a part is built, so that the registry can be listed without TensorFlow.
"""

from typing import Any

from kseq.registry import Part


def simple_rnn(units: int, **settings: Any) -> Any:
    """Make a `keras.layers.SimpleRNN`, which knows no cuDNN."""
    import keras

    settings.pop("use_cudnn")
    return keras.layers.SimpleRNN(units, **settings)


def lstm(units: int, **settings: Any) -> Any:
    """Make a `keras.layers.LSTM`."""
    import keras

    return keras.layers.LSTM(units, **settings)


def gru(units: int, **settings: Any) -> Any:
    """Make a `keras.layers.GRU`."""
    import keras

    return keras.layers.GRU(units, **settings)


CELLS: dict[str, Part] = {
    "simple_rnn": Part(simple_rnn, "h = tanh(W x + U h + b): fast, forgets within some tens of tokens", "Elman 1990"),
    "lstm": Part(lstm, "a gated cell state beside h: remembers longest", "Hochreiter & Schmidhuber 1997"),
    "gru": Part(gru, "two gates, one state: near the LSTM with a quarter fewer weights", "Cho et al. 2014"),
}
