"""Numeric sequences in NumPy's archives of arrays, `.npz`."""

import difflib
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipelines.errors import DataError
from pipelines.files import labels
from pipelines.files.columns import MOST_CLASSES
from pipelines.files.data_names import CARVED, data_name
from pipelines.sequence_data import SequenceData, Sequences, as_float32, from_sequences
from pipelines.splitting import FRACTIONS

_SPLITS = ("train", "validation", "test")
_SUFFIXES = ("", "_validation", "_test")
_OF_A_SPLIT = ("x", "y", "lengths")
_NAMES = (*(f"{name}{suffix}" for name in _OF_A_SPLIT for suffix in _SUFFIXES), "channel_names")
_EXPECTED = (
    "x, numbers of the shape (sequences, time steps, channels) or (sequences, time steps), and y, one label for each "
    "sequence; where sequences are padded on the right, lengths, their time steps; for given splits x_validation, "
    "y_validation, x_test and y_test, with lengths_validation and lengths_test; for names channel_names"
)
# Beyond, float64 leaves whole numbers out.
_EXACT = 2**53
_DAMAGE = (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error, MemoryError)


def load(
    path: str,
    /,
    *,
    test_file: str | None = None,
    validation_file: str | None = None,
    split_seed: int = 0,
    validation_fraction: float | None = None,
    test_fraction: float | None = None,
) -> SequenceData:
    """Load an archive with the arrays `x` and `y`, and what belongs to them.

    Args:
        path: of the archive.
        test_file, validation_file: archives of given splits, with their own `x` and `y`; they take the place of
            `x_test` and `x_validation`. A test that is not given is carved.
        split_seed: seed of carved splits.
        validation_fraction: share of train to carve, between 0 and 1.
        test_fraction: share of everything to carve where no test is given, between 0 and 1.

    Raises:
        DataError: what cannot be read, with the arrays that are there, or the place of a number that is none.
    """
    arrays = _arrays(path)
    archives = {path: arrays} | {file: _arrays(file) for file in (validation_file, test_file) if file is not None}
    given = {"train": (path, arrays, "")}
    given |= {split: (path, arrays, f"_{split}") for split in _SPLITS[1:] if f"x_{split}" in arrays}
    for split, file in (("validation", validation_file), ("test", test_file)):
        if file is not None:
            given[split] = (file, archives[file], "")
    read = {split: _read(*given[split]) for split in _SPLITS if split in given}
    ignored = [sentence for file, found in archives.items() for sentence in _check_names(file, found)]
    names = labels.class_names(read["train"][2])
    index = {name: label for label, name in enumerate(names)}
    splits = {}
    for split, (values, lengths, said) in read.items():
        unknown = next((label for label in said if label not in index), None)
        if unknown is not None:
            raise DataError(
                f"{given[split][0]}: the label {unknown!r} of the {split} split is none of train's, which are "
                f"{', '.join(map(repr, names[:10]))}{', …' if len(names) > 10 else ''}. Add sequences of it to train, "
                "or take them out here."
            )
        splits[split] = Sequences(values, lengths, np.array([index[label] for label in said], np.int32))
    notes = [f"train is {path} (NumPy arrays): {_told(splits['train'])}."]
    notes += [f"{split} is {given[split][0]}: {_told(splits[split])}." for split in _SPLITS[1:] if split in splits]
    notes += ignored
    if "test" not in splits:
        notes.append(CARVED.format(share=test_fraction or FRACTIONS["test"], noun="sequences", seed=split_seed))
    return from_sequences(
        data_name(path),
        splits["train"],
        splits.get("test"),
        names,
        _channel_names(path, arrays),
        validation=splits.get("validation"),
        validation_fraction=validation_fraction,
        test_fraction=test_fraction,
        split_seed=split_seed,
        notes=notes,
        reading={"format": "NumPy arrays", "files": {split: file for split, (file, _, _) in given.items()}},
    )


def _arrays(path: str) -> dict[str, np.ndarray]:
    """Read all arrays of an archive."""
    if not Path(path).is_file():
        raise DataError(f"{path} is no file; expected an archive of NumPy arrays, as numpy.savez writes it.")
    if not zipfile.is_zipfile(path):
        raise DataError(f"{path} is no archive of NumPy arrays; expected a file that numpy.savez wrote.")
    found: dict[str, np.ndarray] = {}
    name = ""
    try:
        # Pickled objects are programs, and nothing here needs them.
        with np.load(path, allow_pickle=False) as archive:
            for name in archive.files:
                # Of a member that is no array, NumPy gives the bytes.
                if isinstance(array := archive[name], np.ndarray):
                    found[name] = array
    except _DAMAGE as error:
        if "allow_pickle" in str(error):
            raise DataError(
                f"{path}: {name} holds Python objects, such as lists of unequal length. Pad the sequences on the right "
                "to one length and save their own lengths as `lengths`."
            ) from error
        reason = str(error).partition("\n")[0].rstrip(".") or type(error).__name__
        raise DataError(f"{path} cannot be read: {reason}. Check that it is whole, or write it again.") from error
    return found


