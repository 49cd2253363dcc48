"""The step before training: from which texts, into which layers, and what later runs find of it."""

import os
import re
import signal

import numpy as np
import pytest
import tensorflow as tf

from kseq import pretraining
from kseq.applies import refusal
from kseq.console import Console
from kseq.errors import UsageError
from kseq.experiment import adapt_settings, new_model, prepare, pretrain_model, train_model
from kseq.options import Options
from kseq.pretraining_report import pretrain_and_tell
from kseq.report import show_prepared
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


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory):
    """The folder of what these tests learn, which they share."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        yield folder / "kseq" / "pretraining"


@pytest.fixture(scope="module")
def prepared():
    return prepare(toy(), TINY)


@pytest.fixture(scope="module")
def learned(prepared, own_cache):
    found = pretrain_model(prepared, prepared.options)
    assert not found.reused
    return found


def test_no_text_that_is_held_out_is_learned_from(prepared, monkeypatch):
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
    # Of another seed, or it would be found in the cache.
    found = pretrain_model(prepared, prepared.options.replace(pretraining_seed=7))
    vocabulary = prepared.preprocessor.vocabulary
    texts = {name: [" ".join(vocabulary[each] for each in row if each) for row in rows] for name, rows in read.items()}
    assert sorted(texts["batches"] + texts["held_out"]) == sorted(TRAIN + NEW)
    assert (len(texts["batches"]), len(texts["held_out"])) == (found.texts, found.held_out) == (81, 4)
    assert found.tokens == 81 * 6


def test_the_layers_of_the_classifier_hold_what_was_learned(prepared, learned):
    options = prepared.options
    assert set(learned.weights) == {"embedding", "simple_rnn_1"}
    plain, model = new_model(prepared, options), new_model(prepared, options, learned)
    for layer in model.layers:
        for place, weight in enumerate(layer.get_weights()):
            untrained = plain.get_layer(layer.name).get_weights()[place]
            if layer.name in learned.weights:
                np.testing.assert_array_equal(weight, learned.weights[layer.name][place])
                assert np.abs(weight - untrained).max() > 0
            else:
                np.testing.assert_array_equal(weight, untrained)


def test_what_was_learned_is_found_again_by_whatever_reads_the_same(prepared, learned):
    # Its order and weights are those of its own seed, and it drops nothing.
    others = {"seed": 5, "dropout": 0.1, "embedding_dropout": 0.2, "word_dropout": 0.1, "head": "last", "epochs": 7}
    again = pretrain_model(prepared, prepared.options.replace(**others))
    assert again.reused
    assert again.to_dict() == {**learned.to_dict(), "reused": True}
    for name, weights in learned.weights.items():
        for one, other in zip(weights, again.weights[name], strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    "changes",
    [
        {"units": 5}, {"pretraining_seed": 1}, {"pretraining_epochs": 2}, {"sampled_words": 3}, {"batch_size": 8},
        {"cell": "gru"}, {"activation": "relu"}, {"bidirectional": True}, {"pretraining": "masked_language_model"},
        {"pretraining_learning_rate": 0.1}, {"normalization": "layer"}, {"embedding_dim": 6}, {"num_layers": 2},
    ],
)  # fmt: skip
def test_whatever_changes_what_is_learned_is_kept_apart(changes):
    key = ["of train", "of unlabeled", "of the vectorizer"]
    assert pretraining._key(TINY.replace(**changes), key) != pretraining._key(TINY, key)
    assert pretraining._key(TINY, ["of another", *key[1:]]) != pretraining._key(TINY, key)


def test_word_vectors_do_not_depend_on_the_encoder():
    vectors = TINY.replace(pretraining="word_vectors")
    assert pretraining._key(vectors.replace(units=9, cell="gru", batch_size=3), []) == pretraining._key(vectors, [])
    for changes in ({"embedding_dim": 9}, {"context_window": 2}, {"vector_deviation": 1.0}, {"vocabulary_size": 9}):
        assert pretraining._key(vectors.replace(**changes), []) != pretraining._key(vectors, [])


def test_a_damaged_file_is_learned_anew(prepared, own_cache):
    options = prepared.options.replace(pretraining="word_vectors")
    before = set(own_cache.glob("*"))
    first = pretrain_model(prepared, options)
    (file,) = set(own_cache.glob("*")) - before
    assert file.suffix == ".npz"
    file.write_bytes(file.read_bytes()[:-30])
    again = pretrain_model(prepared, options)
    assert not again.reused
    np.testing.assert_array_equal(first.weights["embedding"][0], again.weights["embedding"][0])
    assert pretrain_model(prepared, options).reused


def test_word_vectors_are_of_the_texts_and_of_the_size_that_is_asked_for(prepared):
    found = pretrain_model(prepared, prepared.options.replace(pretraining="word_vectors", vector_deviation=0.3))
    (vectors,) = found.weights["embedding"]
    assert list(found.weights) == ["embedding"]
    assert vectors.shape == (12, 5)
    assert vectors.dtype == np.float32
    # Padding, and the unknown word, which no text of train has.
    assert not vectors[:2].any()
    assert np.sqrt(np.mean(vectors[2:] ** 2)) == pytest.approx(0.3, rel=1e-5)
    assert found.perplexity is None
    assert found.held_out == 0


def test_ctrl_c_keeps_what_was_learned_so_far_and_leaves_nothing_to_later_runs(prepared, own_cache):
    epochs = []

    def stop(number, logs):
        epochs.append(number)
        os.kill(os.getpid(), signal.SIGINT)

    before, files = signal.getsignal(signal.SIGINT), set(own_cache.glob("*"))
    found = pretrain_model(prepared, prepared.options.replace(pretraining_epochs=5), on_epoch=stop)
    assert epochs == [1]
    assert found.interrupted
    assert found.best_epoch == 1
    assert set(found.weights) == {"embedding", "simple_rnn_1"}
    assert set(own_cache.glob("*")) == files
    assert signal.getsignal(signal.SIGINT) is before


def test_without_pretraining_the_unlabeled_texts_are_not_read():
    plain = prepare(toy(), TINY.replace(pretraining="none"))
    assert set(plain.splits) == {"train", "validation", "test"}
    assert pretrain_model(plain, plain.options) is None
    data = toy()
    assert adapt_settings(data, TINY) != adapt_settings(data, TINY.replace(pretraining="none"))
    assert adapt_settings(data, TINY) == adapt_settings(data, TINY.replace(pretraining="word_vectors"))


def test_the_data_says_how_many_were_left_out(prepared):
    assert prepared.data.sizes["unlabeled"] == len(NEW)
    assert prepared.data.reading["unlabeled_left_out"] == 7
    assert len(prepared.splits["unlabeled"]) == len(NEW)


@pytest.mark.parametrize(
    ("flags", "received"),
    [
        ({"encoder": "transformer"}, "encoder is 'transformer'"),
        ({"encoder": "convolution_recurrent"}, "encoder is 'convolution_recurrent'"),
        ({"bidirectional": True, "num_layers": 2}, "num_layers is 2 in both directions"),
        ({"pretraining": "masked_language_model", "encoder": "bag"}, "encoder is 'bag'"),
    ],
)
def test_what_cannot_predict_words_is_refused(flags, received):
    with pytest.raises(UsageError, match=received) as error:
        TINY.replace(**flags)
    assert "word_vectors" in str(error.value)


def test_texts_of_single_words_cannot_be_learned_from():
    def labelled(texts):
        return tf.data.Dataset.from_tensor_slices((texts, np.arange(len(texts), dtype=np.int32) % 2))

    data = from_splits(
        "toy", labelled(["yes", "no", "perhaps", "one two"]), labelled(["a b", "b a"]), ("no", "yes"),
        validation=labelled(["c d", "d c"]), suggested_sequence_length=8, suggested_vocabulary_size=50,
    )  # fmt: skip
    single = prepare(data, TINY.replace(vocabulary_size=None))
    with pytest.raises(UsageError, match="1 of 4 texts have two tokens or more"):
        pretrain_model(single, single.options)


def test_an_average_of_weights_begins_with_what_was_learned(prepared, learned):
    """Whatever trains afterwards takes the weights as they are in the model."""
    options = prepared.options.replace(ema_momentum=0.9, word_dropout=0.1, learning_rate=0.0)
    model = new_model(prepared, options, learned)
    train_model(model, prepared, options)
    for name, weights in learned.weights.items():
        for weight, expected in zip(model.get_layer(name).get_weights(), weights, strict=True):
            np.testing.assert_allclose(weight, expected, atol=1e-6)


def test_the_console_tells_how_it_goes(prepared, learned, capsys):
    show_prepared(Console(), prepared, 0.0)
    options = prepared.options
    assert pretrain_and_tell(Console(), prepared, options.replace(pretraining="none")) is None
    pretrain_and_tell(Console(), prepared, options)
    pretrain_and_tell(Console(), prepared, options.replace(pretraining="masked_language_model"))
    pretrain_and_tell(Console(), prepared, options.replace(pretraining="word_vectors", context_window=1))
    out = capsys.readouterr().out
    assert (
        "unlabeled   25 texts without labels are learned from; 7 more stand in validation or test, and are left" in out
    )
    *_, first, epoch, second, third = out.splitlines()
    assert first.startswith("pretrained  language_model of 486 tokens in 81 texts; epoch 1 of 1, perplexity ")
    assert "on 4 texts held out  (kept by an earlier run, which took " in first
    assert f"perplexity {np.exp(learned.history['val_loss'][0]):.1f} on" in first
    assert re.fullmatch(r"pretrain 1  held-out perplexity \d+\.\d  \d+\.\d s", epoch)
    assert re.fullmatch(r"pretrained  masked_language_model of .*, perplexity .* held out  \(\d+\.\d s\)", second)
    assert re.fullmatch(r"pretrained  word_vectors of 486 tokens in 81 texts  \(\d+\.\d s\)", third)


def test_numbers_cannot_be_learned_from_so():
    options = TINY.replace(pretraining="word_vectors")
    assert refusal("pretraining", options, (), "text") is None
    message = refusal("pretraining", options, (), "numeric")
    assert message.startswith(
        "--pretraining does not apply to the dataset 'toy', which holds sequences; it is for texts."
    )
    assert "it is read by --pretraining word_vectors" in refusal("context_window", TINY, (), "text")
