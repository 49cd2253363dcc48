"""Numeric sequences in long tables, a time step a row: CSV, TSV, JSON lines, Parquet."""

import array
import dataclasses
import datetime
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from pipelines.errors import DataError
from pipelines.files import encodings, formats, labels
from pipelines.files.bad_rows import Tally
from pipelines.files.columns import MOST_CLASSES
from pipelines.files.data_names import CARVED, data_name
from pipelines.files.file_rows import INFINITE, NO_ID, NO_LABEL, NO_NUMBER, NO_TIME, NO_VALUE, BadRow, Table, place
from pipelines.files.opening import open_path
from pipelines.files.sequence_columns import SequenceColumns, choose, same
from pipelines.files.trees import File
from pipelines.sequence_data import SequenceData, Sequences, from_sequences
from pipelines.splitting import FRACTIONS

_GREATEST = float(np.finfo(np.float32).max)


@dataclasses.dataclass
class _Sequence:
    """The rows of one sequence so far.

    Attributes:
        label: what its rows say.
        where: its first row, for messages.
        values: of all channels, one row after the other.
        times: of the rows, as differences from the first: whole numbers of nanoseconds since 1970 are too large for
            floats, and their differences are not.
        first_time: the first of them.
    """

    label: str
    where: str
    values: array.array = dataclasses.field(default_factory=lambda: array.array("f"))
    times: array.array = dataclasses.field(default_factory=lambda: array.array("d"))
    first_time: int | float = 0


@dataclasses.dataclass
class _Split:
    """One table, read once."""

    table: Table
    sequences: dict[str, _Sequence]
    tally: Tally


def load(
    path: str,
    /,
    *,
    sequence_column: str,
    time_column: str | None = None,
    label_column: str | None = None,
    channel_columns: str | None = None,
    test_file: str | None = None,
    validation_file: str | None = None,
    encoding: str | None = None,
    on_bad_rows: str = "skip",
    split_seed: int = 0,
    validation_fraction: float | None = None,
    test_fraction: float | None = None,
) -> SequenceData:
    """Load a table whose rows are time steps.

    Args:
        path: of the file.
        sequence_column: name of the column whose value the rows of one sequence share, or its number from 1.
        time_column: of the one that orders these rows, numbers or dates; where none is named so, they stay as they
            stand.
        label_column: of the label, the same in all rows of a sequence.
        channel_columns: of the numbers, several with commas between; all other columns where None.
        test_file, validation_file: tables of given splits; a test that is not given is carved. No sequence is in two
            splits.
        encoding: of the text; else it must be UTF-8 or UTF-16.
        on_bad_rows: "skip" leaves a time step out that cannot be read, and counts it; "error" stops at the first.
        split_seed: seed of carved splits.
        validation_fraction: share of train's sequences to carve, between 0 and 1.
        test_fraction: share of all sequences to carve where no test is given, between 0 and 1.

    Raises:
        DataError: whatever cannot be read, with the file, the line, the column and how to mend it.
    """
    if on_bad_rows not in ("skip", "error"):
        raise DataError(f"on_bad_rows is {on_bad_rows!r}; expected 'skip' or 'error'.")
    codec = encodings.checked(encoding)
    typed = (sequence_column, time_column, label_column, channel_columns)
    wanted = [name for each in typed if each for name in (each, *each.split(","))]
    files = {"train": path, "validation": validation_file, "test": test_file}
    tables = {split: _table(file, codec, wanted) for split, file in files.items() if file is not None}
    columns = choose(tables["train"], *typed)
    read = {
        split: _read(table, columns if split == "train" else same(table, columns, tables["train"]), on_bad_rows)
        for split, table in tables.items()
    }
    names = labels.class_names({found.label for found in read["train"].sequences.values()})
    _check_labels(read, names)
    index = {name: label for label, name in enumerate(names)}
    splits = {split: _sequences(found, columns, index) for split, found in read.items()}
    notes = [sentence for split, found in read.items() for sentence in _notes(split, found, columns, read["train"])]
    if "test" not in splits:
        notes.append(CARVED.format(share=test_fraction or FRACTIONS["test"], noun="sequences", seed=split_seed))
    return from_sequences(
        data_name(path),
        splits["train"],
        splits.get("test"),
        names,
        columns.channels,
        validation=splits.get("validation"),
        validation_fraction=validation_fraction,
        test_fraction=test_fraction,
        split_seed=split_seed,
        notes=notes,
        reading=_reading(read, columns),
    )


