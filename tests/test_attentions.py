"""Kinds of attention against loops in NumPy, text by text and step by step, with the same weights."""

import inspect

import keras
import numpy as np
import pytest
import tensorflow as tf

from kseq.attentions import ATTENTIONS
from kseq.layers.self_attention import SelfAttention
from kseq.layers.structured_attention import StructuredAttention
from kseq.options import Options
from tests.session_loader import answers_in_a_session

RANDOM = np.random.default_rng(4)
SEQUENCE = RANDOM.normal(size=(3, 6, 4)).astype(np.float32)
SUMMARY = RANDOM.normal(size=(3, 5)).astype(np.float32)
LENGTHS = [6, 3, 1]
MASK = np.arange(6)[None] < np.array(LENGTHS)[:, None]
# Three, two and one.
SENTENCE_IDS = np.where(MASK, [1, 1, 2, 3, 3, 3], 0).astype(np.int32)
INPUTS = {"sequence": SEQUENCE, "query": SUMMARY, "mask": MASK, "sentence_ids": SENTENCE_IDS}
OPTIONS = Options("toy", attention_units=3, attention_hops=2, num_heads=3, memory_units=5)


def softmax(scores):
    powers = [np.exp(score) for score in scores]
    return np.array([power / sum(powers) for power in powers])


def max_mean(steps):
    return np.concatenate([np.max(steps, axis=0), np.mean(steps, axis=0)])


# Each gives what attention gives for the real steps of one text, and the weights.


def additive(steps, summary, hidden, bias, query):
    weights = softmax([(np.tanh(step @ hidden + bias) @ query).item() for step in steps])
    return sum(weight * step for weight, step in zip(weights, steps, strict=True)), weights


def multiplicative(steps, summary, kernel):
    weights = softmax([sum(summary[i] * kernel[i] @ step for i in range(len(summary))) for step in steps])
    return sum(weight * step for weight, step in zip(weights, steps, strict=True)), weights


def structured(steps, summary, hidden, queries):
    sums, weights = [], []
    for hop in range(queries.shape[1]):
        weights.append(softmax([np.tanh(step @ hidden) @ queries[:, hop] for step in steps]))
        sums.append(sum(weight * step for weight, step in zip(weights[-1], steps, strict=True)))
    return np.concatenate(sums), np.array(weights)


def heads_of(steps, query, key, value, width):
    """Outputs of each step, and weights of each step, of every head."""
    outputs, weights = [], []
    for start in range(0, query.shape[1], width):
        part = slice(start, start + width)
        looks = [
            softmax([(step @ query[:, part]) @ (other @ key[:, part]) / np.sqrt(width) for other in steps])
            for step in steps
        ]
        outputs.append(
            [sum(w * (other @ value[:, part]) for w, other in zip(look, steps, strict=True)) for look in looks]
        )
        weights.append(np.mean(looks, axis=0))
    return np.concatenate(outputs, axis=1), np.array(weights)


def scaled_dot_product(steps, summary, query, key, value):
    outputs, weights = heads_of(steps, query, key, value, 4)
    return max_mean(outputs), weights


def multi_head(steps, summary, query, key, value, output):
    # Of 4 numbers, each of 3 heads has one.
    outputs, weights = heads_of(steps, query, key, value, 1)
    return max_mean([step @ output for step in outputs]), weights


def external(steps, summary, keys, values):
    first = np.array([softmax([step @ key for step in steps]) for key in keys.T])
    outputs = []
    for number in range(len(steps)):
        shares = first[:, number] / first[:, number].sum()
        outputs.append(sum(share * value for share, value in zip(shares, values, strict=True)))
    return max_mean(outputs), first


def gru(vectors, kernel, recurrent, bias):
    """States of a GRU, one after the other."""
    state, states = np.zeros(len(recurrent)), []
    for vector in vectors:
        xz, xr, xh = np.split(vector @ kernel + bias[0], 3)
        hz, hr, hh = np.split(state @ recurrent + bias[1], 3)
        z, r = 1 / (1 + np.exp(-xz - hz)), 1 / (1 + np.exp(-xr - hr))
        state = z * state + (1 - z) * np.tanh(xh + r * hh)
        states.append(state)
    return states


