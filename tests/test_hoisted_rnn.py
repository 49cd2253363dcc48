"""The loop of our own beside Keras', with the same weights: values and gradients."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kseq.encoders import PORTABLE
from kseq.heads import HEADS
from kseq.kernels import gated_recurrence
from kseq.layers.weight_drop import WeightDropGRU, WeightDropLSTM, WeightDropSimpleRNN
from kseq.model import build_model
from kseq.options import Options

RANDOM = np.random.default_rng(3)
# Ten steps are two turns of the loop and a rest of two.
VECTORS = RANDOM.normal(size=(5, 10, 4)).astype(np.float32)
MASK = np.arange(10)[None] < np.array([10, 1, 7, 4, 9])[:, None]
UPSTREAM = RANDOM.normal(size=(5, 10, 6)).astype(np.float32)
CELLS = {
    "lstm": (WeightDropLSTM, keras.layers.LSTM, {"use_cudnn": PORTABLE}),
    "gru": (WeightDropGRU, keras.layers.GRU, {"use_cudnn": PORTABLE}),
    "tanh": (WeightDropSimpleRNN, keras.layers.SimpleRNN, {}),
    "relu": (WeightDropSimpleRNN, keras.layers.SimpleRNN, {"activation": "relu"}),
    "leaky_relu": (WeightDropSimpleRNN, keras.layers.SimpleRNN, {"activation": "leaky_relu"}),
}


def two_of(cell, parts, **settings):
    """A layer of ours and one of Keras' with the same random weights."""
    ours, theirs, usual = CELLS[cell]
    layers = [
        ours(6, return_sequences=True, parts=parts, **usual, **settings),
        theirs(6, return_sequences=True, **usual, **settings),
    ]
    for layer in layers:
        layer.build(VECTORS.shape)
    weights = [RANDOM.normal(scale=0.3, size=weight.shape) for weight in layers[1].get_weights()]
    for layer in layers:
        layer.set_weights(weights)
    return layers


def values_and_gradients(layer, mask, real):
    """What the layer gives, and the gradients of a loss that reads only the real steps."""

    @tf.function
    def compute(vectors):
        with tf.GradientTape() as tape:
            tape.watch(vectors)
            outputs = layer(vectors, mask=mask)
            loss = tf.reduce_sum(outputs * UPSTREAM * real[:, :, None])
        return outputs, tape.gradient(loss, [vectors, *(weight.value for weight in layer.trainable_weights)])

    return compute(tf.constant(VECTORS))


@pytest.mark.parametrize("backwards", [False, True], ids=["forward", "backward"])
@pytest.mark.parametrize("masked", [False, True], ids=["whole", "padded"])
@pytest.mark.parametrize("parts", [1, 2, 3])
@pytest.mark.parametrize("cell", CELLS)
def test_values_and_gradients_equal_those_of_keras(cell, parts, masked, backwards, monkeypatch):
    calls = []
    original = gated_recurrence.gated_recurrence
    monkeypatch.setattr(
        gated_recurrence, "gated_recurrence", lambda *given, **named: calls.append(named) or original(*given, **named)
    )
    ours, theirs = two_of(cell, parts, go_backwards=backwards)
    mask = tf.constant(MASK) if masked else None
    real = MASK if masked else np.ones_like(MASK)
    if backwards:
        real = real[:, ::-1]
    got, got_gradients = values_and_gradients(ours, mask, real)
    assert [call["parts"] for call in calls] == [parts]
    expected, expected_gradients = values_and_gradients(theirs, mask, real)
    np.testing.assert_allclose(got.numpy()[real], expected.numpy()[real], atol=1e-6)
    assert len(got_gradients) == 1 + len(ours.get_weights())
    for ours_is, theirs_is in zip(got_gradients, expected_gradients, strict=True):
        np.testing.assert_allclose(ours_is.numpy(), theirs_is.numpy(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "settings",
    [
        {"return_state": True},
        {"return_sequences": False},
        {"activation": "elu"},
        {"use_bias": False},
        {"dropout": 0.5},
        {"recurrent_dropout": 0.5},
        {"zero_output_for_mask": True},
        {"parts": 0},
    ],
    ids=lambda settings: next(iter(settings)),
)
@pytest.mark.parametrize("cell", ["lstm", "gru", "tanh"])
def test_keras_loop_runs_where_ours_does_not_fit(cell, settings, monkeypatch):
    monkeypatch.delattr(gated_recurrence, "gated_recurrence")
    ours, theirs, usual = CELLS[cell]
    layer = ours(6, **{"return_sequences": True, "parts": 2, **usual, **settings})
    reference = theirs(6, **{"return_sequences": True, **usual, **{k: v for k, v in settings.items() if k != "parts"}})
    for each in (layer, reference):
        each.build(VECTORS.shape)
    reference.set_weights(layer.get_weights())
    for got, expected in zip(
        tf.nest.flatten(layer(VECTORS, mask=MASK)), tf.nest.flatten(reference(VECTORS, mask=MASK)), strict=True
    ):
        np.testing.assert_array_equal(got, expected)


def test_few_texts_are_fewer_than_parts():
    ours, theirs = two_of("lstm", 3)
    for count in (1, 2):
        np.testing.assert_allclose(ours(VECTORS[:count]), theirs(VECTORS[:count]), atol=1e-6)


def test_a_layer_is_made_again_with_its_parts():
    layer = two_of("gru", 2)[0]
    again = keras.layers.deserialize(keras.layers.serialize(layer))
    assert again.parts == 2
    assert isinstance(again, WeightDropGRU)


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("bidirectional", [False, True], ids=["forward", "bidirectional"])
@pytest.mark.parametrize("cell", ["lstm", "gru", "simple_rnn"])
def test_a_model_to_train_answers_as_the_one_that_leaves(cell, bidirectional, head):
    options = Options(
        "toy",
        cell=cell,
        bidirectional=bidirectional,
        head=head,
        num_layers=2,
        units=6,
        embedding_dim=4,
        vocabulary_size=11,
        dropout=0.3,
        embedding_dropout=0.3,
        weight_drop=0.3,
        residual=True,
    )
    spec = {"token_ids": tf.TensorSpec((None, None), tf.int32)}
    training = build_model(options, spec, 3, use_cudnn="auto")
    leaving = build_model(options, spec, 3, use_cudnn=PORTABLE)
    leaving.set_weights(training.get_weights())
    parts = [layer.get_config().get("parts") for layer in training.layers if isinstance(layer, keras.layers.RNN)]
    assert bidirectional or (len(parts) == 2 and all(parts))
    rows = np.array([[2, 3, 4, 5, 6, 7, 8], [9, 10, 2, 3, 0, 0, 0], [1, 0, 0, 0, 0, 0, 0]], np.int32)
    np.testing.assert_allclose(training({"token_ids": rows}), leaving({"token_ids": rows}), atol=1e-6)
