"""The contract of `tests/test_contract.py` for numeric sequences: every encoder and head over values and lengths."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from kseq.applies import chosen_parts
from kseq.attentions import ATTENTIONS
from kseq.encoders import ENCODERS
from kseq.errors import UsageError
from kseq.heads import HEADS
from kseq.layers.length_mask import LengthMask
from kseq.model import build_model, serving_model
from kseq.options import Options

CHANNELS = 3
SPEC = {
    "values": tf.TensorSpec((None, None, CHANNELS), tf.float32),
    "lengths": tf.TensorSpec((None,), tf.int32),
}
SMALL = {"units": 6, "attention_units": 3, "num_layers": 2, "dropout": 0.3, "filters": 5, "kernel_sizes": "2,3"}
SMALL |= {"num_heads": 3, "feed_forward_units": 7}
LENGTHS = np.array([7, 4, 1], np.int32)
VALUES = np.random.default_rng(8).normal(size=(3, 7, CHANNELS)).astype(np.float32)
# A real step may be all zeros, in the middle and at the end.
VALUES[0, 2] = VALUES[0, 6] = VALUES[1, 3] = 0
VALUES *= (np.arange(7) < LENGTHS[:, None])[:, :, None]
PAIRS = [
    {"encoder": encoder, "head": head}
    for encoder, head in itertools.islice(
        zip(itertools.cycle(ENCODERS), itertools.cycle(HEADS), strict=False), max(len(ENCODERS), len(HEADS))
    )
]
PAIRS += [{"head": "attention", "attention": name} for name, part in ATTENTIONS.items() if not part.needs]
GRID = [pytest.param(Options("toy", **pair, **SMALL), id="-".join(pair.values())) for pair in PAIRS]


def small_model(options):
    keras.utils.set_random_seed(7)
    model = build_model(options, SPEC, 3, input_kind="numeric")
    # Away from their initial zeros, or biases would hide a mask that is lost.
    random = np.random.default_rng(5)
    model.set_weights([weight + 0.3 * random.normal(size=weight.shape) for weight in model.get_weights()])
    return model


def ask(model, values=VALUES, lengths=LENGTHS):
    return model({"values": tf.constant(values), "lengths": tf.constant(lengths)}, training=False).numpy()


@pytest.mark.parametrize("options", GRID)
def test_padding_batching_order_saving_and_gradients(options, tmp_path):
    model = small_model(options)
    expected = ask(model)
    assert expected.shape == (3, 3)
    assert np.isfinite(expected).all()

    padded = np.pad(VALUES, [(0, 0), (0, 9), (0, 0)])
    np.testing.assert_allclose(ask(model, padded), expected, atol=1e-5, err_msg="padding changes the answer")
    for number, length in enumerate(LENGTHS):
        alone = ask(model, VALUES[number : number + 1, :length], LENGTHS[number : number + 1])
        np.testing.assert_allclose(alone[0], expected[number], atol=1e-5, err_msg="a sequence alone differs")

    if all(part.order_sensitive for _, _, part in chosen_parts(options)):
        swapped = VALUES.copy()
        swapped[0, [1, 5]] = swapped[0, [5, 1]]
        assert np.abs(ask(model, swapped)[0] - expected[0]).max() > 1e-4, "swapped steps change nothing"

    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_allclose(ask(loaded), expected, atol=1e-6)
    exponentials = np.exp(expected - expected.max(axis=1, keepdims=True))
    server = serving_model(model, options, SPEC, 3, input_kind="numeric")
    np.testing.assert_allclose(ask(server), exponentials / exponentials.sum(axis=1, keepdims=True), atol=1e-6)

    with tf.GradientTape() as tape:
        logits = model({"values": tf.constant(VALUES), "lengths": tf.constant(LENGTHS)}, training=False)
        loss = tf.reduce_sum(logits * tf.random.stateless_normal(logits.shape, [1, 2]))
    weights = [weight.value for weight in model.trainable_weights]
    for weight, gradient in zip(model.trainable_weights, tape.gradient(loss, weights), strict=True):
        assert gradient is not None, weight.path
        assert np.abs(tf.convert_to_tensor(gradient).numpy()).max() > 1e-8, weight.path


def test_the_grid_covers_every_encoder_and_every_head():
    assert {pair.get("encoder") for pair in PAIRS} >= set(ENCODERS)
    assert {pair["head"] for pair in PAIRS} == set(HEADS)


def test_what_needs_sentences_is_refused():
    options = Options("toy", head="attention", attention="hierarchical", **SMALL)
    with pytest.raises(UsageError, match=r"--attention hierarchical needs sentence_ids, and .* values, lengths alone"):
        small_model(options)


def test_the_mask_follows_from_the_lengths_alone():
    mask = LengthMask()(tf.zeros((3, 5, 2)), tf.constant([5, 1, 3])).numpy()
    assert mask.tolist() == [[place < length for place in range(5)] for length in (5, 1, 3)]
