"""The user's files as text data: what is read, what is skipped, and what each broken file is told, by file and line."""

import csv
import importlib
import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from kseq import run
from kseq.options import FIELDS
from pipelines import DataError, find
from pipelines.errors import errors_of_data
from pipelines.files.splits import read_splits
from pipelines.files.text_files import data_name, load
from tests.conftest import ROOT

DATA = ROOT / "tests" / "data"
AS_FOUND = {**dict.fromkeys(("text_column", "label_column", "label_separator", "encoding")), "on_bad_rows": "skip"}
BROKEN_ROWS = [
    ("unclosed_quote.csv", 5, "unclosed quote"),
    ("wrong_fields.csv", 6, "wrong number of fields (4 instead of 3)"),
    ("empty_text.csv", 7, "empty text"),
    ("missing_label.csv", 8, "missing label"),
    ("nul_byte.csv", 9, "NUL byte"),
    ("broken_line.jsonl", 7, "no JSON object (Expecting ':' delimiter at character 37)"),
    ("no_label.ft", 5, "missing label"),
]
# A file, what is typed beside it, and what the message says: the place and the mend.
BROKEN = [
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
    ("one_class.csv", {}, "'one_class' has 1 class (hardware)", "Add texts of another class"),
    *[
        (name, {"on_bad_rows": "error"}, f"{name}, line {line}: {reason}", "Mend the row, or skip such rows with")
        for name, line, reason in BROKEN_ROWS
    ],
]  # fmt: skip


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


@pytest.mark.parametrize(("name", "line", "reason"), BROKEN_ROWS)
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


@pytest.mark.parametrize(("name", "typed", "place", "mend"), BROKEN)
def test_what_cannot_be_read_is_told_with_the_place_and_the_mend(name, typed, place, mend):
    with pytest.raises(DataError) as error:
        load(str(DATA / name), **typed)
    message = str(error.value)
    assert place in message
    assert mend in message
    assert message.endswith((".", "?"))
    # Each names its file, but for what is wrong with a flag alone.
    flags = {"the encoding", "the label separator", "on_bad_rows is"}
    named = next((Path(file).name for flag, file in typed.items() if flag.endswith("_file")), Path(name).stem)
    assert named in message or place.startswith(tuple(flags))


@pytest.mark.parametrize(("name", "typed", "place", "mend"), BROKEN)
def test_the_command_ends_with_3_and_writes_nothing(tmp_path, monkeypatch, capsys, name, typed, place, mend):
    monkeypatch.chdir(tmp_path)
    flags = [f"--{field.replace('_', '-')}={value}" for field, value in typed.items()]
    # What no file is needed to tell is a usage error.
    usage = "drop" in typed.values()
    assert run.main([str(DATA / name), *flags]) == (2 if usage else 3)
    message = capsys.readouterr().err
    if not usage:
        assert place in message
        assert mend in message
        assert "Traceback" not in message
    assert list(tmp_path.rglob("*")) == []


@pytest.mark.parametrize(
    ("name", "typed", "warning"),
    [
        ("single_row_class.csv", {}, "class 'kitchen' has a single text in train: too few to learn from"),
        ("conflicting_labels.csv", {}, "1 text stands more than once in test and with different labels"),
        ("constant_text.csv", {}, "8 of the 9 train texts are one and the same text. Check which column"),
        ("constant_label.csv", {}, "of train has the label 'billing': answering so every time would look as accurate"),
        ("tickets.csv", {"test_file": str(DATA / "leaking_test.csv")}, "1 test text also stands in validation (33.33%"),
    ],
)
def test_what_spoils_a_score_is_told_before_training(name, typed, warning):
    assert any(warning in each for each in load(str(DATA / name), **typed).warnings)


def test_every_broken_file_has_a_test():
    """In the tables above, which say what each is told; others are read by the tests named here."""
    told = {name for name, *_ in BROKEN} | {
        Path(file).name for _, typed, *_ in BROKEN for flag, file in typed.items() if flag.endswith("_file")
    }
    warned = {"single_row_class.csv", "conflicting_labels.csv", "constant_text.csv", "constant_label.csv"}
    whole = {"leaking_test.csv", "tweets.tsv"}
    names = {path.name for path in DATA.iterdir()}
    assert len(names) >= 31
    assert names == (told - {"none.csv"}) | warned | whole


