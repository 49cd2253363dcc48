"""Tables for spreadsheets."""

import csv

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kseq.csv_files import write_csv


def read(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_bytes_are_rfc_4180(tmp_path):
    path = tmp_path / "t.csv"
    write_csv(path, ["text", "label", "confidence"], [['He said "no",\nthen é电影', "a,b", 0.5], ["", None, 1]])
    expected = 'text,label,confidence\r\n"He said ""no"",\nthen é电影","a,b",0.5\r\n,,1\r\n'
    assert path.read_bytes() == expected.encode()


@pytest.mark.parametrize(
    "text", ['=HYPERLINK("http://x","y")', "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1+1", "=", "-1+2", "+a"]
)
def test_formulas_are_neutralised(tmp_path, text):
    write_csv(tmp_path / "t.csv", [text, "n"], [[text, 1]])
    assert read(tmp_path / "t.csv") == [["'" + text, "n"], ["'" + text, "1"]]


@pytest.mark.parametrize("text", ["-1", "+1", "-0.5", "-0,5"])
def test_a_number_that_is_a_label_stays_as_it_was_written(tmp_path, text):
    write_csv(tmp_path / "t.csv", ["label"], [[text]])
    assert read(tmp_path / "t.csv") == [["label"], [text]]


@pytest.mark.parametrize("number", [-1, -0.5, -1e-9, np.float32(-0.25), np.float64(-0.5), np.int64(-3), float("-inf")])
def test_numbers_stay_numbers(tmp_path, number):
    write_csv(tmp_path / "t.csv", ["n"], [[number]])
    assert float(read(tmp_path / "t.csv")[1][0]) == float(number)


@settings(max_examples=100, deadline=None)
@given(rows=st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=2, max_size=2)))
def test_round_trip(tmp_path_factory, rows):
    path = tmp_path_factory.getbasetemp() / "round_trip.csv"
    write_csv(path, ["text", "label"], rows)
    found = read(path)
    assert found[0] == ["text", "label"]
    assert len(found) == len(rows) + 1
    for row, back in zip(rows, found[1:], strict=True):
        for text, cell in zip(row, back, strict=True):
            assert cell in (text, "'" + text)
            assert not cell.startswith(tuple("=+-@\t\r\n"))


def test_half_a_surrogate_pair_costs_no_file(tmp_path):
    write_csv(tmp_path / "t.csv", ["text"], [["a\udc80"]])
    assert read(tmp_path / "t.csv")[1] == ["a\\udc80"]


def test_a_row_of_another_length_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"row 2 has 1 cells; expected 2, one for each of text, label"):
        write_csv(tmp_path / "t.csv", ["text", "label"], [["a", "b"], ["c"]])
