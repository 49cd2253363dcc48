"""Sequences in files: long tables against Python's csv module, arrays against NumPy, and what is wrong with them."""

import csv
import gzip
import json
from collections import defaultdict

import numpy as np
import pytest

from pipelines import find
from pipelines.errors import DataError

HEADER = ["id", "t", "x", "y", "activity"]


def rows_of(count=24, seed=0):
    """Rows of sequences of unequal length, all mixed up."""
    random = np.random.default_rng(seed)
    rows = []
    for number in range(count):
        steps = random.integers(2, 7)
        rows += [
            [f"s{number}", str(step), repr(float(np.float32(random.normal()))), str(random.integers(-9, 9)),
             ("walk", "run")[number % 2]]
            for step in range(steps)
        ]  # fmt: skip
    return [rows[place] for place in random.permutation(len(rows))]


def write(path, rows, header=HEADER, **dialect):
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file, **dialect).writerows([header, *rows] if header else rows)
    return str(path)


def load(path, **given):
    given = {"sequence_column": "id"} | given
    return find(path, sequences=True).load(**given)


def every(data):
    """Id to values and class name, over all splits."""
    found = {}
    for split in (data.train, data.validation, data.test):
        for place, name in enumerate(split.ids):
            assert name not in found
            found[name] = (split[place], data.class_names[split.targets[place]])
    return found


def by_csv(path, time=True, **dialect):
    with open(path, newline="", encoding="utf-8") as file:
        groups = defaultdict(list)
        for row in csv.DictReader(file, **dialect):
            groups[row["id"]].append(row)
    if time:
        for rows in groups.values():
            rows.sort(key=lambda row: float(row["t"]))
    return {
        name: (np.float32([[float(row["x"]), float(row["y"])] for row in rows]), rows[0]["activity"])
        for name, rows in groups.items()
    }


def assert_same(found, expected):
    assert set(found) == set(expected)
    for name, (values, label) in expected.items():
        np.testing.assert_array_equal(found[name][0], values)
        assert found[name][1] == label


def test_a_table_is_read_as_the_csv_module_reads_it(tmp_path):
    path = write(tmp_path / "a.csv", rows_of())
    data = load(path)
    assert_same(every(data), by_csv(path))
    assert data.channel_names == ("x", "y")
    assert data.class_names == ("run", "walk")
    assert data.reading["time_column"] == "t"
    assert data.reading["rows"]["skipped"] == 0
    assert any("by column 't'" in note for note in data.notes)


def test_separators_compression_and_formats_are_told_by_content(tmp_path):
    path = write(tmp_path / "a.tsv", rows_of(), delimiter="\t")
    expected = by_csv(path, delimiter="\t")
    assert_same(every(load(path)), expected)
    with open(path, "rb") as file:
        (tmp_path / "a.csv.gz").write_bytes(gzip.compress(file.read()))
    assert_same(every(load(str(tmp_path / "a.csv.gz"))), expected)
    lines = [json.dumps(dict(zip(HEADER, [*row[:2], float(row[2]), int(row[3]), row[4]], strict=True))) for row in
             rows_of()]  # fmt: skip
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    assert_same(every(load(str(tmp_path / "a.jsonl"))), expected)


def test_without_a_time_column_rows_stay_as_they_stand(tmp_path):
    header = ["id", "x", "y", "activity"]
    path = write(tmp_path / "a.csv", [row[:1] + row[2:] for row in rows_of()], header)
    data = load(path)
    assert_same(every(data), by_csv(path, time=False))
    assert data.reading["time_column"] is None


@pytest.mark.parametrize(
    "times",
    [
        # Nanoseconds since 1970 differ in digits that a float has not.
        [1_700_000_000_000_000_003, 1_700_000_000_000_000_001, 1_700_000_000_000_000_002],
        ["2024-03-31T01:59:59", "2024-03-30", "2024-03-31 00:00:01.5"],
        ["2024-01-01T02:00:00+02:00", "2023-12-31T23:00:00Z", "2023-12-31T23:30:00+00:00"],
        ["1e3", "-2.5", "10"],
    ],
)
def test_times_are_numbers_or_dates(tmp_path, times):
    rows = [[name, time, place, name, "ab"[name % 2]] for name in range(12) for place, time in enumerate(times)]
    data = load(write(tmp_path / "a.csv", rows))
    for values, _ in every(data).values():
        assert values[:, 0].tolist() == [1, 2, 0]


