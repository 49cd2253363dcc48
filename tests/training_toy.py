"""A toy that training is tested on: a bag of words, which learns in no time."""

import keras
import numpy as np
import tensorflow as tf

from kseq.model import build_model
from kseq.options import Options
from kseq.training import train

SPEC = {"token_ids": tf.TensorSpec((None, None), tf.int32)}
TOY = Options(
    "toy", vocabulary_size=9, units=5, embedding_dim=4, batch_size=16, epochs=4, patience=9, learning_rate=0.03,
    schedule="constant", warmup_fraction=0.0, word_dropout=0.0, embedding_dropout=0.0, dropout=0.0, cell="simple_rnn",
    head="max", optimizer="adam", clip_norm=1.0, num_layers=1, bidirectional=False,
)  # fmt: skip


def rows(count, seed):
    """Class 1 where word 2 stands somewhere."""
    random = np.random.default_rng(seed)
    ids = random.integers(3, 9, size=(count, 6)).astype(np.int32)
    labels = random.integers(0, 2, size=count).astype(np.int32)
    ids[np.arange(count), random.integers(0, 6, size=count)] = np.where(labels == 1, 2, 3)
    return {"token_ids": ids}, labels


INPUTS, LABELS = rows(64, 0)
HELD_OUT, HELD_OUT_LABELS = rows(48, 1)


def batches_of(inputs, labels, weights=None, batch_size=16):
    weights = np.ones(len(labels), np.float32) if weights is None else np.asarray(weights, np.float32)
    return tf.data.Dataset.from_tensor_slices((inputs, labels, weights)).batch(batch_size)


def new_model(seed=1):
    """A bag of words: what training does, it does with any model, and this one is traced in no time."""
    keras.utils.set_random_seed(seed)
    ids = keras.Input((None,), dtype="int32", name="token_ids")
    pooled = keras.layers.GlobalMaxPooling1D()(keras.layers.Embedding(9, 4)(ids))
    return keras.Model({"token_ids": ids}, keras.layers.Dense(2)(pooled))


def recurrent_model(options, seed=1):
    keras.utils.set_random_seed(seed)
    return build_model(options, SPEC, 2)


def train_toy(
    options=TOY, *, model=None, batches=None, weights=None, held_out=None, held_out_labels=HELD_OUT_LABELS, **more
):
    model = model or new_model()
    result = train(
        model,
        batches or batches_of(INPUTS, LABELS, weights).repeat(),
        4,
        held_out or batches_of(HELD_OUT, held_out_labels),
        options,
        **more,
    )
    return model, result


def by_hand(model, inputs, labels):
    """Mean cross-entropy and accuracy, from the logits, in NumPy."""
    logits = model(inputs, training=False).numpy().astype(np.float64)
    logits -= logits.max(axis=1, keepdims=True)
    log_probabilities = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    loss = -log_probabilities[np.arange(len(labels)), labels].mean()
    return loss, (logits.argmax(axis=1) == labels).mean()


def same(weights, others):
    return all(np.array_equal(one, other) for one, other in zip(weights, others, strict=True))
