"""Normalised word vectors against NumPy: which numbers they are over, and what travels with the model.

What every part keeps (padding, batching, gradients, save and load), the contract tests say of these too.
"""

import keras
import numpy as np
import pytest

from kseq.model import serving_model
from kseq.normalizations import NORMALIZATIONS
from kseq.options import Options
from tests.training_toy import HELD_OUT, SPEC, TOY, recurrent_model, train_toy

VECTORS = (3 + 2 * np.random.default_rng(0).normal(size=(4, 6, 5))).astype(np.float32)
MASK = np.arange(6) < np.array([6, 3, 1, 4])[:, None]


def built(name):
    vectors, mask = keras.Input((None, 5)), keras.Input((None,), dtype="bool")
    normalised = NORMALIZATIONS[name](vectors, mask, options=Options("toy", normalization=name))
    return keras.Model([vectors, mask], normalised)


def changed_in_padding(vectors):
    return np.where(MASK[:, :, None], vectors, 1000).astype(np.float32)


def test_none_changes_nothing():
    np.testing.assert_array_equal(built("none")([VECTORS, MASK]), VECTORS)


def test_layer_normalization_is_over_the_numbers_of_a_vector():
    model = built("layer")
    scale, offset = np.linspace(0.5, 2, 5), np.linspace(-1, 1, 5)
    model.set_weights([scale, offset])
    expected = (VECTORS - VECTORS.mean(-1, keepdims=True)) / np.sqrt(VECTORS.var(-1, keepdims=True) + 1e-5)
    np.testing.assert_allclose(model([VECTORS, MASK]), expected * scale + offset, atol=1e-4)


def test_batch_normalization_is_over_the_real_tokens_of_a_batch():
    """Whatever stands in the padding, the statistics are those of the fourteen real tokens."""
    model = built("batch")
    real = VECTORS[MASK].astype(np.float64)
    assert len(real) == 14
    got = model([changed_in_padding(VECTORS), MASK], training=True).numpy()
    expected = (VECTORS - real.mean(axis=0)) / np.sqrt(real.var(axis=0) + 1e-5)
    np.testing.assert_allclose(got[MASK], expected[MASK], atol=1e-4)
    moving = {weight.name: weight.numpy() for weight in model.non_trainable_weights}
    np.testing.assert_allclose(moving["moving_mean"], 0.1 * real.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(moving["moving_variance"], 0.9 + 0.1 * real.var(axis=0), rtol=1e-5)


def test_at_inference_the_moving_statistics_count_and_stay():
    model = built("batch")
    weights = [np.full(5, value, np.float32) for value in (2.0, 0.5, 3.0, 4.0)]
    assert [weight.name for weight in model.weights] == ["gamma", "beta", "moving_mean", "moving_variance"]
    model.set_weights(weights)
    np.testing.assert_allclose(model([VECTORS, MASK]), 2 * (VECTORS - 3) / np.sqrt(4 + 1e-5) + 0.5, atol=1e-5)
    for got, expected in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("name", NORMALIZATIONS)
def test_a_trained_model_serves_what_it_validated(name):
    """Moving statistics are no trainable weights, and yet the twin that is exported has them."""
    options = TOY.replace(normalization=name, epochs=2)
    model = recurrent_model(options)
    train_toy(options, model=model)
    moving = [weight.numpy() for weight in model.non_trainable_weights]
    assert len(moving) == (2 if name == "batch" else 0)
    assert all(not np.allclose(value, start, atol=0.01) for value, start in zip(moving, (0, 1), strict=False))
    server = serving_model(model, options, SPEC, 2)
    logits = model(HELD_OUT, training=False).numpy().astype(np.float64)
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(server(HELD_OUT, training=False), expected, atol=1e-6)
