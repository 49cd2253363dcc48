"""Which column is the text and which the label, from names and from content, and the question where it is not clear."""

import json

import pytest

from pipelines.errors import DataError
from pipelines.files import columns, formats
from pipelines.files.labels import class_names, likely_separator, parse, target_kind, targets
from pipelines.files.opening import open_path

WORDS = ["the", "printer", "on", "floor", "two", "does", "not", "print", "any", "page", "since", "monday", "morning"]


def sentence(number):
    return " ".join(WORDS[(number * 7 + step) % len(WORDS)] for step in range(6)) + f" {number}"


def table_of(tmp_path, header, rows):
    path = tmp_path / "some.csv"
    lines = ([header] if header else []) + rows
    path.write_text("\n".join(";".join(map(str, line)) for line in lines) + "\n", encoding="utf-8")
    return formats.open_table(open_path(str(path)), None)


def chosen(tmp_path, header, rows, **typed):
    found = columns.choose(table_of(tmp_path, header, rows), typed.get("text"), typed.get("label"))
    return found.text, found.label


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("text", "label"), ("Sentence", "Class"), ("review_body", "star_rating"), ("reviewText", "rating"),
        ("comment", "toxic"), ("Nachricht", "Kategorie"), ("texte", "étiquette"), ("reseña", "sentimiento"),
        ("评论", "标签"), ("review", "label"), ("body", "topic"), ("tweet", "target"),
    ],
)  # fmt: skip
def test_columns_by_name_whatever_stands_beside_them(tmp_path, text, label):
    rows = [(n, f"word{n}", sentence(n), n % 3, sentence(n + 50), "xyz"[n % 3]) for n in range(12)]
    header = ("id", "author", text, label, "remark_of_the_office", "shop")
    if label == "star_rating":
        header = ("id", "author", text, "rating", "remark_of_the_office", "shop")
        label = "rating"
    assert chosen(tmp_path, header, rows) == ((text,), label)


def test_columns_by_content_alone(tmp_path):
    rows = [(n, sentence(n), f"2024-05-{n % 28 + 1:02}", f"https://x.org/{n}", "abc"[n % 3]) for n in range(60)]
    assert chosen(tmp_path, None, rows) == (("2",), "5")
    assert chosen(tmp_path, ("num", "was", "wann", "wo", "wer"), rows) == (("was",), "wer")


@pytest.mark.parametrize("labels", ["01", "-1 1", "0 4", "gut schlecht", "1.0 2.5 3", "true false", "1 5 9"])
def test_two_columns_are_clear_in_either_order(tmp_path, labels):
    labels = labels.split() if " " in labels else list(labels)
    rows = [(labels[n % len(labels)], sentence(n)) for n in range(24)]
    assert chosen(tmp_path, None, rows) == (("2",), "1")
    assert chosen(tmp_path, None, [row[::-1] for row in rows]) == (("1",), "2")


def test_columns_that_few_rows_fill_are_neither(tmp_path):
    rows = [("ab"[n % 2], sentence(n), sentence(n) if n % 9 == 0 else "", "u" if n % 9 == 0 else "") for n in range(40)]
    assert chosen(tmp_path, ("v1", "v2", "", ""), rows) == (("v2",), "v1")


def test_chinese_texts_have_no_blanks(tmp_path):
    rows = [(f"酒店的房间很大{chr(0x4E00 + n)}服务也很好", "好坏"[n % 2]) for n in range(24)]
    assert chosen(tmp_path, None, rows) == (("1",), "2")


