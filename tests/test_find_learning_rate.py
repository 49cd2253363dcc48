"""The learning-rate range test: its losses and its suggestion against NumPy, and the command."""

import csv
import dataclasses
import json
import shlex

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from kseq import errors, experiment
from kseq.command_line import read_options
from kseq.commands import command_parser
from kseq.errors import TrainingError
from kseq.find_learning_rate import main
from kseq.learning_rate_figure import draw_learning_rates
from kseq.learning_rate_sweep import Sweep, sweep_learning_rates
from kseq.options import Options
from pipelines import vectorized_split
from pipelines.text_data import from_splits

PLAIN = Options("toy", optimizer="sgd", momentum=0.0, clip_norm=0.0)
RANDOM = np.random.default_rng(3)
WORDS = RANDOM.integers(0, 5, size=(40, 8)).astype(np.int32)
LABELS = (RANDOM.random((40, 8)) < np.linspace(0.1, 0.9, 5)[WORDS]).astype(np.int32)


def table_of_logits():
    """One word a text, and its row is the logits: a model whose every step can be done by hand."""
    ids = keras.Input((1,), dtype="int32", name="token_ids")
    embedded = keras.layers.Embedding(5, 2, embeddings_initializer="zeros")(ids)
    return keras.Model({"token_ids": ids}, keras.layers.Flatten()(embedded))


def batches(labels=LABELS, weights=None):
    weights = np.ones(WORDS.shape, np.float32) if weights is None else weights
    return tf.data.Dataset.from_tensor_slices(({"token_ids": WORDS[:, :, None]}, labels, weights))


def swept(steps, lowest, highest, data=None):
    data = batches() if data is None else data
    return sweep_learning_rates(table_of_logits(), data, PLAIN, lowest=lowest, highest=highest, steps=steps)


def losses_by_hand(rates):
    """Plain gradient descent on the mean cross-entropy of each batch."""
    table, losses = np.zeros((5, 2)), []
    for rate, words, labels in zip(rates, WORDS, LABELS, strict=False):
        logits = table[words]
        probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        losses.append(-np.log(probabilities[np.arange(8), labels]).mean())
        slopes = (probabilities - np.eye(2)[labels]) / 8
        for word, slope in zip(words, slopes, strict=True):
            table[word] -= rate * slope
    return losses


def test_each_step_has_a_higher_rate_and_a_loss_of_its_own():
    found = swept(30, 0.01, 5.0)
    rates = [0.01 * 500 ** (step / 29) for step in range(30)]
    np.testing.assert_allclose(found.rates, rates, rtol=1e-6)
    np.testing.assert_allclose(found.losses, losses_by_hand(rates), rtol=2e-4)
    factors = [0.9**age for age in range(30)]
    smoothed = [
        sum(factor * loss for factor, loss in zip(factors, found.losses[count::-1], strict=False))
        / sum(factors[: count + 1])
        for count in range(30)
    ]
    np.testing.assert_allclose(found.smoothed, smoothed, rtol=1e-6)
    assert not found.diverged
    assert found.lowest == int(np.argmin(smoothed)) > 0
    assert found.suggested == pytest.approx(rates[found.lowest] / 10, rel=0.05)


def test_a_sweep_ends_where_the_loss_is_four_times_its_lowest():
    found = swept(40, 1.0, 1e6)
    assert found.diverged
    assert len(found.rates) == len(found.losses) == len(found.smoothed) < 40
    assert found.smoothed[-1] > 4 * min(found.smoothed)
    assert all(each <= 4 * min(found.smoothed[: place + 1]) for place, each in enumerate(found.smoothed[:-1]))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_sweep_ends_where_the_loss_is_no_number(bad):
    weights = np.ones(WORDS.shape, np.float32)
    weights[7, 3] = bad
    found = swept(40, 0.01, 1.0, batches(weights=weights))
    assert found.diverged
    assert len(found.rates) == len(found.losses) == 7
    weights[0] = bad
    with pytest.raises(TrainingError, match=r"no number at the first step, at learning rate 0\.01"):
        swept(40, 0.01, 1.0, batches(weights=weights))


def test_where_the_loss_never_fell_nothing_is_suggested():
    rising = Sweep([1.0, 2.0, 4.0], [0.5, 0.6, 0.9], [0.5, 0.55, 0.7], diverged=False)
    assert (rising.lowest, rising.suggested) == (0, None)
    falling = Sweep([1.0, 2.3456, 4.0], [0.5, 0.4, 0.9], [0.5, 0.45, 0.7], diverged=False)
    assert (falling.lowest, falling.suggested) == (1, 0.23)


@pytest.mark.parametrize("count", [1, 40])
def test_the_picture_is_drawn_and_always_the_same(count, tmp_path):
    rates = np.geomspace(1e-5, 10, 40)[:count].tolist()
    losses = [1 + np.cos(place / 9) for place in range(count)]
    found = Sweep(rates, losses, losses, diverged=False)
    paths = [tmp_path / "one.png", tmp_path / "two.png"]
    for path in paths:
        draw_learning_rates(found, "adam", "cross_entropy", path)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    with Image.open(paths[0]) as image:
        assert min(image.size) > 500
        pixels = np.asarray(image.convert("RGB")).reshape(-1, 3)
    # The line of the suggestion is vermilion.
    assert (pixels == (0xD5, 0x5E, 0x00)).all(axis=1).any() == (count == 40)


