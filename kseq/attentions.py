"""Kinds of attention: a sequence becomes one vector of what is looked at.

`build(sequence, summary, mask, *, options it reads)` takes sequence (B, T, D), summary (B, D), mask bool (B, T), and
returns (B, D) or, where it says so, wider. The layer that weighs is named `attention`; its `weights_of`, with the
inputs of its `call`, gives the weights: float32 (B, T), or (B, hops, T) where it looks several times. Hierarchical
attention weighs sentences there, and words in the layer `word_attention`: a word's weight is the product of both.

Keras is imported when a part is built, so that the registry can be listed without TensorFlow.
"""

from typing import Any

from kseq.encoders import PORTABLE
from kseq.registry import Part


def additive(sequence: Any, summary: Any, mask: Any, *, attention_units: int) -> Any:
    """Weigh the steps by a small network, against a learned query."""
    from kseq.layers.additive_attention import AdditiveAttention

    return AdditiveAttention(attention_units, name="attention")(sequence, mask)


def multiplicative(sequence: Any, summary: Any, mask: Any) -> Any:
    """Weigh the steps by their product with the summary of the text."""
    from kseq.layers.multiplicative_attention import MultiplicativeAttention

    return MultiplicativeAttention(name="attention")(sequence, summary, mask)


def structured(
    sequence: Any, summary: Any, mask: Any, *, attention_hops: int, attention_units: int, attention_penalty: float
) -> Any:
    """Weigh the steps several times, and join the sums: (B, hops · D)."""
    from kseq.layers.structured_attention import StructuredAttention

    return StructuredAttention(attention_hops, attention_units, attention_penalty, name="attention")(sequence, mask)


def scaled_dot_product(sequence: Any, summary: Any, mask: Any) -> Any:
    """Let every step look at all of them, and take maximum and mean of what they saw: (B, 2 D)."""
    return multi_head(sequence, summary, mask, num_heads=1)


def multi_head(sequence: Any, summary: Any, mask: Any, *, num_heads: int) -> Any:
    """Let every step look at all of them with several heads, and take maximum and mean of what they saw: (B, 2 D)."""
    from kseq.layers.self_attention import SelfAttention

    return _pooled(SelfAttention(num_heads, name="attention")(sequence, mask), mask)


def external(sequence: Any, summary: Any, mask: Any, *, memory_units: int) -> Any:
    """Let every step look at a learned memory, and take maximum and mean of what they saw: (B, 2 D)."""
    from kseq.layers.external_attention import ExternalAttention

    return _pooled(ExternalAttention(memory_units, name="attention")(sequence, mask), mask)


def hierarchical(sequence: Any, summary: Any, mask: Any, *, sentence_ids: Any, attention_units: int) -> Any:
    """Attend to the words of each sentence, read the sentences both ways, and attend to them.

    The words are those of an encoder that has read the whole text, and sentences are made of them afterwards; the
    word encoder of Yang et al. (2016, section 2.2) starts anew in each sentence, and knows nothing of the one before.
    The layer over sentences is a GRU as in the paper, whatever cell reads the words, with half of D in either
    direction: (B, D), or (B, D + 1) where D is odd. Where a sentence is, is a word: `sentence_ids`, int32 (B, T), says
    what the mask says.
    """
    import keras

    from kseq.layers.additive_attention import AdditiveAttention
    from kseq.layers.sentence_attention import SentenceAttention

    sentences, is_sentence = SentenceAttention(attention_units, name="word_attention")(sequence, sentence_ids)
    half = -(-sequence.shape[-1] // 2)
    layer = keras.layers.GRU(half, return_sequences=True, use_cudnn=PORTABLE, name="sentence_gru")
    states = keras.layers.Bidirectional(layer, name="sentence_states")(sentences, mask=is_sentence)  # (B, S, D)
    return AdditiveAttention(attention_units, name="attention")(states, is_sentence)


def _pooled(sequence: Any, mask: Any) -> Any:
    """Pool what the steps saw as the default head pools a sequence.

    The mean alone is not enough: as each row of an external memory is drawn to all steps with 1 in sum, the mean over
    the steps is nearly the same for all texts.
    """
    import keras

    from kseq.layers.pooling import MaskedMaxPooling, MaskedMeanPooling

    largest = MaskedMaxPooling(name="attention_max")(sequence, mask)  # (B, D)
    mean = MaskedMeanPooling(name="attention_mean")(sequence, mask)  # (B, D)
    return keras.layers.Concatenate(name="attention_max_mean")([largest, mean])  # (B, 2 D)


ATTENTIONS: dict[str, Part] = {
    "additive": Part(additive, "scores by a small network, against a learned query", "Bahdanau et al. 2015"),
    "multiplicative": Part(
        multiplicative, "scores by a product with the summary of the text", "Luong et al. 2015", streamable=False
    ),
    "structured": Part(structured, "several weighted sums of one text, joined", "Lin et al. 2017"),
    "scaled_dot_product": Part(
        scaled_dot_product, "every step looks at all, then maximum and mean", "Vaswani et al. 2017", streamable=False
    ),
    "multi_head": Part(
        multi_head,
        "every step looks at all with several heads, then maximum and mean",
        "Vaswani et al. 2017",
        streamable=False,
    ),
    "external": Part(
        external,
        "every step looks at a memory of the task, then maximum and mean",
        "Guo et al. 2021",
        streamable=False,
    ),
    "hierarchical": Part(
        hierarchical,
        "to the words of each sentence, then to the sentences",
        "Yang et al. 2016",
        streamable=False,
        needs=("sentence_ids",),
    ),
}
