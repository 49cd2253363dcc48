"""Heads: a sequence and its summary become one vector.

`build(sequence, summary, mask, *, options it reads)` takes sequence (B, T, D), summary (B, D), mask bool (B, T), and
returns (B, D) or, where it says so, wider.

Keras is imported when a part is built, so that the registry can be listed without TensorFlow.
"""

from typing import Any

from kseq.attentions import ATTENTIONS
from kseq.registry import Part


def last(sequence: Any, summary: Any, mask: Any) -> Any:
    """Take the encoder's summary: the state after the last token, of both directions where there are two."""
    return summary


def max_pooling(sequence: Any, summary: Any, mask: Any) -> Any:
    """Take the maximum over the real time steps."""
    from kseq.layers.pooling import MaskedMaxPooling

    return MaskedMaxPooling(name="max")(sequence, mask)


def mean_pooling(sequence: Any, summary: Any, mask: Any) -> Any:
    """Take the mean over the real time steps."""
    from kseq.layers.pooling import MaskedMeanPooling

    return MaskedMeanPooling(name="mean")(sequence, mask)


def max_mean_pooling(sequence: Any, summary: Any, mask: Any) -> Any:
    """Join the maximum and the mean over the real time steps: (B, 2 D)."""
    import keras

    both = [max_pooling(sequence, summary, mask), mean_pooling(sequence, summary, mask)]
    return keras.layers.Concatenate(name="max_mean")(both)


def attention(sequence: Any, summary: Any, mask: Any, *, options: Any, tensors: Any, attention: str) -> Any:
    """Take what attention looks at; the kind of it, a name in `ATTENTIONS`, reads its own of the options."""
    return ATTENTIONS[attention](sequence, summary, mask, options=options, tensors=tensors)


HEADS: dict[str, Part] = {
    "last": Part(last, "the state after the last token"),
    "max": Part(max_pooling, "the maximum over time: did it occur anywhere?", "Collobert et al. 2011"),
    "mean": Part(mean_pooling, "the mean over time: how much of it was there?"),
    "max_mean": Part(max_mean_pooling, "maximum and mean, joined", "Howard & Ruder 2018"),
    "attention": Part(attention, "what --attention makes of the sequence"),
}
