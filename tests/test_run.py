"""The command from its flags to the folder it leaves, with real runs on small data."""

import csv
import json
import logging
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import kseq
from kseq import errors
from kseq.run import main
from pipelines import reviews
from pipelines.errors import DataError

SMALL = ["reviews", "--max-train-samples", "300", "--epochs", "2", "--units", "8", "--embedding-dim", "8"]


def run_json(arguments, capsys):
    capsys.readouterr()
    code = main([*arguments, "--json"])
    captured = capsys.readouterr()
    return code, json.loads(captured.out), captured.err


@pytest.fixture(scope="module")
def small_run(tmp_path_factory):
    """One small run in a process of its own, with `--json`."""
    folder = tmp_path_factory.mktemp("small")
    done = subprocess.run(
        [sys.executable, "-m", "kseq.run", *SMALL, "--json"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == errors.DONE, done.stderr
    return folder, done


def test_json_is_one_object_and_the_only_output(small_run):
    folder, done = small_run
    assert done.stdout.count("\n") == 1
    found = json.loads(done.stdout)
    assert set(found) == {
        *("saved_model", "test", "validation", "seconds", "options", "padding_share", "test_parts", "thresholds"),
        "baseline",
    }
    assert set(found["test"]) == set(found["validation"]) == {"accuracy", "accuracy_interval", "macro_f1", "nll", "ece"}
    assert set(found["seconds"]) == {"train", "total"}
    assert 0 < found["seconds"]["train"] < found["seconds"]["total"]
    saved_model = Path(found["saved_model"])
    assert saved_model.is_absolute()
    assert saved_model == folder / "saved_models" / "reviews-gru-max_mean-sample" / "1"
    assert found["options"]["units"] == 8
    assert found["options"]["sequence_length"] > 0
    assert 0 <= found["padding_share"] < 0.5
    assert "epoch 1/2" in done.stderr


def test_what_a_run_leaves_agrees_with_itself_and_with_the_saved_model(small_run):
    folder, done = small_run
    found = json.loads(done.stdout)
    extra = Path(found["saved_model"]) / "assets.extra"
    record = json.loads((extra / "run.json").read_text(encoding="utf-8"))
    assert record["options"] == found["options"]
    assert record["test"]["accuracy"] == found["test"]["accuracy"]
    compared = record["baseline"]["comparisons"]["test"]
    assert compared == found["baseline"]["comparisons"]["test"]
    # Who alone is right accounts for the difference of the two accuracies.
    linear = record["baseline"]["test"]["accuracy"]
    assert (compared["b"] - compared["c"]) / reviews.TEST_SIZE == pytest.approx(found["test"]["accuracy"] - linear)
    assert f"n-grams, test: accuracy {linear:.2%}" in done.stderr
    assert f"the model is {record['baseline']['model_is']}: it alone is right in b = {compared['b']:,}" in done.stderr

    with open(extra / "predictions.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == record["data"]["sizes"]["test"] == reviews.TEST_SIZE
    accuracy = sum(row["label"] == row["predicted"] for row in rows) / len(rows)
    assert accuracy == pytest.approx(found["test"]["accuracy"], abs=1e-9)

    test = list(reviews.load(size=20).test.as_numpy_iterator())
    answer = kseq.load(folder / "saved_models" / "reviews-gru-max_mean-sample")([text.decode() for text, _ in test])
    columns = [f"probability of {name}" for name in reviews.CLASS_NAMES]
    expected = np.array([[float(row[column]) for column in columns] for row in rows])
    np.testing.assert_allclose(answer.probabilities, expected, atol=2e-6)
    labels = [reviews.CLASS_NAMES[label] for _, label in test]
    assert labels == [row["label"] for row in rows]
    assert [row["text"].removesuffix("…") for row in rows] == [text.decode()[:500] for text, _ in test]

    with open(extra / "history.csv", newline="", encoding="utf-8") as file:
        history = list(csv.DictReader(file))
    assert [row["epoch"] for row in history] == ["1", "2"]
    assert record["best_epoch"] == 1 + int(np.argmax([float(row[record["options"]["monitor"]]) for row in history]))
    card = (extra / "README.md").read_text(encoding="utf-8")
    assert f"{found['test']['accuracy']:.2%}" in card
    assert f"{linear:.2%}" in card
    for picture in ("curves.png", "confusion_matrix.png"):
        assert (extra / picture).read_bytes().startswith(b"\x89PNG")


def test_a_recorded_run_runs_again_to_the_same_bits(small_run, tmp_path, capsys):
    _, done = small_run
    first = json.loads(done.stdout)
    record = Path(first["saved_model"]) / "assets.extra" / "run.json"
    # A version that is there already makes this the second.
    (tmp_path / "reviews-gru-max_mean-sample" / "1").mkdir(parents=True)
    code, second, _ = run_json(["--config", str(record), "--output-dir", str(tmp_path)], capsys)
    assert code == errors.DONE
    assert second["test"] == first["test"]
    assert second["validation"] == first["validation"]
    assert Path(second["saved_model"]) == tmp_path / "reviews-gru-max_mean-sample" / "2"
    card = Path(second["saved_model"], "assets.extra", "README.md").read_text(encoding="utf-8")
    assert f"tf.saved_model.load({second['saved_model']!r})" in card
    # Not the variables' file: it holds names that count up within a process.
    predictions = "assets.extra/predictions.csv"
    assert Path(second["saved_model"], predictions).read_bytes() == Path(first["saved_model"], predictions).read_bytes()


def test_interrupted_training_exports_the_best_so_far(tmp_path):
    arguments = [*SMALL, "--epochs", "1000", "--patience", "1000", "--output-dir", str(tmp_path)]
    with subprocess.Popen(
        [sys.executable, "-m", "kseq.run", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line.startswith("epoch    2/"):
                process.send_signal(signal.SIGINT)
        code = process.wait()
    assert code == errors.INTERRUPTED, lines
    assert any(line.startswith("stopping") for line in lines)
    folder = tmp_path / "reviews-gru-max_mean-sample" / "1"
    record = json.loads((folder / "assets.extra" / "run.json").read_text(encoding="utf-8"))
    assert record["interrupted"]
    assert record["baseline"] == {"left_out": "the run was interrupted"}
    assert "baseline    n-grams: left out, since the run was interrupted\n" in lines
    assert 1 <= record["best_epoch"] <= record["epochs"] < 1000
    assert len(kseq.load(folder)(["A dull film."]).labels) == 1


def test_a_loss_that_is_no_number_stops_with_advice_and_leaves_nothing(tmp_path, capsys):
    arguments = [*SMALL, "--optimizer", "sgd", "--lr", "1e38", "--clip-norm", "0", "--warmup-fraction", "0"]
    assert main([*arguments, "--output-dir", str(tmp_path)]) == errors.FAILURE
    message = capsys.readouterr().err
    assert "nan" in message or "inf" in message
    assert "--learning-rate" in message
    assert list(tmp_path.iterdir()) == []


def test_a_last_step_that_breaks_the_weights_is_no_best_epoch(tmp_path, capsys):
    arguments = ["--epochs", "1", "--batch-size", "300", "--optimizer", "sgd", "--lr", "1e38", "--clip-norm", "0"]
    code = main([*SMALL, *arguments, "--warmup-fraction", "0", "--schedule", "constant", "--output-dir", str(tmp_path)])
    assert code == errors.FAILURE
    assert re.search("val_loss became (nan|inf) at the end of epoch 1", capsys.readouterr().err)
    assert list(tmp_path.iterdir()) == []


def test_what_the_pipelines_log_is_shown(tmp_path, capsys, monkeypatch):
    def telling(**options):
        logging.getLogger("pipelines.reviews").info("preparing it by download")
        raise DataError("that is far enough")

    monkeypatch.setattr(reviews, "load", telling)
    assert main([*SMALL, "--epochs", "1", "--output-dir", str(tmp_path)]) == errors.DATA
    assert "note        preparing it by download" in capsys.readouterr().out


def test_another_keras_backend_of_the_user_does_not_matter(tmp_path):
    program = (
        "from kseq.console import quiet_start\nwith quiet_start():\n    import keras\nprint(keras.backend.backend())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, "KERAS_BACKEND": "jax"}, capture_output=True, text=True
    )
    assert done.stdout.strip() == "tensorflow", done.stderr


def test_a_smoke_run_says_what_it_was_trained_on(small_run):
    _, done = small_run
    record = json.loads((Path(json.loads(done.stdout)["saved_model"]) / "assets.extra" / "run.json").read_text())
    assert record["data"]["sizes"]["train"] == 300
    assert "sample      of 300 training texts" in done.stderr


def test_an_unwritable_folder_is_told_before_training(tmp_path, capsys):
    place = tmp_path / "a file"
    place.write_text("not a folder")
    assert main([*SMALL, "--output-dir", str(place)]) == errors.FAILURE
    captured = capsys.readouterr()
    assert str(place) in captured.err
    assert captured.err.count("\n") == 1
    assert "epoch" not in captured.out


def test_an_export_that_does_not_verify_is_exit_4_and_leaves_nothing(tmp_path, capsys, monkeypatch):
    from kseq import artifact

    export = artifact.export_saved_model

    def with_wrong_expectation(*arguments, expected_probabilities, **more):
        return export(*arguments, expected_probabilities=expected_probabilities[:, ::-1], **more)

    monkeypatch.setattr(artifact, "export_saved_model", with_wrong_expectation)
    assert main([*SMALL, "--epochs", "1", "--output-dir", str(tmp_path)]) == errors.NOT_VERIFIED
    assert "does not answer" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "code", "parts"),
    [
        (["imbd"], errors.USAGE, ["'imbd'", "'imdb'", "Did you mean"]),
        (["reviews", "--cell", "gur"], errors.USAGE, ["'gur'", "'lstm'", "Did you mean 'gru'"]),
        (["reviews", "--fine-labels"], errors.USAGE, ["--fine-labels", "'reviews'"]),
        (["reviews", "--momentum", "0.5"], errors.USAGE, ["--momentum", "--optimizer adam", "--optimizer sgd"]),
        (["reviews", "--attention-units", "8"], errors.USAGE, ["--attention-units", "--head attention"]),
        (["reviews", "--unitz", "8"], errors.USAGE, ["--unitz", "--units"]),
        (["reviews", "--units", "many"], errors.USAGE, ["'many'", "a whole number"]),
        (["reviews", "--preset", "defalt"], errors.USAGE, ["'defalt'", "'default'"]),
        (["nowhere/tickets.csv"], errors.DATA, ["nowhere/tickets.csv", "does not exist"]),
        (["reviews", "--config", "nowhere.json"], errors.DATA, ["nowhere.json"]),
        (["imdb", "--data-dir", "/nowhere"], errors.DATA, ["/nowhere"]),
    ],
)
def test_bad_input_is_answered_in_a_sentence(arguments, code, parts, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == code
    message = capsys.readouterr().err
    assert "Traceback" not in message
    for part in parts:
        assert part in message
    assert not (tmp_path / "saved_models").exists() or not os.listdir(tmp_path / "saved_models")
