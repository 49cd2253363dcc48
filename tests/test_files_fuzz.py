"""Any bytes under any name either load or give a `DataError`: nothing else, and nothing is lost without a count."""

import bz2
import csv
import gzip
import io
import json
import lzma
import tarfile
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.errors import DataError
from pipelines.files import encodings
from pipelines.files.splits import read_splits
from pipelines.files.text_files import load

AS_FOUND = {**dict.fromkeys(("text_column", "label_column", "label_separator", "encoding")), "on_bad_rows": "skip"}
SUFFIXES = [".csv", ".tsv", ".txt", ".jsonl", ".json", ".parquet", ".ft", ".zip", ".tar", ".tar.gz", ".bz2", ".xz", ""]
ENCODINGS = [None, "latin-1", "utf-16", "utf-8", "gb18030", "utf-32", "cp037", "utf-7", "shift_jis", "utf-16-be"]
quick = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def csv_file():
    rows = [f'{n},"a text, with a comma and number {n}",{("yes", "no")[n % 2]}' for n in range(40)]
    return "\n".join(["id,text,label", *rows]).encode()


def json_file():
    return "\n".join(f'{{"text": "a text {n} \\u00e9", "label": {n % 3}}}' for n in range(30)).encode()


def array_file():
    return b"[" + b",\n".join(json_file().splitlines()) + b"]"


def fasttext_file():
    return "\n".join(f"__label__{'ab'[n % 2]} __label__c a text {n}" for n in range(30)).encode()


def parquet_file():
    import pyarrow
    from pyarrow import parquet

    table = pyarrow.table({"text": [f"a text {n}" for n in range(30)], "label": [n % 2 for n in range(30)]})
    stream = io.BytesIO()
    parquet.write_table(table, stream)
    return stream.getvalue()


def tar_file():
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for n in range(6):
            member = tarfile.TarInfo(f"all/{'ab'[n % 2]}/{n}.txt")
            member.size = 6
            archive.addfile(member, io.BytesIO(b"text %d" % n))
    return stream.getvalue()


def zip_file():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("train.csv", csv_file())
        archive.writestr("test.csv", csv_file()[:400])
    return stream.getvalue()


VALID = {
    ".csv": csv_file(),
    ".csv.gz": gzip.compress(csv_file(), mtime=0),
    ".csv.bz2": bz2.compress(csv_file()),
    ".csv.xz": lzma.compress(csv_file()),
    ".jsonl": json_file(),
    ".json": array_file(),
    ".txt": fasttext_file(),
    ".tar": tar_file(),
    ".tar.gz": gzip.compress(tar_file(), mtime=0),
    ".zip": zip_file(),
    ".parquet": parquet_file(),
}


def outcome(path, encoding=None):
    """What reading a file comes to: the number of its rows, or the error."""
    try:
        found = read_splits(str(path), {}, **{**AS_FOUND, "encoding": encodings.checked(encoding)})
    except DataError as error:
        return str(error)
    for split in found.splits.values():
        texts = list(split.texts())
        assert len(texts) == split.tally.read
        for text, _ in texts:
            assert text.decode("utf-8").strip()
    return sum(split.tally.read for split in found.splits.values())


# Of zip, the test is cut after whole rows.
ROWS = {".jsonl": 30, ".json": 30, ".txt": 30, ".parquet": 30, ".tar": 6, ".tar.gz": 6, ".zip": 40 + 9}


def test_the_valid_files_are_valid(tmp_path):
    for suffix, content in VALID.items():
        path = tmp_path / f"valid{suffix}"
        path.write_bytes(content)
        assert outcome(path) == ROWS.get(suffix, 40), suffix


