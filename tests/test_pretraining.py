"""The step before training: from which texts, into which layers, and what later runs find of it."""

import numpy as np
import pytest
import tensorflow as tf

from kseq import pretraining
from kseq.experiment import prepare, pretrain_model
from kseq.options import Options
from pipelines.text_data import from_splits

RANDOM = np.random.default_rng(9)
WORDS = [f"word{letter}" for letter in "abcdefghij"]


def texts_of(count, length=6):
    """Different texts of the same ten words."""
    return [" ".join(RANDOM.choice(WORDS, length)) for _ in range(count)]


TRAIN, VALIDATION, TEST, NEW = texts_of(60), texts_of(12), texts_of(15), texts_of(25)
TINY = Options(
    "toy", pretraining="language_model", pretraining_epochs=1, units=4, embedding_dim=5, cell="simple_rnn",
    batch_size=16, vocabulary_size=12, min_count=1, epochs=1,
)  # fmt: skip


def toy():
    def labelled(texts):
        return tf.data.Dataset.from_tensor_slices((texts, np.arange(len(texts), dtype=np.int32) % 2))

    # Unlabeled texts hold some of validation and test, as those of IMDB do.
    unlabeled = [*TEST[:4], *NEW, *VALIDATION[:3]]
    return from_splits(
        "toy", labelled(TRAIN), labelled(TEST), ("no", "yes"), validation=labelled(VALIDATION),
        unlabeled=tf.data.Dataset.from_tensor_slices(unlabeled), unlabeled_size=len(unlabeled),
        suggested_sequence_length=8, suggested_vocabulary_size=50,
    )  # fmt: skip


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "kseq" / "pretraining"


@pytest.fixture(scope="module")
def prepared():
    return prepare(toy(), TINY)


def test_no_text_that_is_held_out_is_learned_from(prepared, own_cache, monkeypatch):
    """Neither from the splits themselves nor by their doubles among the unlabeled texts."""
    assert not set(TRAIN + NEW) & set(VALIDATION + TEST)
    read = {"batches": [], "held_out": []}

    def recording(name, make):
        def made(*arguments, **more):
            found = make(*arguments, **more)
            batches = found[0] if isinstance(found, tuple) else found

            def noted(ids):
                read[name].extend(ids.tolist())
                return np.int32(0)

            def note(inputs, *others):
                with tf.control_dependencies([tf.numpy_function(noted, [inputs["token_ids"]], tf.int32)]):
                    return tf.nest.map_structure(tf.identity, (inputs, *others))

            batches = batches.map(note)
            return (batches, found[1]) if isinstance(found, tuple) else batches

        return made

    monkeypatch.setattr(pretraining, "training_batches", recording("batches", pretraining.training_batches))
    monkeypatch.setattr(pretraining, "evaluation_batches", recording("held_out", pretraining.evaluation_batches))
    found = pretrain_model(prepared, TINY_FILLED(prepared))
    vocabulary = prepared.preprocessor.vocabulary
    texts = {name: [" ".join(vocabulary[each] for each in row if each) for row in rows] for name, rows in read.items()}
    assert sorted(texts["batches"] + texts["held_out"]) == sorted(TRAIN + NEW)
    assert (len(texts["batches"]), len(texts["held_out"])) == (found.texts, found.held_out) == (81, 4)
    assert found.tokens == 81 * 6


def TINY_FILLED(prepared, **changes):
    return prepared.options.replace(**changes)
