"""Whole runs on files of the user's, from the command to the answers of the SavedModel."""

import contextlib
import csv
import io
import json
from pathlib import Path

import kseq
from kseq import errors
from kseq.run import main

SMALL = ["--units", "4", "--embedding-dim", "4", "--cell", "simple_rnn", "--epochs", "1"]


def run(*arguments):
    """Run the command in the working folder; give the folder it left, its record and what it told."""
    told = io.StringIO()
    with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
        code = main(arguments)
    assert code == errors.DONE, told.getvalue()
    (folder,) = Path("saved_models").glob("*/*")
    record = json.loads((folder / "assets.extra" / "run.json").read_text(encoding="utf-8"))
    return folder, record, told.getvalue()


def stop(*_):
    raise errors.TrainingError("that is far enough")


def told_before_the_model(*arguments):
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        assert main(arguments) == errors.FAILURE
    return told.getvalue()


def write(path, rows):
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("text", "label"), *rows])


def predicted(folder, column):
    with open(folder / "assets.extra" / "predictions.csv", newline="", encoding="utf-8") as file:
        return [row[column] for row in csv.DictReader(file)]


def test_a_file_becomes_a_saved_model_that_answers_in_its_words_and_is_run_again(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [(f"{('dull', 'fine')[n % 2]} film number {n}", (-1, 1)[n % 2]) for n in range(60)]
    write("polarity.csv", rows)
    folder, record, told = run("polarity.csv", *SMALL, "--class-weight", "-1=2,1=1")
    assert folder == Path("saved_models/polarity-simple_rnn-max_mean/1")
    assert record["data"]["class_names"] == ["-1", "1"]
    assert record["data"]["sizes"] == {"train": 44, "validation": 4, "test": 12}
    assert "-1 2.00, 1 1.00" in told
    answer = kseq.load(folder)(["dull film", "fine film"])
    assert set(answer.labels) <= {"-1", "1"}
    assert answer.labels == [("-1", "1")[label] for label in answer.label_ids]
    assert set(predicted(folder, "label")) == {"-1", "1"}

    # From another folder. As far as the model: what follows is the same as above.
    monkeypatch.setattr("kseq.experiment.new_model", stop)
    monkeypatch.chdir(tmp_path / "saved_models")
    config = ["--config", str(tmp_path / folder / "assets.extra" / "run.json")]
    told = told_before_the_model("../polarity.csv", *config)
    assert "../polarity.csv (CSV" in told
    assert "recorded run" not in told
    write("moved.csv", [("fine film, says somebody else", -1), *rows[1:]])
    told = told_before_the_model("moved.csv", *config)
    assert "warning     the texts or labels of train and " in told
    assert "are not those of the recorded run" in told


def test_a_file_of_several_labels_becomes_a_saved_model(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = {"dear": "price", "late": "post", "broken": "goods; all"}
    texts = [[word for at, word in enumerate(words) if number >> at & 1] for number in range(64)]
    write(
        "complaints.csv",
        [(f"it was {' '.join(text)} {number}", "|".join(words[word] for word in text)) for number, text in
         enumerate(texts) if text],
    )  # fmt: skip
    folder, record, told = run("complaints.csv", *SMALL, "--label-separator", "|", "--no-baseline")
    assert record["baseline"] is None
    assert "baseline" not in told
    assert record["data"]["target_kind"] == "classes"
    assert record["data"]["class_names"] == sorted(words.values())
    answer = kseq.load(folder)(["it was late", "it was dear and broken"])
    assert answer.probabilities.shape == (2, 3)
    assert all(set(labels) <= set(words.values()) for labels in answer.labels)
    assert "3 labels: goods; all, post, price" in told
    given = {label for cell in predicted(folder, "labels") for label in next(csv.reader([cell]), [])}
    assert given == set(words.values())