def test_columns_are_named_where_names_do_not_tell(tmp_path):
    header = ["id", "when", "x", "y", "what"]
    path = write(tmp_path / "a.csv", rows_of(), header)
    # The label is the one column of words; what is called `when` is a channel like others.
    assert load(path).channel_names == ("when", "x", "y")
    data = load(path, time_column="when", channel_columns="y")
    assert (data.channel_names, data.reading["label_column"]) == (("y",), "what")
    numbered = load(path, sequence_column="1", time_column="2", label_column="5", channel_columns="4,3")
    assert numbered.channel_names == ("y", "x")
    bare = write(tmp_path / "b.csv", rows_of(), None)
    assert load(bare, sequence_column="1", time_column="2", label_column="5").channel_names == ("3", "4")


@pytest.mark.parametrize(
    ("change", "given", "said"),
    [
        ({}, {"sequence_column": "nope"}, "has no column 'nope'.*'id', 't', 'x', 'y', 'activity'"),
        ({}, {"label_column": "x", "channel_columns": "x,y"}, "'x' is named twice"),
        ({}, {"channel_columns": "x,activity", "label_column": "y"}, "rows cannot be read"),
        ({"activity": "kind of"}, {"channel_columns": "x"}, "not clear which column holds the label.*--label-column"),
        ({"x": "date"}, {}, "not clear which column holds the time.*'t', 'date'.*--time-column t"),
    ],
)
def test_columns_that_are_not_clear_are_asked_for(tmp_path, change, given, said):
    rows = rows_of()
    if "activity" in change:
        # Numbers as labels, under a name that says nothing, beside another such column.
        rows = [[*row[:4], str(len(row[4]))] for row in rows]
    path = write(tmp_path / "a.csv", rows, [change.get(name, name) for name in HEADER])
    with pytest.raises(DataError, match=said):
        load(path, **given)


def test_a_column_of_words_that_is_nothing_is_asked_about(tmp_path):
    rows = [[*row, f"comment {number}"] for number, row in enumerate(rows_of())]
    path = write(tmp_path / "a.csv", rows, [*HEADER, "remark"])
    with pytest.raises(DataError, match=r"'remark' holds no numbers.*--channel-columns x,y"):
        load(path)
    assert load(path, channel_columns="x,y").channel_names == ("x", "y")


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [
        (2, "", "empty cell"),
        (2, "abc", "cell that is no number"),
        (2, "1_000", "cell that is no number"),
        (3, "nan", "not finite"),
        (3, "-inf", "not finite"),
        (3, "1e39", "not finite"),
        (1, "later", "time that is none"),
        (0, "", "missing sequence id"),
        (4, "", "missing label"),
    ],
)
def test_a_cell_that_cannot_be_read_is_counted_or_stops_with_its_place(tmp_path, column, cell, reason):
    rows = rows_of()
    # A row of a sequence that has others.
    rows[6] = [*rows[6][:column], cell, *rows[6][column + 1 :]]
    path = write(tmp_path / "a.csv", rows)
    data = load(path)
    assert data.reading["rows"]["skipped"] == 1
    left = sum(len(values) for values, _ in every(data).values())
    assert left == len(rows) - 1
    assert any("line 8" in note and reason in note and HEADER[column] in note for note in data.notes)
    with pytest.raises(DataError, match=rf"line 8: .*{reason}.*{HEADER[column]!r}.*--on-bad-rows skip"):
        load(path, on_bad_rows="error")


def test_numbers_with_a_comma_are_told(tmp_path):
    path = write(
        tmp_path / "a.csv", [[*row[:2], row[2].replace(".", ","), *row[3:]] for row in rows_of()], delimiter=";"
    )
    with pytest.raises(DataError, match=r"written with a point"):
        load(path, channel_columns="x,y")


def test_a_label_of_its_own_for_each_sequence_is_no_class(tmp_path):
    path = write(tmp_path / "a.csv", [[name, 0, 1, 2, f"label {name}"] for name in range(30)])
    with pytest.raises(DataError, match=r"each of the 30 sequences has a label of its own; .* Name the label's"):
        load(path)