def hierarchical(steps, summary, *weights):
    sentences = []
    for number in range(1, 4):
        words = [step for step, its in zip(steps, SENTENCE_IDS[0], strict=False) if its == number]
        if words:
            sentences.append(additive(words, summary, *weights[:3])[0])
    forward, backward = gru(sentences, *weights[3:6]), gru(sentences[::-1], *weights[6:9])[::-1]
    states = [np.concatenate(both) for both in zip(forward, backward, strict=True)]
    return additive(states, summary, *weights[9:])


BY_HAND = {
    "additive": additive,
    "multiplicative": multiplicative,
    "structured": structured,
    "scaled_dot_product": scaled_dot_product,
    "multi_head": multi_head,
    "external": external,
    "hierarchical": hierarchical,
}


def model_of(attention):
    inputs = {
        name: keras.Input((None, *value.shape[2:]) if name != "query" else (5,), dtype=value.dtype.name, name=name)
        for name, value in INPUTS.items()
    }
    vector = ATTENTIONS[attention](*map(inputs.get, ("sequence", "query", "mask")), options=OPTIONS, tensors=inputs)
    model = keras.Model(inputs, vector)
    model.set_weights([RANDOM.normal(size=weight.shape) for weight in model.get_weights()])
    return model


def weights_of(model, inputs, name="attention"):
    """The weights that a layer computes, of those of the inputs that it asks for."""
    layer = model.get_layer(name)
    wanted = inspect.signature(layer.weights_of).parameters
    return layer.weights_of(**{name: keras.ops.convert_to_tensor(inputs[name]) for name in wanted})


def test_every_attention_has_an_oracle():
    assert set(BY_HAND) == set(ATTENTIONS)


@pytest.mark.parametrize("attention", BY_HAND)
def test_attention_equals_a_loop(attention):
    model = model_of(attention)
    got = np.array(model(INPUTS))
    assert model.output_shape == (None, got.shape[1])
    copied = [weight.astype(np.float64) for weight in model.get_weights()]
    by_hand = [
        BY_HAND[attention](SEQUENCE[row, :length].astype(np.float64), SUMMARY[row], *copied)
        for row, length in enumerate(LENGTHS)
    ]
    np.testing.assert_allclose(got, [vector for vector, _ in by_hand], atol=1e-5)
    if attention != "hierarchical":
        weights = np.array(weights_of(model, INPUTS))
        for row, length in enumerate(LENGTHS):
            np.testing.assert_allclose(weights[row, ..., :length], by_hand[row][1], atol=1e-5)
            assert (weights[row, ..., length:] == 0).all()


