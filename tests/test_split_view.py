"""A view over several splits gives the texts that it is of, wherever their tokens are kept."""

import numpy as np
import pytest
import tensorflow as tf

from pipelines.batching import evaluation_batches, training_batches
from pipelines.split_view import SplitView
from pipelines.vectorized_split import vectorize_split

RANDOM = np.random.default_rng(3)
# Of three splits; the ids of a text are the code points of its letters.
TEXTS = [
    ["".join(RANDOM.choice(list("abcdefgh"), RANDOM.integers(1, 20))) for _ in range(count)] for count in (50, 7, 33)
]
JOINED = [text for texts in TEXTS for text in texts]
PLACES = RANDOM.permutation(len(JOINED))[:60]


def vectorize(texts):
    ids = tf.strings.unicode_decode(texts, "UTF-8").to_tensor(0)
    return {"token_ids": ids, "pair_ids": tf.stack([ids, ids // 2], axis=2)}


def view_of(caches, folder):
    splits, first = [], 0
    for number, (texts, cache) in enumerate(zip(TEXTS, caches, strict=True)):
        targets = np.arange(first, first + len(texts), dtype=np.int32)
        dataset = tf.data.Dataset.from_tensor_slices((texts, targets))
        splits.append(vectorize_split(dataset, vectorize, cache, key=str(number), cache_dir=folder))
        first += len(texts)
    return SplitView(splits, PLACES)


@pytest.mark.parametrize("caches", [("memory",) * 3, ("disk", "none", "memory"), ("none", "memory", "disk")])
def test_every_text_comes_once_an_epoch_with_its_own_tokens(caches, tmp_path):
    view = view_of(caches, tmp_path)
    assert len(view) == 60
    np.testing.assert_array_equal(view.lengths, [len(JOINED[place]) for place in PLACES])
    epochs = list(training_batches(view, 8, seed=1, epochs=2).as_numpy_iterator())
    assert len(epochs) == 16
    evaluated, order = evaluation_batches(view, 16)
    evaluated = list(evaluated.as_numpy_iterator())
    np.testing.assert_array_equal(np.concatenate([targets for _, targets, _ in evaluated]), PLACES[order])
    for batches in (epochs[:8], epochs[8:], evaluated):
        seen = []
        for inputs, targets, weights in batches:
            width = max(len(JOINED[target]) for target in targets)
            assert inputs["token_ids"].shape == (len(targets), width)
            assert inputs["pair_ids"].shape == (len(targets), width, 2)
            np.testing.assert_array_equal(weights, np.ones(len(targets)))
            for ids, pairs, target in zip(inputs["token_ids"], inputs["pair_ids"], targets, strict=True):
                text = [ord(letter) for letter in JOINED[target]]
                padding = [0] * (width - len(text))
                assert ids.tolist() == text + padding
                assert pairs.tolist() == [[each, each // 2] for each in text] + [[0, 0] for _ in padding]
            seen += targets.tolist()
        assert sorted(seen) == sorted(PLACES.tolist())


def test_a_view_of_one_split_and_of_an_empty_one(tmp_path):
    whole = view_of(("memory",) * 3, tmp_path)
    empty = vectorize_split(tf.data.Dataset.from_tensor_slices(([""], np.zeros(1, np.int32))).take(0), vectorize)
    view = SplitView([whole.splits[1], empty], np.array([6, 0]))
    ((inputs, targets, _),) = evaluation_batches(view, 4)[0].as_numpy_iterator()
    assert sorted(targets.tolist()) == [50, 56]
    assert inputs["token_ids"].shape[0] == 2
