"""Optimizers: that they train, what they clip, decay and hand on to Keras."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kseq.applies import readers_of
from kseq.cells import CELLS
from kseq.errors import UsageError
from kseq.optimizers import LEARNING_RATES, OPTIMIZERS
from tests.training_toy import INPUTS, LABELS, TOY, by_hand, new_model, recurrent_model, train_toy


def test_every_optimizer_has_a_learning_rate():
    assert set(LEARNING_RATES) == set(OPTIMIZERS)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_trains_and_clips(name):
    options = TOY.replace(optimizer=name, clip_norm=0.5, epochs=2, learning_rate=0.3 if name == "sgd" else 0.02)
    start = by_hand(new_model(), INPUTS, LABELS)[0]
    model, _ = train_toy(options.replace(monitor="val_loss"))
    assert by_hand(model, INPUTS, LABELS)[0] < start
    assert model.optimizer.global_clipnorm == 0.5
    assert model.optimizer.clipnorm is model.optimizer.clipvalue is None
    assert OPTIMIZERS[name](0.1, options=options.replace(clip_norm=0.0)).global_clipnorm is None


def test_the_norm_is_of_all_gradients_together():
    """One step of plain SGD from gradients 3 and 4, whose norm is 5, clipped to 1."""
    optimizer = OPTIMIZERS["sgd"](1.0, options=TOY.replace(clip_norm=1.0, momentum=0.0))
    first, second = keras.Variable([0.0]), keras.Variable([0.0])
    optimizer.apply([tf.constant([3.0]), tf.constant([4.0])], [first, second])
    np.testing.assert_allclose([float(first[0]), float(second[0])], [-0.6, -0.8], atol=1e-6)


@pytest.mark.parametrize("name", ["sgd", "rmsprop"])
def test_momentum_is_handed_on(name):
    for momentum in (0.0, 0.7):
        assert OPTIMIZERS[name](0.1, options=TOY.replace(momentum=momentum)).momentum == momentum


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_of_both_clippings_keras_gets_the_one_that_is_set(name):
    def clippings(**options):
        made = OPTIMIZERS[name](0.1, options=TOY.replace(**options))
        return made.global_clipnorm, made.clipvalue

    assert clippings(clip_norm=None) == (1.0, None)
    assert clippings(clip_norm=0.3) == (0.3, None)
    assert clippings(clip_norm=None, clip_value=0.2) == (None, 0.2)
    assert clippings(clip_norm=0.0, clip_value=0.2) == (None, 0.2)
    assert clippings(clip_norm=0.3, clip_value=0.0) == (0.3, None)


def test_each_number_is_clipped_for_itself():
    """One step of plain descent from gradients 3, -4 and 0.5, clipped to 1."""
    optimizer = OPTIMIZERS["sgd"](1.0, options=TOY.replace(clip_norm=None, clip_value=1.0, momentum=0.0))
    weights = keras.Variable([0.0, 0.0, 0.0])
    optimizer.apply([tf.constant([3.0, -4.0, 0.5])], [weights])
    np.testing.assert_allclose(weights.numpy(), [-1, 1, -0.5], atol=1e-6)


def test_both_clippings_at_once_are_refused():
    with pytest.raises(UsageError, match=r"clip_norm is 0\.7 and clip_value is 0\.2; expected one of the two"):
        TOY.replace(clip_norm=0.7, clip_value=0.2)


def test_lion_equals_its_formula():
    """Chen et al. (2023), algorithm 2: the sign of a mixture, and a slower momentum; decay beside the gradient."""
    options = TOY.replace(clip_norm=0.0, weight_decay=0.5)
    optimizer = OPTIMIZERS["lion"](0.01, options=options)
    random = np.random.default_rng(0)
    weights = random.normal(size=5)
    variable = keras.Variable(weights.astype(np.float32)[:, None], name="kernel")
    momentum = np.zeros(5)
    for _ in range(20):
        gradient = random.normal(size=5)
        optimizer.apply([tf.constant(gradient[:, None], tf.float32)], [variable])
        weights -= 0.01 * (np.sign(0.9 * momentum + 0.1 * gradient) + 0.5 * weights)
        momentum = 0.99 * momentum + 0.01 * gradient
    np.testing.assert_allclose(variable.numpy()[:, 0], weights, atol=2e-3)


@pytest.mark.parametrize(("name", "decay"), [("adamw", 0.01), ("lion", 0.1)])
def test_decay_where_none_is_set(name, decay):
    assert OPTIMIZERS[name](0.1, options=TOY.replace(weight_decay=None)).weight_decay == decay
    assert OPTIMIZERS[name](0.1, options=TOY.replace(weight_decay=0.0)).weight_decay == 0


def decayed_share(name, model):
    """Give what a step without gradients, at a rate of 0.1 and a decay of 0.5, takes away of each weight, all 1."""
    model.set_weights([np.ones_like(weight) for weight in model.get_weights()])
    optimizer = OPTIMIZERS[name](0.1, options=TOY.replace(weight_decay=0.5, clip_norm=0.0))
    optimizer.build(model.trainable_variables)
    optimizer.apply([tf.zeros(weight.shape) for weight in model.trainable_variables])
    return {weight.path: 1 - weight.numpy() for weight in model.trainable_variables}


def is_vector(path):
    """Whether the weight of a path is one number a unit, by what the layers call such weights."""
    last = path.rsplit("/", 1)[-1]
    return last in ("bias", "gamma", "beta", "state_shift", "recurrent_shift", "recurrent")


@pytest.mark.parametrize("name", ["adamw", "lion"])
@pytest.mark.parametrize("normalization", ["batch", "layer"])
def test_matrices_are_decayed_and_biases_and_scales_are_not(name, normalization):
    model = recurrent_model(
        TOY.replace(num_layers=2, bidirectional=True, head="attention", normalization=normalization)
    )
    shares = decayed_share(name, model)
    assert {"bias", "gamma", "beta", "kernel", "recurrent_kernel", "embeddings"} == {
        path.rsplit("/", 1)[-1] for path in shares
    }
    for path, share in shares.items():
        np.testing.assert_allclose(share, 0.0 if is_vector(path) else 0.05, atol=1e-6, err_msg=path)


@pytest.mark.parametrize(
    ("cell", "normalized"),
    [*((cell, False) for cell in CELLS), *((cell, True) for _, cell in readers_of("layer_normalization"))],
)
def test_of_every_cell_matrices_alone_are_decayed(cell, normalized):
    shares = decayed_share("adamw", recurrent_model(TOY.replace(cell=cell, layer_normalization=normalized)))
    vectors = [path for path in shares if is_vector(path)]
    assert 0 < len([path for path in vectors if path.startswith(cell)]) < len(shares)
    for path, share in shares.items():
        np.testing.assert_allclose(share, 0.0 if is_vector(path) else 0.05, atol=1e-6, err_msg=path)


@pytest.mark.parametrize("name", ["adamw", "lion"])
def test_an_optimizer_of_our_own_comes_back_from_its_config(name):
    made = OPTIMIZERS[name](0.1, options=TOY.replace(weight_decay=0.3))
    again = keras.optimizers.deserialize(keras.optimizers.serialize(made))
    assert type(again) is type(made)
    assert again.weight_decay == 0.3
