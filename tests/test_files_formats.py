"""Formats told by content, and where splits and classes lie in folders and archives."""

import bz2
import gzip
import io
import json
import lzma
import tarfile
import zipfile

import pytest

from pipelines.errors import DataError
from pipelines.files.splits import read_splits

ROWS = [(f"this is text number {n}", "abc"[n % 3]) for n in range(12)]
CSV = "\n".join(["text,label", *(f"{text},{label}" for text, label in ROWS)]) + "\n"
JSON = "\n".join(json.dumps({"text": text, "label": label}) for text, label in ROWS)
QUOTED = '"x"'
FASTTEXT = "\n".join(f"__label__{label} {text}" for text, label in ROWS)


def read(path, given=None, **typed):
    options = {"text_column": None, "label_column": None, "label_separator": None, "encoding": None}
    return read_splits(str(path), given or {}, **{**options, "on_bad_rows": "skip", **typed})


def texts_of(split):
    return [(text.decode(), said if isinstance(said, str) else "|".join(said)) for text, said in split.texts()]


def parquet_of(columns):
    import pyarrow
    from pyarrow import parquet

    stream = io.BytesIO()
    parquet.write_table(pyarrow.table(columns), stream)
    return stream.getvalue()


def write(folder, files):
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def zip_of(folder, path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*"), reverse=True):
            archive.write(file, file.relative_to(folder.parent).as_posix())
    return path


def tar_of(folder, path, mode="w:gz"):
    with tarfile.open(path, mode) as archive:
        for file in sorted(folder.rglob("*")):
            archive.add(file, file.relative_to(folder.parent).as_posix(), recursive=False)
    return path


@pytest.mark.parametrize(
    ("name", "content", "form"),
    [
        ("some.csv", CSV, "CSV"),
        ("some.tsv", CSV.replace(",", "\t"), "TSV"),
        ("some.csv", CSV.replace(",", ";"), "CSV with a semicolon as separator"),
        ("some.jsonl", JSON, "JSON lines"),
        ("some.json", "[" + JSON.replace("\n", ",\n") + "]", "a JSON array"),
        ("some.json", "[" + JSON.replace("\n", ",") + "]", "a JSON array"),
        ("some.parquet", parquet_of(dict(zip(("text", "label"), zip(*ROWS, strict=True), strict=True))), "Parquet"),
        ("some.txt", FASTTEXT, "fastText lines"),
    ],
)
@pytest.mark.parametrize("compress", [None, gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("suffix", ["right", "none"])
def test_every_format_by_its_content(tmp_path, name, content, form, compress, suffix):
    content = content if isinstance(content, bytes) else content.encode()
    path = tmp_path / (name if suffix == "right" else "some")
    path.write_bytes(compress(content) if compress else content)
    found = read(path)
    train = found.splits["train"]
    assert texts_of(train) == ROWS
    assert texts_of(train) == ROWS, "a second reading"
    assert (found.class_names, found.target_kind) == (("a", "b", "c"), "class")
    assert found.reading["format"] == form
    assert found.reading["rows"] == {"present": 12, "read": 12, "skipped": 0}


def test_an_array_that_comes_in_small_pieces(tmp_path, monkeypatch):
    from pipelines.files import encodings

    monkeypatch.setattr(encodings, "_BLOCK", 5)
    content = "[" + JSON.replace("\n", " ,\n\n ").replace("text number", "text \\u00e9 ü 12 ]") + "]"
    (tmp_path / "some.json").write_text(content, encoding="utf-8")
    expected = [(each["text"], each["label"]) for each in json.loads(content)]
    assert texts_of(read(tmp_path / "some.json").splits["train"]) == expected


def test_json_values_are_kept_as_they_are_written(tmp_path):
    lines = [f'{{"text": "a text {n}", "label": {["1.0", "true", "-3", QUOTED][n % 4]}}}' for n in range(12)]
    lines += [
        '{"text": "without", "label": null}',
        '{"text": "half \\ud800", "label": 1.0}',
        '{"text": ["x"], "label": 3}',
    ]
    (tmp_path / "some.jsonl").write_text("\n".join([*lines, *lines[:12] * 40]))
    found = read(tmp_path / "some.jsonl")
    assert found.class_names == ("-3", "1.0", "true", "x")
    assert [(row.line, row.reason) for row in found.splits["train"].tally.first] == [
        (13, "missing label"),
        (14, "half a character"),
        (15, "text that is none"),
    ]


def test_parquet_types(tmp_path):
    import pyarrow

    label = pyarrow.array(["b", "a", None, "b"] * 30).dictionary_encode()
    columns = {"text": [f"a text {n}" for n in range(120)], "label": label, "score": [0.5] * 120}
    (tmp_path / "some.parquet").write_bytes(parquet_of({**columns, "other": [[1]] * 120}))
    with pytest.raises(DataError, match=r"some.parquet: 30 of 120 rows cannot be read \(30 with missing label\)"):
        read(tmp_path / "some.parquet")
    lists = {"text": columns["text"], "label": [["x", "y"][: n % 3] for n in range(120)]}
    (tmp_path / "lists.parquet").write_bytes(parquet_of(lists))
    found = read(tmp_path / "lists.parquet")
    assert (found.target_kind, found.class_names) == ("classes", ("x", "y"))
    for values, names in (([1, 0], ("0", "1")), ([1.0, 2.5], ("1.0", "2.5")), ([True, False], ("false", "true"))):
        (tmp_path / "some.parquet").write_bytes(parquet_of({"text": columns["text"], "label": values * 60}))
        assert read(tmp_path / "some.parquet").class_names == names


def test_labels_of_several_kinds_of_files(tmp_path):
    (tmp_path / "some.ft").write_text("\n".join(f"__label__a{' __label__b' * (n % 2)} text {n}" for n in range(12)))
    found = read(tmp_path / "some.ft")
    assert (found.target_kind, found.class_names) == ("classes", ("a", "b"))
    assert texts_of(found.splits["train"])[:2] == [("text 0", "a"), ("text 1", "a|b")]
    rows = ["text,label", *(f"some text {n},{'a|b' if n % 2 else 'c'}" for n in range(12))]
    (tmp_path / "some.csv").write_text("\n".join([*rows, *(f"more {n},a" for n in range(4)), "last,a|c"]))
    found = read(tmp_path / "some.csv")
    assert found.target_kind == "class"
    assert any("--label-separator '|' reads them so" in note for note in found.notes)
    found = read(tmp_path / "some.csv", label_separator="|")
    assert (found.target_kind, found.class_names) == ("classes", ("a", "b", "c"))


def class_folders(folder, splits=("train", "test")):
    names = {"train": 6, "test": 3, "": 6}
    files = {}
    for split in splits:
        for label in "ab":
            for n in range(names[split]):
                files[f"{split}/{label}/{n}.txt".lstrip("/")] = f"{split} text {n}\nof class {label}"
    return write(folder, files)


@pytest.mark.parametrize("kind", ["folder", "tar.gz", "tar", "tar.bz2", "tar.xz", "zip"])
def test_class_folders(tmp_path, kind):
    folder = class_folders(tmp_path / "mails", ("",))
    write(folder, {".DS_Store": b"\0", "a/.hidden": b"x", "__MACOSX/a/._0.txt": b"\0", "README": b"about"})
    path = folder
    if kind == "zip":
        path = zip_of(folder, tmp_path / "mails.zip")
    elif kind != "folder":
        path = tar_of(folder, tmp_path / f"mails.{kind}", "w:" + kind.partition(".")[2])
    found = read(path)
    assert found.class_names == ("a", "b")
    assert texts_of(found.splits["train"]) == [(f" text {n}\nof class {x}", x) for x in "ab" for n in range(6)]
    assert [note for note in found.notes if "left out" in note and "README" in note]
    assert set(found.splits) == {"train"}


@pytest.mark.parametrize("kind", ["folder", "tar.gz", "zip"])
@pytest.mark.parametrize("names", [("train", "test"), ("20news-bydate-train", "20news-bydate-test")])
def test_splits_of_class_folders(tmp_path, kind, names):
    folder = class_folders(tmp_path / "all")
    for old, new in zip(("train", "test"), names, strict=True):
        (folder / old).rename(folder / new)
    write(folder, {f"{names[0]}/unsup/{n}.txt": f"unlabeled {n}" for n in range(4)})
    write(folder, {f"{names[0]}/urls.txt": "no text of a class"})
    path = {"folder": lambda: folder, "zip": lambda: zip_of(folder, tmp_path / "all.zip")}.get(
        kind, lambda: tar_of(folder, tmp_path / "all.tgz")
    )()
    found = read(path)
    assert {name: split.tally.read for name, split in found.splits.items()} == {"train": 12, "test": 6, "unlabeled": 4}
    assert texts_of(found.splits["test"])[0] == ("test text 0\nof class a", "a")
    assert sorted(text for text, _ in texts_of(found.splits["unlabeled"])) == [f"unlabeled {n}" for n in range(4)]


def test_a_class_may_be_called_train(tmp_path):
    folder = write(
        tmp_path / "pictures", {f"{label}/{n}": f"a {label}" for label in ("train", "bus") for n in range(4)}
    )
    assert read(folder).class_names == ("bus", "train")


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_splits_of_tables(tmp_path, kind):
    files = {"train.csv": CSV, "dev.csv": CSV, "test.csv.gz": gzip.compress(CSV.encode()), "notes.md": "# About"}
    folder = write(tmp_path / "all", files)
    found = read(folder if kind == "folder" else zip_of(folder, tmp_path / "all.zip"))
    assert {name: split.tally.read for name, split in found.splits.items()} == dict.fromkeys(
        ("train", "validation", "test"), 12
    )


@pytest.mark.parametrize("kind", ["texts", "class folders", "splits", "table"])
def test_other_splits_may_be_folders(tmp_path, kind):
    write(tmp_path, {"train.csv": CSV})
    folder = {
        "texts": lambda: write(tmp_path / "new", {f"{n}.txt": f"text {n}" for n in range(6)}),
        "class folders": lambda: class_folders(tmp_path / "new", ("",)),
        "splits": lambda: write(
            tmp_path / "new", {f"{split}/a/{n}": f"{n}" for split in ("train", "unsup", "test") for n in range(6)}
        ),
        "table": lambda: write(
            tmp_path / "new", {"one.csv": "id,text\n" + "".join(f"{n},some text\n" for n in range(6))}
        ),
    }[kind]()
    found = read(tmp_path / "train.csv", {"unlabeled": str(folder)})
    assert {name: split.tally.read for name, split in found.splits.items()}["unlabeled"] in (6, 12)
    if kind == "class folders":
        found = read(tmp_path / "train.csv", {"test": str(folder), "validation": str(folder)})
        assert (found.splits["test"].tally.read, found.splits["validation"].tally.read) == (12, 12)


def test_a_split_in_several_files(tmp_path):
    def part(number):
        return parquet_of({"text": [f"{number} {n}" for n in range(12)], "label": [label for _, label in ROWS]})

    names = ("train-00000-of-00002", "train-00001-of-00002", "test-00000-of-00001")
    folder = write(tmp_path / "hub", {f"data/{name}.parquet": part(number) for number, name in enumerate(names)})
    found = read(folder)
    assert {name: split.tally.read for name, split in found.splits.items()} == {"train": 24, "test": 12}
    assert [text for text, _ in texts_of(found.splits["train"])][11:13] == ["0 11", "1 0"]


def test_one_table_in_an_archive(tmp_path):
    path = zip_of(write(tmp_path / "export", {"tickets.csv": CSV, "LICENSE.md": "mine"}), tmp_path / "tickets.zip")
    assert texts_of(read(path).splits["train"]) == ROWS


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "the folder is empty"),
        ({".hidden": "x"}, "the folder is empty"),
        (
            {"one.csv": CSV, "two.csv": CSV},
            r"holds 2 files \(one.csv, two.csv\), and none is called train. Name the file",
        ),
    ],
)
def test_folders_that_hold_no_data(tmp_path, files, message):
    (tmp_path / "all").mkdir()
    with pytest.raises(DataError, match=message):
        read(write(tmp_path / "all", files))