def test_a_sequence_with_two_labels_is_refused_with_both_places(tmp_path):
    path = write(tmp_path / "a.csv", [["a", 0, 1, 1, "run"], ["b", 0, 1, 2, "walk"], ["a", 1, 1, 1, "walk"]])
    with pytest.raises(DataError, match=r"line 4: the sequence 'a' has the label 'walk' here and 'run' in .*line 2"):
        load(path)


def test_given_splits_have_their_own_sequences_and_no_new_labels(tmp_path):
    train, test = write(tmp_path / "a.csv", rows_of()), write(tmp_path / "b.csv", rows_of(6, seed=1))
    data = load(train, test_file=test)
    assert data.sizes["test"] == 6
    assert_same({name: (data.test[n], data.class_names[data.test.targets[n]]) for n, name in enumerate(data.test.ids)},
                by_csv(test))  # fmt: skip
    assert any("6 ids of test are ids of train as well" in note for note in data.notes)
    other = write(tmp_path / "c.csv", [[*row[:4], "swim"] for row in rows_of(3, seed=2)])
    with pytest.raises(DataError, match=r"the label 'swim' of the sequence 's.' in test is none of train's"):
        load(train, test_file=other)
    renamed = write(tmp_path / "d.csv", rows_of(3), ["id", "t", "x", "z", "activity"])
    with pytest.raises(DataError, match=r"d.csv has not one column 'y', as .*a.csv has"):
        load(train, validation_file=renamed)


def test_a_table_of_numbers_taken_for_texts_names_the_flag(tmp_path):
    path = write(tmp_path / "a.csv", rows_of())
    with pytest.raises(DataError, match="--sequence-column"):
        find(path).load()


# Arrays


def save(path, **arrays):
    np.savez(path, **arrays)
    return str(path)


X = np.random.default_rng(0).normal(size=(40, 5, 2))
Y = np.arange(40) % 4


def test_arrays_are_read_as_they_are(tmp_path):
    data = find(save(tmp_path / "a.npz", x=X, y=Y)).load(test_fraction=0.25)
    assert (data.name, data.class_names, data.channel_names) == ("a", ("0", "1", "2", "3"), ("1", "2"))
    found = {split[n].tobytes(): split.targets[n] for split in (data.train, data.validation, data.test)
             for n in range(len(split))}  # fmt: skip
    assert found == {x.astype(np.float32).tobytes(): y for x, y in zip(X, Y, strict=True)}
    assert data.sizes["test"] == 8


def test_lengths_cut_the_padding_off_whatever_stands_there(tmp_path):
    lengths = np.random.default_rng(1).integers(1, 6, 40)
    padded = np.where(np.arange(5)[None, :, None] < lengths[:, None, None], X, np.nan)
    names = np.array(["walk", "run"])
    path = save(tmp_path / "a.npz", x=padded, y=names[Y % 2], lengths=lengths, channel_names=["ax", "ay"])
    data = find(path).load()
    assert (data.class_names, data.channel_names) == (("run", "walk"), ("ax", "ay"))
    found = {split[n].tobytes() for split in (data.train, data.validation, data.test) for n in range(len(split))}
    assert found == {x[:length].astype(np.float32).tobytes() for x, length in zip(X, lengths, strict=True)}


def test_splits_may_be_given_in_the_archive_or_beside_it(tmp_path):
    path = save(
        tmp_path / "a.npz", x=X[:, :, 0], y=Y, x_test=X[:8, :3, 1], y_test=Y[:8], x_validation=X[:9, :, 1],
        y_validation=Y[:9], lengths_validation=np.full(9, 2),
    )  # fmt: skip
    data = find(path).load()
    assert data.sizes == {"train": 40, "validation": 9, "test": 8}
    np.testing.assert_array_equal(data.test[3][:, 0], X[3, :3, 1].astype(np.float32))
    assert data.validation.lengths.tolist() == [2] * 9
    other = save(tmp_path / "b.npz", x=X[:12, :, 0], y=Y[:12].astype(float))
    assert find(path).load(test_file=other).sizes["test"] == 12
    with pytest.raises(DataError, match=r"b.npz: the label '9' of the test split is none of train's"):
        find(path).load(test_file=save(tmp_path / "b.npz", x=X[:4, :, 0], y=Y[:4] + 9))


