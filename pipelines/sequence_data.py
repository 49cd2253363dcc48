"""Numeric sequences and labels in splits: what a dataset module hands over where there are no texts."""

import dataclasses
import functools
import hashlib
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np

from pipelines.errors import DataError
from pipelines.rows import Rows, offsets_of
from pipelines.split_checks import check_class_names, check_splits, check_test_parts, warnings
from pipelines.splitting import carve_missing, check_fractions
from pipelines.survey import Survey


@dataclasses.dataclass(frozen=True)
class Sequences:
    """Sequences of time steps with a label each, N of them, in memory.

    Use `of_arrays` to make them: it checks the numbers.

    Attributes:
        values: float32 (sum of lengths, F), the time steps of all sequences, end to end.
        lengths: int (N,), the time steps of each.
        targets: int32 (N,), an index into the class names.
        ids: what each is called where it comes from, N texts, or none.
    """

    values: np.ndarray
    lengths: np.ndarray
    targets: np.ndarray
    ids: tuple[str, ...] = ()

    @classmethod
    def of_arrays(cls, arrays: Sequence[Any], targets: Sequence[int], ids: Sequence[str] = ()) -> "Sequences":
        """Put sequences together.

        Args:
            arrays: N sequences (T, F) of any lengths of at least 1; or one array (N, T, F).
            targets: N labels.
            ids: N names, or none.

        Raises:
            DataError: a sequence without steps, of another number of channels, or with what is no number of float32.
        """
        if len(arrays) != len(targets):
            raise DataError(f"there are {len(arrays)} sequences and {len(targets)} labels; give each sequence one.")
        if ids and len(ids) != len(arrays):
            raise DataError(f"there are {len(arrays)} sequences and {len(ids)} ids; give each sequence one, or none.")
        checked: list[np.ndarray] = []
        for place, array in enumerate(arrays):
            values = np.asarray(array)
            width = checked[0].shape[1] if checked else None
            if values.ndim != 2 or 0 in values.shape or (width is not None and values.shape[1] != width):
                raise DataError(
                    f"sequence {place} has the shape {values.shape}; expected at least one time step by "
                    f"{width or 'at least one'} channels, (T, F), as all others."
                )
            checked.append(as_float32(values, f"sequence {place}"))
        whole = np.concatenate(checked) if checked else np.zeros((0, 1), np.float32)
        lengths = np.array([len(values) for values in checked], np.int64)
        return cls(whole, lengths, np.asarray(targets, np.int32), tuple(ids))

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, place: int) -> np.ndarray:
        """Give one sequence, float32 (T, F)."""
        start, end = self.rows.offsets[place : place + 2]
        return self.values[start:end]

    @functools.cached_property
    def rows(self) -> Rows:
        """The sequences as rows of unequal length."""
        return Rows(self.values, offsets_of(self.lengths))

    @property
    def channels(self) -> int:
        """F, the numbers at a time step."""
        return self.values.shape[1]

    def select(self, chosen: np.ndarray) -> "Sequences":
        """Keep the sequences whose flag in `chosen`, bool (N,), is True."""
        ids = tuple(name for name, kept in zip(self.ids, chosen, strict=True) if kept) if self.ids else ()
        values = self.values[np.repeat(chosen, self.lengths)]
        return Sequences(values, self.lengths[chosen], self.targets[chosen], ids)

    def survey(self) -> Survey:
        """Hash every sequence: equal numbers in an equal number of steps have equal hashes."""
        hashes = [
            # Adding 0 makes -0 and 0, which are equal, the same bytes.
            hashlib.blake2b((self[place] + np.float32(0)).tobytes(), digest_size=8).digest()
            for place in range(len(self))
        ]
        return Survey(self.targets, np.frombuffer(b"".join(hashes), np.uint64), SequenceData.noun)


@dataclasses.dataclass(frozen=True)
class SequenceData:
    """One dataset of numeric sequences with their labels, in splits.

    Use `from_sequences` to make one: it carves, fingerprints and checks the splits.

    Attributes:
        name: the dataset's name in file names and reports.
        train, validation, test: sequences with their labels.
        class_names: one name a class, C of them; a label is an index into it.
        channel_names: one name a channel, F of them.
        sizes: number of sequences by split.
        fingerprints: content fingerprint by split.
        test_parts: named parts of the test split that are also scored apart; each a bool (N,) over its sequences.
        warnings: sentences for the user that do not stop a run.
        notes: sentences for the user on how the data was read.
        reading: the same for programs: names to what JSON knows.
    """

    name: str
    train: Sequences
    validation: Sequences
    test: Sequences
    class_names: tuple[str, ...]
    channel_names: tuple[str, ...]
    sizes: Mapping[str, int]
    fingerprints: Mapping[str, str]
    test_parts: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    reading: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    # How the data becomes tensors, see `kseq.inputs`; what has a label, for messages; one of the classes.
    input_kind: ClassVar[str] = "numeric"
    noun: ClassVar[str] = "sequence"
    target_kind: ClassVar[str] = "class"

    def survey(self, split: str) -> Survey:
        """Give the targets of a split and a hash of every sequence."""
        return getattr(self, split).survey()

    def select(self, split: str, chosen: np.ndarray) -> Sequences:
        """Give the sequences of a split whose flag in `chosen`, bool (N,), is True."""
        return getattr(self, split).select(chosen)