def test_attentions_run_in_the_session_loader_at_any_size(tmp_path):
    models = {name: model_of(name) for name in ATTENTIONS}

    def serve(*tensors):
        inputs = dict(zip(INPUTS, tensors, strict=True))
        return {name: model(inputs) for name, model in models.items()}

    specs = [
        tf.TensorSpec((None, None, *value.shape[2:]) if name != "query" else (None, 5), value.dtype.name, name)
        for name, value in INPUTS.items()
    ]
    feeds = [
        [value[:batch] if name == "query" else value[:batch, :length] for name, value in INPUTS.items()]
        for batch, length in [(3, 6), (1, 1), (0, 4)]
    ]
    found = answers_in_a_session(tmp_path / "model", models.values(), serve, specs, feeds)
    for (_, query, *_), answers in zip(feeds, found, strict=True):
        assert set(answers) == set(ATTENTIONS)
        for name, answer in answers.items():
            assert answer.shape == (len(query), models[name].output_shape[1]), name
    for name, answer in found[0].items():
        copied = [weight.astype(np.float64) for weight in models[name].get_weights()]
        by_hand = [
            BY_HAND[name](SEQUENCE[row, :length].astype(np.float64), SUMMARY[row], *copied)[0]
            for row, length in enumerate(LENGTHS)
        ]
        np.testing.assert_allclose(answer, by_hand, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("heads", [1, 2, 3, 5, 7])
def test_the_width_is_that_of_the_sequence_whatever_the_heads(heads):
    layer = SelfAttention(heads)
    rows = RANDOM.normal(size=(2, 3, 5)).astype(np.float32)
    assert layer(rows, np.ones((2, 3), bool)).shape == (2, 3, 5)
    assert layer.compute_output_shape((2, 3, 5)) == (2, 3, 5)
    query, key, value, *output = layer.get_weights()
    outputs, _ = heads_of(rows[0].astype(np.float64), query, key, value, max(1, 5 // heads))
    expected = [step @ output[0] if output else step for step in outputs]
    np.testing.assert_allclose(layer(rows, np.ones((2, 3), bool))[0], expected, atol=1e-5)


def test_words_are_weighed_within_their_sentence():
    model = model_of("hierarchical")
    weights = np.array(weights_of(model, INPUTS, "word_attention"))
    copied = [weight.astype(np.float64) for weight in model.get_weights()[:3]]
    for row in range(3):
        for number in range(1, 4):
            members = SENTENCE_IDS[row] == number
            if members.any():
                _, expected = additive(SEQUENCE[row][members].astype(np.float64), None, *copied)
                np.testing.assert_allclose(weights[row][members], expected, atol=1e-5)
        assert (weights[row][SENTENCE_IDS[row] == 0] == 0).all()


@pytest.mark.parametrize("attention", BY_HAND)
def test_large_scores_stay_numbers(attention):
    model = model_of(attention)
    got = np.array(model({**INPUTS, "sequence": 1e4 * SEQUENCE, "query": 1e4 * SUMMARY}))
    assert np.isfinite(got).all()


@pytest.mark.parametrize("attention", [name for name in BY_HAND if name != "hierarchical"])
def test_weights_are_float32_under_mixed_precision(attention):
    """In float16, a sum over some thousand steps ends where a step is less than the sum can tell."""
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = model_of(attention)
    finally:
        keras.config.set_dtype_policy(policy)
    steps = np.repeat(SEQUENCE[:1, :1], 1000, axis=1).astype(np.float16)
    inputs = {"sequence": steps, "query": SUMMARY[:1].astype(np.float16), "mask": np.ones((1, 1000), bool)}
    inputs["sentence_ids"] = np.ones((1, 1000), np.int32)
    weights = np.array(weights_of(model, inputs))
    assert weights.dtype == np.float32
    np.testing.assert_allclose(weights, 1 / 1000, rtol=1e-4)
    assert model(inputs).dtype == "float16"


def test_the_penalty_of_hops_is_in_the_loss_of_training_alone():
    layer = StructuredAttention(2, 3, penalty=0.5)
    layer(SEQUENCE, MASK)
    assert layer.losses == []
    layer(SEQUENCE, MASK, training=True)
    expected = []
    for weights in np.array(layer.weights_of(SEQUENCE, MASK)):
        products = [[sum(a * b for a, b in zip(one, other, strict=True)) for other in weights] for one in weights]
        expected.append(sum((products[i][j] - (i == j)) ** 2 for i in range(2) for j in range(2)))
    assert len(expected) == 3
    np.testing.assert_allclose(float(layer.losses[0]), 0.5 * np.mean(expected), rtol=1e-5)


def test_the_penalty_changes_training_and_no_validation_loss():
    def fitted(penalty):
        keras.utils.set_random_seed(3)
        sequence, mask = keras.Input((None, 4)), keras.Input((None,), dtype="bool")
        vector = StructuredAttention(2, 3, penalty)(sequence, mask)
        model = keras.Model([sequence, mask], keras.layers.Dense(1)(vector))
        model.compile("sgd", "mse")
        before = model.evaluate([SEQUENCE, MASK], np.ones((3, 1)), verbose=0)
        history = model.fit([SEQUENCE, MASK], np.ones((3, 1)), verbose=0)
        return before, history.history["loss"][0], model.get_weights()[0]

    (before, loss, hidden), (same, more, other) = fitted(0.0), fitted(2.0)
    assert before == same == pytest.approx(loss, rel=1e-5)
    assert more > loss + 0.1
    assert np.abs(hidden - other).max() > 1e-5