def _table(path: str, encoding: str | None, wanted: Sequence[str]) -> Table:
    found = open_path(path, encoding)
    if not isinstance(found, File):
        raise DataError(
            f"{path} is a {found.kind}; sequences are read from one table. Name the file, and those of other splits "
            "with --validation-file and --test-file."
        )
    return formats.open_table(found, encoding, wanted)


def _read(table: Table, columns: SequenceColumns, on_bad_rows: str) -> _Split:
    """Read a table once."""
    split = _Split(table, {}, Tally())
    width = len(columns.channels)
    for row in table.read(columns.indices):
        bad = row if isinstance(row, BadRow) else _add(split.sequences, row, columns, width)
        if bad is None:
            split.tally.read += 1
        else:
            split.tally.skip(bad, on_bad_rows)
    split.tally.check(table.file, _hint(split.tally))
    if not split.sequences:
        raise DataError(f"{table.file}: there is no row with numbers and a label. Add some.")
    return split


def _add(sequences: dict[str, _Sequence], row: Any, columns: SequenceColumns, width: int) -> BadRow | None:
    """Add a row to its sequence, or say why it cannot be."""
    said, label, *cells = row.fields
    name, found_label = _word(said), _word(label)
    if name is None:
        return BadRow(row.file, row.line, NO_ID, f"column {columns.sequence!r}")
    if found_label is None:
        return BadRow(row.file, row.line, NO_LABEL, f"column {columns.label!r}")
    numbers: list[float] = []
    for channel, cell in zip(columns.channels, cells, strict=False):
        number, reason = _number(cell)
        if reason:
            shown = f"column {channel!r}" + (f" is {str(cell)[:40]!r}" if reason != NO_VALUE else "")
            return BadRow(row.file, row.line, reason, shown)
        numbers.append(number)
    time: int | float = 0
    if columns.time is not None:
        instant = _instant(cells[width])
        if instant is None:
            return BadRow(row.file, row.line, NO_TIME, f"column {columns.time!r} is {str(cells[width])[:40]!r}")
        time = instant
    found = sequences.get(name)
    if found is None:
        found = sequences[name] = _Sequence(found_label, place(row.file, row.line), first_time=time)
    elif found.label != found_label:
        raise DataError(
            f"{place(row.file, row.line)}: the sequence {name!r} has the label {found_label!r} here and "
            f"{found.label!r} in {found.where}. A sequence has one label: give each stretch of one label an id of its "
            "own in the sequence column."
        )
    found.values.extend(numbers)
    if columns.time is not None:
        found.times.append(time - found.first_time)
    return None


def _word(cell: Any) -> str | None:
    """Read an id or a label; None where there is none."""
    found = labels.parse(cell, None)
    return found if isinstance(found, str) else None


def _number(cell: Any) -> tuple[float, str]:
    """Read a number of a channel, or give the reason why it is none."""
    if cell is None or (isinstance(cell, str) and not cell.strip()):
        return 0.0, NO_VALUE
    # Python reads 1_000 as a number, which no other program writes.
    if not isinstance(cell, str) or "_" in cell:
        return 0.0, NO_NUMBER
    try:
        number = float(cell)
    except ValueError:
        return 0.0, NO_NUMBER
    return (number, "") if abs(number) <= _GREATEST else (0.0, INFINITE)


def _instant(cell: Any) -> int | float | None:
    """Read a time, a number or a date in ISO 8601, in seconds or whatever its unit is."""
    text = cell.strip() if isinstance(cell, str) and "_" not in cell else ""
    try:
        return int(text)
    except ValueError:
        number, reason = _number(text)
        if not reason:
            return number
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        return None
    # A date without a zone is taken for one of UTC: of all its neighbours it is true or false alike.
    return (moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)).timestamp()


