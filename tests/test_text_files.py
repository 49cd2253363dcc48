"""The user's files as text data: what is read, what is skipped, and what each broken file is told, by file and line."""

import csv
import json
import re
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest

from kseq import run
from kseq.options import FIELDS
from pipelines import DataError, find
from pipelines.files.splits import read_splits
from pipelines.files.text_files import data_name, load
from tests.conftest import ROOT

DATA = ROOT / "tests" / "data"
AS_FOUND = {**dict.fromkeys(("text_column", "label_column", "label_separator", "encoding")), "on_bad_rows": "skip"}


def texts_of(dataset):
    return [(text.decode(), np.asarray(target).tolist()) for text, target in dataset.as_numpy_iterator()]


def all_texts(data):
    return [pair for split in (data.train, data.validation, data.test) for pair in texts_of(split)]


def write_rows(path, rows, header=("text", "label")):
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerows([header, *rows] if header else rows)
    return str(path)


def many_rows(count, labels="abc"):
    return [(f"this is, for once, text\nnumber {n}", labels[n % len(labels)]) for n in range(count)]


def test_a_csv_file_just_works():
    data = find(str(DATA / "tickets.csv")).load()
    assert data.name == "tickets"
    assert data.class_names == ("access", "billing", "hardware")
    # Ten different texts, each of them twice.
    assert data.sizes == {"train": 10, "validation": 4, "test": 6}
    with (DATA / "tickets.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert Counter((text, data.class_names[label]) for text, label in all_texts(data)) == Counter(
        (row["message"], row["team"]) for row in rows
    )
    assert not {text for text, _ in texts_of(data.test)} & {text for text, _ in texts_of(data.train)}
    assert any("the text is in column 'message', the label in column 'team'" in note for note in data.notes)
    assert any("20% of the texts are carved" in note for note in data.notes)
    assert (data.suggested_sequence_length, data.suggested_vocabulary_size) == (32, 20_000)


def test_the_reading_is_json():
    reading = load(str(DATA / "unclosed_quote.csv")).reading
    assert json.loads(json.dumps(reading)) == reading
    assert reading["text_column"] == ["message"]
    assert reading["label_column"] == "team"
    assert reading["header"] is True
    assert reading["rows"] == {"present": 20, "read": 19, "skipped": 1}
    assert reading["splits"]["train"]["skipped_by_reason"] == {"unclosed quote": 1}
    assert reading["splits"]["train"]["first_bad_rows"][0]["line"] == 5


@pytest.mark.parametrize(
    ("name", "line", "reason"),
    [
        ("unclosed_quote.csv", 5, "unclosed quote"),
        ("wrong_fields.csv", 6, "wrong number of fields (4 instead of 3)"),
        ("empty_text.csv", 7, "empty text"),
        ("missing_label.csv", 8, "missing label"),
        ("nul_byte.csv", 9, "NUL byte"),
        ("broken_line.jsonl", 7, "no JSON object (Expecting ':' delimiter at character 37)"),
        ("no_label.ft", 5, "missing label"),
    ],
)
def test_one_broken_row_is_counted_and_named(name, line, reason):
    path = str(DATA / name)
    found = read_splits(path, {}, **AS_FOUND)
    rows = (DATA / name).read_text().count("\n") - name.endswith("csv")
    assert found.reading["rows"] == {"present": rows, "read": rows - 1, "skipped": 1}
    assert len(list(found.splits["train"].texts())) == rows - 1
    assert any(f"1 skipped of {rows}: 1 with {reason.partition(' (')[0]}." in note for note in found.notes)
    assert any(f"{path}, line {line}: {reason}" in note for note in found.notes)
    with pytest.raises(DataError) as error:
        load(path, on_bad_rows="error")
    assert str(error.value) == (
        f"{path}, line {line}: {reason}. Mend the row, or skip such rows with --on-bad-rows skip."
    )


