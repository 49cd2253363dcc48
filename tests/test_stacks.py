"""What stands around a cell: residual connections, dropout of inputs and of recurrent weights, initialisers."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from kseq.cells import ACTIVATIONS, CELLS, KERNEL_INITIALIZERS, RECURRENT_INITIALIZERS
from kseq.encoders import ENCODERS
from kseq.options import Options
from tests.test_cells import MASK, SEQUENCE, STEPS, by_hand

BOTH_DIRECTIONS = pytest.mark.parametrize("bidirectional", [False, True], ids=["forward", "bidirectional"])


def variants_that_read(option):
    """Cells, with and without layer normalisation, that read an option."""
    return [
        pytest.param({"cell": cell, "layer_normalization": normalized}, id=f"{cell}{'-normalized' * normalized}")
        for cell, normalized in STEPS
        if option in CELLS[cell].reads
    ]


WEIGHT_DROPPING = pytest.mark.parametrize("variant", variants_that_read("weight_drop"))
INITIALISED = pytest.mark.parametrize("variant", variants_that_read("recurrent_initializer"))
CHRONO = pytest.mark.parametrize("variant", variants_that_read("chrono_length"))


def encoder_model(width=4, seed=5, **choices):
    """A model from vectors (B, T, width) and a mask to the encoder's sequence and summary."""
    keras.utils.set_random_seed(seed)
    vectors, mask = keras.Input((None, width)), keras.Input((None,), dtype="bool")
    options = Options("toy", **{"units": 5, **choices})
    sequence, summary, _ = ENCODERS["recurrent"](vectors, mask, options=options)
    return keras.Model([vectors, mask], [sequence, summary])


def shuffled(model):
    """Give every weight a random value, so that none hides behind a zero."""
    random = np.random.default_rng(4)
    model.set_weights([random.normal(scale=0.7, size=weight.shape) for weight in model.get_weights()])
    return model


def recurrent_layers(model):
    """The layers of cells, from the first to the last, backward ones after the forward ones of their place."""
    for layer in model.layers:
        if isinstance(layer, keras.layers.Bidirectional):
            yield from (layer.forward_layer, layer.backward_layer)
        elif isinstance(layer, keras.layers.RNN):
            yield layer


def layer_by_hand(row, weights, cell, layer_normalization=False):
    """What one layer gives for a row, of each direction that there are weights of."""
    forward, _ = by_hand(cell, layer_normalization, row, weights[0])
    if len(weights) == 1:
        return forward
    backward, _ = by_hand(cell, layer_normalization, row[::-1], weights[1])
    return np.concatenate([forward, backward[::-1]], axis=1)


def test_every_cell_of_gates_and_matrices_is_tested_below():
    assert len(variants_that_read("weight_drop")) >= 6
    assert len(variants_that_read("recurrent_initializer")) >= 6
    assert len(variants_that_read("chrono_length")) >= 4


