"""Models that predict words: what they predict from what, held against loops in NumPy, and that they learn."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kseq.cells import CELLS
from kseq.model import build_encoder
from kseq.options import Options
from kseq.vectorizer import tensor_spec
from kseq.word_prediction import HiddenWords, NextWords, hide_words, train_word_prediction

SIZE, WIDTH, UNITS = 11, 4, 3
TINY = Options("toy", vocabulary_size=SIZE, embedding_dim=WIDTH, units=UNITS, embedding_dropout=0.0, dropout=0.0)
SPEC = {"token_ids": tf.TensorSpec((None, None), tf.int32)}
RANDOM = np.random.default_rng(8)
LENGTHS = [7, 1, 4, 2, 7]
ROWS = np.zeros((len(LENGTHS), 7), np.int32)
for row, length in zip(ROWS, LENGTHS, strict=True):
    row[:length] = RANDOM.integers(1, SIZE, length)


def encoder_of(options):
    keras.utils.set_random_seed(3)
    encoder = build_encoder(options, SPEC)
    for weight in encoder.weights:
        # A variance is none below 0.
        values = 0.5 * RANDOM.normal(size=weight.shape)
        weight.assign(np.abs(values) if "variance" in weight.path else values)
    return encoder


def softmax_loss(model, state, word):
    """-log p(word) over all words but padding, in NumPy."""
    table = model.encoder.get_layer("embedding").embeddings.numpy().astype(np.float64)
    logits = (table @ state + model.word_bias.numpy())[1:]
    return np.log(np.exp(logits).sum()) - logits[word - 1]


def measured(model, rows):
    """The mean loss of a model as `fit` would tell it, over one batch."""
    model.reset_metrics()
    none = tf.zeros(len(rows))
    return float(model.test_step(({"token_ids": tf.constant(rows)}, none, none))["loss"])


def biased(model):
    model.word_bias.assign(RANDOM.normal(size=SIZE))
    return model


@pytest.mark.parametrize("bidirectional", [False, True])
def test_targets_are_the_words_shifted_by_one_in_each_direction(bidirectional):
    model = biased(NextWords(encoder_of(TINY.replace(bidirectional=bidirectional)), 512, bidirectional))
    sequence = model.encoder({"token_ids": ROWS}, training=False).numpy()
    forward = model.forward_projection.kernel.numpy()
    losses = []
    for ids, states, length in zip(ROWS, sequence, LENGTHS, strict=True):
        for place in range(length - 1):
            losses.append(softmax_loss(model, states[place, :UNITS] @ forward, ids[place + 1]))
            if bidirectional:
                backward = model.backward_projection.kernel.numpy()
                losses.append(softmax_loss(model, states[place + 1, UNITS:] @ backward, ids[place]))
    assert len(losses) == 16 * (1 + bidirectional)
    assert measured(model, ROWS) == pytest.approx(np.mean(losses), rel=1e-5)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_padding_contributes_nothing(bidirectional):
    model = biased(NextWords(encoder_of(TINY.replace(bidirectional=bidirectional)), 512, bidirectional))
    expected = measured(model, ROWS)
    assert measured(model, np.pad(ROWS, [(0, 0), (0, 5)])) == pytest.approx(expected, rel=1e-5)
    assert measured(model, ROWS[[1]]) == 0, "one word alone predicts nothing"
    # Batches count by their predictions: a mean of the texts' means would differ.
    model.reset_metrics()
    none = tf.zeros(2)
    for rows in (ROWS[:2], ROWS[2:]):
        together = model.test_step(({"token_ids": tf.constant(rows)}, none, none))["loss"]
    assert float(together) == pytest.approx(expected, rel=1e-5)


ENCODERS = [
    *(TINY.replace(cell=cell) for cell in CELLS),
    TINY.replace(residual=True),
    TINY.replace(layer_normalization=True, normalization="layer"),
    TINY.replace(normalization="batch"),
]


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("options", ENCODERS)
def test_no_half_has_seen_the_word_that_it_predicts(options, bidirectional):
    encoder = encoder_of(options.replace(bidirectional=bidirectional))
    model = NextWords(encoder, 512, bidirectional)
    ids = RANDOM.integers(1, SIZE, 6).astype(np.int32)
    # The text, and below it the text with another word at each of its places.
    rows = np.repeat(ids[np.newaxis], 7, axis=0)
    rows[np.arange(1, 7), np.arange(6)] = ids % (SIZE - 1) + 1
    states, words = (found.numpy() for found in model.predictions({"token_ids": rows}, training=False))
    halves = states.reshape(1 + bidirectional, 7, 5, WIDTH)
    np.testing.assert_array_equal(words.reshape(1 + bidirectional, 7, 5)[0], rows[:, 1:])
    moved = np.abs(halves[:, 1:] - halves[:, :1]).max(axis=-1) > 1e-6  # (direction, changed place, prediction)
    changed, predicted = np.ogrid[0:6, 0:5]
    # What predicts word t + 1 has read the words up to t.
    assert not moved[0][changed > predicted].any()
    assert moved[0][changed == predicted].any()
    if bidirectional:
        # Backward, what predicts word t has read those from t + 1 on.
        np.testing.assert_array_equal(words.reshape(2, 7, 5)[1], rows[:, :-1])
        assert not moved[1][changed <= predicted].any()
        assert moved[1][changed == predicted + 1].any()


def test_hidden_words_are_not_to_be_seen():
    hidden = np.array([[False, True, True], [True, False, False]])
    inputs = {
        "token_ids": tf.constant([[3, 4, 5], [6, 7, 0]]),
        "character_ids": tf.constant(RANDOM.integers(1, 9, (2, 3, 2))),
        "sentence_ids": tf.constant([[1, 1, 2], [1, 1, 0]]),
    }
    found = hide_words(inputs, tf.constant(hidden))
    assert found["token_ids"].numpy().tolist() == [[3, 1, 1], [1, 7, 0]]
    assert found["sentence_ids"] is inputs["sentence_ids"]
    grams = found["character_ids"].numpy()
    assert not grams[hidden].any()
    np.testing.assert_array_equal(grams[~hidden], inputs["character_ids"].numpy()[~hidden])


@pytest.mark.parametrize("encoder", ["transformer", "convolution", "recurrent"])
def test_hidden_words_are_predicted_where_they_stood(encoder):
    more = {"units": 4, "num_heads": 2} if encoder == "transformer" else {}
    model = biased(HiddenWords(encoder_of(TINY.replace(encoder=encoder, **more)), 512, 0.5, seed=0))
    projection = model.projection.kernel.numpy()
    rows = np.pad(RANDOM.integers(1, SIZE, (4, 9)), [(0, 0), (0, 3)]).astype(np.int32)
    rows[2, 5:] = 0
    places = [(row, step) for row in range(4) for step in range(9) if (row + step) % 7 == 0 and rows[row, step]]
    assert len(places) == 4
    read = rows.copy()
    for place in places:
        read[place] = 1
    sequence = model.encoder({"token_ids": read}, training=False).numpy()
    losses = [softmax_loss(model, sequence[place] @ projection, rows[place]) for place in places]
    assert measured(model, rows) == pytest.approx(np.mean(losses), rel=1e-5)


def test_as_many_words_are_hidden_as_is_asked_for():
    model = HiddenWords(encoder_of(TINY.replace(encoder="convolution")), 512, 0.2, seed=1)
    rows = np.pad(RANDOM.integers(1, SIZE, (50, 40)), [(0, 0), (0, 20)]).astype(np.int32)
    counts = [len(model.predictions({"token_ids": rows}, training=True)[1]) for _ in range(5)]
    assert len(set(counts)) > 1, "the same words each time"
    # 10,000 words in all; some five standard errors.
    assert sum(counts) == pytest.approx(2000, abs=200)


def toy_language(count, seed):
    """Texts of 20 of 29 words, each of which is followed by one of two."""
    random, followers = np.random.default_rng(seed), np.random.default_rng(0).integers(2, 31, (31, 2))
    rows = np.zeros((count, 20), np.int32)
    rows[:, 0] = random.integers(2, 31, count)
    for step in range(1, 20):
        rows[:, step] = followers[rows[:, step - 1], (random.uniform(size=count) < 0.8).astype(int)]
    return rows


def entropy(*columns):
    """Of what stands together in the columns, in nats."""
    _, counts = np.unique(np.stack(columns), axis=1, return_counts=True)
    shares = counts / counts.sum()
    return -(shares * np.log(shares)).sum()


def test_a_toy_language_is_learned():
    rows, held_out, many = toy_language(400, 1), toy_language(60, 2), toy_language(5000, 3)
    before, after = many[:, :-1].ravel(), many[:, 1:].ravel()
    unigram = entropy(after)
    # A word's own followers are all that there is to know.
    best = entropy(before, after) - entropy(before)
    options = TINY.replace(vocabulary_size=31, units=24, embedding_dim=16, cell="simple_rnn")
    keras.utils.set_random_seed(0)
    model = NextWords(build_encoder(options, SPEC), 8, bidirectional=False)

    def batches(ids):
        none = np.zeros(len(ids), np.float32)
        return tf.data.Dataset.from_tensor_slices(({"token_ids": ids}, none, none)).batch(20)

    seen = []
    history, best_epoch, interrupted = train_word_prediction(
        model,
        batches(rows).repeat(8),
        batches(held_out),
        steps=20,
        epochs=8,
        learning_rate=0.02,
        on_epoch=lambda number, logs: seen.append((number, logs["val_loss"])),
    )
    assert [number for number, _ in seen] == list(range(1, 9))
    assert [loss for _, loss in seen] == history["val_loss"]
    assert best_epoch == 1 + np.argmin(history["val_loss"])
    assert not interrupted
    found = history["val_loss"][best_epoch - 1]
    assert best - 0.1 < found < (best + unigram) / 2
    # The weights of that epoch are in the model.
    model.reset_metrics()
    for batch in batches(held_out):
        loss = model.test_step(batch)["loss"]
    assert float(loss) == pytest.approx(found, rel=1e-4)


def test_an_encoder_of_all_inputs_predicts_too():
    """Characters are read beside the words; what only a head reads stands idle."""
    options = TINY.replace(tokens="word+character", character_buckets=6, ngrams=2, cell="simple_rnn")
    spec = tensor_spec(options.tokens, options.ngrams, ["sentence_ids"])
    inputs = {
        "token_ids": ROWS,
        "character_ids": RANDOM.integers(1, 7, (*ROWS.shape, 16)) * (ROWS != 0)[:, :, np.newaxis],
        "ngram_ids": np.ones((len(ROWS), 3), np.int32),
        "sentence_ids": (ROWS != 0).astype(np.int32),
    }
    inputs = {name: tf.constant(inputs[name], tf.int32) for name in spec}
    encoder = build_encoder(options, spec)
    assert {layer.name for layer in encoder.layers if layer.weights} == {
        "embedding", "character_ngrams", "character_projection", "simple_rnn_1",
    }  # fmt: skip
    for model, count in ((NextWords(encoder, 512, bidirectional=False), 16), (HiddenWords(encoder, 512, 0.15, 0), 2)):
        states, words = model.predictions(inputs, training=False)
        assert states.shape == (count, WIDTH)
        assert words.shape == (count,)


def test_the_epoch_that_predicts_others_best_is_kept():
    """Words without any order can be learned by heart alone, and soon others are predicted the worse for it."""
    options = TINY.replace(cell="simple_rnn", units=16)
    keras.utils.set_random_seed(0)
    model = NextWords(build_encoder(options, SPEC), 512, bidirectional=False)
    none = np.zeros(8, np.float32)
    few, others = (RANDOM.integers(2, SIZE, (8, 12)).astype(np.int32) for _ in range(2))
    batches = [tf.data.Dataset.from_tensors(({"token_ids": ids}, none, none)) for ids in (few, others)]
    history, best_epoch, _ = train_word_prediction(
        model, batches[0].repeat(), batches[1], steps=20, epochs=20, learning_rate=0.05
    )
    assert best_epoch == 1 + np.argmin(history["val_loss"])
    assert len(history["val_loss"]) == best_epoch + 2 < 20, "two epochs that are not better end it"
    assert measured(model, others) == pytest.approx(min(history["val_loss"]), rel=1e-5)
