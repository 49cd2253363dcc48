"""`kseq predict`: every row comes back in its place, with the answer that the SavedModel gives to its text alone."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time

import pyarrow
import pyarrow.parquet
import pytest

from kseq.predict import main
from kseq.saved_model import load
from tests.conftest import ROOT

MODEL = ROOT / "tests" / "golden" / "tiny"
CLASSIFIER = None


def alone(text):
    """Label and confidence of a text, asked for without any other."""
    global CLASSIFIER
    CLASSIFIER = CLASSIFIER or load(MODEL)
    answer = CLASSIFIER([text])
    return answer.labels[0], float(answer.confidences[0])


def read_csv(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_csv_file_keeps_its_rows_and_columns(here, capsys):
    texts = ["The film isn't dull!", 'a "dazzling" film, yet\nnot good', "好 film", "=HYPERLINK(1)"]
    with open("mails.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["id", "body", "note"], *([f"0{n}", text, -n] for n, text in enumerate(texts))])
    assert main([str(MODEL), "mails.csv", "--text-column", "body"]) == 0
    rows = read_csv("mails-predicted.csv")
    assert [row["id"] for row in rows] == ["00", "01", "02", "03"]
    assert [row["note"] for row in rows] == ["0", "-1", "-2", "-3"]
    assert [row["body"] for row in rows] == [*texts[:3], "'=HYPERLINK(1)"]
    for row, text in zip(rows, texts, strict=True):
        label, confidence = alone(text)
        assert (row["predicted"], row["problem"]) == (label, "")
        assert float(row["confidence"]) == pytest.approx(confidence, abs=2e-6)
    assert "4 rows" in capsys.readouterr().out
    assert not os.path.exists("mails-predicted.csv.parts")


def test_broken_rows_come_back_with_their_reason(here, capsys):
    with open("mails.csv", "w", encoding="utf-8") as file:
        file.write("id,text\n1,a dull film\n2,  \n3,one,too many\n4,the film\n")
    assert main([str(MODEL), "mails.csv", "--json"]) == 0
    rows = read_csv("mails-predicted.csv")
    assert [row["text"] for row in rows] == ["a dull film", "  ", "3,one,too many", "the film"]
    assert [bool(row["predicted"]) for row in rows] == [True, False, False, True]
    assert rows[1]["problem"] == "mails.csv, line 3: empty text"
    assert rows[2]["problem"].startswith("mails.csv, line 4: wrong number of fields (3 instead of 2)")
    found = json.loads(capsys.readouterr().out)
    assert (found["rows"], found["problems"], sum(found["predicted"].values())) == (4, 2, 2)


def test_json_lines_keep_numbers_and_what_is_nested(here):
    rows = [{"id": 1.0, "text": "a film", "more": {"a": [1, None]}}, {"text": "好", "other": 2**70}]
    with open("mails.jsonl", "w", encoding="utf-8") as file:
        file.write("\n".join(map(json.dumps, rows)) + "\nno json\n")
    assert main([str(MODEL), "mails.jsonl", "--top-k", "4"]) == 0
    with open("mails-predicted.jsonl", encoding="utf-8") as file:
        found = [json.loads(line) for line in file]
    assert [{name: row[name] for name in given} for row, given in zip(found, rows, strict=False)] == rows
    first = [found[0][f"predicted{place}"] for place in ("", "_2", "_3", "_4")]
    confidences = [found[0][f"confidence{place}"] for place in ("", "_2", "_3", "_4")]
    assert first[0] == alone("a film")[0]
    assert len(set(first)) == 4
    assert confidences == sorted(confidences, reverse=True)
    assert sum(confidences) == pytest.approx(1, abs=4e-6)
    assert found[2]["text"] == "no json"
    assert found[2]["predicted"] is None
    assert "line 3: no JSON object" in found[2]["problem"]


def test_parquet_keeps_its_types(here):
    table = pyarrow.table({
        "when": pyarrow.array([1, None], pyarrow.timestamp("ms")),
        "text": ["the film", None],
        "predicted": pyarrow.array([3, 4], pyarrow.int8()),
    })  # fmt: skip
    pyarrow.parquet.write_table(table, "mails.parquet")
    assert main([str(MODEL), "mails.parquet"]) == 0
    found = pyarrow.parquet.read_table("mails-predicted.parquet")
    assert found.select(table.column_names).equals(table)
    # A column of that name was there before.
    assert found["kseq_predicted"].to_pylist() == [alone("the film")[0], None]
    assert found["kseq_problem"].to_pylist() == [None, "mails.parquet, line 2: empty text"]


def test_lines_from_standard_input_are_answered_in_place(here):
    done = subprocess.run(
        [sys.executable, "-m", "kseq.predict", str(MODEL), "-"], input="a film\n\n好\n".encode(), capture_output=True,
        check=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    rows = list(csv.DictReader(io.StringIO(done.stdout.decode())))
    assert [(row["text"], row["predicted"]) for row in rows] == [
        ("a film", alone("a film")[0]), ("", ""), ("好", alone("好")[0]),
    ]  # fmt: skip
    assert rows[1]["problem"] == "standard input, line 2: empty text"


@pytest.mark.parametrize(
    ("typed", "message", "code"),
    [
        (["nowhere", "mails.csv"], "nowhere does not exist", 1),
        ([str(MODEL), "none.csv"], "none.csv does not exist", 3),
        ([str(MODEL), "mails.csv", "--top-k", "5"], "--top-k is 5; expected at least 1 and", 2),
        ([str(MODEL), "mails.csv", "--output", "mails.xlsx"], "expected a path that ends in .csv, .jsonl, .parquet", 2),
        ([str(MODEL), "mails.csv", "--output", "mails.csv"], "is the file that is read", 2),
        ([str(MODEL), "mails.csv", "--output", "there.csv"], "there.csv exists. Name another --output, or add", 2),
        ([str(MODEL), "mails.csv", "--text-column", "body"], "has no column 'body'; its columns are 'id', 'text'", 3),
        ([str(MODEL), "mails.csv", "--format", "parquet"], "is CSV, and --format says parquet", 3),
        ([str(MODEL), "mails.csv", "--output", "-", "--json"], "--json needs standard output for itself", 2),
        ([str(MODEL), "."], "is a folder; expected one file of rows", 3),
    ],
)
def test_what_cannot_be_answered_is_told(here, capsys, typed, message, code):
    (here / "mails.csv").write_text("id,text\n1,a dull film\n2,another dull film\n")
    (here / "there.csv").write_text("kept")
    before = sorted(here.iterdir())
    assert main(typed) == code
    assert message in capsys.readouterr().err
    assert sorted(here.iterdir()) == before
    assert (here / "there.csv").read_text() == "kept"


def big_file(path, rows):
    with open(path, "w", encoding="utf-8") as file:
        file.write("id,text\n" + "".join(f"{n},the film {n % 97} is {'not ' * (n % 5)}dull\n" for n in range(rows)))


def test_a_killed_job_goes_on_and_gives_the_same_file(here, capsys):
    big_file("mails.csv", 20_000)
    assert main([str(MODEL), "mails.csv", "--output", "whole.csv"]) == 0
    command = [sys.executable, "-m", "kseq.predict", str(MODEL), "mails.csv", "--output", "killed.csv"]
    process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not (here / "killed.csv.parts" / "00000000.json").exists() and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (here / "killed.csv").exists()
    capsys.readouterr()
    assert main(command[3:]) == 0
    assert "rows that an earlier start had answered" in capsys.readouterr().out
    assert (here / "killed.csv").read_bytes() == (here / "whole.csv").read_bytes()
    assert not (here / "killed.csv.parts").exists()


def test_pieces_of_another_job_are_not_gone_on_with(here, capsys, monkeypatch):
    big_file("mails.csv", 10)
    monkeypatch.setattr("kseq.prediction_job.PIECE", 4)
    monkeypatch.setattr("kseq.predict.finish", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    assert main([str(MODEL), "mails.csv"]) == 130
    monkeypatch.undo()
    monkeypatch.chdir(here)
    pieces = sorted(path.name for path in (here / "mails-predicted.csv.parts").iterdir())
    assert "00000002.csv" in pieces
    big_file("mails.csv", 11)
    assert main([str(MODEL), "mails.csv"]) == 2
    message = capsys.readouterr().err
    assert "holds the pieces of another job, with another bytes" in message
    assert "piece" in message
    assert main([str(MODEL), "mails.csv", "--overwrite"]) == 0
    assert len(read_csv("mails-predicted.csv")) == 11