def _sequences(split: _Split, columns: SequenceColumns, index: Mapping[str, int]) -> Sequences:
    """Put the rows of each sequence in order, and all of them together."""
    width = len(columns.channels)
    parts: list[np.ndarray] = []
    for found in split.sequences.values():
        values = np.frombuffer(found.values, np.float32).reshape(-1, width)
        if columns.time is not None:
            values = values[np.argsort(np.frombuffer(found.times), kind="stable")]
        parts.append(values)
    lengths = np.array([len(values) for values in parts], np.int64)
    targets = np.array([index[found.label] for found in split.sequences.values()], np.int32)
    return Sequences(np.concatenate(parts), lengths, targets, tuple(split.sequences))


def _check_labels(read: Mapping[str, _Split], names: Sequence[str]) -> None:
    """Raise `DataError` for a label that train lacks, and for more labels than can be classes."""
    train = read["train"].sequences
    each_its_own = len(names) == len(train) > 9
    if each_its_own or len(names) > MOST_CLASSES:
        reason = (
            f"each of the {len(train):,} sequences has a label of its own; a label comes again and again"
            if each_its_own
            else f"the {len(train):,} sequences have {len(names):,} different labels; expected at most {MOST_CLASSES:,}"
        )
        raise DataError(f"{read['train'].table.file}: {reason}. Name the label's column with --label-column.")
    for split, found in read.items():
        for name, each in found.sequences.items():
            if each.label not in names:
                shown = ", ".join(map(repr, names[:10])) + (", …" if len(names) > 10 else "")
                raise DataError(
                    f"{each.where}: the label {each.label!r} of the sequence {name!r} in {split} is none of train's, "
                    f"which are {shown}. Mend the label, add sequences of it to train, or take this one out."
                )


def _notes(split: str, found: _Split, columns: SequenceColumns, train: _Split) -> Iterator[str]:
    """Tell how a split was read."""
    table, tally = found.table, found.tally
    how = ", ".join(part for part in (table.format, table.encodings, table.details) if part)
    rows = f"{tally.read:,} rows read"
    if tally.skipped:
        rows += f" and {tally.skipped:,} left out of {tally.present:,}: {tally.by_reason()}. The first: {tally.named()}"
    where = ""
    if split == "train":
        order = "as they stand" if columns.time is None else f"by column {columns.time!r}"
        where = (
            f"; a sequence is the rows with one {columns.sequence!r}, {order}; the label is in {columns.label!r}; "
            f"{len(columns.channels)} channels: {', '.join(columns.channels[:8])}{', …' * (len(columns.channels) > 8)}"
        )
    yield f"{split} is {table.file} ({how}{where}): {len(found.sequences):,} sequences, {rows}."
    ties = sum(len(each.times) - len(set(each.times)) for each in found.sequences.values())
    if ties:
        yield f"{ties:,} rows of {split} have the time of another row of their sequence; these stay as they stand."
    if found is not train:
        shared = len(found.sequences.keys() & train.sequences.keys())
        if shared:
            yield (
                f"{shared:,} ids of {split} are ids of train as well, and are taken for other sequences. If they are "
                "the same ones, take them out of one of the two files."
            )


def _hint(tally: Tally) -> str:
    """Say what else numbers with a comma may be."""
    commas = any("," in row.detail for row in itertools.islice(tally.first, 1) if row.reason == NO_NUMBER)
    return "Numbers are written with a point, as 0.5, and not with a comma. " if commas else ""


def _reading(read: Mapping[str, _Split], columns: SequenceColumns) -> dict[str, Any]:
    train = read["train"].table
    rows = {split: found.tally.to_dict() for split, found in read.items()}
    return {
        "format": train.format,
        "encoding": train.encodings,
        "header": train.named,
        "sequence_column": columns.sequence,
        "time_column": columns.time,
        "label_column": columns.label,
        "channel_columns": list(columns.channels),
        "files": [{"split": split, "file": found.table.file} for split, found in read.items()],
        "rows": {number: sum(each[number] for each in rows.values()) for number in ("present", "read", "skipped")},
        "splits": rows,
    }
