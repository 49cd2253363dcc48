"""Encodings: Python's own decoding of the whole file is the oracle; what cannot be decoded is named by its place."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.errors import DataError
from pipelines.files import encodings
from pipelines.files.encodings import Encoding, Undecodable

TEXT = "Grüße, 你好\nzweite Zeile \u2028 mit \x0b und \x85\r\ndritte\rvierte \U0001f600"
LINES = ["Grüße, 你好", "zweite Zeile \u2028 mit \x0b und \x85", "dritte", "vierte \U0001f600"]


def lines_of(content, given=None):
    encoding = encodings.find(content[: encodings.HEAD], encodings.checked(given))
    return list(encodings.lines(io.BytesIO(content), "some.csv", encoding))


@pytest.mark.parametrize(
    "codec", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be", "utf-32-be", "gb18030", "utf-7"]
)
def test_line_ends_are_those_of_files_and_no_others(codec):
    mark = {"utf-16": 2, "utf-32": 4, "utf-8-sig": 3}.get(codec, 0)
    given = None if mark or codec == "utf-8" else codec
    assert lines_of(TEXT.encode(codec), given) == LINES
    assert encodings.find(TEXT.encode(codec), given).mark == mark


@settings(max_examples=150, deadline=None)
@given(
    text=st.text(st.sampled_from("ab\n\réé\u0a00\u000a中\U0001f600"), max_size=60),
    codec=st.sampled_from(["utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "gb18030", "cp037"]),
    block=st.integers(4, 12),
)
def test_blocks_end_nowhere_within_a_character(text, codec, block):
    text = text.encode(codec, "ignore").decode(codec)
    expected = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    whole, encodings._BLOCK = encodings._BLOCK, block * 4
    try:
        found = list(encodings.lines(io.BytesIO(text.encode(codec)), "some.csv", Encoding(codec, 0, False)))
    finally:
        encodings._BLOCK = whole
    assert found == (expected if expected[-1] else expected[:-1])


def test_utf16_without_a_mark_is_recognised():
    text = "text,label\na text,a\nanother one,b\n"
    for codec in ("utf-16-le", "utf-16-be"):
        assert lines_of(text.encode(codec)) == ["text,label", "a text,a", "another one,b"]
    # NULs here and there do not make UTF-8 UTF-16.
    assert encodings.find(b"a text\0,a\nanother text,b\n", None).codec == "utf-8"


def test_a_mark_counts_more_than_what_was_given():
    assert encodings.find("\ufeffa".encode(), "iso8859-1") == ("utf-8", 3, True)


@pytest.mark.parametrize("size", [10, 400_000])
def test_the_place_of_the_first_undecodable_byte(size):
    """Near the beginning, and far beyond the first block."""
    before = ("eine Zeile\n" * (size // 11)).encode()
    content = before + "schön\n".encode("latin-1") + b"\xff\n"
    with pytest.raises(DataError) as error:
        lines_of(content)
    line, offset = content[: len(before)].count(b"\n") + 1, content.index(b"\xf6")
    assert str(error.value).startswith(
        f"some.csv, line {line}: the byte 0xf6 at byte offset {offset} is not UTF-8; the text looks like cp"
    )
    assert "add --encoding cp" in str(error.value)


def test_undecodable_bytes_in_utf16():
    content = "erste\nzweite ".encode("utf-16-le") + b"\x00\xdc" + "\ndritte\n".encode("utf-16-le")
    with pytest.raises(DataError, match=r"some.csv, line 2: the byte 0x00 at byte offset 28 is not UTF-16-LE"):
        lines_of(b"\xff\xfe" + content)  # Two bytes of the mark before it.
    given = lines_of(content, "utf-16-le")
    assert [type(line) for line in given] == [str, Undecodable, str]


def test_undecodable_lines_under_a_given_encoding_are_marked():
    found = lines_of(b"good\nb\xffd,x\nfine\n", "utf-8")
    assert found == ["good", "b\ufffdd,x", "fine"]
    assert [type(line) for line in found] == [str, Undecodable, str]


@pytest.mark.parametrize("name", ["latin-2000", "", "base64", "rot13", "zlib", "\0", "undefined"])
def test_unknown_encodings(name):
    with pytest.raises(DataError, match="is not known; expected a name such as utf-8, latin-1, cp1252") as error:
        encodings.checked(name)
    assert repr(name) in str(error.value)


def test_a_near_name_is_suggested():
    with pytest.raises(DataError, match="Did you mean 'latin_1'"):
        encodings.checked("latim-1")


@pytest.mark.parametrize(
    ("text", "codec", "suggested"),
    [
        ("Le café est très bon, mais la façade déçoit. À l'été prochain !\n", "cp1252", "cp1252"),
        ("酒店的房间很大，服务也很好，下次还会来。\n", "gb18030", "gb18030"),
        ("Очень хороший отель, приедем ещё раз.\n", "cp1251", "cp1251"),
        ("이 호텔은 아주 좋습니다. 다시 오겠습니다.\n", "euc_kr", "cp949"),
    ],
)
def test_the_suggested_encoding_reads_the_text(text, codec, suggested):
    content = (text * 8).encode(codec)
    with pytest.raises(DataError, match=f"add --encoding {suggested};"):
        lines_of(content)
    assert lines_of(content, suggested) == [text.strip()] * 8


def test_a_single_bad_byte_in_utf8_suggests_no_other_encoding():
    content = ("schön und gut\n" * 20).encode() + b"sch\xf6n\n" + ("grün\n" * 20).encode()
    with pytest.raises(
        DataError, match=r"line 21: .* is not UTF-8, as the text around it is.*--encoding utf-8 to skip"
    ):
        lines_of(content)


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("size", [3, 30_000])
def test_utf16_without_a_mark_whose_letters_have_no_nul_bytes_is_suggested(codec, size):
    lines = ["酒店的房间很大，服务也很好，下次还会来。", "早餐一般，位置不错！"] * size
    content = "\n".join(lines).encode(codec)
    with pytest.raises(DataError, match=rf"the text looks like {codec}. If it is, add --encoding {codec}; or save"):
        lines_of(content)
    assert lines_of(content, codec) == lines


def test_a_picture_is_no_text():
    with pytest.raises(DataError, match=r"line 1: the byte 0x89 .* it does not look like text at all. Expected CSV"):
        lines_of(b"\x89PNG\r\n\x1a\n" + bytes(range(256)))
