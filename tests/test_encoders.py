"""Encoders beside recurrence against loops in NumPy, with the same weights; what they refuse and how they are named."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kseq.encoders import ENCODERS
from kseq.errors import UsageError
from kseq.kernel_sizes import read_kernel_sizes
from kseq.layers.last_step import LastStep
from kseq.layers.masked_softmax import masked_softmax
from kseq.layers.positions import SinusoidalPositions, rotate_by_position
from kseq.layers.self_attention import SelfAttention
from kseq.options import Options
from tests.session_loader import answers_in_a_session

RANDOM = np.random.default_rng(4)
SEQUENCE = RANDOM.normal(size=(4, 7, 6))
LENGTHS = [7, 4, 2, 1]
MASK = np.arange(7)[None] < np.array(LENGTHS)[:, None]


def encode(options, width=6):
    """Build the encoder with random weights; give its sequence, its summary and its weights by their paths."""
    vectors, mask = keras.Input((None, width)), keras.Input((None,), dtype="bool")
    sequence, summary, carry = ENCODERS[options.encoder](vectors, mask, options=options)
    assert carry == []
    model = keras.Model([vectors, mask], [sequence, summary])
    model.set_weights([RANDOM.normal(size=weight.shape) for weight in model.get_weights()])
    found = model([SEQUENCE[:, :, :width].astype(np.float32), MASK], training=False)
    weights = {weight.path: weight.numpy().astype(np.float64) for weight in model.weights}
    assert len(weights) == len(model.weights)
    return np.array(found[0]), np.array(found[1]), weights


def convolve_by_hand(row, weights):
    """Filters of each width over one row, which has zeros before and after it."""
    found = []
    for size in (2, 3, 4):
        kernel, bias = (weights[f"convolution/{name}_of_{size}"] for name in ("kernel", "bias"))
        outputs = []
        for step in range(len(row)):
            total = bias.copy()
            for place in range(size):
                read = step + place - (size - 1) // 2
                if 0 <= read < len(row):
                    total += row[read] @ kernel[place]
            outputs.append(np.maximum(total, 0))
        found.append(np.array(outputs))
    return np.concatenate(found, axis=1)


def softmax(scores):
    powers = np.exp(scores - scores.max())
    return powers / powers.sum()


def rotate(vector, step):
    """Turn each pair (i, i + d/2) as a complex number."""
    half = len(vector) // 2
    turned = (vector[:half] + 1j * vector[half:]) * np.exp(1j * step / 10_000.0 ** (2 * np.arange(half) / len(vector)))
    return np.concatenate([turned.real, turned.imag])


def attend_by_hand(row, weights, heads, rotary):
    """Self-attention of one row, head by head and step by step."""
    joined = []
    for head in range(heads):
        width = row.shape[1] // heads
        columns = slice(head * width, (head + 1) * width)
        queries, keys, values = (row @ weights[f"{name}_kernel"][:, columns] for name in ("query", "key", "value"))
        if rotary:
            queries, keys = ([rotate(each, step) for step, each in enumerate(side)] for side in (queries, keys))
        shares = [softmax(np.array([query @ key for key in keys]) / np.sqrt(width)) for query in queries]
        joined.append(np.array([sum(share * value for share, value in zip(of, values, strict=True)) for of in shares]))
    joined = np.concatenate(joined, axis=1)
    return joined @ weights["output_kernel"] if heads > 1 else joined


def wave(step, width):
    return np.array(
        [(np.cos if place % 2 else np.sin)(step / 10_000 ** ((place - place % 2) / width)) for place in range(width)]
    )


def normalize(row, weights):
    centred = row - row.mean(axis=1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-5) * weights["gamma"] + weights["beta"]


def below(weights, layer):
    return {path.removeprefix(f"{layer}/"): weight for path, weight in weights.items() if path.startswith(f"{layer}/")}


def transform_by_hand(row, weights, options):
    if options.units != row.shape[1]:
        row = row @ weights["projection/kernel"]
    rotary = options.position == "rotary"
    if not rotary:
        row = np.sqrt(options.units) * row + np.array([wave(step, options.units) for step in range(len(row))])
    for number in range(1, options.num_layers + 1):
        normal = normalize(row, below(weights, f"attention_{number}_norm"))
        row = row + attend_by_hand(normal, below(weights, f"attention_{number}"), options.num_heads, rotary)
        normal = normalize(row, below(weights, f"feed_forward_{number}_norm"))
        hidden, output = (below(weights, f"feed_forward_{number}{part}") for part in ("_hidden", ""))
        row = row + np.maximum(normal @ hidden["kernel"] + hidden["bias"], 0) @ output["kernel"] + output["bias"]
    return normalize(row, below(weights, "norm"))


@pytest.mark.parametrize("sizes", ["2,3,4", "4, 2,3"])
def test_convolution_equals_a_loop_also_on_texts_shorter_than_a_filter(sizes):
    sequence, summary, weights = encode(Options("toy", encoder="convolution", filters=5, kernel_sizes=sizes))
    assert sequence.shape == (4, 7, 15)
    order = np.concatenate([np.arange(5) + 5 * (2, 3, 4).index(size) for size in read_kernel_sizes(sizes)])
    for row, length in enumerate(LENGTHS):
        expected = convolve_by_hand(SEQUENCE[row, :length], weights)[:, order]
        assert (expected > 0).any()
        np.testing.assert_allclose(sequence[row, :length], expected, atol=1e-5)
        np.testing.assert_allclose(summary[row], expected[-1], atol=1e-5)


def test_convolution_recurrent_reads_what_the_filters_find():
    options = Options(
        "toy", encoder="convolution_recurrent", filters=3, kernel_sizes="2,3,4", cell="simple_rnn", units=5
    )
    sequence, summary, weights = encode(options)
    kernel, recurrent, bias = [weight for path, weight in weights.items() if path.startswith("simple_rnn_1/")]
    for row, length in enumerate(LENGTHS):
        state = np.zeros(5)
        for step, features in enumerate(convolve_by_hand(SEQUENCE[row, :length], weights)):
            state = np.tanh(features @ kernel + state @ recurrent + bias)
            np.testing.assert_allclose(sequence[row, step], state, atol=1e-5)
        np.testing.assert_allclose(summary[row], state, atol=1e-5)


@pytest.mark.parametrize("positions", ["sinusoidal", "rotary"])
@pytest.mark.parametrize(("width", "units", "heads", "layers"), [(6, 6, 1, 1), (6, 6, 3, 2), (5, 8, 2, 1)])
def test_transformer_equals_a_loop(positions, width, units, heads, layers):
    options = Options(
        "toy", encoder="transformer", position=positions, units=units, num_heads=heads, num_layers=layers,
        feed_forward_units=7,
    )  # fmt: skip
    sequence, summary, weights = encode(options, width)
    assert sequence.shape == (4, 7, units)
    for row, length in enumerate(LENGTHS):
        expected = transform_by_hand(SEQUENCE[row, :length, :width], weights, options)
        np.testing.assert_allclose(sequence[row, :length], expected, atol=1e-5)
        np.testing.assert_allclose(summary[row], expected[-1], atol=1e-5)


def test_residual_dropout_is_on_all_that_is_added_and_in_training_alone():
    options = Options("toy", encoder="transformer", units=48, num_heads=2, num_layers=2, residual_dropout=0.3)
    vectors, mask = keras.Input((None, 48)), keras.Input((None,), dtype="bool")
    model = keras.Model([vectors, mask], ENCODERS["transformer"](vectors, mask, options=options)[0])
    halves = [f"{half}_{number}" for number in (1, 2) for half in ("attention", "feed_forward")]
    inside = [model.get_layer(f"{name}_dropout") for name in ("positions", *halves)]
    within = keras.Model(model.inputs, [[layer.input, layer.output] for layer in inside])
    rows = [RANDOM.normal(size=(5, 9, 48)).astype(np.float32), np.ones((5, 9), bool)]
    for before, after in within(rows, training=True):
        before, after = np.array(before), np.array(after)
        gone = after == 0
        # 2,160 draws: four standard deviations.
        assert abs(gone.mean() - 0.3) < 0.04
        np.testing.assert_allclose(after[~gone], before[~gone] / 0.7, rtol=1e-5)
    for before, after in within(rows, training=False):
        np.testing.assert_array_equal(before, after)


def test_bag_gives_the_vectors():
    sequence, summary, weights = encode(Options("toy", encoder="bag"))
    assert weights == {}
    np.testing.assert_array_equal(sequence, SEQUENCE.astype(np.float32))
    for row, length in enumerate(LENGTHS):
        np.testing.assert_array_equal(summary[row], SEQUENCE[row, length - 1].astype(np.float32))


def test_rotary_attention_knows_distances_and_no_places():
    """What a step sees does not change where all real steps move together."""
    layer = SelfAttention(2, rotary=True)
    vectors = RANDOM.normal(size=(1, 6, 8)).astype(np.float32)
    late, real = np.zeros((1, 9, 8), np.float32), np.arange(9)[None] >= 3
    late[:, 3:] = vectors
    np.testing.assert_allclose(layer(late, real)[:, 3:], layer(vectors, np.ones((1, 6), bool)), atol=1e-5)
    mirrored = layer(vectors[:, ::-1], np.ones((1, 6), bool))[:, ::-1]
    assert np.abs(mirrored - layer(vectors, np.ones((1, 6), bool))).max() > 0.01


@pytest.mark.parametrize(("dtype", "precision"), [("float16", 2**-10), ("bfloat16", 2**-7)])
def test_a_turn_is_as_exact_as_the_numbers_it_turns(dtype, precision):
    vectors = tf.cast(RANDOM.normal(size=(1000, 6)), dtype)
    expected = np.array([rotate(vector, step) for step, vector in enumerate(vectors.numpy().astype(np.float64))])
    turned = rotate_by_position(vectors)
    assert turned.dtype == dtype
    lengths = np.linalg.norm(expected, axis=1, keepdims=True)
    assert (np.abs(turned.numpy().astype(np.float64) - expected) / lengths).max() < 3 * precision


# A bag computes nothing.
MIXED = [{"encoder": name} for name in ENCODERS if name != "bag"] + [{"encoder": "transformer", "position": "rotary"}]


@pytest.mark.parametrize("chosen", MIXED, ids=lambda chosen: "-".join(chosen.values()))
def test_encoders_in_mixed_precision_give_what_they_give_in_float32(chosen):
    options = Options("toy", **chosen, units=6, num_heads=3, num_layers=2, filters=5, feed_forward_units=7)
    vectors = RANDOM.normal(size=(2, 400, 6)).astype(np.float32)
    mask = np.arange(400) < np.array([[400], [250]])

    def build():
        inputs = [keras.Input((None, 6)), keras.Input((None,), dtype="bool")]
        return keras.Model(inputs, ENCODERS[options.encoder](*inputs, options=options)[:2])

    exact = build()
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        mixed = build()
    finally:
        keras.config.set_dtype_policy(policy)
    mixed.set_weights(exact.get_weights())
    for expected, got in zip(exact([vectors, mask]), mixed([vectors.astype(np.float16), mask]), strict=True):
        assert got.dtype == "float16"
        real = mask if got.ndim == 3 else slice(None)
        error = np.abs(np.array(got, np.float64) - np.array(expected))[real]
        assert error.max() < 0.02 * np.abs(expected).max()


def test_attention_refuses_heads_that_it_cannot_turn():
    with pytest.raises(ValueError, match="3 numbers a head"):
        SelfAttention(2, rotary=True)(np.ones((1, 2, 6), np.float32), np.ones((1, 2), bool))


@pytest.mark.parametrize("width", [1, 5, 8])
def test_sinusoidal_positions_equal_the_formula(width):
    vectors = RANDOM.normal(size=(2, 11, width)).astype(np.float32)
    expected = np.sqrt(width) * vectors + np.array([wave(step, width) for step in range(11)])
    np.testing.assert_allclose(SinusoidalPositions()(vectors), expected, atol=1e-5)


def test_masked_softmax_is_that_of_the_real_steps():
    scores = RANDOM.normal(size=(4, 7)).astype(np.float32) * 30
    got = np.array(masked_softmax(scores, MASK))
    for row, length in enumerate(LENGTHS):
        np.testing.assert_allclose(got[row, :length], softmax(scores[row, :length].astype(np.float64)), atol=1e-6)
        assert (got[row, length:] == 0).all()
    assert (np.array(masked_softmax(scores, np.zeros((4, 7), bool))) == 0).all()


def test_the_last_step_is_the_last_real_one_wherever_the_padding_is():
    real = np.array([[1, 1, 0, 0], [0, 0, 1, 1], [0, 1, 1, 0], [1, 0, 0, 0]], bool)
    got = np.array(LastStep()(SEQUENCE[:, :4].astype(np.float32), real))
    both = np.array(LastStep(bidirectional=True)(SEQUENCE[:, :4].astype(np.float32), real))
    half = SEQUENCE.shape[-1] // 2
    for row, (first, last) in enumerate([(0, 1), (2, 3), (1, 2), (0, 0)]):
        np.testing.assert_array_equal(got[row], SEQUENCE[row, last].astype(np.float32))
        # What read backward has read the first step last.
        halves = [*SEQUENCE[row, last, :half], *SEQUENCE[row, first, half:]]
        np.testing.assert_array_equal(both[row], np.array(halves, np.float32))


def test_encoders_run_in_the_session_loader_at_any_size(tmp_path):
    options = Options("toy", units=6, num_heads=3, filters=5, feed_forward_units=7)
    vectors, mask = keras.Input((None, 6), name="vectors"), keras.Input((None,), dtype="bool", name="mask")
    chosen = {name: options.replace(encoder=name) for name in ENCODERS}
    chosen["rotary"] = options.replace(encoder="transformer", position="rotary")
    models = {
        name: keras.Model([vectors, mask], ENCODERS[each.encoder](vectors, mask, options=each)[0], name=name)
        for name, each in chosen.items()
    }

    def serve(*inputs):
        return {name: model(inputs) for name, model in models.items()}

    specs = [tf.TensorSpec((None, None, 6), name="vectors"), tf.TensorSpec((None, None), tf.bool, name="mask")]
    # TensorFlow's convolution of no rows at all has the width of its input.
    sizes = [(0, 1), (0, 4), (1, 1), (4, 7)]
    feeds = [(SEQUENCE[:batch, :length].astype(np.float32), MASK[:batch, :length]) for batch, length in sizes]
    answers = answers_in_a_session(tmp_path / "model", models.values(), serve, specs, feeds)
    found = dict(zip(sizes, answers, strict=True))
    for (batch, length), answers in found.items():
        assert set(answers) == set(models)
        for name, answer in answers.items():
            assert answer.shape == (batch, length, 15 if name == "convolution" else 6), name
    expected = serve(SEQUENCE.astype(np.float32), MASK)
    for name, answer in found[4, 7].items():
        np.testing.assert_allclose(answer[MASK], np.array(expected[name])[MASK], atol=1e-6, err_msg=name)


# What does not fit


@pytest.mark.parametrize("text", ["", "3,", "3,3", "0", "-1", "3;4", "three", "65", "2.5", "３"])
def test_kernel_sizes_that_are_none_are_refused(text):
    with pytest.raises(UsageError) as error:
        Options("toy", kernel_sizes=text)
    assert str(error.value).startswith(f"kernel_sizes is {text!r}; expected different whole numbers from 1 to 64")


def test_kernel_sizes_are_read():
    assert read_kernel_sizes("3,4,5") == (3, 4, 5)
    assert read_kernel_sizes(" 7 ,1, 64") == (7, 1, 64)


def test_heads_divide_the_width_of_a_transformer():
    with pytest.raises(UsageError, match=r"num_heads is 4 and units is 10; .* one of 1, 2, 5, 10, or change --units"):
        Options("toy", encoder="transformer", units=10)
    assert Options("toy", units=10).units == 10, "a recurrence has no heads"


def test_rotary_positions_want_pairs():
    with pytest.raises(UsageError, match="units is 12 and num_heads 4, so that a head has 3 numbers; rotary"):
        Options("toy", encoder="transformer", units=12, position="rotary")
    assert Options("toy", encoder="transformer", units=12).position == "sinusoidal"


@pytest.mark.parametrize(
    ("chosen", "name"),
    [
        ({}, "imdb-gru-max_mean"),
        ({"encoder": "convolution"}, "imdb-convolution-max_mean"),
        ({"encoder": "bag", "head": "mean", "bidirectional": True}, "imdb-bag-mean"),
        (
            {"encoder": "convolution_recurrent", "cell": "lstm", "bidirectional": True},
            "imdb-convolution_recurrent-lstm-bi-max_mean",
        ),
    ],
)
def test_exports_are_named_by_what_reads(chosen, name):
    assert Options("imdb", **chosen).export_name("imdb") == name
