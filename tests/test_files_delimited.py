"""Delimited files: Python's csv module is the oracle where files are good; broken ones are told line by line."""

import csv
import io
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.errors import DataError
from pipelines.files import delimited, formats
from pipelines.files.columns import choose
from pipelines.files.delimited import Dialect, records
from pipelines.files.file_rows import BadRow
from pipelines.files.opening import open_path
from tests.conftest import ROOT

COMMA = Dialect(",")


def table_of(tmp_path, content, name="some.csv", wanted=()):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return formats.open_table(open_path(str(path)), None, wanted)


def rows_of(table):
    return list(table.read(range(len(table.columns))))


def fields_of(table):
    return [tuple(row.fields) for row in rows_of(table)]


@settings(max_examples=200, deadline=None)
@given(
    rows=st.lists(
        st.lists(st.text(st.sampled_from('ab ",;\n\t|'), max_size=8), min_size=2, max_size=4), min_size=1, max_size=8
    ),
    separator=st.sampled_from(",;\t|"),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_good_files_read_as_the_csv_module_reads_them(rows, separator, quoting):
    # A row of blanks alone is a blank line to us, and a row to the csv module.
    rows = [row for row in rows if any(field.strip() for field in row)]
    stream = io.StringIO()
    csv.writer(stream, delimiter=separator, quoting=quoting, lineterminator="\n").writerows(rows)
    text = stream.getvalue()
    found = list(records(text.split("\n"), Dialect(separator)))
    oracle = csv.reader(io.StringIO(text), delimiter=separator)
    expected = []
    while True:
        line = oracle.line_num + 1
        row = next(oracle, None)
        if row is None:
            break
        expected.append((line, row, ""))
    assert found == expected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        # Opened in line 2, and closed by what opens another field in line 4.
        (['a,b', '"c,d', "e,f", '"g, h",i'], [(1, ""), (2, "unclosed quote"), (3, ""), (4, "")]),
        # Opened in the last line but one.
        (["a,b", 'c,"d', "e,f"], [(1, ""), (2, "unclosed quote"), (3, "")]),
        (["a,b", 'c,"d'], [(1, ""), (2, "unclosed quote")]),
        # Two in a row.
        (['"a,b', '"c,d', "e,f"], [(1, "unclosed quote"), (2, "unclosed quote"), (3, "")]),
        (['"a" b,c', "d,e"], [(1, "misplaced quote"), (2, "")]),
        # Quotes within a field that does not begin with one are text.
        (['5" disk,b', "c,d"], [(1, ""), (2, "")]),
        (["", "a,b", " ", "", "c,d", ""], [(2, ""), (5, "")]),
        (['"a\n', "x", 'b",c', "d,e"], [(1, ""), (4, "")]),
    ],
)  # fmt: skip
def test_a_broken_quote_spoils_its_own_line_alone(lines, expected):
    assert [(record.line, record.fault) for record in records(lines, COMMA)] == expected


def test_fields_between_broken_lines_are_whole():
    lines = ['x,"unclosed', 'y,"a ""b""', 'c"', "z,d"]
    assert [(line, fields, fault) for line, fields, fault in records(lines, COMMA)] == [
        (1, ["x", '"unclosed'], "unclosed quote"),
        (2, ["y", 'a "b"\nc'], ""),
        (4, ["z", "d"], ""),
    ]


def test_a_quote_that_another_one_closes_by_chance_holds_no_rows_together(tmp_path):
    """The quote of line 4 ends with the inch sign of line 9, and all would look well."""
    lines = ["id,text,label", *(f"{n},some words,{'ab'[n % 2]}" for n in range(20))]
    lines[3], lines[8] = '2,"broken words,b', '7,a disk of 5",b'
    found = rows_of(table_of(tmp_path, "\n".join(lines)))
    assert [(row.line, row.reason) for row in found if isinstance(row, BadRow)] == [(4, "unclosed quote")]
    assert len(found) == 20


