"""The contract that every part keeps, over every cell, direction and head.

A part that is added to a registry is tested here without a new test.
"""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from kseq.encoders import CELLS, ENCODERS
from kseq.heads import HEADS
from kseq.model import build_model, serving_model
from kseq.options import Options

SPEC = {"token_ids": tf.TensorSpec((None, None), tf.int32)}
GRID = [
    pytest.param(Options("toy", cell=cell, bidirectional=bidirectional, head=head), id=f"{cell}-{direction}-{head}")
    for cell, (bidirectional, direction), head in itertools.product(CELLS, [(False, "one"), (True, "bi")], HEADS)
]
SMALL = {"vocabulary_size": 11, "units": 5, "embedding_dim": 4, "attention_units": 3, "num_layers": 2}
ROWS = np.array([[2, 3, 4, 5, 6, 7, 8], [9, 10, 2, 3, 0, 0, 0], [1, 0, 0, 0, 0, 0, 0]], np.int32)


def small_model(options, classes=3):
    keras.utils.set_random_seed(7)
    model = build_model(options.replace(**SMALL), SPEC, classes)
    # Away from their initial zeros, or biases would hide a mask that is lost.
    model.set_weights(
        [weight + 0.3 * np.random.default_rng(5).normal(size=weight.shape) for weight in model.get_weights()]
    )
    return model


def answer(model, rows):
    return model({"token_ids": tf.constant(rows)}, training=False).numpy()


def test_the_grid_covers_every_registered_part():
    assert len(GRID) == len(CELLS) * 2 * len(HEADS) >= 30
    assert set(ENCODERS) == {"recurrent"}


@pytest.mark.parametrize("options", GRID)
def test_padding_batching_order_and_saving(options, tmp_path):
    model = small_model(options)
    expected = answer(model, ROWS)
    assert expected.shape == (3, 3)
    assert np.isfinite(expected).all()

    padded = np.pad(ROWS, [(0, 0), (0, 9)])
    np.testing.assert_allclose(answer(model, padded), expected, atol=1e-5, err_msg="padding changes the answer")

    for number, row in enumerate(ROWS):
        alone = row[row != 0][None]
        np.testing.assert_allclose(answer(model, alone)[0], expected[number], atol=1e-5, err_msg="a text alone differs")

    if ENCODERS[options.encoder].order_sensitive and CELLS[options.cell].order_sensitive:
        swapped = ROWS.copy()
        swapped[0, [1, 4]] = swapped[0, [4, 1]]
        assert np.abs(answer(model, swapped)[0] - expected[0]).max() > 1e-4, "swapped words change nothing"

    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_allclose(answer(loaded, ROWS), expected, atol=1e-6)

    server = serving_model(model, options.replace(**SMALL), SPEC, 3)
    probabilities = answer(server, ROWS)
    exponentials = np.exp(expected - expected.max(axis=1, keepdims=True))
    np.testing.assert_allclose(probabilities, exponentials / exponentials.sum(axis=1, keepdims=True), atol=1e-6)


@pytest.mark.parametrize("options", GRID)
def test_every_trainable_weight_gets_a_gradient(options):
    model = small_model(options)
    with tf.GradientTape() as tape:
        logits = model({"token_ids": tf.constant(ROWS)}, training=False)
        loss = tf.reduce_sum(logits * tf.random.stateless_normal(logits.shape, [1, 2]))
    weights = [weight.value for weight in model.trainable_weights]
    for weight, gradient in zip(model.trainable_weights, tape.gradient(loss, weights), strict=True):
        assert gradient is not None, weight.path
        # Attention's bias-free query shifts no weight when all scores move together, but these scores do not.
        assert np.abs(tf.convert_to_tensor(gradient).numpy()).max() > 1e-8, weight.path