def test_a_given_encoding_reads_and_counts():
    data = load(str(DATA / "latin1.csv"), encoding="latin-1")
    assert data.class_names == ("Gerät", "Zugang")
    data = load(str(DATA / "utf8_one_bad_byte.csv"), encoding="utf-8")
    assert data.reading["splits"]["train"]["skipped_by_reason"] == {"undecodable bytes": 1}
    assert data.reading["splits"]["train"]["first_bad_rows"][0]["line"] == 9
    assert not [text for text, _ in all_texts(data) if "\ufffd" in text]


@pytest.mark.parametrize(
    ("rows", "bad", "fits"), [(10, 1, True), (99, 1, True), (99, 2, False), (300, 3, True), (300, 4, False)]
)
def test_one_percent_of_bad_rows_or_one_in_a_small_file(tmp_path, rows, bad, fits):
    lines = [f"text {n},{'ab'[n % 2]}" if n >= bad else f"text {n}," for n in range(rows)]
    (tmp_path / "some.csv").write_text("\n".join(["text,label", *lines]))
    if fits:
        assert load(str(tmp_path / "some.csv")).reading["rows"]["skipped"] == bad
    else:
        with pytest.raises(DataError, match=f"{bad} of {rows} rows cannot be read .* more than 1% and more than one"):
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


def test_a_fraction_beside_a_given_split_is_refused(tmp_path):
    for split in ("train", "test"):
        write_rows(tmp_path / f"{split}.csv", [(f"{split} {text}", label) for text, label in many_rows(30)])
    assert load(str(tmp_path), validation_fraction=0.5).sizes["train"] == 15
    with pytest.raises(DataError, match=r"has a test split of its own.* 0.4 .*Leave --test-fraction out"):
        load(str(tmp_path), test_fraction=0.4)


def test_a_folder_of_several_splits_is_no_split(tmp_path):
    train = write_rows(tmp_path / "train.csv", many_rows(30))
    other = tmp_path / "other"
    other.mkdir()
    for split in ("train", "dev"):
        write_rows(other / f"{split}.csv", [(f"{split} {text}", label) for text, label in many_rows(30)])
    with pytest.raises(DataError, match=r"--test-file, holds several splits, validation and train, and none .* test"):
        load(str(train), test_file=str(other))
    assert load(str(train), validation_file=str(other)).sizes["validation"] == 30


def test_labels_that_are_measurements_are_remarked(tmp_path):
    rows = [(f"this is text number {n} of them", f"{n % 40 / 8 - 2:.3f}") for n in range(200)]
    path = write_rows(tmp_path / "scores.csv", rows)
    notes = load(str(path)).notes
    assert [note for note in notes if note.startswith("Labels are numbers such as '-1.875', 40 different ones")]
    grades = write_rows(tmp_path / "grades.csv", [(text, f"{float(said):.0f}.5") for text, said in rows])
    assert not [note for note in load(str(grades)).notes if note.startswith("Labels are numbers")]


def test_the_example_of_a_label_is_what_repeats_itself_most(tmp_path):
    rows = [(n, f"{n % 900 / 8:.3f}", f"this is text number {n} of them, and no other") for n in range(1800)]
    path = tmp_path / "scores.tsv"
    path.write_text("".join("\t".join(map(str, row)) + "\n" for row in rows))
    with pytest.raises(DataError, match=r"not clear which column holds the label.* such as --label-column 2"):
        load(str(path))


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


def test_a_file_that_changes_between_readings_is_noticed(tmp_path):
    path = write_rows(tmp_path / "some.csv", many_rows(60))
    found = read_splits(path, {}, **AS_FOUND).splits["train"]
    assert len(list(found.texts())) == 60
    write_rows(tmp_path / "some.csv", many_rows(60, "xyz"))
    with pytest.raises(DataError, match=r"some.csv changed while it was read. Run the command again"):
        list(found.texts())


@pytest.mark.parametrize("change", ["fewer", "more", "other labels"])
def test_even_where_size_and_time_stay(tmp_path, change):
    rows = {
        "fewer": (b"text 7,a", b" " * 8),
        "more": (b"text 77777\n", b"t,a\nte,a\n\n\n"),
        "other labels": (b",b", b",c"),
    }
    old, new = rows[change]
    path = tmp_path / "some.csv"
    path.write_bytes(b"text,label\n" + b"".join(b"text %d,%s\n" % (n, b"ab"[n % 2 :][:1]) for n in range(20)))
    if change == "more":
        path.write_bytes(path.read_bytes().replace(b"text 19,b", b"x,b\n    ") + b"text 20,b\n")
    else:
        path.write_bytes(path.read_bytes().replace(b"text 7,b", b"text 7,a"))
    before = path.stat()
    found = read_splits(str(path), {}, **AS_FOUND).splits["train"]
    content = path.read_bytes()
    changed = content.replace(b"x,b\n    ", b"x,b\ny,b\n") if change == "more" else content.replace(old, new, 1)
    assert changed != content
    path.write_bytes(changed)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(DataError, match=r"some.csv changed while it was read"):
        list(found.texts())