def test_an_excel_workbook(tmp_path):
    with zipfile.ZipFile(tmp_path / "tickets.xlsx", "w") as archive:
        archive.writestr("[Content_Types].xml", "<x/>")
        archive.writestr("xl/workbook.xml", "<x/>")
    with pytest.raises(DataError, match=r"tickets.xlsx is an Excel workbook. Save the sheet as CSV"):
        read(tmp_path / "tickets.xlsx")


def test_damaged_archives_are_named(tmp_path):
    folder = class_folders(tmp_path / "all")
    for path in (zip_of(folder, tmp_path / "all.zip"), tar_of(folder, tmp_path / "all.tar.gz")):
        path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
        with pytest.raises(DataError, match=rf"{path.name}.* cannot be read: .*fetch it again"):
            read(path)


def test_what_is_not_there(tmp_path):
    with pytest.raises(DataError, match=r"no.csv does not exist. Check the path."):
        read(tmp_path / "no.csv")


def test_the_encoding_is_that_of_every_text(tmp_path):
    folder = write(
        tmp_path / "mails", {f"{label}/{n}": f"schön {n}".encode("latin-1") for label in "ab" for n in range(3)}
    )
    with pytest.raises(DataError, match=r"mails/a/0, line 1: the byte 0xf6 at byte offset 3 is not UTF-8"):
        read(folder)
    assert texts_of(read(folder, encoding="iso8859-1").splits["train"])[0] == ("schön 0", "a")
    write(folder, {"b/9": "mit Zeichen: schön".encode("utf-8-sig"), "b/8": "breit schön".encode("utf-16")})
    assert [text for text, _ in texts_of(read(folder, encoding="iso8859-1").splits["train"])][-2:] == [
        "breit schön",
        "mit Zeichen: schön",
    ]


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("content", [CSV, JSON, FASTTEXT])
def test_unicode_is_read_as_it_is(tmp_path, codec, content):
    (tmp_path / "some").write_bytes(content.replace("this is", "dies ist für").encode(codec))
    found = read(tmp_path / "some")
    assert texts_of(found.splits["train"])[2] == ("dies ist für text number 2", "c")
    assert found.reading["encoding"].startswith("UTF-8 with a" if codec == "utf-8-sig" else "UTF-16-")


def test_a_beginning_that_ends_within_a_quoted_field(tmp_path, monkeypatch):
    """The first look at a file sees some lines of it, and the last of these may be any."""
    from pipelines.files import delimited

    rows = [(f"some, text\nnumber {n}\n\n{n}", "ab"[n % 2]) for n in range(40)]
    content = "text,label\n" + "".join(f'"{text}",{label}\n' for text, label in rows)
    (tmp_path / "some.csv").write_text(content)
    for lines in range(2, 40):
        monkeypatch.setattr(delimited, "_SAMPLE_LINES", lines)
        assert texts_of(read(tmp_path / "some.csv").splits["train"]) == rows, lines


def test_members_are_never_written_to_disk(tmp_path):
    """A member whose name leads out of the archive is a text like any other."""
    with tarfile.open(tmp_path / "all.tar", "w") as archive:
        for n in range(6):
            member = tarfile.TarInfo(f"../../{'ab'[n % 2]}/{n}")
            member.size = 4
            archive.addfile(member, io.BytesIO(b"word"))
    before = sorted(tmp_path.rglob("*"))
    found = read(tmp_path / "all.tar")
    assert sorted(tmp_path.rglob("*")) == before
    assert found.splits["train"].tally.read == 6