# The command


@pytest.fixture
def tickets(tmp_path, monkeypatch):
    """A file of 200 texts in the working folder."""
    monkeypatch.chdir(tmp_path)
    rows = [f"{'good' if number % 2 else 'bad'} words {number},{number % 2}" for number in range(200)]
    (tmp_path / "my tickets.csv").write_text("\n".join(["text,label", *rows]), encoding="utf-8")
    return "my tickets.csv"


def test_the_command_leaves_a_table_a_picture_and_a_command_to_go_on_with(tickets, tmp_path, monkeypatch, capsys):
    small = [tickets, "--units", "8", "--embedding-dim", "8", "--no-bidirectional"]
    read = []
    vectorize = vectorized_split.vectorize_split
    monkeypatch.setattr(
        vectorized_split, "vectorize_split", lambda *inputs, **more: read.append(1) or vectorize(*inputs, **more)
    )
    assert main([*small, "--steps", "40", "--lowest-rate", "0.001", "--json"]) == errors.DONE
    # Train and validation.
    assert len(read) == 2
    captured = capsys.readouterr()
    found = json.loads(captured.out)
    (folder,) = (tmp_path / "learning_rates").iterdir()
    assert folder.name.endswith("tickets-gru-max_mean")
    assert found["files"] == [str(folder / "learning_rates.csv"), str(folder / "learning_rates.png")]
    assert sorted(path.name for path in folder.iterdir()) == ["learning_rates.csv", "learning_rates.png"]
    with open(folder / "learning_rates.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == found["steps"] <= 40
    assert [int(row["step"]) for row in rows] == list(range(len(rows)))
    lowest = min(rows, key=lambda row: float(row["smoothed_loss"]))
    assert found["lowest"] == {
        "learning_rate": float(lowest["learning_rate"]), "smoothed_loss": float(lowest["smoothed_loss"]),
    }  # fmt: skip
    assert found["learning_rate"] == pytest.approx(float(lowest["learning_rate"]) / 10, rel=0.05)
    program, *arguments = shlex.split(found["command"])
    assert [program, *arguments[:2]] == ["python", "-m", "kseq.run"]
    options, _ = read_options(command_parser("run", "").parse_all(arguments[2:]))
    assert options == Options(tickets, units=8, embedding_dim=8, learning_rate=found["learning_rate"])
    assert found["options"]["units"] == 8
    for words in ("lowest      smoothed loss", "suggested   --learning-rate", found["command"], str(folder)):
        assert words in captured.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--lowest-rate", "1", "--highest-rate", "1"], "--lowest-rate is 1 and --highest-rate is 1; expected"),
        (["--lowest-rate", "0"], "--lowest-rate is 0 and"),
        (["--highest-rate", "nan"], "--highest-rate is nan"),
        (["--highest-rate", "inf"], "--highest-rate is inf"),
        (["--steps", "1"], "--steps is 1; expected a whole number of at least 2."),
        (["--steps", "x"], "argument --steps: invalid int value: 'x'"),
        (["--epochs", "3"], "unknown argument '--epochs'"),
        (["--schedule", "cosine"], "unknown argument '--schedule'"),
        (["--learning-rate", "1"], "unknown argument '--learning-rate'"),
        (["--attention-units", "3"], "--attention-units does not apply to --head max_mean"),
    ],
)
def test_what_no_sweep_can_be_made_of_is_refused(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["reviews", *arguments]) == errors.USAGE
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_told_before_the_sweep(tickets, capsys, tmp_path):
    file = tmp_path / "taken"
    file.write_text("", encoding="utf-8")
    assert main([tickets, "--output-dir", str(file / "here")]) == errors.FAILURE
    captured = capsys.readouterr()
    assert f"Cannot write into {file / 'here'}: " in captured.err
    assert "--output-dir" in captured.err
    assert "model " not in captured.out


def test_the_test_split_is_not_read():
    """A test split that breaks when it is read."""
    texts = tf.data.Dataset.from_tensor_slices(([f"good {n}" for n in range(30)], np.arange(30) % 2))
    data = from_splits(
        "toy", texts, texts, ("no", "yes"), validation=texts, suggested_sequence_length=4, suggested_vocabulary_size=9
    )

    def broken():
        yield from ()
        raise RuntimeError("the test split was read")

    test = tf.data.Dataset.from_generator(broken, output_signature=data.test.element_spec)
    data = dataclasses.replace(data, test=test)
    prepared = experiment.prepare(data, Options("toy"), with_test=False)
    assert set(prepared.splits) == {"train", "validation"}
    with pytest.raises(tf.errors.OpError, match="the test split was read"):
        experiment.prepare(data, Options("toy"))