@pytest.mark.parametrize("when", ["pipelines.files.text_files.from_splits", "kseq.experiment.prepare"])
def test_a_change_within_tf_data_ends_with_3_and_one_message(tmp_path, monkeypatch, capsys, when):
    path = write_rows(tmp_path / "some.csv", many_rows(60))
    module, _, name = when.rpartition(".")
    real = getattr(importlib.import_module(module), name)

    def change_before(*given, **more):
        write_rows(tmp_path / "some.csv", many_rows(30))
        return real(*given, **more)

    monkeypatch.setattr(when, change_before)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert run.main([path, "--epochs", "1", "--units", "4"]) == 3
    told = capsys.readouterr().err.splitlines()[-1]
    assert told == f"kseq: {path} changed while it was read. Run the command again once nothing writes to it any more."
    assert [place for place in (tmp_path / "here").rglob("*") if place.is_file()] == []


def test_a_data_error_is_found_behind_one_of_tensorflow():
    def broken(_):
        raise DataError("the file ends, for something (what?) writes to it.")

    dataset = tf.data.Dataset.range(3).map(lambda number: tf.numpy_function(broken, [number], tf.int64))
    with pytest.raises(DataError, match=r"^the file ends, for something \(what\?\) writes to it.$"), errors_of_data():
        list(dataset)
    with pytest.raises(ZeroDivisionError), errors_of_data():
        raise ZeroDivisionError("the file ends, for something (what?) writes to it.")


def test_the_suggested_length_is_that_of_the_texts_that_stay_in_train(tmp_path):
    def suggested(texts):
        lengths = sorted(len(text.split()) for text in texts)
        return -(-lengths[int(0.95 * (len(lengths) - 1))] // 8) * 8

    rows = [(" ".join(["word"] * (40 + 12 * (n % 20))), "ab"[n % 2]) for n in range(60)]
    rows = [(f"{text} {n}", label) for n, (text, label) in enumerate(rows)]
    path = write_rows(tmp_path / "some.csv", rows)
    found = set()
    for seed in range(4):
        data = load(path, split_seed=seed, test_fraction=0.5)
        assert data.suggested_sequence_length == suggested(text for text, _ in texts_of(data.train))
        found.add(data.suggested_sequence_length)
    assert found != {suggested(text for text, _ in rows)}


def test_a_test_of_a_few_rows_may_have_as_many_labels(tmp_path):
    rows = [(f"text {n}", f"label {n % 30}") for n in range(120)]
    path, test = write_rows(tmp_path / "some.csv", rows), write_rows(tmp_path / "test.csv", rows[:12])
    found = read_splits(path, {"test": test}, **AS_FOUND)
    assert found.splits["test"].tally.read == 12


def test_many_labels_for_few_rows(tmp_path):
    several = write_rows(tmp_path / "several.csv", [(f"text {n}", f"l{n % 13}|m{n % 7}") for n in range(20)])
    assert len(read_splits(several, {}, **{**AS_FOUND, "label_separator": "|"}).class_names) == 20
    every = write_rows(tmp_path / "every.csv", [(f"text {n}", f"label {n}") for n in range(12)])
    with pytest.raises(DataError, match=r"column 'label' holds 12 different labels .* with --label-column"):
        read_splits(every, {}, **AS_FOUND)
    assert len(read_splits(every, {}, **{**AS_FOUND, "label_column": "label"}).class_names) == 12
    most = write_rows(tmp_path / "most.csv", [(f"text {n}", f"label {n % 8}") for n in range(12)])
    notes = read_splits(most, {}, **AS_FOUND).notes
    assert any("Column 'label' holds 8 different labels in 12 rows, such as 'label 0'" in note for note in notes)
    more = write_rows(tmp_path / "more.csv", [(f"text {n}", f"label {n}") for n in range(1001)])
    with pytest.raises(DataError, match=r"more than 1,000 different .* Name another column than 'label'"):
        read_splits(more, {}, **{**AS_FOUND, "label_column": "label"})


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