@pytest.mark.parametrize("normalized", [False, True], ids=["plain", "normalized"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_plain_layer_of_each_activation_equals_a_loop(activation, normalized):
    model = shuffled(encoder_model(cell="simple_rnn", activation=activation, layer_normalization=normalized))
    kernel, recurrent, bias, *gain = model.get_weights()
    function = {
        "tanh": np.tanh, "relu": lambda x: np.maximum(x, 0), "leaky_relu": lambda x: np.where(x < 0, 0.2 * x, x)
    }[activation]  # fmt: skip
    got, _ = model([SEQUENCE, MASK])
    for row, real in enumerate(MASK):
        h = np.zeros(5)
        for step in np.flatnonzero(real):
            total = SEQUENCE[row, step] @ kernel + h @ recurrent
            if normalized:
                total = (total - total.mean()) / np.sqrt(total.var() + 1e-5) * gain[0]
            h = function(total + bias)
            np.testing.assert_allclose(got[row, step], h, rtol=1e-5, atol=1e-5)


@BOTH_DIRECTIONS
@pytest.mark.parametrize("cell", CELLS)
def test_a_residual_stack_adds_the_input_of_each_layer(cell, bidirectional):
    choices = {"cell": cell, "bidirectional": bidirectional, "num_layers": 2, "residual": True}
    model = shuffled(encoder_model(**choices))
    got_sequence, got_summary = (np.array(part) for part in model([SEQUENCE, MASK]))
    projection = model.get_layer("residual_projection_1").get_weights()
    assert len(projection) == 1
    layers = [layer.get_weights() for layer in recurrent_layers(model)]
    directions = len(layers) // 2
    for row, real in enumerate(MASK):
        vectors = SEQUENCE[row, real]
        first = layer_by_hand(vectors, layers[:directions], cell) + vectors @ projection[0]
        second = layer_by_hand(first, layers[directions:], cell) + first
        np.testing.assert_allclose(got_sequence[row, real], second, rtol=1e-5, atol=1e-5)
        summary = np.concatenate([second[-1, :5], second[0, 5:]]) if bidirectional else second[-1]
        np.testing.assert_allclose(got_summary[row], summary, rtol=1e-5, atol=1e-5)


def test_a_residual_layer_as_wide_as_its_input_has_no_weight_of_its_own():
    def widths(**choices):
        return [weight.shape for weight in encoder_model(width=5, cell="simple_rnn", **choices).weights]

    assert widths(residual=True) == widths() == [(5, 5), (5, 5), (5,)]
    assert (5, 10) in widths(residual=True, bidirectional=True)
    assert (5, 10) not in widths(bidirectional=True)


def test_the_input_goes_by_a_residual_layer_whole_while_training():
    model = encoder_model(width=5, residual=True, variational_dropout=0.5)
    model.set_weights([np.zeros(weight.shape) for weight in model.get_weights()])
    vectors = np.ones((2, 3, 5), np.float32)
    sequence, _ = model([vectors, np.ones((2, 3), bool)], training=True)
    np.testing.assert_array_equal(sequence, vectors)


@BOTH_DIRECTIONS
def test_variational_dropout_is_one_mask_over_all_steps_of_a_text(bidirectional):
    rate = 0.4
    model = shuffled(encoder_model(width=12, cell="gru", bidirectional=bidirectional, variational_dropout=rate))
    vectors = tf.constant(np.random.default_rng(6).normal(size=(3, 6, 12)), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(vectors)
        sequence, _ = model([vectors, tf.ones((3, 6), tf.bool)], training=True)
        loss = tf.reduce_sum(sequence * tf.random.stateless_normal(sequence.shape, [1, 2]))
    read = tape.gradient(loss, vectors).numpy() != 0  # Of what is dropped, nothing is read.
    assert (read == read[:, :1]).all()
    kept = read[:, 0]
    assert 0 < kept.mean() < 1
    assert len(np.unique(kept, axis=0)) == 3, "texts have masks of their own"
    weights = [layer.get_weights() for layer in recurrent_layers(model)]
    for row in range(3):
        expected = layer_by_hand(vectors[row].numpy() * kept[row] / (1 - rate), weights, "gru")
        np.testing.assert_allclose(sequence[row], expected, atol=1e-5)


def test_variational_dropout_is_on_every_layer_and_in_training_alone():
    model = encoder_model(width=50, units=50, num_layers=2, variational_dropout=0.3)
    inside = [model.get_layer(f"variational_dropout_{number}") for number in (1, 2)]
    within = keras.Model(model.inputs, [part for layer in inside for part in (layer.input, layer.output)])
    vectors, mask = np.random.default_rng(6).normal(size=(40, 2, 50)), np.ones((40, 2), bool)
    before_1, after_1, before_2, after_2 = (np.array(part) for part in within([vectors, mask], training=True))
    dropped = [after_1 == 0, after_2 == 0]
    for before, after, gone in zip([before_1, before_2], [after_1, after_2], dropped, strict=True):
        np.testing.assert_allclose(after[~gone], before[~gone] / 0.7, rtol=1e-5)
        # 2,000 draws: four standard deviations.
        assert abs(gone[:, 0].mean() - 0.3) < 0.041
    assert (dropped[0] != dropped[1]).any()
    before_1, after_1, before_2, after_2 = within([vectors, mask], training=False)
    np.testing.assert_array_equal(before_1, after_1)
    np.testing.assert_array_equal(before_2, after_2)


@BOTH_DIRECTIONS
def test_layer_dropout_is_between_layers_and_in_training_alone(bidirectional):
    """A layer reads what is left of the sequence of the one below, each number dropped for itself."""
    model = shuffled(encoder_model(width=6, cell="gru", num_layers=3, layer_dropout=0.3, bidirectional=bidirectional))
    inside = [model.get_layer(f"layer_dropout_{number}") for number in (1, 2)]
    assert not [layer for layer in model.layers if layer.name.startswith("layer_dropout") and layer not in inside]
    sequence, _ = model.outputs
    within = keras.Model(model.inputs, [[layer.input, layer.output] for layer in inside] + [[sequence, sequence]])
    rows = [np.random.default_rng(6).normal(size=(60, 6, 6)).astype(np.float32), np.ones((60, 6), bool)]
    *dropouts, (got, _) = within(rows, training=True)
    for before, after in dropouts:
        before, after = np.array(before), np.array(after)
        gone = after == 0
        # 1,800 draws or more: four standard deviations.
        assert abs(gone.mean() - 0.3) < 0.044
        assert (gone != gone[:, :1]).any(), "not the same at every time step"
        np.testing.assert_allclose(after[~gone], before[~gone] / 0.7, rtol=1e-5)
    weights = [layer.get_weights() for layer in recurrent_layers(model)]
    top = weights[-2:] if bidirectional else weights[-1:]
    expected = layer_by_hand(np.array(dropouts[-1][1])[0], top, "gru")
    np.testing.assert_allclose(got[0], expected, atol=1e-5)
    for before, after in within(rows, training=False)[:2]:
        np.testing.assert_array_equal(before, after)


@WEIGHT_DROPPING
def test_weight_drop_equals_a_loop_over_the_kept_weights(variant):
    rate = 0.4
    model = shuffled(encoder_model(**variant, bidirectional=True, weight_drop=rate))
    layers = list(recurrent_layers(model))
    kernels = [layer.cell.recurrent_kernel for layer in layers]
    whole = [kernel.numpy() for kernel in kernels]

    @tf.function
    def train(vectors, mask):
        with tf.GradientTape() as tape:
            sequence, _ = model([vectors, mask], training=True)
            loss = tf.reduce_sum(sequence * tf.random.stateless_normal(tf.shape(sequence), [1, 2]))
        return sequence, tape.gradient(loss, [kernel.value for kernel in kernels])

    masks = []
    for _ in range(2):
        sequence, gradients = train(tf.constant(SEQUENCE), tf.constant(MASK))
        # A weight that is dropped has no part in the answer, and so no gradient.
        kept = [gradient.numpy() != 0 for gradient in gradients]
        weights = [
            [kernel, recurrent * mask / (1 - rate), *others]
            for (kernel, recurrent, *others), mask in zip((layer.get_weights() for layer in layers), kept, strict=True)
        ]
        for row, real in enumerate(MASK):
            expected = layer_by_hand(SEQUENCE[row, real], weights, **variant)
            np.testing.assert_allclose(sequence[row][real], expected, atol=1e-5)
        masks += kept
    assert all(0.3 < mask.mean() < 0.9 for mask in masks)
    for one, other in itertools.combinations(masks, 2):
        assert (one != other).any(), "batches and directions have masks of their own"
    for kernel, before in zip(kernels, whole, strict=True):
        np.testing.assert_array_equal(kernel.numpy(), before, "the weight itself stays whole")


@WEIGHT_DROPPING
def test_weight_drop_drops_its_fraction_in_training_alone(variant, tmp_path):
    model = encoder_model(**variant, units=40, weight_drop=0.3)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    plain = encoder_model(**variant, units=40)
    plain.set_weights(model.get_weights())
    expected, _ = plain([SEQUENCE, MASK], training=True)
    for each in (model, loaded):
        kernel = next(recurrent_layers(each)).cell.recurrent_kernel
        with tf.GradientTape() as tape:
            sequence, _ = each([SEQUENCE, MASK], training=True)
            loss = tf.reduce_sum(sequence * tf.random.stateless_normal(sequence.shape, [1, 2]))
        dropped = tape.gradient(loss, kernel.value).numpy() == 0
        assert abs(dropped.mean() - 0.3) < 4 * np.sqrt(0.3 * 0.7 / dropped.size)
        assert np.abs(sequence - expected).max() > 1e-3
        np.testing.assert_array_equal(each([SEQUENCE, MASK], training=False)[0], expected)


@pytest.mark.parametrize(
    ("choices", "training", "random"),
    [
        ({}, True, False),
        ({"weight_drop": 0.3}, True, True),
        ({"variational_dropout": 0.3}, True, True),
        ({"weight_drop": 0.3, "variational_dropout": 0.3}, False, False),
    ],
)
def test_nothing_is_drawn_where_nothing_is_dropped(choices, training, random):
    model = encoder_model(cell="lstm", bidirectional=True, **choices)
    traced = tf.function(lambda vectors, mask: model([vectors, mask], training=training))
    graph = traced.get_concrete_function(tf.TensorSpec((None, None, 4)), tf.TensorSpec((None, None), tf.bool))
    assert ("Random" in str(graph.graph.as_graph_def())) == random


# What weights start from, against the definitions: variance of a fan-in n and a fan-out m.
VARIANCES = {
    "glorot_uniform": lambda n, m: 2 / (n + m), "glorot_normal": lambda n, m: 2 / (n + m),
    "he_uniform": lambda n, m: 2 / n, "he_normal": lambda n, m: 2 / n,
    "lecun_uniform": lambda n, m: 1 / n, "lecun_normal": lambda n, m: 1 / n,
}  # fmt: skip


def spread_fits(matrix, name):
    """Compare the values of a matrix with the distribution that its initialiser is named for."""
    deviation = np.sqrt(VARIANCES[name](*matrix.shape))
    if name.endswith("uniform"):
        expected = stats.uniform(-np.sqrt(3) * deviation, 2 * np.sqrt(3) * deviation)
    else:
        # Cut off at two deviations, and widened so that the variance is as it was.
        expected = stats.truncnorm(-2, 2, scale=deviation / stats.truncnorm(-2, 2).std())
    return stats.kstest(matrix.ravel(), expected.cdf).pvalue > 0.01


def test_every_initialiser_has_a_definition():
    assert set(KERNEL_INITIALIZERS) == set(VARIANCES)
    assert set(RECURRENT_INITIALIZERS) == {*VARIANCES, "orthogonal", "identity"}


@pytest.mark.parametrize("name", VARIANCES)
@INITIALISED
def test_matrices_start_as_their_initialisers_say(variant, name):
    other = {"he_normal": "glorot_uniform"}.get(name, "he_normal")
    model = encoder_model(width=200, units=60, **variant, kernel_initializer=name, recurrent_initializer=other)
    kernel, recurrent, *_ = model.get_weights()
    assert {each for each in VARIANCES if spread_fits(kernel, each)} == {name}
    assert spread_fits(recurrent, other)
    assert not spread_fits(recurrent, name)


@INITIALISED
def test_recurrent_matrices_start_orthogonal(variant):
    for layer in recurrent_layers(encoder_model(units=30, **variant, bidirectional=True)):
        recurrent = layer.get_weights()[1]
        np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(30), atol=1e-5)
        assert np.abs(recurrent - np.eye(*recurrent.shape)).max() > 0.1


@pytest.mark.parametrize("normalized", [False, True], ids=["plain", "normalized"])
def test_a_plain_layer_can_start_as_the_identity(normalized):
    model = encoder_model(cell="simple_rnn", recurrent_initializer="identity", layer_normalization=normalized)
    np.testing.assert_array_equal(model.get_weights()[1], np.eye(5))


@CHRONO
def test_chrono_biases_let_units_remember_from_2_to_so_many_steps(variant):
    length = 200
    model = encoder_model(units=150, **variant, bidirectional=True, chrono_length=length)
    logs = []
    for layer in recurrent_layers(model):
        bias = layer.get_weights()[2]
        if variant["cell"] == "lstm":
            entering, keeping, *rest = np.split(bias, 4)
            np.testing.assert_array_equal(entering, -keeping)
        else:
            # Keras' GRU has a second row of biases.
            keeping, *rest = np.split(bias.ravel(), 3 * bias.ndim)
        assert not np.array(rest).any()
        assert stats.kstest(np.exp(keeping), stats.uniform(1, length - 2).cdf).pvalue > 0.01
        logs.append(keeping)
    assert (logs[0] != logs[1]).all()


@CHRONO
def test_a_chrono_bias_is_on_the_gate_that_keeps_the_state(variant):
    """With nothing but the biases at work, a state of ones decays by the share that the paper gives."""
    keras.utils.set_random_seed(5)
    options = Options("toy", **variant, chrono_length=50)
    layer = CELLS[variant["cell"]](150, options=options, return_state=True, use_cudnn=False)
    layer.build((None, None, 3))
    kernel, recurrent, *others = layer.get_weights()
    layer.set_weights([np.zeros_like(kernel), np.zeros_like(recurrent), *others])
    ones = [tf.ones((1, 150))] * (2 if variant["cell"] == "lstm" else 1)
    *_, state = layer(tf.zeros((1, 1, 3)), initial_state=ones)
    times = 1 / (1 - state.numpy()[0])
    assert stats.kstest(times, stats.uniform(2, 48).cdf).pvalue > 0.01


def test_without_a_chrono_length_biases_start_as_keras_starts_them():
    for cell in ("lstm", "gru"):
        ours = encoder_model(cell=cell).get_weights()[2]
        layer = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU}[cell](5)
        layer.build((None, None, 4))
        np.testing.assert_array_equal(ours, layer.get_weights()[2])


def test_the_seed_decides_what_weights_start_from():
    choices = {"cell": "lstm", "bidirectional": True, "chrono_length": 30, "kernel_initializer": "he_normal"}
    one, again, other = (encoder_model(**choices, seed=seed).get_weights() for seed in (1, 1, 2))
    for first, second, third in zip(one, again, other, strict=True):
        np.testing.assert_array_equal(first, second)
        assert (first != third).any()
    for forward, backward in zip(one[:3], one[3:], strict=True):
        assert (forward != backward).any()