def from_sequences(
    name: str,
    train: Sequences,
    test: Sequences | None,
    class_names: Sequence[str],
    channel_names: Sequence[str] | None = None,
    *,
    validation: Sequences | None = None,
    validation_fraction: float | None = None,
    test_fraction: float | None = None,
    split_seed: int = 0,
    test_parts: Mapping[str, np.ndarray] = MappingProxyType({}),
    notes: Sequence[str] = (),
    reading: Mapping[str, Any] = MappingProxyType({}),
) -> SequenceData:
    """Make a `SequenceData` from labelled splits, after checking them.

    Where `test` is None, it is carved out of train: stratified, with `split_seed`, equal sequences on one side. Where
    `validation` is None, it is carved out of what then is train.

    Args:
        train, test, validation: sequences with their labels.
        class_names: one name a class, all different, C of them.
        channel_names: one name a channel, all different; numbers from 1 where None.
        validation_fraction: share of train to carve, between 0 and 1; a tenth where None.
        test_fraction: share of train to carve where there is no test split, between 0 and 1; a fifth where None.
        split_seed: seed of the carving.
        test_parts: bool (N,) over the test split by name.
        notes: sentences for the user on how the data was read.
        reading: the same for programs.

    Raises:
        DataError: one class only, an empty split, a label out of range, a class that train lacks, splits of different
            numbers of channels, names that do not fit.
    """
    noun, names = SequenceData.noun, tuple(class_names)
    fractions = {"test": test_fraction, "validation": validation_fraction}
    check_class_names(name, names, noun)
    given = {"train": train, "validation": validation, "test": test}
    splits = {split: each for split, each in given.items() if each is not None}
    check_fractions(name, fractions, splits)
    read = {split: each.survey() for split, each in splits.items()}
    check_splits(name, read, names)
    channels = _channel_names(name, splits, channel_names)
    surveys, places = carve_missing(name, read, fractions, split_seed)
    if len(places) > 1:
        for split, chosen in places.items():
            splits[split] = train.select(np.isin(np.arange(len(train)), chosen))
    check_splits(name, surveys, names)
    parts = {part: np.asarray(flags) for part, flags in test_parts.items()}
    check_test_parts(name, parts, surveys["test"])
    return SequenceData(
        name=name,
        train=splits["train"],
        validation=splits["validation"],
        test=splits["test"],
        class_names=names,
        channel_names=channels,
        sizes={split: len(found) for split, found in surveys.items()},
        fingerprints={split: found.fingerprint for split, found in surveys.items()},
        test_parts=parts,
        warnings=warnings(surveys, names),
        notes=tuple(notes),
        reading=dict(reading),
    )


def as_float32(values: np.ndarray, what: str) -> np.ndarray:
    """Cast numbers to float32.

    Args:
        values: of any shape.
        what: they are, for messages.

    Raises:
        DataError: they are no real numbers; or one is none, infinite or too large, naming its place.
    """
    if values.dtype.kind not in "biuf":
        raise DataError(f"{what} holds {values.dtype}; expected numbers, such as float32.")
    with np.errstate(over="ignore"):
        cast = np.asarray(values, np.float32)
    wrong = np.argwhere(~np.isfinite(cast))
    if len(wrong):
        place = tuple(wrong[0].tolist())
        raise DataError(
            f"{what}[{', '.join(map(str, place))}] is {values[place]}"
            + (f", and {len(wrong) - 1:,} more are no finite numbers" if len(wrong) > 1 else "")
            + "; expected finite numbers of float32. Fill in what is missing, or take such sequences out."
        )
    return cast


def _channel_names(name: str, splits: Mapping[str, Sequences], given: Sequence[str] | None) -> tuple[str, ...]:
    """Check that all splits have the same channels, and give each a name."""
    width = splits["train"].channels
    for split, each in splits.items():
        if each.channels != width:
            raise DataError(
                f"the {split} split of {name!r} has {each.channels} channels, where train has {width}. Give all splits "
                "the same channels."
            )
    names = tuple(map(str, range(1, width + 1))) if given is None else tuple(map(str, given))
    if len(names) != width or len(set(names)) != width:
        raise DataError(
            f"the channel names of {name!r} are {names}; expected {width} different ones, one for each channel."
        )
    return names
