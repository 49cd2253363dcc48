"""Collects rows batch by batch, in memory or in a file, and never holds them twice."""

import zlib
from pathlib import Path

import numpy as np

from pipelines.rows import Rows, StoredValues, offsets_of

# Whole numbers are kept in the first of these that holds them.
_WIDTHS = tuple(map(np.dtype, (np.uint16, np.int32, np.int64)))
_BLOCK = 2**20


class MemorySink:
    """Values in memory: a growing array is moved by the system's page tables, where a list of arrays that is put
    together at the end would need twice the memory."""

    def __init__(self, dtype: np.dtype):
        self.dtype = dtype
        self._bytes = bytearray()

    def append(self, values: np.ndarray) -> None:
        """Add values, (n,), of any type that fits."""
        self._bytes += np.ascontiguousarray(values, self.dtype).view(np.uint8).data

    def widen(self, dtype: np.dtype) -> None:
        """Keep the values in another type from now on, those that are there too."""
        old = np.frombuffer(self._bytes, self.dtype)
        self.dtype, self._bytes = dtype, bytearray()
        for start in range(0, len(old), _BLOCK):
            self.append(old[start : start + _BLOCK])

    def values(self) -> np.ndarray:
        """Give the values, after the last of them."""
        values = np.frombuffer(self._bytes, self.dtype)
        values.flags.writeable = False
        return values


class FileSink:
    """Values in a file.

    Attributes:
        dtype: of the values.
        path: of the file.
        checksum: CRC-32 of its bytes.
    """

    def __init__(self, path: Path, dtype: np.dtype):
        self.dtype = dtype
        self.path = path
        self.checksum = 0
        path.write_bytes(b"")

    def append(self, values: np.ndarray) -> None:
        """Add values, (n,), of any type that fits."""
        data = np.ascontiguousarray(values, self.dtype).view(np.uint8).data
        # Opened for each batch: nothing stays open where another part fails, and a full disk is told here.
        with self.path.open("ab") as file:
            file.write(data)
        self.checksum = zlib.crc32(data, self.checksum)

    def widen(self, dtype: np.dtype) -> None:
        """Keep the values in another type from now on, those that are there too."""
        narrow = self.path.rename(self.path.with_name(f"{self.path.name}.narrow"))
        old = Rows(StoredValues(narrow, self.dtype), np.zeros(1, np.int64))
        self.dtype, self.checksum = dtype, 0
        self.path.write_bytes(b"")
        for block in old.blocks():
            self.append(block)
        narrow.unlink()

    def values(self) -> StoredValues:
        """Give the values, after the last of them."""
        return StoredValues(self.path, self.dtype)


class RowsWriter:
    """Takes one named input, batch by batch.

    Attributes:
        dtype: of the padded rows.
        sink: where its values go.
        lengths: of the rows so far, int32, one array a batch.
    """

    def __init__(self, dtype: np.dtype, element_shape: tuple[int | None, ...], path: Path | None = None):
        """Begin.

        Args:
            dtype: of the tensors to come.
            element_shape: of what stands at each time step; () for ids.
            path: of the file to write; None to keep the rows in memory.
        """
        self.dtype = np.dtype(dtype)
        self._shape = tuple(size or 0 for size in element_shape)
        self._places: dict[bytes, int] | None = {} if element_shape else None
        narrow = _WIDTHS[0] if element_shape or np.issubdtype(self.dtype, np.integer) else self.dtype
        self.sink: MemorySink | FileSink = MemorySink(narrow) if path is None else FileSink(path, narrow)
        self.lengths: list[np.ndarray] = []

    def add(self, tensor: np.ndarray, lengths: np.ndarray) -> None:
        """Add rows.

        Args:
            tensor: (B, T, ...), padded on the right.
            lengths: int (B,), at most T.
        """
        values = tensor[np.arange(tensor.shape[1]) < lengths[:, np.newaxis]]
        if self._places is not None:
            values = self._places_of(values)
        if values.size and np.issubdtype(values.dtype, np.integer):
            while not _holds(self.sink.dtype, int(values.min()), int(values.max())):
                self.sink.widen(_WIDTHS[_WIDTHS.index(self.sink.dtype) + 1])
        self.sink.append(values)
        self.lengths.append(lengths.astype(np.int32))

    @property
    def nbytes(self) -> int:
        """Bytes of the values so far, the table of different elements left aside."""
        return sum(int(lengths.sum()) for lengths in self.lengths) * self.sink.dtype.itemsize

    def table(self) -> np.ndarray | None:
        """The different elements so far, (U, ...); None where the values are the elements."""
        if self._places is None:
            return None
        whole = np.frombuffer(b"".join(self._places), self.dtype)
        return whole.reshape(len(self._places), *self._shape)

    def rows(self, offsets: np.ndarray | None = None) -> Rows:
        """End, and give the rows.

        Args:
            offsets: of these rows where another input has the same, to be held once.
        """
        if offsets is None:
            offsets = offsets_of(np.concatenate([np.zeros(0, np.int32), *self.lengths]))
        return Rows(self.sink.values(), offsets, self.dtype, self.table())

    def _places_of(self, elements: np.ndarray) -> np.ndarray:
        """Enter elements, (n, ...), into the table; give their places, int64 (n,)."""
        if self._places is None or not self._places:
            self._shape = elements.shape[1:]
            self._places = {bytes(int(np.prod(self._shape)) * self.dtype.itemsize): 0}
        flat = np.ascontiguousarray(elements).reshape(len(elements), -1)
        keys = flat.view(np.dtype((np.void, flat.shape[1] * flat.itemsize))).reshape(-1)
        # Words repeat: of a batch's tokens, a few are looked up one by one.
        different, inverse = np.unique(keys, return_inverse=True)
        places = [self._places.setdefault(key, len(self._places)) for key in different.tolist()]
        return np.array(places, np.int64)[inverse]


def _holds(dtype: np.dtype, low: int, high: int) -> bool:
    limits = np.iinfo(dtype)
    return limits.min <= low and high <= limits.max


def row_lengths(tensor: np.ndarray) -> np.ndarray:
    """Lengths, int32 (B,), of rows (B, T) that are padded with 0 on the right."""
    from_the_right = tensor[:, ::-1] != 0
    trailing = from_the_right.argmax(axis=1) if tensor.shape[1] else np.zeros(len(tensor), int)
    return np.where(from_the_right.any(axis=1), tensor.shape[1] - trailing, 0).astype(np.int32)


def checksum_of(path: Path) -> int:
    """CRC-32 of a file's bytes."""
    checksum = 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            checksum = zlib.crc32(block, checksum)
    return checksum
