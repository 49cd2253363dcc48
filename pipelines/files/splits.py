"""From paths to splits: what lies at a path, which files belong to which split, and what the user should know of it."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.errors import DataError
from pipelines.files import class_folders, columns, formats, labels
from pipelines.files.columns import Columns
from pipelines.files.file_rows import Table
from pipelines.files.opening import open_path
from pipelines.files.reading import FileSplit, doubt, read_split
from pipelines.files.trees import File

_FLAGS = {"test": "--test-file", "validation": "--validation-file", "unlabeled": "--unlabeled-file"}
# In the order they are read: labels of the others must be among those of train.
_ORDER = ("train", "validation", "test", "unlabeled")


@dataclasses.dataclass(frozen=True)
class Found:
    """Splits that were read once.

    Attributes:
        splits: by name; train is there.
        class_names: one name a class, as the user wrote it.
        target_kind: "class" or "classes".
        notes: sentences for the user.
        reading: the same for programs.
    """

    splits: Mapping[str, FileSplit]
    class_names: tuple[str, ...]
    target_kind: str
    notes: tuple[str, ...]
    reading: Mapping[str, Any]


def read_splits(
    path: str,
    given: Mapping[str, str],
    *,
    text_column: str | None,
    label_column: str | None,
    label_separator: str | None,
    encoding: str | None,
    on_bad_rows: str,
) -> Found:
    """Find the splits at a path, and read each once.

    Args:
        path: of a file, a folder or an archive.
        given: paths of other splits by name.
        text_column, label_column, label_separator: as the user typed them.
        encoding: as `encodings.checked` returns it.
        on_bad_rows: "skip" or "error".

    Raises:
        DataError: what cannot be read.
    """
    notes: list[str] = []
    wanted = [name for typed in (text_column, label_column) if typed for name in (typed, *typed.split(","))]
    tables = _tables(path, encoding, wanted, notes)
    if "train" not in tables:
        raise DataError(f"{path} has no texts to train on. Call a folder or a file of it train, or name such a path.")
    train = tables["train"][0]
    chosen = columns.choose(train, text_column, label_column)
    for name, file in given.items():
        if name in tables:
            notes.append(f"{_FLAGS[name]} {file} takes the place of the {name} split in {path}.")
        texts = chosen.text if name == "unlabeled" else ()
        others = _tables(file, encoding, wanted, notes, name, texts)
        tables[name] = [table for each in others.values() for table in each]
    splits: dict[str, FileSplit] = {}
    for name in _ORDER:
        if name in tables:
            parts = [(table, _columns_of(table, chosen, train, name)) for table in tables[name]]
            split = FileSplit(name, parts, label_separator, labelled=name != "unlabeled")
            splits[name] = read_split(split, on_bad_rows)
            notes.append(_note(split, chosen if name == "train" else None))
            if name == "train" and (sentence := doubt(split)):
                notes.append(sentence)
    labelled = [split for split in splits.values() if split.labelled]
    names = labels.class_names(splits["train"].counts)
    kind = labels.target_kind((said for split in labelled for said in split.counts), label_separator)
    _check_labels(labelled, names)
    separator = labels.likely_separator(dict.fromkeys(names, 1)) if kind == "class" else None
    if separator is not None:
        notes.append(
            f"Labels look like several with {separator!r} between them, such as "
            f"{next(name for name in names if separator in name)!r}; --label-separator '{separator}' reads them so."
        )
    return Found(splits, names, kind, tuple(notes), _reading(splits, chosen))


def _tables(
    path: str, encoding: str | None, wanted: list[str], notes: list[str], only: str = "", texts: Sequence[str] = ()
) -> dict[str, list[Table]]:
    """Open what lies at a path, as tables by split; all of it for one split where that is asked for."""
    found = open_path(path, encoding)
    if isinstance(found, File):
        return {only or "train": [formats.open_table(found, encoding, wanted, texts)]}
    layout = class_folders.find_layout(found, only or "train")
    tables = {
        split: [formats.open_table(file, encoding, wanted, texts) for file in files]
        for split, files in layout.tables.items()
    }
    for split, chosen in layout.folders.items():
        tables.setdefault(split, []).append(class_folders.open_table(found, chosen, encoding))
    if layout.left_out:
        some = ", ".join(layout.left_out[:3]) + (", …" if len(layout.left_out) > 3 else "")
        files = "1 file is" if len(layout.left_out) == 1 else f"{len(layout.left_out):,} files are"
        notes.append(f"{files} left out, as no texts of a class: {some}.")
    if only and only not in tables and len(tables) > 1:
        raise DataError(
            f"{path}, given as {_FLAGS[only]}, holds several splits, {' and '.join(tables)}, and none that is called "
            f"{only}. Give the path of the one that is meant."
        )
    # A folder that is given as a split may call itself one, or lie there as class folders alone.
    return {only: tables[only]} if only in tables else tables


def _columns_of(table: Table, chosen: Columns, train: Table, split: str) -> Columns:
    if table is train:
        return chosen
    return columns.same(table, chosen, train, labelled=split != "unlabeled")


def _check_labels(splits: list[FileSplit], names: tuple[str, ...]) -> None:
    """Raise `DataError` for a label that train lacks."""
    known = set(names)
    for split in splits:
        for said, where in split.places.items():
            for label in (said,) if isinstance(said, str) else said:
                if label not in known:
                    shown = ", ".join(map(repr, names[:10])) + (", …" if len(names) > 10 else "")
                    raise DataError(
                        f"{where}: the label {label!r} of the {split.name} split is none of train's, which are "
                        f"{shown}. Mend the label, add texts of it to train, or take these rows out; a file without "
                        "labels can be given as --unlabeled-file."
                    )


def _note(split: FileSplit, chosen: Columns | None) -> str:
    """Tell how a split was read."""
    table, tally = split.parts[0][0], split.tally
    more = f" and {len(split.parts) - 1} more" if len(split.parts) > 1 else ""
    how = ", ".join(part for part in (table.format, table.encodings, table.details) if part)
    where = f"; {chosen.note}" if chosen is not None and chosen.note else ""
    rows = f"{tally.read:,} rows read"
    if tally.skipped:
        rows += f" and {tally.skipped:,} skipped of {tally.present:,}: {tally.by_reason()}. The first: {tally.named()}"
    return f"{split.name} is {table.file}{more} ({how}{where}): {rows}."


def _reading(splits: Mapping[str, FileSplit], chosen: Columns) -> dict[str, Any]:
    train = splits["train"].parts[0][0]
    rows = {name: split.tally.to_dict() for name, split in splits.items()}
    return {
        "format": train.format,
        "encoding": train.encodings,
        "header": train.named,
        "text_column": list(chosen.text),
        "label_column": chosen.label,
        "files": [
            {"split": name, "file": table.file, "format": table.format, "encoding": table.encodings}
            for name, split in splits.items()
            for table, _ in split.parts
        ],
        "rows": {number: sum(found[number] for found in rows.values()) for number in ("present", "read", "skipped")},
        "splits": rows,
    }