@pytest.mark.parametrize("cell", CELLS)
def test_halves_of_a_bidirectional_layer_exchange_with_input_and_weights(cell):
    options = Options("toy", cell=cell, bidirectional=True, units=4, num_layers=1)
    vectors = np.random.default_rng(3).normal(size=(2, 6, 3)).astype(np.float32)
    mask = np.ones((2, 6), bool)

    def build():
        inputs, real = keras.Input((None, 3)), keras.Input((None,), dtype="bool")
        sequence, summary, carry = ENCODERS["recurrent"](inputs, real, options=options)
        assert carry == []
        return keras.Model([inputs, real], [sequence, summary])

    one, other = build(), build()
    weights = one.get_weights()
    half = len(weights) // 2
    other.set_weights(weights[half:] + weights[:half])
    sequence, summary = one([vectors, mask])
    mirrored, mirrored_summary = other([vectors[:, ::-1], mask])
    exchanged = np.concatenate([sequence[:, ::-1, 4:], sequence[:, ::-1, :4]], axis=-1)
    np.testing.assert_allclose(mirrored, exchanged, atol=1e-6)
    np.testing.assert_allclose(mirrored_summary, np.concatenate([summary[:, 4:], summary[:, :4]], axis=-1), atol=1e-6)


@pytest.mark.parametrize("cell", CELLS)
def test_a_stream_goes_on_from_its_carry(cell):
    options = Options("toy", cell=cell, units=4, num_layers=2)
    vectors = np.random.default_rng(3).normal(size=(2, 6, 3)).astype(np.float32)
    inputs, real = keras.Input((None, 3)), keras.Input((None,), dtype="bool")
    states = 2 * (2 if cell == "lstm" else 1)
    initial = [keras.Input((4,)) for _ in range(states)]
    sequence, summary, carry = ENCODERS["recurrent"](inputs, real, initial, options=options)
    assert len(carry) == states
    model = keras.Model([inputs, real, *initial], [sequence, summary, *carry])
    zeros = [np.zeros((2, 4), np.float32)] * states
    whole = model([tf.constant(vectors), tf.ones((2, 6), tf.bool), *map(tf.constant, zeros)])
    first = model([tf.constant(vectors[:, :2]), tf.ones((2, 2), tf.bool), *map(tf.constant, zeros)])
    second = model([tf.constant(vectors[:, 2:]), tf.ones((2, 4), tf.bool), *first[2:]])
    np.testing.assert_allclose(np.concatenate([first[0], second[0]], axis=1), whole[0], atol=1e-6)
    for ended, expected in zip(second[1:], whole[1:], strict=True):
        np.testing.assert_allclose(ended, expected, atol=1e-6)


# Each part once: a cell under the default head, a head over the default cell, either direction.
TOYS = [
    *(pytest.param({"cell": cell}, id=cell) for cell in CELLS),
    *(pytest.param({"head": head}, id=head) for head in HEADS if head != Options("toy").head),
    pytest.param({"bidirectional": True}, id="bidirectional"),
]


@pytest.mark.parametrize("parts", TOYS)
def test_learns_what_depends_on_word_order_alone(parts):
    """Class 1 where word 2 comes before word 3; both are in every text, so that a bag of words is left guessing."""
    random = np.random.default_rng(11)
    rows = random.integers(4, 9, size=(640, 7)).astype(np.int32)
    places = np.array([random.permutation(7)[:2] for _ in rows])
    rows[np.arange(640), places[:, 0]] = 2
    rows[np.arange(640), places[:, 1]] = 3
    labels = (places[:, 0] < places[:, 1]).astype(np.int32)
    small = {"vocabulary_size": 9, "units": 16, "embedding_dim": 8, "word_dropout": 0.0, "embedding_dropout": 0.0}
    keras.utils.set_random_seed(1)
    model = build_model(Options("toy", **small, **parts, dropout=0.0), SPEC, 2)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
    for _ in range(8):
        model.fit({"token_ids": rows[:512]}, labels[:512], epochs=3, batch_size=32, verbose=0)
        accuracy = model.evaluate({"token_ids": rows[512:]}, labels[512:], verbose=0)[1]
        if accuracy > 0.95:
            break
    assert accuracy > 0.95
