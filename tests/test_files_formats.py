"""Formats told by content, and where splits and classes lie in folders and archives."""

import bz2
import gzip
import io
import json
import lzma
import os
import tarfile
import warnings
import zipfile

import pytest

from pipelines.errors import DataError
from pipelines.files import class_folders as class_folders_module
from pipelines.files.opening import open_path
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
def test_train_beside_a_folder_that_is_no_split(tmp_path, kind):
    folder = class_folders(tmp_path / "all", ("train",))
    write(folder, {"docs/about.md": "What this is", "docs/licence": "mine"})
    found = read(folder if kind == "folder" else zip_of(folder, tmp_path / "all.zip"))
    assert (found.class_names, found.splits["train"].tally.read) == (("a", "b"), 12)
    assert any("2 files are left out" in note and "docs/about.md" in note for note in found.notes)
    write(tmp_path / "tables", {"train/part.csv": CSV, "docs/about.md": "What this is"})
    assert read(tmp_path / "tables").splits["train"].tally.read == 12


def test_train_beside_a_folder_that_may_be_a_class_like_it(tmp_path):
    folder = write(
        tmp_path / "all", {f"{x}/{year}/{n}": f"{n}" for x in ("train", "bus") for year in "12" for n in "ab"}
    )
    with pytest.raises(DataError, match=r"all: train holds folders, .* and so does bus beside it.*move bus out of the"):
        read(folder)


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
    assert found.splits["unlabeled"].tally.read == (12 if kind == "class folders" else 6)
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


def test_links_are_followed_and_what_leads_nowhere_is_told(tmp_path):
    folder = class_folders(tmp_path / "all", ("",))
    (tmp_path / "elsewhere").mkdir()
    for n in range(3):
        (tmp_path / "elsewhere" / f"{n}.txt").write_text(f"text {n} of c")
    (folder / "c").symlink_to(tmp_path / "elsewhere")
    (folder / "a" / "linked").symlink_to(folder / "b" / "0.txt")
    (folder / "a" / "broken").symlink_to(tmp_path / "nowhere")
    (folder / "a" / "itself").symlink_to("itself")
    (folder / "b" / "around").symlink_to(folder)
    os.mkfifo(folder / "b" / "pipe")
    found = read(folder)
    assert found.splits["train"].counts == {"a": 7, "b": 6, "c": 3}
    note = next(note for note in found.notes if "left out" in note)
    assert note.startswith("4 files are left out")
    assert f"{folder}/a/broken (a broken link)" in note
    layout = class_folders_module.find_layout(open_path(str(folder)))
    assert [each.rpartition("/")[2] for each in layout.left_out] == [
        "broken (a broken link)", "itself (a broken link)", "around (a link to a folder that it lies in)",
        "pipe (no regular file)",
    ]  # fmt: skip