def test_a_text_whose_lines_have_as_many_commas_as_rows_is_one_field(tmp_path):
    """Its lines would be rows, but for what stands where rows have their label."""
    letter = "first, second\nthird, fourth, fifth\nsixth, seventh"
    rows = [(str(n), letter if n in (4, 7) else "words", "ab"[n % 2]) for n in range(20)]
    lines = ["id,text,label", *(f'{number},"{text}",{label}' for number, text, label in rows)]
    assert {line.count(",") for line in "\n".join(lines).split("\n")} == {2}
    assert fields_of(table_of(tmp_path, "\n".join(lines))) == rows


def test_an_unclosed_quote_among_rows_sorted_by_label(tmp_path, monkeypatch):
    """Labels that the first look at the file did not meet are known from the rows before."""
    monkeypatch.setattr(delimited, "_SAMPLE_LINES", 30)
    lines = ["id,text,label", *(f"{n},some words of {n},{'abc'[n // 40]}" for n in range(120))]
    lines[100], lines[105] = '99,"broken words,c', '104,a disk of 5",c'
    found = rows_of(table_of(tmp_path, "\n".join(lines)))
    assert [(row.line, row.reason) for row in found if isinstance(row, BadRow)] == [(101, "unclosed quote")]
    assert len(found) == 120


def test_letters_with_a_comma_in_each_line_are_no_rows(tmp_path):
    letter = "Dear Sir, dear Madam\nI write, again\nsince, sadly\nit rains, still"
    table = table_of(tmp_path, "text,label\n" + "".join(f'"{letter} {n}",{"ab"[n % 2]}\n' for n in range(9)))
    assert fields_of(table)[0] == (f"{letter} 0", "a")


def test_an_unclosed_quote_in_a_long_file_costs_no_second_reading_of_each_line():
    lines = ["a,b"] * 50_000 + ['"c,d'] + ["e,f"] * 50_000
    start = time.process_time()
    found = list(records(lines, COMMA))
    assert time.process_time() - start < 5
    assert [record.line for record in found if record.fault] == [50_001]
    assert len(found) == 100_001


def test_a_field_beyond_the_csv_modules_limit(tmp_path):
    long = "wort " * 100_000
    table = table_of(tmp_path, f'text,label\n"{long}",a\nshort,b\n')
    assert fields_of(table) == [(long, "a"), ("short", "b")]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_separators_and_line_ends(tmp_path, separator, end):
    rows = [("text", "label"), *[(f"good; or, well| not {n}", "ab"[n % 2]) for n in range(9)]]
    if separator == "\t":
        lines = [separator.join(row) for row in rows]
    else:
        lines = [f'"{text}"{separator}{label}' for text, label in rows]
    table = table_of(tmp_path, end.join(lines) + end * 3)
    assert table.columns == ("text", "label")
    assert fields_of(table) == rows[1:]
    assert [row.line for row in rows_of(table)] == list(range(2, 11))


def test_commas_in_texts_do_not_hide_another_separator(tmp_path):
    lines = [f"yes, {n}, and{', more' * (n % 3)};{'ab'[n % 2]}" for n in range(30)]
    assert fields_of(table_of(tmp_path, "\n".join(lines)))[1] == ("yes, 1, and, more", "b")


def test_a_comma_file_whose_texts_have_semicolons(tmp_path):
    lines = ["text,label", *[f"one; two{'; three' * (n % 2)},{'ab'[n % 2]}" for n in range(30)]]
    assert fields_of(table_of(tmp_path, "\n".join(lines)))[1] == ("one; two; three", "b")


def test_quotes_in_a_tsv_file_are_text(tmp_path):
    table = table_of(tmp_path, (ROOT / "tests" / "data" / "tweets.tsv").read_bytes(), "tweets.tsv")
    assert fields_of(table)[:3] == [
        ('"Good film" he said', "positive"),
        ('I slept through "all" of it', "negative"),
        ('"Bad', "negative"),
    ]
    assert len(fields_of(table)) == 12


def test_quotes_in_a_tsv_file_delimit_where_they_hold_tabs_and_line_ends(tmp_path):
    lines = ["text\tlabel", *[f'"tab\tand\nline ""{n}"""\t{"ab"[n % 2]}' for n in range(6)], "plain\ta"]
    table = table_of(tmp_path, "\n".join(lines), "some.tsv")
    assert fields_of(table)[0] == ('tab\tand\nline "0"', "a")
    assert [row.line for row in rows_of(table)] == [2, 4, 6, 8, 10, 12, 14]