def test_arrays_that_are_not_read_are_named(tmp_path):
    other = save(tmp_path / "b.npz", x=X[:12], y=Y[:12], weather=X)
    data = find(save(tmp_path / "a.npz", x=X, y=Y, subject=Y, rate=50)).load(test_file=other)
    for note in (
        f"{tmp_path}/a.npz also holds subject, rate, which is not read.",
        f"{other} also holds weather, which is not read.",
    ):
        assert note in data.notes  # fmt: skip


NAN, HUGE = X.copy(), X.copy()
NAN[7, 3, 1], HUGE[2, 0, 0] = np.nan, 1e39


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"X": X, "labels": Y}, r"has no x and no y; it holds X \(40, 5, 2\), labels \(40,\). Expected x, numbers"),
        ({"x": X}, r"has no y; it holds x \(40, 5, 2\)"),
        ({"x": X[0, 0], "y": Y[:2]}, r"x has the shape \(2,\)"),
        ({"x": X[:, :0], "y": Y}, r"x has the shape \(40, 0, 2\)"),
        ({"x": X, "y": Y[:7]}, r"y has the shape \(7,\); expected \(40,\)"),
        ({"x": X, "y": Y + 0.5}, r"y holds float64, such as 0.5; expected labels"),
        ({"x": X, "y": np.where(Y == 1, np.nan, Y)}, r"y holds float64, such as nan"),
        ({"x": NAN, "y": Y}, r"x\[7, 3, 1\] is nan"),
        ({"x": HUGE, "y": Y}, r"x\[2, 0, 0\] is 1e\+39"),
        ({"x": X.astype(str), "y": Y}, "x holds <U32; expected numbers"),
        ({"x": X, "y": Y, "lengths": np.full(40, 6)}, r"lengths\[0\] is 6; expected 1 to 5"),
        ({"x": X, "y": Y, "lengths": np.arange(40)}, r"lengths\[0\] is 0; expected 1 to 5"),
        ({"x": X, "y": Y, "lengths": np.full(40, 2.0)}, "lengths is float64"),
        ({"x": X, "y": Y, "channel_names": [1, 2]}, "channel_names is int64"),
        ({"x": X, "y": Y, "channel_names": ["a"]}, "expected 2 different ones"),
        ({"x": X, "y": Y, "x_test": X}, "has no y_test"),
        ({"x": X[:0], "y": Y[:0]}, r"a.npz: x has the shape \(0, 5, 2\), and so no sequence"),
        ({"x": X, "y": Y, "x_test": X[:0], "y_test": Y[:0]}, r"x_test has the shape \(0, 5, 2\), and so no sequence"),
        (
            {"x": X, "y": Y, "X_test": X, "y_test": Y},
            r"holds 'X_test', which is not read. Did you mean 'x_test'",
        ),
        ({"x": X, "y": Y, "y_test": Y}, r"holds y_test and no x_test. Add it, or take the other out"),
        ({"x": X, "y": Y, "lengths_validation": Y}, "holds lengths_validation and no x_validation"),
        ({"x": X, "y": Y, "x_val": X, "y_val": Y}, r"holds 'x_val', which is not read. Rename it"),
        ({"x": X, "y": Y, "length": Y + 1}, r"holds 'length', .* Did you mean 'lengths'"),
        ({"x": np.array([[1], [2, 3]], dtype=object), "y": Y[:2]}, "x holds Python objects.*lengths"),
    ],
)
def test_archives_that_lack_something_say_what_is_there(tmp_path, arrays, said):
    with pytest.raises(DataError, match=said):
        find(save(tmp_path / "a.npz", **arrays)).load()


def test_what_is_no_archive_is_said(tmp_path):
    path = tmp_path / "a.npz"
    path.write_bytes(b"x,y\n1,2\n")
    with pytest.raises(DataError, match="is no archive of NumPy arrays"):
        find(str(path)).load()
    save(path, x=X, y=Y)
    content = bytearray(path.read_bytes())
    content[200:260] = b"\0" * 60
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"a.npz cannot be read: "):
        find(str(path)).load()
