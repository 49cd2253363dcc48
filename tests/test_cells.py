"""Cells against loops in NumPy, step by step, with the same weights."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kseq.applies import readers_of
from kseq.cells import CELLS
from kseq.encoders import ENCODERS
from kseq.layers.linear_recurrence import linear_recurrence
from kseq.layers.linear_rnn import LinearRNN
from kseq.layers.minlstm import MinLSTMCell
from kseq.options import Options
from tests.session_loader import answers_in_a_session

RANDOM = np.random.default_rng(2)
SEQUENCE = RANDOM.normal(size=(4, 6, 4)).astype(np.float32)
# The second and the third row end in padding; the last one has it in its midst as well.
MASK = np.array([[1, 1, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0], [1, 0, 0, 0, 0, 0], [0, 1, 0, 1, 1, 0]], bool)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def normalized(x, gain):
    return (x - x.mean()) / np.sqrt(x.var() + 1e-5) * gain


def simple_rnn_step(x, states, kernel, recurrent, bias):
    return [np.tanh(x @ kernel + states[0] @ recurrent + bias)]


def normalized_simple_rnn_step(x, states, kernel, recurrent, bias, gain):
    return [np.tanh(normalized(x @ kernel + states[0] @ recurrent, gain) + bias)]


def lstm_step(x, states, kernel, recurrent, bias):
    h, c = states
    i, f, candidate, o = np.split(x @ kernel + h @ recurrent + bias, 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(candidate)
    return [sigmoid(o) * np.tanh(c), c]


def normalized_lstm_step(x, states, kernel, recurrent, bias, shift, of_input, of_recurrent, of_state):
    h, c = states
    gates = normalized(h @ recurrent, of_recurrent) + normalized(x @ kernel, of_input) + bias
    i, f, candidate, o = np.split(gates, 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(candidate)
    return [sigmoid(o) * np.tanh(normalized(c, of_state) + shift), c]


def gru_step(x, states, kernel, recurrent, bias):
    h = states[0]
    xz, xr, xh = np.split(x @ kernel + bias[0], 3)
    hz, hr, hh = np.split(h @ recurrent + bias[1], 3)
    z, r = sigmoid(xz + hz), sigmoid(xr + hr)
    return [z * h + (1 - z) * np.tanh(xh + r * hh)]


def normalized_gru_step(x, states, kernel, recurrent, bias, shift, *gains):
    h, width = states[0], len(states[0])
    product, recurrent_product = x @ kernel, h @ recurrent
    gates = normalized(product[: 2 * width], gains[0]) + normalized(recurrent_product[: 2 * width], gains[2])
    z, r = np.split(sigmoid(gates + bias[: 2 * width]), 2)
    recurrent_sum = normalized(recurrent_product[2 * width :], gains[3]) + shift
    return [
        z * h + (1 - z) * np.tanh(normalized(product[2 * width :], gains[1]) + bias[2 * width :] + r * recurrent_sum)
    ]


def mingru_step(x, states, gate_kernel, gate_bias, kernel, bias):
    z = sigmoid(x @ gate_kernel + gate_bias)
    return [(1 - z) * states[0] + z * (x @ kernel + bias)]


def minlstm_step(x, states, forget_kernel, forget_bias, input_kernel, input_bias, kernel, bias):
    f, i = sigmoid(x @ forget_kernel + forget_bias), sigmoid(x @ input_kernel + input_bias)
    return [f / (f + i) * states[0] + i / (f + i) * (x @ kernel + bias)]


def sru_step(x, states, forget_kernel, forget_bias, reset_kernel, reset_bias, kernel, projection=None):
    f, r = sigmoid(x @ forget_kernel + forget_bias), sigmoid(x @ reset_kernel + reset_bias)
    c = f * states[1] + (1 - f) * (x @ kernel)
    highway = x if projection is None else x @ projection
    return [r * c + (1 - r) * highway * 3**0.5, c]


def indrnn_step(x, states, recurrent, kernel, bias):
    return [np.maximum(0, x @ kernel + recurrent * states[0] + bias)]


# A step and the number of its states, by the name of the cell and whether it is layer-normalised.
STEPS = {
    ("simple_rnn", False): (simple_rnn_step, 1),
    ("simple_rnn", True): (normalized_simple_rnn_step, 1),
    ("lstm", False): (lstm_step, 2),
    ("lstm", True): (normalized_lstm_step, 2),
    ("gru", False): (gru_step, 1),
    ("gru", True): (normalized_gru_step, 1),
    ("mingru", False): (mingru_step, 1),
    ("minlstm", False): (minlstm_step, 1),
    ("sru", False): (sru_step, 2),
    ("indrnn", False): (indrnn_step, 1),
}
VARIANTS = [
    pytest.param(cell, normalization, id=f"{cell}-normalized" if normalization else cell)
    for cell, normalization in STEPS
]


def options_of(cell, normalization=False, **more):
    return Options("toy", cell=cell, layer_normalization=normalization, **{"units": 5, "num_layers": 1, **more})


def layer_of(cell, normalization=False, units=5, **settings):
    """A layer as the recurrent encoder makes it, with weights that are all away from 0."""
    settings = {"return_sequences": True, "return_state": True, "use_cudnn": False, **settings}
    layer = CELLS[cell](units, options=options_of(cell, normalization), **settings)
    layer.build((None, None, SEQUENCE.shape[-1]))
    # Halved, so that no recurrence grows without end.
    layer.set_weights([0.5 * RANDOM.normal(size=weight.shape) for weight in layer.get_weights()])
    return layer


def by_hand(cell, normalization, row, weights, states=None, units=5):
    """Outputs and states after each of the steps of a row, all of which are real."""
    step, count = STEPS[cell, normalization]
    weights = [weight.astype(np.float64) for weight in weights]
    states = [np.zeros(units)] * count if states is None else states
    outputs = []
    for x in row.astype(np.float64):
        states = step(x, states, *weights)
        outputs.append(states[0])
    return np.array(outputs), states


def test_every_cell_has_an_oracle():
    normalized_cells = {name for _, name in readers_of("layer_normalization")}
    assert normalized_cells == {"simple_rnn", "lstm", "gru"}
    assert set(STEPS) == {(cell, False) for cell in CELLS} | {(cell, True) for cell in normalized_cells}


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize(("cell", "normalization"), VARIANTS)
def test_cells_equal_a_loop_over_steps(cell, normalization, bidirectional):
    options = options_of(cell, normalization, bidirectional=bidirectional)
    vectors, mask = keras.Input((None, 4)), keras.Input((None,), dtype="bool")
    sequence, summary, _ = ENCODERS["recurrent"](vectors, mask, options=options)
    model = keras.Model([vectors, mask], [sequence, summary])
    model.set_weights([RANDOM.normal(size=weight.shape) for weight in model.get_weights()])
    got_sequence, got_summary = (np.array(part) for part in model([SEQUENCE, MASK]))
    weights = model.get_weights()
    half = len(weights) // (2 if bidirectional else 1)
    for number, real in enumerate(MASK):
        row = SEQUENCE[number, real]
        expected, (state, *_) = by_hand(cell, normalization, row, weights[:half])
        if bidirectional:
            backward, (backward_state, *_) = by_hand(cell, normalization, row[::-1], weights[half:])
            expected = np.concatenate([expected, backward[::-1]], axis=1)
            state = np.concatenate([state, backward_state])
        np.testing.assert_allclose(got_sequence[number, real], expected, atol=1e-5)
        np.testing.assert_allclose(got_summary[number], state, atol=1e-5)


@pytest.mark.parametrize(("cell", "normalization"), VARIANTS)
def test_states_go_on_from_given_ones_and_outlast_padding(cell, normalization):
    layer = layer_of(cell, normalization)
    count = STEPS[cell, normalization][1]
    initial = [np.abs(RANDOM.normal(size=(5, 5))).astype(np.float32) for _ in range(count)]
    # The last row is all padding.
    vectors = np.concatenate([SEQUENCE, SEQUENCE[:1]])
    mask = np.concatenate([MASK, np.zeros((1, 6), bool)])
    _, *got = layer(vectors, initial_state=list(map(tf.constant, initial)), mask=tf.constant(mask))
    assert len(got) == count
    for number, real in enumerate(mask):
        first = [state[number].astype(np.float64) for state in initial]
        _, expected = by_hand(cell, normalization, vectors[number, real], layer.get_weights(), first)
        for state, at_end in zip(got, expected, strict=True):
            np.testing.assert_allclose(state[number], at_end, atol=1e-5)


@pytest.mark.parametrize("cell", ["mingru", "sru", "indrnn"])
def test_a_layer_gives_what_the_arguments_of_keras_ask_for(cell):
    layer = layer_of(cell, zero_output_for_mask=True)
    sequence, *states = layer(SEQUENCE, mask=MASK)
    assert not np.array(sequence)[~MASK].any()
    alone = layer_of(cell, return_sequences=False, return_state=False)
    alone.set_weights(layer.get_weights())
    np.testing.assert_array_equal(alone(SEQUENCE, mask=MASK), states[0])
    assert alone.compute_output_shape((None, None, 4)) == (None, 5)
    backward = layer_of(cell, go_backwards=True)
    backward.set_weights(layer.get_weights())
    np.testing.assert_allclose(backward(SEQUENCE[:, ::-1], mask=MASK[:, ::-1])[1], states[0], atol=1e-6)


@pytest.mark.parametrize("cell", ["mingru", "minlstm", "sru"])
def test_a_new_layer_keeps_most_of_its_state(cell):
    layer = CELLS[cell](3, options=options_of(cell), return_state=True, use_cudnn=False)
    initial = [tf.ones((1, 3))] * STEPS[cell, False][1]
    _, *states = layer(tf.zeros((1, 1, 4)), initial_state=initial)
    np.testing.assert_allclose(states[-1], np.full((1, 3), sigmoid(2)), atol=1e-6)


def test_sru_of_its_input_s_width_has_no_projection():
    layer = layer_of("sru", units=4)
    assert len(layer.weights) == len(layer_of("sru", units=5).weights) - 1
    got = np.array(layer(SEQUENCE, mask=MASK)[0])
    expected, _ = by_hand("sru", False, SEQUENCE[0], layer.get_weights(), units=4)
    np.testing.assert_allclose(got[0], expected, atol=1e-5)


def test_closed_gates_of_a_minlstm_are_numbers():
    layer = LinearRNN(MinLSTMCell(2), return_sequences=True)
    layer.build((None, None, 1))
    # Both gates are 0 in float32, and their quotient is to be e to the power of their difference.
    biases = [np.array(bias) for bias in ([-200, -200], [-200, -201], [1, 1])]
    layer.set_weights([weight for bias in biases for weight in (np.zeros((1, 2)), bias)])
    with tf.GradientTape() as tape:
        states = layer(tf.ones((1, 1, 1)))
    np.testing.assert_allclose(states[0, 0], [0.5, sigmoid(-1)], atol=1e-6)
    gradient = tape.gradient(states, layer.trainable_weights[3].value)
    np.testing.assert_allclose(gradient, [0.25, sigmoid(1) * sigmoid(-1)], atol=1e-6)


def test_indrnn_keeps_its_recurrent_weights_within_1():
    layer = layer_of("indrnn")
    (recurrent,) = [weight for weight in layer.trainable_weights if weight.name == "recurrent"]
    recurrent.assign([0.5, -0.5, 0.9, -0.9, 0.0])
    optimizer = keras.optimizers.SGD(1.0)
    optimizer.apply([tf.constant([-0.25, 0.25, -8.0, 8.0, 0.0])], [recurrent])
    np.testing.assert_allclose(recurrent, [0.75, -0.75, 1, -1, 0], atol=1e-6)
    new = CELLS["indrnn"](500, options=options_of("indrnn"), use_cudnn=False)
    new.build((None, None, 2))
    first = new.trainable_weights[0].numpy()
    assert first.shape == (500,)
    assert 0 <= first.min() < 0.05
    assert 0.95 < first.max() <= 1


def recurrence_by_hand(gate, candidate, initial):
    states = [initial]
    for z, c in zip(gate, candidate, strict=True):
        states.append((1 - z) * states[-1] + z * c)
    return np.array(states[1:])


def recurrence_inputs(length, dtype=np.float64):
    random = np.random.default_rng(length)
    gate = random.uniform(size=(length, 2, 3)) * (random.random((length, 2, 1)) < 0.8)
    return [part.astype(dtype) for part in (gate, random.normal(size=(length, 2, 3)), random.normal(size=(2, 3)))]


# Fewer steps than a turn of the loop has, as many, and more.
LENGTHS = [1, 7, 8, 19]


def test_the_recurrence_of_any_length_equals_a_loop_and_is_traced_once():
    traced = []

    @tf.function(input_signature=[tf.TensorSpec((None, None, 3))] * 2 + [tf.TensorSpec((None, 3))])
    def compiled(*inputs):
        traced.append(inputs)
        return linear_recurrence(*inputs)

    for length in LENGTHS:
        inputs = recurrence_inputs(length, np.float32)
        expected = recurrence_by_hand(*inputs)
        np.testing.assert_allclose(compiled(*inputs), expected, atol=1e-6)
        np.testing.assert_allclose(linear_recurrence(*map(tf.constant, inputs)), expected, atol=1e-6)
    assert len(traced) == 1


@pytest.mark.parametrize("length", LENGTHS)
def test_the_gradient_of_the_recurrence_equals_finite_differences(length):
    inputs = recurrence_inputs(length)
    weights = np.random.default_rng(1).normal(size=(length, 2, 3))

    @tf.function
    def gradients(*inputs):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            total = tf.reduce_sum(linear_recurrence(*inputs) * weights)
        return tape.gradient(total, inputs)

    for part, got in enumerate(gradients(*map(tf.constant, inputs))):
        for place in np.ndindex(inputs[part].shape):
            around = []
            for step in (1e-5, -1e-5):
                moved = [array.copy() for array in inputs]
                moved[part][place] += step
                around.append((recurrence_by_hand(*moved) * weights).sum())
            assert abs(got[place] - (around[0] - around[1]) / 2e-5) < 1e-6, (part, place)


@pytest.mark.parametrize("length", LENGTHS)
def test_the_recurrence_of_other_backends_equals_a_loop(length, monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    inputs = recurrence_inputs(length, np.float32)
    np.testing.assert_allclose(linear_recurrence(*inputs), recurrence_by_hand(*inputs), atol=1e-6)


def test_cells_run_in_the_session_loader_at_any_size(tmp_path):
    vectors, mask = keras.Input((None, 4)), keras.Input((None,), dtype="bool")
    layers = {variant: layer_of(*variant, return_state=False) for variant in STEPS}
    names = {variant: f"{variant[0]}_{variant[1]}" for variant in STEPS}
    model = keras.Model([vectors, mask], {names[each]: layer(vectors, mask=mask) for each, layer in layers.items()})
    specs = [tf.TensorSpec((None, None, 4), name="vectors"), tf.TensorSpec((None, None), tf.bool, name="mask")]
    feeds = [
        (RANDOM.normal(size=(batch, length, 4)).astype(np.float32), np.ones((batch, length), bool))
        for batch, length in [(1, 1), (3, 20), (0, 4)]
    ]
    found = answers_in_a_session(tmp_path / "model", [model], lambda *inputs: model(inputs), specs, feeds)
    for (rows, real), answers in zip(feeds, found, strict=True):
        assert len(answers) == len(STEPS)
        for variant, layer in layers.items():
            answer = answers[names[variant]]
            assert answer.shape == (*real.shape, 5)
            for row, got in zip(rows, answer, strict=True):
                expected = by_hand(*variant, row, layer.get_weights())[0]
                np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5, err_msg=names[variant])