def test_a_csv_file_that_never_means_its_quotes(tmp_path):
    lines = [f'"Never" is word {n};{"ab"[n % 2]}' for n in range(30)]
    assert fields_of(table_of(tmp_path, "\n".join(lines)))[3] == ('"Never" is word 3', "b")


def test_blanks_before_quotes_and_backslashes_before_them(tmp_path):
    blanks = table_of(tmp_path, "\n".join(["text, label", *[f'"a, {n}", "b{n % 2}"' for n in range(9)]]))
    assert fields_of(blanks)[:2] == [("a, 0", "b0"), ("a, 1", "b1")]
    escaped = table_of(tmp_path, "\n".join(["text,label", *[f'"she said \\"no, {n}\\"",{n % 2}' for n in range(9)]]))
    assert fields_of(escaped)[1] == ('she said "no, 1"', "1")


def test_wrong_numbers_of_fields_are_bad_rows(tmp_path):
    found = rows_of(table_of(tmp_path, "text,label\n" + "some text,a\n" * 5 + "more, or less,b\nnone\n"))
    assert [row for row in found if isinstance(row, BadRow)] == [
        BadRow(str(tmp_path / "some.csv"), 7, "wrong number of fields", "3 instead of 2", "more, or less,b"),
        BadRow(str(tmp_path / "some.csv"), 8, "wrong number of fields", "1 instead of 2", "none"),
    ]


def test_the_header_counts_more_than_rows_that_differ_from_it(tmp_path):
    found = rows_of(table_of(tmp_path, "text,label\n" + "more, or less,b\n" * 9))
    assert {row.detail for row in found} == {"3 instead of 2"}


@pytest.mark.parametrize(
    ("content", "columns"),
    [
        ("text,label\nsome words here,a\nmore words there,b\n", ("text", "label")),
        ("评论,标签\n很好的酒店,1\n不好的酒店,0\n", ("评论", "标签")),
        # No well-known name; but numbers everywhere below.
        ("wort,zahl\nein paar Worte,1\nnoch ein paar,0\n", ("wort", "zahl")),
        # Few different values below, and another one above.
        ("Aussage,Urteil\n" + "eine Aussage,gut\nandere Aussage,schlecht\n" * 6, ("Aussage", "Urteil")),
        # The first row is a row: a sentence, a number, a label that comes again.
        ("It was good.,a\nIt was bad.,b\nSo so.,a\n", ("1", "2")),
        ("1,fine\n0,not so fine\n1,really fine\n", ("1", "2")),
        ("question,how far is it\nanswer,not far\nquestion,how high is it\nanswer,high\n", ("1", "2")),
        ("good film,pos\nbad film,neg\nfine film,pos\npoor film,neg\n", ("1", "2")),
        # An index without a name, as pandas writes it.
        (",text,label\n0,some words,a\n1,more words,b\n", ("", "text", "label")),
    ],
)
def test_a_header_is_told_from_a_row(tmp_path, content, columns):
    table = table_of(tmp_path, content)
    assert table.columns == columns
    assert table.named == (columns[-1] != str(len(columns)))
    assert len(rows_of(table)) == content.count("\n") - table.named
    assert ("its line 1 names the columns" in table.details) == table.named


def test_a_name_that_the_user_types_makes_a_header(tmp_path):
    content = "foo,bar\nsome words,more words\nother words,words\n"
    assert table_of(tmp_path, content).columns == ("1", "2")
    assert table_of(tmp_path, content, wanted=["bar"]).columns == ("foo", "bar")


def test_one_column_is_told(tmp_path):
    with pytest.raises(DataError, match=r"some.csv has one column only \('text'\).*no tab, semicolon, bar or comma"):
        choose(table_of(tmp_path, "text\none text\nanother text\n"), None, None)
    with pytest.raises(DataError, match="one column only, where"):
        choose(table_of(tmp_path, "One, two.\nOne.\nOne, two, three, four.\nNone, at all, five.\nSix.\n"), None, None)


def test_every_separator_has_a_name():
    assert set(delimited.SEPARATORS) == set("\t;|,")
