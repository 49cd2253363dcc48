"""Folders whose names are classes, with one text a file; and folders and archives that hold splits."""

import dataclasses
import re
from collections.abc import Iterator, Sequence

from pipelines.errors import DataError
from pipelines.files import encodings
from pipelines.files.encodings import Undecodable
from pipelines.files.file_rows import UNDECODABLE, BadRow, Row, Table
from pipelines.files.trees import File, Tree

# In the order that they are looked for.
SPLITS = {
    "train": {"train", "training", "trn"},
    "validation": {"validation", "valid", "val", "dev"},
    "test": {"test", "testing", "tst"},
    "unlabeled": {"unsup", "unlabeled", "unlabelled", "unsupervised"},
}
_TABLES = {".csv", ".tsv", ".tab", ".json", ".jsonl", ".ndjson", ".parquet", ".ft"}
_SUFFIXES = {".gz", ".bz2", ".xz"}


@dataclasses.dataclass(frozen=True)
class Layout:
    """Where the splits of a folder or an archive lie.

    Attributes:
        tables: files of rows, by split.
        folders: files of one text, by split, each with its class, or None where it is unlabeled.
        left_out: files that belong to no split.
    """

    tables: dict[str, list[File]]
    folders: dict[str, list[tuple[File, str | None]]]
    left_out: tuple[str, ...]


def find_layout(tree: Tree, whole: str = "train") -> Layout:
    """Find splits and classes by the names of folders and files.

    Args:
        tree: the folder or the archive.
        whole: the split that it is where it holds no splits.

    Raises:
        DataError: there are none, or several that could be meant.
    """
    files = _without_wrapping({file: file.parts for file in tree.files})
    if not files:
        why = f"left out are {', '.join(tree.left_out[:3])}" if tree.left_out else f"the {tree.kind} is empty"
        raise DataError(f"{tree.name} holds no file that could be read: {why}.")
    layout = _sorted(tree, whole, files)
    return dataclasses.replace(layout, left_out=(*layout.left_out, *tree.left_out))


def _sorted(tree: Tree, whole: str, files: dict[File, tuple[str, ...]]) -> Layout:
    """Sort files into splits and classes."""
    folders: dict[str, list[tuple[File, str | None]]] = {}
    tables: dict[str, list[File]] = {}
    left_out: list[str] = []
    tops = {parts[0] for parts in files.values() if len(parts) > 1}
    split_of = {top: split for top in tops if (split := _split_named(top))}
    only = set(split_of.values()) == {"train"} and len(split_of) < len(tops)
    if "train" in split_of.values() and (not only or _is_split(tree, files, set(split_of), tops - set(split_of))):
        for split in dict.fromkeys(split_of.values()):
            inside = {
                file: parts[1:] for file, parts in files.items() if len(parts) > 1 and split_of.get(parts[0]) == split
            }
            _fill(split, inside, tables, folders, left_out)
        left_out += [file.name for file, parts in files.items() if len(parts) == 1 or parts[0] not in split_of]
        return Layout(tables, folders, tuple(left_out))
    lying = [file for file, parts in files.items() if len(parts) == 1]
    if any(_is_table(file) for file in lying) or (not tops and whole != "unlabeled"):
        candidates = [file for file in lying if _is_table(file)] or lying
        left_out = [file.name for file in files if file not in candidates]
        for file in candidates:
            if split := _split_named(_stem(file.parts[-1])):
                tables.setdefault(split, []).append(file)
        if "train" not in tables and len(candidates) == 1:
            return Layout({whole: candidates}, {}, tuple(left_out))
        if "train" not in tables:
            raise DataError(
                f"{tree.name} holds {len(candidates)} files ({', '.join(file.parts[-1] for file in candidates[:5])}"
                f"{', …' if len(candidates) > 5 else ''}), and none is called train. Name the file to train on, "
                "call one train and another test, or give each class a folder of its own."
            )
        named = {file for each in tables.values() for file in each}
        left_out += [file.name for file in candidates if file not in named]
        return Layout(tables, {}, tuple(left_out))
    _fill(whole, files, tables, folders, left_out)
    return Layout(tables, folders, tuple(left_out))