def _check_names(path: str, arrays: Mapping[str, np.ndarray]) -> list[str]:
    """Name the arrays of an archive that are not read.

    Raises:
        DataError: a name that looks like one that is read, or a part of a split that lacks its numbers.
    """
    others = [name for name in arrays if name not in _NAMES]
    for name in others:
        meant = difflib.get_close_matches(name.lower(), _NAMES, 1, 0.8)
        if meant or name.lower().startswith(tuple(f"{each}_" for each in _OF_A_SPLIT)):
            hint = f" Did you mean {meant[0]!r}?" if meant else ""
            raise DataError(
                f"{path} holds {name!r}, which is not read.{hint} Rename it, or take it out. Expected {_EXPECTED}."
            )
    for suffix in _SUFFIXES[1:]:
        alone = [f"{name}{suffix}" for name in _OF_A_SPLIT[1:] if f"{name}{suffix}" in arrays]
        if alone and f"x{suffix}" not in arrays:
            raise DataError(
                f"{path} holds {' and '.join(alone)} and no x{suffix}. Add it, or take the other out. Expected "
                f"{_EXPECTED}."
            )
    return [f"{path} also holds {', '.join(others)}, which is not read."] if others else []


def _read(path: str, arrays: Mapping[str, np.ndarray], suffix: str) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Read the values, lengths and labels of one split.

    Args:
        path: for messages.
        arrays: of the archive.
        suffix: of the names of the split's arrays.
    """
    missing = [name for name in (f"x{suffix}", f"y{suffix}") if name not in arrays]
    if missing:
        there = ", ".join(f"{name} {array.shape}" for name, array in arrays.items()) or "no array"
        raise DataError(f"{path} has no {' and no '.join(missing)}; it holds {there}. Expected {_EXPECTED}.")
    what = f"{path}: x{suffix}"
    x = arrays[f"x{suffix}"]
    if x.ndim == 2:
        x = x[:, :, np.newaxis]
    if x.ndim != 3 or 0 in x.shape[1:]:
        raise DataError(f"{what} has the shape {arrays[f'x{suffix}'].shape}; expected {_EXPECTED}.")
    if not len(x):
        raise DataError(f"{what} has the shape {arrays[f'x{suffix}'].shape}, and so no sequence. Add some.")
    lengths = _lengths(path, f"lengths{suffix}", arrays, x.shape)
    real = np.arange(x.shape[1]) < lengths[:, np.newaxis]  # (N, T)
    if x.dtype.kind == "f":
        # What stands in the padding is nobody's number.
        x = np.where(real[:, :, np.newaxis], x, 0)
    values = as_float32(x, what)[real]  # (sum of lengths, F)
    return values, lengths, _labels(path, f"y{suffix}", arrays[f"y{suffix}"], len(x))


def _lengths(path: str, name: str, arrays: Mapping[str, np.ndarray], shape: Sequence[int]) -> np.ndarray:
    """Read the time steps of N sequences (N, T, F), int64 (N,); T where the archive does not tell."""
    lengths = arrays.get(name)
    if lengths is None:
        return np.full(shape[0], shape[1], np.int64)
    if lengths.shape != (shape[0],) or lengths.dtype.kind not in "iu":
        raise DataError(
            f"{path}: {name} is {lengths.dtype} of the shape {lengths.shape}; expected {shape[0]} whole numbers, one "
            "for each sequence."
        )
    wrong = np.flatnonzero((lengths < 1) | (lengths > shape[1]))
    if len(wrong):
        raise DataError(
            f"{path}: {name}[{wrong[0]}] is {lengths[wrong[0]]}; expected 1 to {shape[1]}, the time steps that x has "
            "room for."
        )
    return lengths.astype(np.int64)


def _labels(path: str, name: str, y: np.ndarray, number: int) -> list[str]:
    """Read the label of each sequence, as a text."""
    if y.shape != (number,):
        raise DataError(f"{path}: {name} has the shape {y.shape}; expected ({number},), one label for each sequence.")
    if y.dtype.kind == "f" and np.all((y == np.round(y)) & (np.abs(y) < _EXACT)):
        y = y.astype(np.int64)
    if y.dtype.kind not in "biuUS":
        shown = f", such as {y[(y != np.round(y)) | (np.abs(y) >= _EXACT)][0]}" if y.dtype.kind == "f" else ""
        raise DataError(
            f"{path}: {name} holds {y.dtype}{shown}; expected labels, whole numbers or texts. A class is learned, not "
            "a number."
        )
    if y.dtype.kind == "S":
        y = np.char.decode(y, "utf-8", "replace")
    found = [str(label).strip() for label in y.tolist()]
    if "" in found:
        raise DataError(f"{path}: {name}[{found.index('')}] is empty; expected a label for each sequence.")
    different = len(set(found))
    if different > MOST_CLASSES:
        raise DataError(
            f"{path}: {name} holds {different:,} different labels in {number:,} sequences; a label comes again and "
            f"again, and there are at most {MOST_CLASSES:,} of them. Check that y holds the classes."
        )
    return found


def _channel_names(path: str, arrays: Mapping[str, np.ndarray]) -> list[str] | None:
    names: Any = arrays.get("channel_names")
    if names is None:
        return None
    if names.ndim != 1 or names.dtype.kind != "U":
        raise DataError(
            f"{path}: channel_names is {names.dtype} of the shape {names.shape}; expected one text for each channel."
        )
    return names.tolist()


def _told(found: Sequences) -> str:
    lengths = found.lengths
    steps = f"{lengths.min():,}" if lengths.min() == lengths.max() else f"{lengths.min():,} to {lengths.max():,}"
    return f"{len(found):,} sequences of {steps} time steps by {found.channels} channels"