@quick
@given(
    texts=st.lists(st.text(st.sampled_from("ab \"',;|\t\n{}[]:01é中"), max_size=12), min_size=12, max_size=40),
    form=st.sampled_from(["csv", "semicolon", "lines", "array"]),
)
def test_whatever_stands_in_good_rows_is_read_as_python_reads_it(tmp_path, texts, form):
    """Python's own csv and json are the oracle."""
    rows = [(f"text {n} {text}", ("yes", "no")[n % 2]) for n, text in enumerate(texts)]
    path = tmp_path / "good"
    if form in ("csv", "semicolon"):
        separator = ";" if form == "semicolon" else ","
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, delimiter=separator).writerows([("text", "label"), *rows])
        with path.open(newline="", encoding="utf-8") as file:
            expected = [tuple(row) for row in csv.reader(file, delimiter=separator)][1:]
    else:
        objects = [json.dumps({"text": text, "label": label}, ensure_ascii=False) for text, label in rows]
        path.write_text("\n".join(objects) if form == "lines" else f"[{','.join(objects)}]", encoding="utf-8")
        expected = [(each["text"], each["label"]) for each in map(json.loads, objects)]
    found = read_splits(str(path), {}, **AS_FOUND)
    assert [(text.decode(), label) for text, label in found.splits["train"].texts()] == expected == rows
    assert found.reading["rows"] == {"present": len(rows), "read": len(rows), "skipped": 0}


@quick
@given(
    rows=st.integers(10, 40),
    place=st.integers(0, 9),
    bad=st.sampled_from(["one, two, three,yes", ",yes", "a text,", "one field", "nul\0,yes", '"open,yes']),
)
def test_one_bad_row_among_good_ones_is_counted_at_its_line(tmp_path, rows, place, bad):
    lines = [f"text {n},{('yes', 'no')[n % 2]}" for n in range(rows)]
    lines.insert(place, bad)
    path = tmp_path / "one_bad.csv"
    path.write_text("\n".join(["text,label", *lines]))
    tally = read_splits(str(path), {}, **AS_FOUND).splits["train"].tally
    assert (tally.read, tally.skipped, [row.line for row in tally.first]) == (rows, 1, [place + 2])


@settings(quick, max_examples=10)
@given(data=st.data())
def test_a_changed_file_through_tf_data(tmp_path, data):
    """`load` reads everything again there; whatever it returns has as many texts as it says."""
    content = bytearray(VALID[".csv"])
    for _ in range(data.draw(st.integers(0, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "changed.csv"
    path.write_bytes(content)
    try:
        found = load(str(path))
    except DataError:
        return
    for split in ("train", "validation", "test"):
        assert len(list(getattr(found, split).as_numpy_iterator())) == found.sizes[split]
    assert sum(found.sizes.values()) == found.reading["rows"]["read"]


@quick
@given(content=st.binary(max_size=300), suffix=st.sampled_from(SUFFIXES), encoding=st.sampled_from(ENCODINGS))
def test_any_bytes(tmp_path, content, suffix, encoding):
    path = tmp_path / f"any{suffix}"
    path.write_bytes(content)
    outcome(path, encoding)


@quick
@given(
    content=st.text(
        st.sampled_from("ab \"',;|\t\n\r\\{}[]:01é中\0\u2028\ud800".replace("\ud800", "")), min_size=1, max_size=200
    ),
    suffix=st.sampled_from(SUFFIXES),
)
def test_any_text_of_telling_characters(tmp_path, content, suffix):
    path = tmp_path / f"any{suffix}"
    path.write_bytes(content.encode())
    outcome(path)


@pytest.mark.parametrize("suffix", [suffix for suffix in VALID if suffix != ".parquet"])
@settings(quick, max_examples=40)
@given(data=st.data())
def test_a_valid_file_with_some_bytes_changed(tmp_path, suffix, data):
    content = bytearray(VALID[suffix])
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        if data.draw(st.booleans()):
            content[place] = data.draw(st.integers(0, 255))
        else:
            del content[place : place + data.draw(st.integers(1, 30))]
        content = content or bytearray(b"x")
    path = tmp_path / f"changed{suffix}"
    path.write_bytes(content)
    outcome(path)


@settings(quick, max_examples=25)
@given(end=st.integers(0, 10_000))
def test_a_parquet_file_that_is_cut(tmp_path, end):
    whole = VALID[".parquet"]
    path = tmp_path / "cut.parquet"
    path.write_bytes(whole[: end % len(whole)])
    assert "cut.parquet" in outcome(path)


def test_parquet_with_damaged_pages_or_metadata(tmp_path):
    whole = VALID[".parquet"]
    path = tmp_path / "damaged.parquet"
    damaged = 0
    for place in range(4, len(whole) - 8, 37):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        damaged += isinstance(outcome(path), str)
    assert damaged > 5