def open_table(tree: Tree, chosen: Sequence[tuple[File, str | None]], given: str | None) -> Table:
    """Take each file for a row of two columns: its text, and the folder that it lies in.

    Args:
        tree: where the files lie.
        chosen: files of one split, with their classes.
        given: the encoding that the user typed.
    """
    class_of = dict(chosen)
    # `tree.files` is in the order in which they can be read.
    ordered = [file for file in tree.files if file in class_of]
    seen: set[str] = set()

    def read(columns: Sequence[int]) -> Iterator[Row | BadRow]:
        for file, content in tree.contents(ordered):
            encoding = encodings.find(content[: encodings.HEAD], given)
            seen.add(str(encoding))
            text = encodings.whole_text(content, file.name, encoding)
            if type(text) is Undecodable:
                yield BadRow(file.name, None, UNDECODABLE)
            else:
                fields = (text, class_of[file])
                yield Row(file.name, None, [fields[index] for index in columns])

    return Table(tree.name, "class folders", "", ("text", "label"), False, read, fixed=True, seen=seen)


def _is_split(tree: Tree, files: dict[File, tuple[str, ...]], train: set[str], others: set[str]) -> bool:
    """Whether a folder called train, beside some of other names, is a split; with texts in it, it is a class of trains.

    Raises:
        DataError: it could be either.
    """
    inside = [(file, parts[1:]) for file, parts in files.items() if len(parts) > 1 and parts[0] in train]
    if any(len(parts) == 1 and _is_table(file) for file, parts in inside):
        return True
    if len({parts[0] for _, parts in inside if len(parts) > 1}) < 2:
        return False
    if any(len(parts) > 2 for parts in files.values() if parts[0] in others):
        name, other = min(train), min(others)
        raise DataError(
            f"{tree.name}: {name} holds folders, as a split of class folders does, and so does {other} beside it, "
            f"which is no split. To train on {name} alone, move {other} out of the {tree.kind}; if both are classes, "
            f"call {name} something else than a split."
        )
    return True


def _fill(
    split: str,
    files: dict[File, tuple[str, ...]],
    tables: dict[str, list[File]],
    folders: dict[str, list[tuple[File, str | None]]],
    left_out: list[str],
) -> None:
    """Sort the files of one split: tables, or class folders, and texts without a class beside them."""
    classes = {parts[0] for parts in files.values() if len(parts) > 1}
    if not classes:
        found = [file for file in files if _is_table(file)]
        if found:
            tables.setdefault(split, []).extend(found)
            left_out += [file.name for file in files if file not in found]
        elif split == "unlabeled":
            folders.setdefault(split, []).extend((file, None) for file in files)
        elif len(files) == 1:
            tables.setdefault(split, []).extend(files)
        else:
            left_out += [file.name for file in files]
        return
    for file, parts in files.items():
        if len(parts) == 1:
            left_out.append(file.name)
        elif split == "unlabeled" or _split_named(parts[0]) == "unlabeled":
            folders.setdefault("unlabeled", []).append((file, None))
        else:
            folders.setdefault(split, []).append((file, parts[0]))


def _without_wrapping(files: dict[File, tuple[str, ...]]) -> dict[File, tuple[str, ...]]:
    """Leave out a folder that everything lies in, unless its name means something."""
    while True:
        tops = {parts[0] for parts in files.values()}
        if len(tops) != 1 or min(map(len, files.values())) < 2 or _split_named(next(iter(tops))):
            return files
        files = {file: parts[1:] for file, parts in files.items()}


def _split_named(name: str) -> str | None:
    """Tell the split that a name means, such as `20news-bydate-train` or `train-00000-of-00002`."""
    words = set(re.split(r"[\W_]+", name.lower()))
    meant = [split for split, names in SPLITS.items() if words & names]
    return meant[0] if len(meant) == 1 else None


def _is_table(file: File) -> bool:
    name = file.parts[-1].lower()
    for suffix in _SUFFIXES:
        name = name.removesuffix(suffix)
    return any(name.endswith(suffix) for suffix in _TABLES)


def _stem(name: str) -> str:
    return name.partition(".")[0]
