"""Pooling and embeddings against loops in NumPy, with the same weights; and what every layer says of itself."""

import importlib
import inspect
import pkgutil

import keras
import numpy as np
import pytest

from kseq import layers
from kseq.heads import HEADS
from kseq.layers.mean_embedding import MeanEmbedding
from kseq.layers.padding_mask import PaddingMask
from kseq.layers.pooling import MaskedMaxPooling, MaskedMeanPooling
from kseq.layers.word_dropout import WordDropout
from kseq.options import Options

RANDOM = np.random.default_rng(2)
SEQUENCE = RANDOM.normal(size=(3, 6, 4)).astype(np.float32)
LENGTHS = [6, 3, 1]
MASK = np.arange(6)[None] < np.array(LENGTHS)[:, None]


def test_pooling_equals_numpy_on_the_real_steps():
    largest = np.array(MaskedMaxPooling()(SEQUENCE, MASK))
    mean = np.array(MaskedMeanPooling()(SEQUENCE, MASK))
    for row, length in enumerate(LENGTHS):
        np.testing.assert_allclose(largest[row], SEQUENCE[row, :length].max(axis=0), atol=1e-6)
        np.testing.assert_allclose(mean[row], SEQUENCE[row, :length].mean(axis=0), atol=1e-6)


def test_heads_give_one_vector_without_a_mask():
    sequence, summary, mask = keras.Input((None, 4)), keras.Input((4,)), keras.Input((None,), dtype="bool")
    for name, head in HEADS.items():
        vector = head(sequence, summary, mask, options=Options("toy"))
        assert len(vector.shape) == 2, name
        assert getattr(vector, "_keras_mask", None) is None, name


def test_padding_mask_is_true_at_tokens():
    got = np.array(PaddingMask()(np.array([[5, 1, 0], [2, 0, 0]])))
    assert got.tolist() == [[True, True, False], [True, False, False]]


def test_word_dropout_replaces_real_words_in_training_only():
    ids = np.tile(np.array([[2, 3, 4, 0]], np.int32), (5000, 1))
    layer = WordDropout(0.25, seed=3)
    assert np.array_equal(layer(ids, training=False), ids)
    got = np.array(layer(ids, training=True))
    assert (got[:, 3] == 0).all()
    changed = got != ids
    assert (got[changed] == 1).all()
    assert 0.23 < changed[:, :3].mean() < 0.27
    assert not np.array_equal(np.array(layer(ids, training=True)), got)


@pytest.mark.parametrize("shape", [(4, 9), (3, 5, 6)])
def test_mean_embedding_is_the_mean_over_the_ids_that_are_not_0(shape):
    ids = RANDOM.integers(1, 8, shape) * (RANDOM.random(shape) < 0.5)
    ids[0] = 0
    layer = MeanEmbedding(8, 3)
    got = layer(ids.astype(np.int32))
    table = layer.get_weights()[0]
    expected = np.zeros((*shape[:-1], 3))
    for place in np.ndindex(shape[:-1]):
        vectors = [table[number] for number in ids[place] if number]
        expected[place] = np.mean(vectors, axis=0) if vectors else 0
    np.testing.assert_allclose(got, expected, atol=1e-6)
    assert layer.compute_output_shape(shape) == got.shape
    assert layer(keras.KerasTensor((None, *shape[1:]), dtype="int32")).shape == (None, *expected.shape[1:])


def test_mean_embedding_of_different_ids_is_different_and_padding_has_no_part():
    layer = MeanEmbedding(5, 2)
    layer(np.array([[1, 2]], np.int32))
    layer.set_weights([np.array([[99, 99], [1, 0], [0, 1], [4, 4], [8, 2]])])
    got = layer(np.array([[1, 2, 0, 0], [0, 3, 0, 4], [2, 2, 2, 1], [0, 0, 0, 0]], np.int32))
    np.testing.assert_allclose(got, [[0.5, 0.5], [6, 3], [0.25, 0.75], [0, 0]])


PUBLIC_LAYERS = {
    f"{info.name}.{name}": each
    for info in pkgutil.iter_modules(layers.__path__)
    for name, each in vars(importlib.import_module(f"kseq.layers.{info.name}")).items()
    if inspect.isclass(each) and issubclass(each, keras.layers.Layer) and each.__module__ == f"kseq.layers.{info.name}"
    if not name.startswith("_")
}


def test_there_are_layers():
    assert len(PUBLIC_LAYERS) >= 25
    assert {"weight_drop.WeightDropGRU", "layer_normalized.LayerNormLSTMCell"} <= set(PUBLIC_LAYERS)


@pytest.mark.parametrize("layer", PUBLIC_LAYERS.values(), ids=PUBLIC_LAYERS)
def test_every_layer_says_its_equation_shapes_masking_and_source(layer):
    said = inspect.cleandoc(layer.__doc__ or "")
    assert r"\(" in said, "an equation"
    paragraphs = said.split("\n\n")
    for word in ("Source", "Shapes", "Masking"):
        assert [part for part in paragraphs if part.startswith(f"{word}: ") and len(part) > len(word) + 10], word
    assert [part for part in paragraphs if part.startswith("Shapes: ") and "→" in part]
