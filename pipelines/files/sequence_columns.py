"""Which columns of a long table hold the sequence, the time, the label and the channels: by name, else by asking."""

import dataclasses
import itertools
from collections.abc import Sequence

from pipelines.errors import DataError
from pipelines.files.column_names import LABELS, NUMBER, TIMES, WEAKER_LABELS, plain
from pipelines.files.columns import find
from pipelines.files.file_rows import BadRow, Table

_SAMPLE = 200
# Beside x and z, a column called y is no label.
_OTHER_LABELS = (WEAKER_LABELS - {"y"}) | {"activity", "gesture", "action", "event", "state", "condition", "fault"}
_SHOWN = 12


@dataclasses.dataclass(frozen=True)
class SequenceColumns:
    """The columns of a long table, a row of which is one time step.

    Attributes:
        sequence: name of the column whose value the rows of one sequence share.
        label: of the label, the same in all rows of a sequence.
        channels: of the numbers.
        time: of the one that orders them; None for the order of the file.
        indices: where they are: sequence, label, channels and then the time, where there is one.
    """

    sequence: str
    label: str
    channels: tuple[str, ...]
    time: str | None
    indices: tuple[int, ...]


def choose(
    table: Table,
    sequence_column: str,
    time_column: str | None,
    label_column: str | None,
    channel_columns: str | None,
) -> SequenceColumns:
    """Find the columns of a long table.

    Args:
        table: the one that is trained on.
        sequence_column, time_column, label_column, channel_columns: as the user typed them: names, or numbers from 1;
            several channels with commas between.

    Raises:
        DataError: a column that is not there or is named twice, a label or channels that are not clear.
    """
    if table.fixed:
        raise DataError(f"{table.file}: {table.format} have no columns of numbers. Give a table, such as a CSV file.")
    sequence = find(table, sequence_column, "--sequence-column")
    given = None if channel_columns is None else _channels(table, channel_columns)
    taken = {sequence, *(given or ())}
    time = find(table, time_column, "--time-column") if time_column is not None else None
    label = find(table, label_column, "--label-column") if label_column is not None else None
    typed = [index for index in (sequence, time, label, *(given or ())) if index is not None]
    if len(set(typed)) < len(typed):
        twice = next(index for index in typed if typed.count(index) > 1)
        raise DataError(
            f"{table.file}: the column {table.columns[twice]!r} is named twice. Sequence, time, label and channels are "
            "different columns."
        )
    taken.update(typed)
    if label is None:
        label = _by_name(table, taken, LABELS)
        label = _only_words(table, taken) if label is None else label
        label = _by_name(table, taken, _OTHER_LABELS) if label is None else label
        if label is None:
            raise _unclear(table, "label", "--label-column", _free(table, taken))
        taken.add(label)
    if time is None and table.named:
        times = [index for index in _free(table, taken) if plain(table.columns[index]) in TIMES]
        if len(times) > 1:
            raise _unclear(table, "time", "--time-column", times)
        time = times[0] if times else None
        taken.update(times)
    channels = given if given is not None else _free(table, taken)
    if not channels:
        raise DataError(
            f"{table.file}: beside sequence, time and label there is no column of numbers; its columns are "
            f"{', '.join(map(repr, table.columns))}. Add a channel."
        )
    wordy = [] if given is not None else _with_words(table, channels)
    if wordy:
        numbers = [table.columns[index] for index in channels if index not in wordy]
        raise DataError(
            f"{table.file}: the column {table.columns[wordy[0]]!r} holds no numbers and is neither sequence, time nor "
            f"label. Name the channels, such as --channel-columns {','.join(numbers[:_SHOWN]) or 'x,y'}."
        )
    return SequenceColumns(
        table.columns[sequence],
        table.columns[label],
        tuple(table.columns[index] for index in channels),
        None if time is None else table.columns[time],
        (sequence, label, *channels, *([] if time is None else [time])),
    )


def same(table: Table, columns: SequenceColumns, train: Table) -> SequenceColumns:
    """Find the columns of train in the table of another split.

    Raises:
        DataError: a column that is not there.
    """
    if not train.named and not table.named and len(table.columns) == len(train.columns):
        return columns
    names = [train.columns[index] for index in columns.indices]
    missing = [name for name in names if table.columns.count(name) != 1]
    if missing:
        raise DataError(
            f"{table.file} has not one column {missing[0]!r}, as {train.file} has; its columns are "
            f"{', '.join(map(repr, table.columns))}. Name its columns alike."
        )
    return dataclasses.replace(columns, indices=tuple(map(table.columns.index, names)))


def _channels(table: Table, typed: str) -> list[int]:
    if typed.strip() in table.columns or "," not in typed:
        return [find(table, typed, "--channel-columns")]
    return [find(table, name, "--channel-columns") for name in typed.split(",")]


def _free(table: Table, taken: set[int]) -> list[int]:
    return [index for index in range(len(table.columns)) if index not in taken]


def _by_name(table: Table, taken: set[int], names: frozenset[str]) -> int | None:
    """Take the one column that is called so; numbers, where the file names none, are no names."""
    found = [index for index in _free(table, taken) if plain(table.columns[index]) in names]
    return found[0] if len(found) == 1 else None


def _only_words(table: Table, taken: set[int]) -> int | None:
    """Take the one column that holds words where the others hold numbers."""
    found = _with_words(table, _free(table, taken))
    return found[0] if len(found) == 1 else None


def _with_words(table: Table, indices: Sequence[int]) -> list[int]:
    """Name the columns that in most of the first rows hold something, and no number."""
    rows = [row.fields for row in itertools.islice(table.read(indices), _SAMPLE) if not isinstance(row, BadRow)]
    found = []
    for place, index in enumerate(indices):
        filled = [str(row[place]).strip() for row in rows if row[place] is not None and str(row[place]).strip()]
        words = sum(NUMBER.fullmatch(value) is None and value.lower() not in ("nan", "inf", "-inf") for value in filled)
        if words * 2 > len(filled):
            found.append(index)
    return found


def _unclear(table: Table, what: str, flag: str, candidates: Sequence[int]) -> DataError:
    names = [table.columns[index] for index in candidates[:_SHOWN]]
    more = ", …" if len(candidates) > _SHOWN else ""
    return DataError(
        f"{table.file}: it is not clear which column holds the {what}. It may be one of "
        f"{', '.join(map(repr, names))}{more}. Name it, such as {flag} {names[0] if names else 'NAME'}."
    )