def test_a_folder_that_may_not_be_read_is_an_error(tmp_path, monkeypatch):
    folder = class_folders(tmp_path / "all", ("",))
    real = os.scandir

    def scandir(path):
        if str(path).endswith("b"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    # The tests may run as root, who may read everything.
    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(DataError, match=r"all cannot be read: \[Errno 13\] Permission denied: '.*/all/b'. Check"):
        read(folder)


def test_hard_links_in_a_tar_archive_are_texts(tmp_path):
    folder = class_folders(tmp_path / "all", ("",))
    for n in range(3):
        os.link(folder / "a" / f"{n}.txt", folder / "b" / f"linked{n}.txt")
    (folder / "b" / "link").symlink_to("0.txt")
    for mode in ("w", "w:gz"):
        found = read(tar_of(folder, tmp_path / "all.tar", mode))
        train = found.splits["train"]
        assert train.counts == {"a": 6, "b": 9}
        assert sorted(texts_of(train))[:3] == [
            (" text 0\nof class a", "a"), (" text 0\nof class a", "b"), (" text 0\nof class b", "b"),
        ]  # fmt: skip
        assert any("1 file is left out" in note and "all/b/link (a link)" in note for note in found.notes)


def test_a_later_member_of_the_same_name_replaces_and_is_told(tmp_path):
    members = [("a/0", "old"), ("a/1", "x"), ("b/0", "y"), ("b/1", "z"), ("a/0", "newer")]
    with tarfile.open(tmp_path / "all.tar", "w") as archive:
        for name, text in members:
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    with warnings.catch_warnings(), zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        warnings.simplefilter("ignore")
        for name, text in members:
            archive.writestr(name, text)
    for path in (tmp_path / "all.tar", tmp_path / "all.zip"):
        tree = open_path(str(path))
        found = read(path)
        assert sorted(texts_of(found.splits["train"])) == [("newer", "a"), ("x", "a"), ("y", "b"), ("z", "b")]
        assert [file.head(9) for file in tree.files if file.parts == ("a", "0")] == [b"newer"]
        assert any(f"{path}/a/0 (a later one has its name)" in note for note in found.notes)


def zip_with_raw_names(path, names):
    """Write texts under names that are bytes, as programs do that set no flag of UTF-8."""
    with zipfile.ZipFile(path, "w") as archive:
        for number, name in enumerate(names):
            archive.writestr(f"{number:0{len(name)}d}", f"text {number}")
    content = path.read_bytes()
    for number, name in enumerate(names):
        placeholder = b"%0*d" % (len(name), number)
        assert content.count(placeholder) == 2
        content = content.replace(placeholder, name)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("codec", ["gb18030", "utf-8", "cp437"])
def test_names_in_zip_archives_without_the_flag_of_utf8(tmp_path, codec):
    labels = ("très", "où") if codec == "cp437" else ("体育", "财经")
    names = [f"{labels[n % 2]}/number {n}".encode(codec) for n in range(8)]
    path = zip_with_raw_names(tmp_path / "all.zip", names)
    if codec == "utf-8":
        # On a Mac, the names are UTF-8 whatever the texts are.
        assert read(path, encoding="gb18030").class_names == ("体育", "财经")
    else:
        with pytest.raises(
            DataError, match=r"all.zip: the names in it are no UTF-8, such as b'.*add it, such as --enc"
        ):
            read(path)
    assert read(path, encoding=None if codec == "utf-8" else codec).class_names == tuple(sorted(labels))
    if codec == "gb18030":
        with pytest.raises(DataError, match="no UTF-8, and not ASCII either"):
            read(path, encoding="ascii")


def test_class_folders_tell_the_encodings_of_their_texts(tmp_path):
    folder = class_folders(tmp_path / "all", ("",))
    assert read(folder).reading["encoding"] == "UTF-8"
    write(folder, {"a/wide": "weit".encode("utf-16")})
    found = read(folder)
    assert found.reading["encoding"] == "UTF-16-LE with a byte order mark, UTF-8"
    assert any("(class folders, UTF-16-LE with a byte order mark, UTF-8)" in note for note in found.notes)
    assert read(folder, encoding="iso8859-1").reading["encoding"] == "ISO8859-1, UTF-16-LE with a byte order mark"


@pytest.mark.parametrize("separator", [";", "\t", "^", ","])
@pytest.mark.parametrize("quotes", ["", '"'])
def test_the_line_that_tells_excel_the_separator_is_no_row(tmp_path, separator, quotes):
    content = f"{quotes}sep={separator}{quotes}\r\n" + CSV.replace(",", separator).replace("\n", "\r\n")
    (tmp_path / "some.csv").write_text(content, newline="")
    found = read(tmp_path / "some.csv")
    assert texts_of(found.splits["train"]) == ROWS
    assert any("its line 2 names the columns" in note for note in found.notes)
    (tmp_path / "some.csv").write_text(content.replace("number 5", "number 5" + separator), newline="")
    bad = read(tmp_path / "some.csv").splits["train"].tally.first
    assert [(row.line, row.detail) for row in bad] == [(8, "3 instead of 2")]
