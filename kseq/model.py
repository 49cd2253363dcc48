"""The model: inputs → vectors → encoder → head → output, one flat Functional graph."""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from kseq.applies import check_needs
from kseq.encoders import ENCODERS, PORTABLE
from kseq.heads import HEADS
from kseq.inputs import INPUTS
from kseq.options import Options
from kseq.outputs import OUTPUTS
from kseq.registry import with_options


def build_model(
    options: Options,
    spec: Mapping[str, tf.TensorSpec],
    number_of_classes: int,
    target_kind: str = "class",
    use_cudnn: bool | str = PORTABLE,
    input_kind: str = "text",
) -> keras.Model:
    """Build an untrained model; equal options give models whose weights fit each other.

    Args:
        options: with `dropout` set, and of texts `vocabulary_size` and `embedding_dropout`.
        spec: the preprocessor's named tensors.
        number_of_classes: C.
        target_kind: name in `OUTPUTS`.
        use_cudnn: as Keras takes it; False for whatever leaves this machine.
        input_kind: name in `INPUTS`.

    Returns:
        A model from a dict of the named tensors to logits float32 (B, C).

    Raises:
        UsageError: a part needs a tensor that the spec has not.
    """
    check_needs(options, spec)
    output, kind = OUTPUTS[target_kind], INPUTS[input_kind]
    inputs, mask, sequence, summary = _encoded(options, spec, use_cudnn, input_kind)
    whole: dict[str, Any] = {"options": options, "tensors": inputs}
    read = sequence  # (B, T, D)
    if output.reads == "vector":
        read = HEADS[options.head](sequence, summary, mask, **whole)  # (B, D)
        beside = with_options(kind.beside, inputs, options=options)
        if beside:
            read = keras.layers.Concatenate(name="joined")([read, *beside])  # (B, D + ·)
    read = keras.layers.Dropout(options.dropout, name="dropout")(read)
    return keras.Model(inputs, output.logits(read, number_of_classes), name="classifier")


def build_encoder(
    options: Options,
    spec: Mapping[str, tf.TensorSpec],
    use_cudnn: bool | str = PORTABLE,
    input_kind: str = "text",
) -> keras.Model:
    """Build the lower half of an untrained model: inputs → vectors → encoder, with the same layers by name.

    Args:
        options: as `build_model` takes them.
        spec: the preprocessor's named tensors.
        use_cudnn: as Keras takes it.
        input_kind: name in `INPUTS`.

    Returns:
        A model from a dict of the named tensors to the sequence (B, T, D).
    """
    inputs, _, sequence, _ = _encoded(options, spec, use_cudnn, input_kind)
    return keras.Model(inputs, sequence, name="encoder")


def _encoded(
    options: Options, spec: Mapping[str, tf.TensorSpec], use_cudnn: bool | str, input_kind: str
) -> tuple[dict[str, Any], Any, Any, Any]:
    """Give the inputs by name, the mask (B, T), and the encoder's sequence (B, T, D) and summary (B, D)."""
    inputs = {name: keras.Input(tensor.shape[1:], dtype=tensor.dtype.name, name=name) for name, tensor in spec.items()}
    vectors, mask = with_options(INPUTS[input_kind].embed, inputs, options=options)  # (B, T, E), (B, T)
    sequence, summary, _ = ENCODERS[options.encoder](
        vectors, mask, options=options, tensors=inputs, use_cudnn=use_cudnn
    )
    return inputs, mask, sequence, summary


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
    input_kind: str = "text",
) -> keras.Model:
    """Build the portable twin of a trained model that answers with probabilities (B, C)."""
    twin = build_model(options, spec, number_of_classes, target_kind, input_kind=input_kind)
    twin.set_weights(trained.get_weights())
    probabilities = OUTPUTS[target_kind].probabilities(twin.output)
    return keras.Model(twin.input, probabilities, name="server")