@pytest.mark.parametrize(
    ("name", "typed", "place", "mend"),
    [
        ("many_bad_rows.csv", {}, ", line 4: wrong number of fields (2 instead of 3)", "Mend these rows"),
        ("many_bad_rows.csv", {}, "3 of 20 rows cannot be read (3 with wrong number", "put quotes around"),
        ("header_only.csv", {}, "('ticket_id', 'message', 'team') and no row after it", "Add texts with their"),
        ("empty.csv", {}, "empty.csv is empty", "Expected texts with their labels"),
        ("blank.csv", {}, "blank.csv is empty", "Expected texts with their labels"),
        ("one_column.csv", {}, "has one column only ('message')", "Put one of these between text and label"),
        ("double_names.csv", {}, "which column holds the text", "such as --text-column 1"),
        ("double_names.csv", {"text_column": "message"}, "2 columns called 'message'", "--text-column 1 or 3"),
        ("unclear.csv", {}, "the text and which the label", "such as --text-column before --label-column where"),
        ("label_is_an_id.csv", {}, "column 'label' holds 12 different labels", "with --label-column"),
        ("latin1.csv", {}, ", line 2: the byte 0xfc at byte offset 27 is not UTF-8", "add --encoding cp1252"),
        ("utf8_one_bad_byte.csv", {}, ", line 9: the byte 0xf6 at byte offset 181", "add --encoding utf-8 to skip"),
        ("latin1.csv", {"encoding": "latin-2000"}, "the encoding 'latin-2000' is not known", "such as utf-8, latin-1"),
        ("broken_array.json", {}, ", line 8: the JSON array is broken", "write one object a line"),
        ("cut.csv.gz", {}, "cut.csv.gz cannot be read", "fetch it again"),
        ("cut.parquet", {}, "cut.parquet cannot be read as Parquet", "write it again"),
        ("cut.zip", {}, "cut.zip cannot be read", "fetch it again"),
        ("picture.csv", {}, ", line 1: the byte 0x89 at byte offset 0", "Expected CSV, TSV"),
        ("tickets.csv", {"text_column": "words"}, "no column 'words'; its columns are 'ticket_id'", "--text-"),
        ("no_label.ft", {"text_column": "words"}, "is 'words', and fastText lines have no columns", "Leave it"),
        ("tickets.csv", {"label_separator": ""}, "the label separator is empty", "such as '|'"),
        ("tickets.csv", {"on_bad_rows": "drop"}, "on_bad_rows is 'drop'", "'skip' or 'error'"),
        ("none.csv", {}, "none.csv does not exist", "Check the path"),
        (
            "tickets.csv",
            {"test_file": str(DATA / "unknown_label_test.csv")},
            "unknown_label_test.csv, line 3: the label 'kitchen' of the test split is none of train's",
            "--unlabeled-file",
        ),
        (
            "tickets.csv",
            {"validation_file": str(DATA / "other_columns_test.csv")},
            "other_columns_test.csv has no column 'message'",
            "Name its columns alike",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told_with_the_place_and_the_mend(name, typed, place, mend):
    with pytest.raises(DataError) as error:
        load(str(DATA / name), **typed)
    message = str(error.value)
    assert place in message
    assert mend in message
    assert name in message or typed
    assert message.endswith((".", "?"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["many_bad_rows.csv"], "many_bad_rows.csv, line 4: wrong number of fields (2 instead of 3)"),
        (["latin1.csv"], "latin1.csv, line 2: the byte 0xfc at byte offset 27 is not UTF-8"),
        (["unclosed_quote.csv", "--on-bad-rows", "error"], "unclosed_quote.csv, line 5: unclosed quote"),
        (["unclear.csv"], "unclear.csv: it is not clear which column holds the text and which the label"),
        (["cut.zip"], "cut.zip cannot be read"),
        (["tickets.csv", "--test-file", str(DATA / "unknown_label_test.csv")], "unknown_label_test.csv, line 3: the"),
    ],
)
def test_the_command_ends_with_3_and_writes_nothing(tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    assert run.main([str(DATA / arguments[0]), *arguments[1:]]) == 3
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_every_broken_file_has_a_test():
    source = (ROOT / "tests" / "test_text_files.py").read_text()
    names = {path.name for path in DATA.iterdir()}
    assert len(names) >= 25
    assert {name for name in names if name not in source} - {"tweets.tsv"} == set()


def test_a_given_encoding_reads_and_counts():
    data = load(str(DATA / "latin1.csv"), encoding="latin-1")
    assert data.class_names == ("Gerät", "Zugang")
    data = load(str(DATA / "utf8_one_bad_byte.csv"), encoding="utf-8")
    assert data.reading["splits"]["train"]["skipped_by_reason"] == {"undecodable bytes": 1}
    assert data.reading["splits"]["train"]["first_bad_rows"][0]["line"] == 9
    assert not [text for text, _ in all_texts(data) if "\ufffd" in text]


@pytest.mark.parametrize(
    ("rows", "bad", "fits"), [(2, 1, True), (99, 1, True), (99, 2, False), (300, 3, True), (300, 4, False)]
)
def test_one_percent_of_bad_rows_or_one_in_a_small_file(tmp_path, rows, bad, fits):
    lines = [f"text {n},{'ab'[n % 2]}" if n >= bad else f"text {n}," for n in range(rows)]
    (tmp_path / "some.csv").write_text("\n".join(["text,label", *lines, *["more,a,b"] * 0]))
    if fits and rows > 2:
        assert load(str(tmp_path / "some.csv")).reading["rows"]["skipped"] == bad
    else:
        with pytest.raises(
            DataError, match=f"{bad} of {rows} rows cannot be read" if rows > 2 else "one class only|1 class"
        ):
            load(str(tmp_path / "some.csv"))


def test_equal_texts_never_straddle_a_carved_test(tmp_path):
    path = write_rows(tmp_path / "some.csv", many_rows(60) * 3)
    data = load(path, split_seed=3)
    splits = [{text for text, _ in texts_of(each)} for each in (data.train, data.validation, data.test)]
    assert sum(map(len, splits)) == len(set.union(*splits)) == 60
    assert data.sizes["test"] == 36
    assert Counter(label for _, label in texts_of(data.test)) == {0: 12, 1: 12, 2: 12}
    again = load(path, split_seed=3)
    assert again.fingerprints == data.fingerprints
    assert load(path, split_seed=4).fingerprints["test"] != data.fingerprints["test"]
    assert load(path, test_fraction=0.5).sizes["test"] == 90


def test_given_splits_of_any_format(tmp_path):
    train = write_rows(tmp_path / "train.csv", [("x", *row) for row in many_rows(40)], ("id", "text", "label"))
    test = tmp_path / "test.jsonl"
    test.write_text("\n".join(json.dumps({"label": label, "text": f"other {text}"}) for text, label in many_rows(10)))
    validation = tmp_path / "dev.tsv"
    validation.write_text("label\ttext\n" + "\n".join(f"{'abc'[n % 3]}\tmore {n}" for n in range(8)))
    (tmp_path / "unlabeled.txt").write_text("one text\nanother, with a comma\nthis is, for once, text\n")
    data = load(
        train, test_file=str(test), validation_file=str(validation), unlabeled_file=str(tmp_path / "unlabeled.txt")
    )
    assert data.sizes == {"train": 40, "validation": 8, "test": 10, "unlabeled": 3}
    assert texts_of(data.test)[1] == ("other this is, for once, text\nnumber 1", 1)
    assert [text.decode() for text in data.unlabeled.as_numpy_iterator()] == [
        "one text", "another, with a comma", "this is, for once, text",
    ]  # fmt: skip
    assert not any("carved" in note for note in data.notes)


def test_a_file_takes_the_place_of_the_test_in_a_folder(tmp_path):
    for name in ("train", "test"):
        write_rows(tmp_path / f"{name}.csv", many_rows(30))
    other = write_rows(tmp_path / "other.csv", many_rows(9))
    data = load(str(tmp_path), test_file=other)
    assert data.sizes["test"] == 9
    assert any(f"--test-file {other} takes the place of the test split" in note for note in data.notes)


def test_several_labels_a_text(tmp_path):
    rows = [(f"text {n}", "|".join("abc"[: n % 3 + 1])) for n in range(60)]
    data = load(write_rows(tmp_path / "some.csv", rows), label_separator="|")
    assert (data.target_kind, data.class_names) == ("classes", ("a", "b", "c"))
    found = all_texts(data)
    assert len(found) == 60
    assert all(target == [1, int(int(text[5:]) % 3 > 0), int(int(text[5:]) % 3 > 1)] for text, target in found)
    assert data.target_spec.dtype == "int8"


def test_several_text_columns_are_joined(tmp_path):
    path = write_rows(
        tmp_path / "some.csv", [(f"head {n}", f"body {n}", "ab"[n % 2]) for n in range(20)], ("h", "b", "c")
    )
    assert ("head 3\nbody 3", 1) in all_texts(load(path, text_column="h,b", label_column="c"))


@pytest.mark.parametrize(
    ("words", "suggested"), [([5] * 100, 32), ([50] * 100, 56), ([50] * 97 + [300] * 3, 56), ([3000] * 100, 400)]
)
def test_the_suggested_length_covers_most_texts(tmp_path, words, suggested):
    rows = [(" ".join([f"word{n}"] * count), "ab"[n % 2]) for n, count in enumerate(words)]
    assert load(write_rows(tmp_path / "some.csv", rows)).suggested_sequence_length == suggested


def test_a_chinese_character_counts_as_a_word(tmp_path):
    rows = [("酒店很好" * 20 + f"{n}", "ab"[n % 2]) for n in range(40)]
    assert load(write_rows(tmp_path / "some.csv", rows)).suggested_sequence_length == 88


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("a/tickets.csv.gz", "tickets"),
        ("tickets.v2.tar.gz", "tickets.v2"),
        ("my tickets (new).CSV", "my-tickets-new"),
        ("tickets/", "tickets"),
        ("酒店.jsonl", "酒店"),
        (".csv", "csv"),
        ("...", "texts"),
    ],
)
def test_the_data_is_named_after_its_file(path, name):
    assert data_name(path) == name


def test_the_files_are_not_held_in_memory(tmp_path):
    program = (
        "import resource, sys; from pipelines.files.splits import read_splits\n"
        "def read(path):\n"
        "    found = read_splits(path, {}, text_column=None, label_column=None, label_separator=None, encoding=None,"
        " on_bad_rows='skip')\n"
        "    count = sum(1 for _ in found.splits['train'].texts())\n"
        "    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, count\n"
        "before, _ = read(sys.argv[1]); after, count = read(sys.argv[2]); print(count, after - before)"
    )
    rows = [(f"text {n} " + "some more words " * 120, "ab"[n % 2]) for n in range(20_000)]
    paths = [write_rows(tmp_path / "small.csv", rows[:1000]), write_rows(tmp_path / "large.csv", rows)]
    size = (tmp_path / "large.csv").stat().st_size
    done = subprocess.run([sys.executable, "-c", program, *paths], cwd=ROOT, capture_output=True, text=True, check=True)
    count, kilobytes = map(int, done.stdout.split())
    assert count == 20_000
    assert size > 35e6
    assert kilobytes * 1024 < size / 10


def test_a_file_that_changes_while_it_is_read_is_noticed(tmp_path):
    data = load(write_rows(tmp_path / "some.csv", many_rows(60)))
    write_rows(tmp_path / "some.csv", many_rows(60, "xyz"))
    with pytest.raises(Exception, match="changed while they were read"):
        texts_of(data.train)


def test_the_flags_are_those_of_load():
    source = find(str(DATA / "tickets.csv"))
    assert set(source.parameters) <= set(FIELDS)
    assert len(source.parameters) == 11
    assert {FIELDS[name].metadata["group"] for name in source.parameters} == {"data"}
    assert find(str(DATA)).of == (str(DATA),)


def test_reading_needs_no_tensorflow():
    program = (
        "import sys; from pipelines.files.splits import read_splits;"
        "found = read_splits(sys.argv[1], {}, text_column=None, label_column=None, label_separator=None, encoding=None,"
        " on_bad_rows='skip'); print(found.class_names); sys.exit('tensorflow' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(DATA / "tickets.csv")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, re.findall("[a-z]+", done.stdout)) == (0, ["access", "billing", "hardware"])
