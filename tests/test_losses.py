"""Losses and the macro-F1 of training, against NumPy in float64 and scikit-learn."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.metrics import f1_score

from kseq.losses import LOSSES
from kseq.metrics import MacroF1
from kseq.options import Options
from kseq.outputs import OUTPUTS

RANDOM = np.random.default_rng(4)
LOGITS = (3 * RANDOM.normal(size=(40, 5))).astype(np.float32)
LABELS = RANDOM.integers(0, 5, 40).astype(np.int32)
TARGETS = (RANDOM.random((40, 5)) < 0.3).astype(np.int8)
WEIGHTS = ([1.0, 0.5, 1.0, 2.0, 1.0], [1.0, 4.0, 9.0, 0.1, 1.0])


def softmax(logits):
    exponentials = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def sigmoid(logits):
    return 1 / (1 + np.exp(-logits.astype(np.float64)))


def made(kind, loss, weights=None, **options):
    function = LOSSES[loss](OUTPUTS[kind].log_probabilities, weights, options=Options("toy", loss=loss, **options))
    targets = LABELS if kind == "class" else TARGETS
    return function(tf.constant(targets), tf.constant(LOGITS)).numpy()


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.9])
def test_cross_entropy_of_one_class(smoothing):
    # Szegedy et al. (2016): q' = (1 - s) q + s / K.
    smoothed = (1 - smoothing) * np.eye(5)[LABELS] + smoothing / 5
    expected = -(smoothed * np.log(softmax(LOGITS))).sum(axis=1)
    np.testing.assert_allclose(made("class", "cross_entropy", label_smoothing=smoothing), expected, rtol=1e-5)


@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_cross_entropy_of_several_labels(smoothing, weights):
    probabilities = sigmoid(LOGITS)
    smoothed = (1 - smoothing) * TARGETS + smoothing / 2
    losses = -(smoothed * np.log(probabilities) + (1 - smoothed) * np.log(1 - probabilities))
    if weights is not None:
        losses *= np.where(TARGETS == 1, weights[1], weights[0])
    found = made("classes", "cross_entropy", weights, label_smoothing=smoothing)
    np.testing.assert_allclose(found, losses.mean(axis=1), rtol=1e-5)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0, 5.0])
def test_focal_loss(gamma):
    # Lin et al. (2017), equation 4: FL(p_t) = -(1 - p_t)^gamma log(p_t).
    of_label = softmax(LOGITS)[np.arange(40), LABELS]
    expected = -((1 - of_label) ** gamma) * np.log(of_label)
    np.testing.assert_allclose(made("class", "focal", focal_gamma=gamma), expected, rtol=1e-4, atol=1e-6)
    of_target = np.where(TARGETS == 1, sigmoid(LOGITS), 1 - sigmoid(LOGITS))
    expected = (-((1 - of_target) ** gamma) * np.log(of_target)).mean(axis=1)
    np.testing.assert_allclose(made("classes", "focal", focal_gamma=gamma), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_squared_loss(weights):
    # Brier (1950): the squared differences from 1 for what is right and 0 for the others, summed.
    expected = ((softmax(LOGITS) - np.eye(5)[LABELS]) ** 2).sum(axis=1)
    np.testing.assert_allclose(made("class", "squared"), expected, rtol=1e-4, atol=1e-6)
    present = sigmoid(LOGITS)
    losses = (present - TARGETS) ** 2 + ((1 - present) - (1 - TARGETS)) ** 2
    if weights is not None:
        losses *= np.where(TARGETS == 1, weights[1], weights[0])
    np.testing.assert_allclose(made("classes", "squared", weights), losses.mean(axis=1), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", OUTPUTS)
@pytest.mark.parametrize("loss", LOSSES)
def test_certain_answers_have_a_finite_slope(kind, loss):
    options = Options("toy", loss=loss, focal_gamma=0.5, label_smoothing=0.1)
    function = LOSSES[loss](OUTPUTS[kind].log_probabilities, options=options)
    logits = tf.Variable([[90.0, -90.0], [-90.0, 90.0], [500.0, -500.0]])
    targets = tf.constant([0, 0, 1]) if kind == "class" else tf.constant([[1, 0], [1, 0], [0, 1]])
    with tf.GradientTape() as tape:
        losses = function(targets, logits)
    assert np.isfinite(losses.numpy()).all()
    assert np.isfinite(tape.gradient(losses, logits).numpy()).all()
    # Wrong and sure of it costs most.
    assert losses.numpy().argmin() == 0


def test_the_plain_loss_is_that_of_keras():
    keras_loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction=None)
    np.testing.assert_allclose(made("class", "cross_entropy"), keras_loss(LABELS, LOGITS).numpy(), rtol=1e-5, atol=1e-6)
    keras_loss = keras.losses.BinaryCrossentropy(from_logits=True, reduction=None)
    np.testing.assert_allclose(
        made("classes", "cross_entropy"), keras_loss(TARGETS, LOGITS).numpy(), rtol=1e-5, atol=1e-6
    )


# Macro-F1


def fed(metric, targets, logits, weights=None):
    for start in range(0, len(targets), 7):
        batch = slice(start, start + 7)
        metric.update_state(targets[batch], logits[batch], None if weights is None else weights[batch])
    return float(metric.result())


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_macro_f1_is_scikit_learns_over_the_whole_split(seed, weighted):
    random = np.random.default_rng(seed)
    # The last class has no text, and where logits allow it no prediction.
    labels = random.integers(0, 4, 100)
    logits = random.normal(size=(100, 5)) + 2 * np.eye(5)[labels]
    weights = random.random(100) if weighted else None
    expected = f1_score(labels, logits.argmax(axis=1), average="macro", sample_weight=weights)
    metric = MacroF1(5)
    assert fed(metric, labels, logits, weights) == pytest.approx(expected, abs=1e-6)
    # It is a number for each epoch, not one for all.
    metric.reset_state()
    assert fed(metric, labels[:10], logits[:10]) == pytest.approx(
        f1_score(labels[:10], logits[:10].argmax(axis=1), average="macro"), abs=1e-6
    )
    targets = (random.random((100, 5)) < 0.2).astype(np.int8)
    expected = f1_score(targets, logits >= 0, average="macro", zero_division=0, sample_weight=weights)
    assert fed(MacroF1(5, several=True), targets, logits, weights) == pytest.approx(expected, abs=1e-6)


def test_macro_f1_comes_back_from_its_config():
    metric = MacroF1(3, several=True)
    assert MacroF1.from_config(metric.get_config()).get_config() == metric.get_config()


@pytest.mark.parametrize("kind", OUTPUTS)
def test_metrics_have_the_names_that_options_and_lines_use(kind):
    names = [metric.name for metric in OUTPUTS[kind].metrics(3)]
    assert names == ["accuracy", "macro_f1"]
    assert set(OUTPUTS[kind].shown) <= {"loss", *names}
    assert OUTPUTS[kind].monitor.removeprefix("val_") in {"loss", *names}


def test_accuracy_of_several_labels_wants_all_right():
    metric = OUTPUTS["classes"].metrics(2)[0]
    metric.update_state([[1, 0], [1, 1], [0, 0]], [[2.0, -1.0], [2.0, -1.0], [-1.0, -1.0]])
    assert float(metric.result()) == pytest.approx(2 / 3)
