"""The model: inputs → embedding → encoder → head → output, one flat Functional graph."""

from collections.abc import Mapping

import keras
import tensorflow as tf

from kseq.applies import chosen_parts
from kseq.encoders import ENCODERS, PORTABLE
from kseq.errors import UsageError
from kseq.heads import HEADS
from kseq.layers.mean_embedding import MeanEmbedding
from kseq.layers.padding_mask import PaddingMask
from kseq.layers.word_dropout import WordDropout
from kseq.normalizations import NORMALIZATIONS
from kseq.options import Options
from kseq.outputs import OUTPUTS

# Vectors of n-grams are narrow: there are many of them, and a step's time goes with their width. What 16 hold is enough
# for a linear classifier (Joulin et al. 2017 take 10).
_CHARACTER_DIM = 32
_NGRAM_DIM = 16


def build_model(
    options: Options,
    spec: Mapping[str, tf.TensorSpec],
    number_of_classes: int,
    target_kind: str = "class",
    use_cudnn: bool | str = PORTABLE,
) -> keras.Model:
    """Build an untrained model; equal options give models whose weights fit each other.

    Args:
        options: with `vocabulary_size`, `embedding_dropout` and `dropout` set.
        spec: the vectorizer's named tensors.
        number_of_classes: C.
        target_kind: name in `OUTPUTS`.
        use_cudnn: as Keras takes it; False for whatever leaves this machine.

    Returns:
        A model from a dict of named tensors, `token_ids` int32 (B, T) and whatever else the spec has, to logits float32
        (B, C).

    Raises:
        UsageError: a part needs a tensor that the spec has not.
    """
    for option, name, part in chosen_parts(options):
        if missing := [need for need in part.needs if need not in spec]:
            raise UsageError(
                f"--{option} {name} needs {', '.join(missing)}, and of this data there is {', '.join(spec)} alone. "
                f"Choose another {option}."
            )
    output = OUTPUTS[target_kind]
    inputs = {name: keras.Input(tensor.shape[1:], dtype=tensor.dtype.name, name=name) for name, tensor in spec.items()}
    token_ids = inputs["token_ids"]  # (B, T)
    mask = PaddingMask(name="mask")(token_ids)  # (B, T)
    words = WordDropout(options.word_dropout, name="word_dropout")(token_ids)  # (B, T)
    vectors = keras.layers.Embedding(options.vocabulary_size, options.embedding_dim, name="embedding")(words)
    if "character_ids" in inputs:
        grams = MeanEmbedding(options.character_buckets + 1, _CHARACTER_DIM, name="character_ngrams")
        widened = keras.layers.Dense(options.embedding_dim, use_bias=False, name="character_projection")
        vectors = keras.layers.Add(name="word_vectors")([vectors, widened(grams(inputs["character_ids"]))])  # (B, T, E)
    vectors = NORMALIZATIONS[options.normalization](vectors, mask, options=options)  # (B, T, E)
    vectors = keras.layers.Dropout(options.embedding_dropout, name="embedding_dropout")(vectors)  # (B, T, E)
    whole = {"options": options, "tensors": inputs}
    sequence, summary, _ = ENCODERS[options.encoder](vectors, mask, **whole, use_cudnn=use_cudnn)
    read = sequence  # (B, T, D)
    if output.reads == "vector":
        read = HEADS[options.head](sequence, summary, mask, **whole)  # (B, D)
        if "ngram_ids" in inputs:
            bag = MeanEmbedding(options.ngram_buckets + 1, _NGRAM_DIM, name="word_ngrams")(inputs["ngram_ids"])
            read = keras.layers.Concatenate(name="with_word_ngrams")([read, bag])  # (B, D + 16)
    read = keras.layers.Dropout(options.dropout, name="dropout")(read)
    return keras.Model(inputs, output.logits(read, number_of_classes), name="classifier")


def count_weights(model: keras.Model) -> tuple[int, int]:
    """Count the trained numbers of a model: all, and those outside the tables of vectors."""
    counts = {weight.path: weight.shape.num_elements() for weight in model.trainable_weights}
    return sum(counts.values()), sum(count for path, count in counts.items() if not path.endswith("/embeddings"))


def serving_model(
    trained: keras.Model,
    options: Options,
    spec: Mapping[str, tf.TensorSpec],
    number_of_classes: int,
    target_kind: str = "class",
) -> keras.Model:
    """Build the portable twin of a trained model that answers with probabilities (B, C)."""
    twin = build_model(options, spec, number_of_classes, target_kind)
    twin.set_weights(trained.get_weights())
    probabilities = OUTPUTS[target_kind].probabilities(twin.output)
    return keras.Model(twin.input, probabilities, name="server")
