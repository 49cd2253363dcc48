"""The contract that every part keeps, in models that cover every pair of parts.

A part that is added to a registry is tested here without a new test.
"""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from kseq.applies import chosen_parts, needed_tensors
from kseq.attentions import ATTENTIONS
from kseq.cells import CELLS
from kseq.encoders import ENCODERS
from kseq.errors import UsageError
from kseq.heads import HEADS
from kseq.inputs import INPUTS
from kseq.model import build_model, serving_model
from kseq.options import REGISTRIES, Options
from kseq.positions import POSITIONS
from kseq.standardizer import Standardizer
from kseq.vectorizer import tensor_spec
from tests.model_grid import CHOICES, pairs_of, pairwise_rows

SPEC = {"token_ids": tf.TensorSpec((None, None), tf.int32)}


def name_of(row):
    return "-".join(name if chosen is True else chosen for name, chosen in row.items() if chosen)


# Values of what is neither a part nor true or false.
MORE_ROWS = [
    {"cell": "simple_rnn", "activation": "relu", "recurrent_initializer": "identity"},
    {"cell": "simple_rnn", "activation": "leaky_relu", "kernel_initializer": "he_normal"},
    {"cell": "gru", "kernel_initializer": "lecun_uniform", "recurrent_initializer": "glorot_normal"},
]
GRID = [pytest.param(Options("toy", **row), id=name_of(row)) for row in [*pairwise_rows(), *MORE_ROWS]]
CELLS_AND_HEADS = [*(("cell", name) for name in CELLS), *(("head", name) for name in HEADS)]
SMALL = {"vocabulary_size": 11, "units": 6, "embedding_dim": 4, "attention_units": 3, "num_layers": 2}
SMALL |= {"filters": 5, "kernel_sizes": "2,3", "num_heads": 3, "feed_forward_units": 7}
SMALL |= {"attention_hops": 2, "memory_units": 3}
SMALL |= {"character_buckets": 30, "ngram_buckets": 40, "embedding_dropout": 0.3, "dropout": 0.3}
SMALL |= {"layer_dropout": 0.3, "variational_dropout": 0.3, "weight_drop": 0.3, "chrono_length": 20}
ROWS = np.array([[2, 3, 4, 5, 6, 7, 8], [9, 10, 2, 3, 0, 0, 0], [1, 0, 0, 0, 0, 0, 0]], np.int32)


# What can stand beside the token ids: (tokens, ngrams), and whether a text's row of it is as long as its tokens'.
BESIDE = {
    "character_ids": (tf.TensorSpec((None, None, 16), tf.int32), {"tokens": "word+character"}),
    "ngram_ids": (tf.TensorSpec((None, None), tf.int32), {"ngrams": 2}),
}
BESIDE_GRID = [
    pytest.param(names, encoder, head, id=f"{'-'.join(names)}-{encoder}-{head}")
    for names in (["character_ids"], ["ngram_ids"], ["character_ids", "ngram_ids"])
    for encoder, head in zip(itertools.cycle(ENCODERS), HEADS, strict=False)
]


