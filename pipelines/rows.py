"""Rows of unequal length as the token cache keeps them: end to end, without padding, in memory or in a file."""

import dataclasses
import os
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import numpy as np

from pipelines.errors import DataError

_BLOCK = 2**20


class StoredValues:
    """Numbers in a file that are read piece by piece, and held nowhere.

    They are read, not mapped: pages of a mapped file count as memory of the process, so that its size grows with the
    file, and a batch of rows comes slower from them. The file may be deleted while this object lives, where the system
    allows that.

    Attributes:
        dtype: of the numbers.
        shape: (number of values,).
    """

    def __init__(self, path: Path, dtype: np.dtype):
        if not hasattr(os, "pread"):
            raise DataError("the cache is 'disk', and this system has no pread; expected 'memory' or 'none' there.")
        self.path = path
        self.dtype = np.dtype(dtype)
        self._file = os.open(path, os.O_RDONLY)
        self._close = weakref.finalize(self, os.close, self._file)
        self.shape = (os.fstat(self._file).st_size // self.dtype.itemsize,)

    @property
    def nbytes(self) -> int:
        """Bytes in the file."""
        return self.shape[0] * self.dtype.itemsize

    def read_into(self, row: np.ndarray, start: int) -> None:
        """Fill `row`, (T,) without gaps, with the values from number `start` on.

        Raises:
            DataError: the file ends before, for something has written to it since it was checked.
        """
        wanted = row.view(np.uint8).data
        done, place = 0, start * self.dtype.itemsize
        while done < len(wanted):
            data = os.pread(self._file, len(wanted) - done, place + done)
            if not data:
                raise DataError(
                    f"{self.path} was cut short while it was in use. Run again: it is then written anew. Nothing else "
                    "may write into the folder of --cache disk."
                )
            wanted[done : done + len(data)] = data
            done += len(data)


@dataclasses.dataclass(frozen=True)
class Rows:
    """Rows of unequal length, N of them, end to end.

    Attributes:
        values: (sum of lengths, ...), kept in the smallest type that holds them. With a `table`, its places.
        offsets: int64 (N + 1,); row i is `values[offsets[i]:offsets[i + 1]]`.
        dtype: what the rows are for the model; None for the type of the values.
        table: (U, ...), the different elements, of which the first is all zeros; or None where the values are the
            elements themselves. A word that occurs often has all its character n-grams once.
    """

    values: np.ndarray | StoredValues
    offsets: np.ndarray
    dtype: np.dtype | None = None
    table: np.ndarray | None = None

    @property
    def lengths(self) -> np.ndarray:
        """int32 (N,)."""
        return np.diff(self.offsets).astype(np.int32)

    @property
    def element_shape(self) -> tuple[int, ...]:
        """Shape of what stands at each time step: () for ids, (G,) for G numbers a token."""
        return tuple((self.values if self.table is None else self.table).shape[1:])

    @property
    def row_shape(self) -> tuple[int | None, ...]:
        """Shape of one padded row: its time steps, and what stands at each."""
        return (None, *self.element_shape)

    @property
    def element_dtype(self) -> np.dtype:
        """Type of the padded rows."""
        return np.dtype((self.values if self.table is None else self.table).dtype if self.dtype is None else self.dtype)

    @property
    def nbytes(self) -> int:
        """Bytes of the values and the table, wherever they lie."""
        return self.values.nbytes + (0 if self.table is None else self.table.nbytes)

    def padded(self, chosen: np.ndarray) -> np.ndarray:
        """Rows `chosen`, int (B,), padded with 0 on the right to the longest of them: (B, T, ...)."""
        starts, lengths = self.offsets[chosen], self.offsets[chosen + 1] - self.offsets[chosen]
        batch = np.zeros((len(chosen), int(lengths.max(initial=1)), *self.values.shape[1:]), self.values.dtype)
        # A loop of slices, for one fancy index over all rows is twice as fast at 20 tokens and half as fast at 400;
        # either is a fraction of a millisecond for a batch.
        for row, (start, length) in enumerate(zip(starts.tolist(), lengths.tolist(), strict=True)):
            if isinstance(self.values, StoredValues):
                self.values.read_into(batch[row, :length], start)
            else:
                batch[row, :length] = self.values[start : start + length]
        if self.table is not None:
            # Padding is place 0 of the table, which is all zeros.
            batch = self.table[batch]
        return batch.astype(self.element_dtype, copy=False)

    def blocks(self) -> Iterator[np.ndarray]:
        """Give all values in order, some at a time."""
        for start in range(0, self.values.shape[0], _BLOCK):
            if isinstance(self.values, StoredValues):
                block = np.empty(min(_BLOCK, self.values.shape[0] - start), self.values.dtype)
                self.values.read_into(block, start)
                yield block
            else:
                yield self.values[start : start + _BLOCK]


@dataclasses.dataclass(frozen=True)
class Scalars:
    """One number for each of N texts or sequences: what stands beside their rows.

    Attributes:
        values: (N,).
    """

    values: np.ndarray

    row_shape: ClassVar[tuple[int | None, ...]] = ()

    @property
    def element_dtype(self) -> np.dtype:
        """Type of the numbers."""
        return self.values.dtype

    @property
    def nbytes(self) -> int:
        """Bytes of the numbers."""
        return self.values.nbytes

    def padded(self, chosen: np.ndarray) -> np.ndarray:
        """Numbers of `chosen`, int (B,): (B,)."""
        return self.values[chosen]


def offsets_of(lengths: np.ndarray) -> np.ndarray:
    """Offsets, int64 (N + 1,), of rows of these lengths, int (N,)."""
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets
