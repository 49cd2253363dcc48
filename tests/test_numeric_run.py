"""Whole runs on numeric sequences: from the command to the answers of the SavedModel, and what is refused."""

import contextlib
import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import kseq
from kseq import data as data_command
from kseq import errors, find_learning_rate, predict
from kseq.errors import VerificationError
from kseq.inputs import INPUTS
from kseq.options import FIELDS
from kseq.run import main
from kseq.saved_model_check import verify

SMALL = ["--units", "6", "--cell", "simple_rnn", "--epochs", "8", "--lr", "0.03", "--batch-size", "16"]
CHANNELS = ("ax", "ay", "still")


def sequences(count, seed):
    """Class "up" where the first channel rises, "down" where it falls; far from 0, of unequal lengths."""
    random = np.random.default_rng(seed)
    made = {}
    for number in range(count):
        steps = random.integers(1, 9)
        slope = (1, -1)[number % 2]
        values = np.stack(
            [slope * np.linspace(-20, 20, steps) + 500 + random.normal(size=steps), random.normal(size=steps),
             np.full(steps, 7.0)],
            axis=1,
        )  # fmt: skip
        made[f"{seed}-{number}"] = (values.astype(np.float32), ("up", "down")[number % 2])
    return made


def write(path, made):
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["window", "time", *CHANNELS, "label"])
        for name, (values, label) in made.items():
            for step, row in reversed(list(enumerate(values))):
                writer.writerow([name, step, *map(repr, map(float, row)), label])
    return str(path)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """One run on tables, with the sequences of its test split."""
    folder = tmp_path_factory.mktemp("numeric")
    test = sequences(30, 2)
    arguments = [write(folder / "train.csv", sequences(120, 1)), "--sequence-column", "window"]
    arguments += ["--test-file", write(folder / "test.csv", test), "--output-dir", str(folder / "models")]
    written, told = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(written), contextlib.redirect_stderr(told):
        code = main([*arguments, *SMALL, "--sequence-length", "6", "--json"])
    assert code == errors.DONE, told.getvalue()
    return Path(json.loads(written.getvalue())["saved_model"]), test, told.getvalue()


def record_of(saved_model):
    return json.loads((saved_model / "assets.extra" / "run.json").read_text(encoding="utf-8"))


def padded(chosen, fill=np.nan):
    lengths = np.array([len(values) for values in chosen], np.int32)
    values = np.full((len(chosen), lengths.max(), len(CHANNELS)), fill, np.float32)
    for row, sequence in zip(values, chosen, strict=True):
        row[: len(sequence)] = sequence
    return values, lengths


def test_the_saved_model_answers_raw_numbers_as_the_run_did(run):
    saved_model, test, _ = run
    with open(saved_model / "assets.extra" / "predictions.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["sequence"] for row in rows] == list(test)
    assert [row["label"] for row in rows] == [label for _, label in test.values()]
    classify = kseq.load(saved_model)
    assert classify.channel_names == CHANNELS
    answer = classify([values for values, _ in test.values()])
    expected = [[float(row[f"probability of {name}"]) for name in classify.class_names] for row in rows]
    np.testing.assert_allclose(answer.probabilities, expected, atol=2e-6)
    assert answer.labels == [row["predicted"] for row in rows]
    assert sum(label == row["label"] for label, row in zip(answer.labels, rows, strict=True)) >= 24
    assert len(classify([])) == 0
    # Lists of numbers will do.
    assert classify([[[500.0, 0, 7]]]).labels[0] in ("up", "down")


def test_both_loaders_answer_whatever_stands_in_the_padding(run):
    saved_model, test, _ = run
    values, lengths = padded([values for values, _ in test.values()])
    expected = kseq.load(saved_model)([values for values, _ in test.values()]).probabilities
    signature = tf.saved_model.load(str(saved_model)).signatures["serving_default"]
    found = signature(values=tf.constant(values), lengths=tf.constant(lengths))
    assert set(found) == {"label", "label_id", "confidence", "probabilities"}
    np.testing.assert_allclose(found["probabilities"], expected, atol=1e-6)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        loaded = tf.compat.v1.saved_model.load(session, ["serve"], str(saved_model))
        of = loaded.signature_def["serving_default"]
        assert sorted(of.inputs) == ["lengths", "values"]
        feed = {of.inputs["values"].name: values, of.inputs["lengths"].name: lengths}
        again = session.run(of.outputs["probabilities"].name, feed)
        np.testing.assert_allclose(again, expected, atol=1e-6)
        feed[of.inputs["lengths"].name] = lengths + 9
        with pytest.raises(tf.errors.InvalidArgumentError, match="lengths must lie between 1 and the time steps"):
            session.run(of.outputs["probabilities"].name, feed)
        with pytest.raises(tf.errors.InvalidArgumentError, match="values must be finite numbers"):
            session.run(of.outputs["label"].name, {**feed, of.inputs["lengths"].name: lengths * 0 + 2})


def test_the_record_and_the_card_say_how_the_numbers_are_standardised(run):
    saved_model, _, told = run
    record, extra = record_of(saved_model), saved_model / "assets.extra"
    assert record["data"]["input_kind"] == "numeric"
    assert record["baseline"] == {"left_out": "n-grams are of words, and these are no texts"}
    assert record["data"]["reading"]["time_column"] == "time"
    assert record["options"]["vocabulary_size"] is record["options"]["embedding_dropout"] is None
    # Validation is carved out of the file: its sequences take no part in the means.
    kept = [values for values, _ in sequences(120, 1).values()]
    every = np.concatenate(kept).astype(np.float64)
    channels = record["data"]["channels"]
    assert [channel["name"] for channel in channels] == list(CHANNELS)
    assert channels[0]["mean"] == pytest.approx(every[:, 0].mean(), rel=0.01)
    assert channels[0]["mean"] != pytest.approx(every[:, 0].mean(), rel=1e-6)
    assert channels[2] == {"name": "still", "mean": 7.0, "deviation": 0.0, "constant": True}
    assert (extra / "channels.txt").read_text(encoding="utf-8").splitlines() == list(CHANNELS)
    assert not (extra / "vocabulary.txt").exists()
    card = (extra / "README.md").read_text(encoding="utf-8")
    assert "3 numbers (`ax`, `ay`, `still`)" in card
    assert "Constant in train, and so divided by 1: `still`" in card
    assert "the first 3 and the last 3 time steps" in card
    assert "30 test sequences" in card
    assert " text" not in card.replace("raw text", "")
    assert "3 channels, standardised" in told
    assert "of train's are longer" in told
    verification = json.loads((extra / "verification.json").read_text(encoding="utf-8"))
    assert verification["examples"] == 30
    assert verification["loaders"] == ["tf.saved_model.load", "session loader"]
    for picture in ("curves.png", "confusion_matrix.png"):
        assert (extra / picture).read_bytes().startswith(b"\x89PNG")


def test_the_code_on_the_card_runs_as_written(run):
    saved_model, _, _ = run
    card = (saved_model / "assets.extra" / "README.md").read_text(encoding="utf-8")
    blocks = [block.partition("```")[0] for block in card.split("```python\n")[1:]]
    assert len(blocks) == 2
    for block in blocks:
        exec(block, {})


def test_verification_finds_other_probabilities(run):
    saved_model, test, _ = run
    chosen = [values for values, _ in test.values()][:4]
    expected = kseq.load(saved_model)(chosen).probabilities
    expected[2] = expected[2, ::-1]
    with pytest.raises(VerificationError, match=r"probabilities of the sequence \(\d, 3\) from \[.* are off by"):
        verify(saved_model, chosen, expected, input_kind="numeric")


@pytest.mark.parametrize(
    ("given", "kind", "said"),
    [
        ("one text", TypeError, "sequences is str 'one text'"),
        (["a"], TypeError, r"sequences\[0\] is str 'a'"),
        ([[["a", "b", "c"]]], TypeError, r"sequences\[0\] is list"),
        (np.zeros((4, 3)), ValueError, r"sequences\[0\] has the shape \(3,\); expected \(T, 3\).*ax, ay, still"),
        ([np.zeros((2, 3)), np.zeros((2, 2))], ValueError, r"sequences\[1\] has the shape \(2, 2\)"),
        ([np.zeros((0, 3))], ValueError, r"sequences\[0\] has the shape \(0, 3\)"),
        ([[[0, 1, 2], [0, np.nan, 0]]], ValueError, r"sequences\[0\]\[1, 1\], of the channel 'ay', is nan"),
        ([[[0, 1, 1e39]]], ValueError, r"sequences\[0\]\[0, 2\], of the channel 'still', is inf"),
    ],
)
def test_what_is_no_list_of_sequences_is_told(run, given, kind, said):
    with pytest.raises(kind, match=said):
        kseq.load(run[0], verify=False)(given)


def test_the_predict_command_says_that_it_is_for_texts(run, tmp_path, capsys):
    (tmp_path / "a.csv").write_text("ax,ay,still\n1,2,3\n")
    assert predict.main([str(run[0]), str(tmp_path / "a.csv")]) == errors.USAGE
    assert "labels numeric sequences" in capsys.readouterr().err


def test_the_learning_rate_sweep_reads_no_test(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    arguments = [write(tmp_path / "a.csv", sequences(60, 1)), "--sequence-column", "window", "--cell", "simple_rnn"]
    assert find_learning_rate.main([*arguments, "--units", "4", "--steps", "20"]) == errors.DONE
    assert "one layer of 4 simple_rnn units reads a sequence" in capsys.readouterr().out


def test_the_data_command_tells_the_channels(tmp_path, capfd):
    made = sequences(40, 1)
    assert data_command.main([write(tmp_path / "a.csv", made), "--sequence-column", "window", "--json"]) == 0
    captured = capfd.readouterr()
    found = json.loads(captured.out)
    assert found["sizes"] == {"train": 28, "validation": 4, "test": 8}
    assert [channel["name"] for channel in found["channels"]] == list(CHANNELS)
    still = found["channels"][2]
    assert (still["least"], still["greatest"], still["deviation"], still["constant"]) == (7, 7, 0, True)
    assert found["lengths"]["longest"] == found["suggested"]["sequence_length"] <= 8
    assert "constant in train" in captured.err
    assert "time steps of a train sequence" in captured.err


TEXT_OPTIONS = sorted(INPUTS["text"].reads - INPUTS["numeric"].reads)


def test_options_of_texts_are_refused_for_sequences_and_the_other_way_round(tmp_path, capsys):
    assert {"vocabulary_size", "tokens", "ngrams", "embedding_dim", "word_dropout", "cache"} <= set(TEXT_OPTIONS)
    assert {"sequence_length", "truncation"} == INPUTS["numeric"].reads
    path = tmp_path / "a.npz"
    np.savez(path, x=np.zeros((4, 2, 2)), y=[0, 1, 0, 1])
    for name in TEXT_OPTIONS:
        flag = f"--{name.replace('_', '-')}"
        value = FIELDS[name].metadata["choices"] or ["3"]
        given = [flag] if isinstance(FIELDS[name].default, bool) else [flag, value[-1]]
        if name in ("word_dropout", "embedding_dropout"):
            given = [flag, "0.5"]
        assert main([str(path), *given]) == errors.USAGE, name
        assert f"{flag} does not apply to the dataset" in capsys.readouterr().err
    assert main(["reviews", "--sequence-column", "id"]) == errors.USAGE
    assert "--sequence-column does not apply to the dataset 'reviews'" in capsys.readouterr().err
    assert main([str(path), "--sequence-column", "id"]) == errors.USAGE
    assert "--sequence-column does not apply" in capsys.readouterr().err


def test_what_reads_words_is_refused_before_anything_is_trained(tmp_path, capsys):
    random = np.random.default_rng(0)
    np.savez(tmp_path / "a.npz", x=random.normal(size=(60, 4, 3)), y=np.arange(60) % 3)
    arguments = [str(tmp_path / "a.npz"), "--head", "attention", "--attention", "hierarchical"]
    assert main([*arguments, "--output-dir", str(tmp_path)]) == errors.USAGE
    captured = capsys.readouterr()
    assert (
        "--attention hierarchical needs sentence_ids, and of this data there is values, lengths alone" in captured.err
    )
    assert "values  " not in captured.out, "before the channels are standardised"


MODULE = """import numpy as np

from pipelines.sequence_data import Sequences, from_sequences


def load(*, split_seed=0):
    random = np.random.default_rng(0)
    return from_sequences("waves", Sequences.of_arrays(random.normal(size=(40, 3, 2)), [0, 1] * 20), None, ("a", "b"))
"""


def test_a_module_of_the_users_may_give_sequences(tmp_path, monkeypatch, capsys):
    (tmp_path / "waves.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    # Only loading it tells that it holds sequences.
    assert main(["waves", "--tokens", "character"]) == errors.USAGE
    assert "--tokens does not apply to the dataset 'waves', which holds sequences; it is for texts" in (
        capsys.readouterr().err
    )
    assert data_command.main(["waves"]) == 0
    assert "channels" in capsys.readouterr().out