# What parts may need beside the token ids, made of these as no text would be: sentences of three tokens.
NEEDED = {"sentence_ids": lambda rows: np.where(rows != 0, np.arange(rows.shape[1]) // 3 + 1, 0).astype(np.int32)}


def spec_of(options):
    return {**SPEC, **{name: tf.TensorSpec((None, None), tf.int32) for name in needed_tensors(options)}}


def inputs_of(model, rows):
    return {name: rows if name == "token_ids" else NEEDED[name](rows) for name in model.input}


def small_model(options, classes=3, spec=SPEC):
    keras.utils.set_random_seed(7)
    model = build_model(options.replace(**SMALL), spec, classes)
    # Away from their initial zeros, or biases would hide a mask that is lost.
    model.set_weights(
        [weight + 0.3 * np.random.default_rng(5).normal(size=weight.shape) for weight in model.get_weights()]
    )
    return model


def answer(model, rows):
    inputs = {name: tf.constant(values) for name, values in inputs_of(model, rows).items()}
    return model(inputs, training=False).numpy()


def test_the_grid_covers_every_registered_part():
    met = set().union(*(pairs_of(row) for row in pairwise_rows()))
    assert {choice for pair in met for choice in pair} == {(name, value) for name in CHOICES for value in CHOICES[name]}
    assert len(GRID) >= len(CELLS) * len(HEADS) >= 15
    assert {"encoder", "cell", "head", "bidirectional"} <= set(CHOICES)


def test_the_grid_covers_every_pair_of_cell_and_head_and_direction():
    met = set().union(*(pairs_of(row) for row in pairwise_rows()))
    for cell, head in itertools.product(CELLS, HEADS):
        assert (("cell", cell), ("head", head)) in met
    for (name, part), both in itertools.product(CELLS_AND_HEADS, [False, True]):
        assert tuple(sorted([(name, part), ("bidirectional", both)])) in met


@pytest.mark.parametrize("options", GRID)
def test_padding_batching_order_saving_and_gradients(options, tmp_path):
    spec = spec_of(options)
    model = small_model(options, spec=spec)
    expected = answer(model, ROWS)
    assert expected.shape == (3, 3)
    assert np.isfinite(expected).all()

    padded = np.pad(ROWS, [(0, 0), (0, 9)])
    np.testing.assert_allclose(answer(model, padded), expected, atol=1e-5, err_msg="padding changes the answer")

    for number, row in enumerate(ROWS):
        alone = row[row != 0][None]
        np.testing.assert_allclose(answer(model, alone)[0], expected[number], atol=1e-5, err_msg="a text alone differs")

    if all(part.order_sensitive for _, _, part in chosen_parts(options)):
        swapped = ROWS.copy()
        swapped[0, [1, 6]] = swapped[0, [6, 1]]
        assert np.abs(answer(model, swapped)[0] - expected[0]).max() > 1e-4, "swapped words change nothing"

    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_allclose(answer(loaded, ROWS), expected, atol=1e-6)

    server = serving_model(model, options.replace(**SMALL), spec, 3)
    probabilities = answer(server, ROWS)
    exponentials = np.exp(expected - expected.max(axis=1, keepdims=True))
    np.testing.assert_allclose(probabilities, exponentials / exponentials.sum(axis=1, keepdims=True), atol=1e-6)

    with tf.GradientTape() as tape:
        logits = model(inputs_of(model, ROWS), training=False)
        loss = tf.reduce_sum(logits * tf.random.stateless_normal(logits.shape, [1, 2]))
    weights = [weight.value for weight in model.trainable_weights]
    for weight, gradient in zip(model.trainable_weights, tape.gradient(loss, weights), strict=True):
        assert gradient is not None, weight.path
        # Attention's bias-free query shifts no weight when all scores move together, but these scores do not.
        assert np.abs(tf.convert_to_tensor(gradient).numpy()).max() > 1e-8, weight.path


def test_inputs_give_what_their_preprocessors_can_make():
    options = Options("toy", head="attention", attention="hierarchical")
    assert set(INPUTS["text"].gives) == set(tensor_spec("word+character", 2, needed_tensors(options)))
    standardizer = Standardizer(np.zeros(2, np.float32), np.ones(2, np.float32), ("x", "y"), 5)
    assert set(INPUTS["numeric"].gives) == set(standardizer.spec)
    needs = {need for registry in REGISTRIES.values() for part in registry.values() for need in part.needs}
    assert needs <= set(INPUTS["text"].gives)


def test_a_part_that_needs_what_the_data_has_not_is_refused():
    options = Options("toy", head="attention", attention="hierarchical")
    with pytest.raises(UsageError, match=r"--attention hierarchical needs sentence_ids, .* there is token_ids alone"):
        build_model(options, SPEC, 2)


def beside_inputs(names):
    """Token ids with n-grams beside them, of which the last text, an empty one, has none."""
    random = np.random.default_rng(9)
    grams = random.integers(1, 31, (3, 7, 16)) * (np.arange(16) < random.integers(1, 17, (3, 7, 1)))
    grams *= (ROWS != 0)[:, :, None] & (np.arange(3) < 2)[:, None, None]
    ngrams = random.integers(1, 41, (3, 13)) * (np.arange(13) < np.array([13, 7, 0])[:, None])
    every = {"token_ids": ROWS, "character_ids": grams.astype(np.int32), "ngram_ids": ngrams.astype(np.int32)}
    return {name: every[name] for name in ["token_ids", *names]}


def beside_options(names, encoder, head):
    options = Options("toy", encoder=encoder, head=head)
    for name in names:
        options = options.replace(**BESIDE[name][1])
    return options, {**SPEC, **{name: BESIDE[name][0] for name in names}}


@pytest.mark.parametrize(("names", "encoder", "head"), BESIDE_GRID)
def test_what_stands_beside_the_tokens_keeps_the_contract(names, encoder, head, tmp_path):
    options, spec = beside_options(names, encoder, head)
    model, inputs = small_model(options, spec=spec), beside_inputs(names)

    def ask(inputs, model=model):
        return model({name: tf.constant(rows) for name, rows in inputs.items()}, training=False).numpy()

    expected = ask(inputs)
    assert np.isfinite(expected).all()
    for name in names:
        padded = (
            {**inputs, "ngram_ids": np.pad(inputs["ngram_ids"], [(0, 0), (0, 5)])}
            if name == "ngram_ids"
            else {key: np.pad(rows, [(0, 0), (0, 9), *[(0, 0)] * (rows.ndim - 2)]) for key, rows in inputs.items()}
        )
        np.testing.assert_allclose(ask(padded), expected, atol=1e-5, err_msg="padding changes the answer")
        changed = {**inputs, name: np.where(inputs[name] > 1, inputs[name] - 1, inputs[name])}
        assert np.abs(ask(changed) - expected)[:2].max(axis=1).min() > 1e-4, f"{name} change nothing"
    for number in range(3):
        alone = {
            name: rows[number : number + 1, : max(1, (rows[number].reshape(rows.shape[1], -1) != 0).any(axis=1).sum())]
            for name, rows in inputs.items()
        }
        np.testing.assert_allclose(ask(alone)[0], expected[number], atol=1e-5, err_msg="a text alone differs")

    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_allclose(ask(inputs, loaded), expected, atol=1e-6)


@pytest.mark.parametrize("names", [["character_ids"], ["ngram_ids"], ["character_ids", "ngram_ids"]])
def test_every_weight_of_what_stands_beside_gets_a_gradient(names):
    options, spec = beside_options(names, "recurrent", "max_mean")
    model = small_model(options, spec=spec)
    with tf.GradientTape() as tape:
        logits = model({name: tf.constant(rows) for name, rows in beside_inputs(names).items()}, training=False)
        loss = tf.reduce_sum(logits * tf.random.stateless_normal(logits.shape, [1, 2]))
    weights = [weight.value for weight in model.trainable_weights]
    found = dict(zip((weight.path for weight in model.trainable_weights), tape.gradient(loss, weights), strict=True))
    assert all(
        gradient is not None and np.abs(tf.convert_to_tensor(gradient)).max() > 1e-8 for gradient in found.values()
    )
    for path, gradient in found.items():
        if path.endswith("grams/embeddings"):
            # The row of the padding learns nothing, and what reads it is nothing.
            assert np.abs(tf.convert_to_tensor(gradient).numpy()[0]).max() == 0
    assert len([path for path in found if path.endswith("grams/embeddings")]) == len(names)


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
    states = len(ENCODERS["recurrent"](inputs, real, options=options)[2])
    assert states in (2, 4)  # One or two a layer.
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


# Each part once: a cell under the default head, a head or an attention over the default cell, either direction, what
# knows order else.
TOYS = [
    *(pytest.param({"cell": cell}, id=cell) for cell in CELLS),
    *(pytest.param({"head": head}, id=head) for head in HEADS if head != Options("toy").head),
    *(
        pytest.param({"head": "attention", "attention": attention}, id=attention)
        for attention in ATTENTIONS
        if attention != Options("toy").attention
    ),
    *(
        pytest.param({"encoder": name}, id=name)
        for name, part in ENCODERS.items()
        if part.order_sensitive and name != Options("toy").encoder
    ),
    *(
        pytest.param({"encoder": "transformer", "position": name}, id=name)
        for name in POSITIONS
        if name != Options("toy").position
    ),
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
    small |= {"filters": 16, "num_heads": 2, "feed_forward_units": 32, "residual_dropout": 0.0}
    keras.utils.set_random_seed(1)
    options = Options("toy", **{**small, **parts, "dropout": 0.0})
    model = build_model(options, spec_of(options), 2)
    inputs = inputs_of(model, rows)
    first, last = ({name: values[part] for name, values in inputs.items()} for part in (slice(512), slice(512, None)))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
    for _ in range(8):
        model.fit(first, labels[:512], epochs=3, batch_size=32, verbose=0)
        accuracy = model.evaluate(last, labels[512:], verbose=0)[1]
        if accuracy > 0.95:
            break
    assert accuracy > 0.95