def test_rows_sorted_by_label(tmp_path):
    """The first thousands of rows have one label only, and another column looks like the label in them."""
    rows = [(sentence(n), "a" if n < 3000 else "b", n // 1500 if n < 3000 else n) for n in range(9000)]
    assert chosen(tmp_path, None, rows) == (("1",), "2")


def test_unique_numbers_and_ids_are_no_labels(tmp_path):
    rows = [(n + 1000, sentence(n), "ab"[n % 2]) for n in range(40)]
    assert chosen(tmp_path, None, rows) == (("2",), "3")
    # Ids that come again, as those of users do.
    rows = [(n % 5, sentence(n), "ab"[n % 2]) for n in range(40)]
    assert chosen(tmp_path, ("user_id", "what", "which"), rows) == (("what",), "which")


def test_a_title_is_joined_to_its_text(tmp_path):
    rows = [(f"title {n}", sentence(n), "ab"[n % 2]) for n in range(12)]
    assert chosen(tmp_path, ("title", "text", "label"), rows) == (("title", "text"), "label")
    # A subject of few values is none.
    rows = [("xy"[n // 6], sentence(n), "ab"[n % 2]) for n in range(12)]
    assert chosen(tmp_path, ("subject", "text", "label"), rows) == (("text",), "label")


def test_what_the_user_types_counts(tmp_path):
    header, rows = ("a", "b", "c"), [(sentence(n), sentence(n + 99), "xy"[n % 2]) for n in range(12)]
    assert chosen(tmp_path, header, rows, text="b") == (("b",), "c")
    assert chosen(tmp_path, header, rows, text="a,b") == (("a", "b"), "c")
    assert chosen(tmp_path, None, rows, text="2") == (("2",), "3")
    assert chosen(tmp_path, header, rows, text="2", label="3") == (("b",), "c")


@pytest.mark.parametrize(
    ("header", "row", "asked"),
    [
        (("a", "b", "c"), lambda n: (sentence(n), sentence(n + 99), "xy"[n % 2]), ["text", "--text-column a"]),
        (("a", "b", "c"), lambda n: (sentence(n), "uv"[n // 2 % 2], "xy"[n % 2]), ["label", "--label-column b"]),
        (("text", "category", "sentiment"), lambda n: (sentence(n), "uv"[n // 2 % 2], "xy"[n % 2]), ["label"]),
        (("id", "text"), lambda n: (n, sentence(n)), ["label", "--label-column text"]),
        (("message", "team"), lambda n: (sentence(n), "the one team"), ["label", "--label-column team"]),
    ],
)
def test_what_is_not_clear_is_asked_for_with_the_candidates(tmp_path, header, row, asked):
    with pytest.raises(DataError) as error:
        chosen(tmp_path, header, [row(n) for n in range(12)])
    message = str(error.value)
    assert message.startswith(f"{tmp_path / 'some.csv'}: it is not clear which column holds the {asked[0]}. ")
    assert all(f"column {name!r}: " in message for name in header)
    assert "different values in 12 rows, such as" in message
    assert all(word in message for word in asked)


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ({"text": "words"}, r"no column 'words'; its columns are 'a', 'b'. Take one of these for --text-column."),
        ({"label": "3"}, r"no column '3'; its columns are 'a', 'b'. Take one of these for --label-column."),
        ({"label": "0"}, r"no column '0'"),
        ({"text": "a", "label": "1"}, r"the column 'a' is named twice by --text-column and --label-column"),
        ({"text": "a,words"}, r"no column 'words'"),
    ],
)
def test_columns_that_are_not_there(tmp_path, typed, message):
    with pytest.raises(DataError, match=message):
        chosen(tmp_path, ("a", "b"), [(sentence(n), "xy"[n % 2]) for n in range(12)], **typed)


def test_names_that_come_twice(tmp_path):
    header, rows = ("text", "label", "text"), [(sentence(n), "xy"[n % 2], sentence(n + 9)) for n in range(12)]
    with pytest.raises(DataError, match=r"has 2 columns called 'text'.*by its number, --text-column 1 or 3"):
        chosen(tmp_path, header, rows, text="text")
    assert chosen(tmp_path, header, rows, text="3") == (("text",), "label")


def test_json_columns(tmp_path):
    path = tmp_path / "some.jsonl"
    objects = [{"id": n, "meta": {"a": 1}, "text": sentence(n), "labels": ["a", "b"][: n % 3]} for n in range(12)]
    path.write_text("\n".join(map(json.dumps, objects)))
    found = columns.choose(formats.open_table(open_path(str(path)), None), None, None)
    assert (found.text, found.label) == (("text",), "labels")


@pytest.mark.parametrize(
    ("labels", "ordered"),
    [
        (["10", "9", "-1"], ("-1", "9", "10")),
        (["1.0", "1", "0.5", "1e1"], ("0.5", "1", "1.0", "1e1")),
        (["b", "a", "C", "ä"], ("C", "a", "b", "ä")),
        (["10", "9", "x"], ("10", "9", "x")),
        (["nan", "inf", "1"], ("1", "inf", "nan")),
        (["²", "1"], ("1", "²")),
    ],
)
def test_class_names_are_ordered_by_value_or_by_code_point(labels, ordered):
    assert class_names(labels) == ordered


def test_labels_are_kept_as_they_were_written():
    assert parse(" 1.0 ", None) == "1.0"
    assert parse("  ", None) is None
    assert parse(None, None) is None
    assert parse(True, None) == "true"
    assert parse(["b", "a", "b"], None) == ("a", "b")
    assert parse([], None) == ()
    assert parse("b| a||b", "|") == ("a", "b")
    assert parse(" | ", "|") is None


def test_several_labels_a_text():
    said = [("a", "c"), ("b",), ()]
    assert target_kind(said, None) == "classes"
    assert target_kind([("a",), ("b",)], None) == "class"
    assert target_kind(["a", "b"], "|") == "classes"
    assert targets(said, ("a", "b", "c"), "classes") == {("a", "c"): [1, 0, 1], ("b",): [0, 1, 0], (): [0, 0, 0]}
    assert targets(["a", ("b",)], ("a", "b"), "class") == {"a": 0, ("b",): 1}


def test_a_separator_between_labels_is_noticed():
    assert likely_separator(dict.fromkeys(["a|b", "a", "b|c", "a|c", "c"], 1)) == "|"
    assert likely_separator(dict.fromkeys(["rock, pop", "jazz, funk", "soul"], 1)) is None
    assert likely_separator(dict.fromkeys(["a", "b"], 1)) is None
