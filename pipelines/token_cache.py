"""The token cache on disk: each vectorized split in a folder of its own, found again by later runs.

An entry is written under another name and renamed when it is whole, with its checksums; what is damaged is written
anew. Entries that were not used for the longest time go when the cache outgrows its limit.
"""

import contextlib
import hashlib
import json
import logging
import os
import shutil
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import filelock
import numpy as np

from pipelines.errors import DataError
from pipelines.rows import Rows, StoredValues, offsets_of
from pipelines.rows_writer import FileSink, RowsWriter, checksum_of

LIMIT = 10 * 2**30
# Any change of what the files mean must change this number: entries are keyed by it.
_FORMAT = 1
_INDEX = "index.json"
_PARTIAL = ".partial"
_logger = logging.getLogger(__name__)

# Writes the values below a folder: gives a writer for each named input, which of them share their offsets with which
# other, and the targets.
Write = Callable[[Path], tuple[Mapping[str, RowsWriter], Mapping[str, str], np.ndarray]]


class Entry(NamedTuple):
    """A split as it was kept: named rows and targets (N, ...), and whether an earlier run had left it."""

    inputs: dict[str, Rows]
    targets: np.ndarray
    reused: bool


class TokenCache:
    """A folder of vectorized splits.

    Attributes:
        folder: where they lie; it may be deleted at any time.
        limit: most bytes of all entries; one that is in use stays, however large.
    """

    def __init__(self, folder: str | Path | None = None, limit: int = LIMIT):
        self.folder = (default_folder() if folder is None else Path(folder).expanduser()) / "tokens"
        self.limit = limit

    def entry(self, key: str, write: Write) -> Entry:
        """Read the entry of a key, after writing it where it is missing or damaged.

        Two processes that need the same entry at once write it once.

        Raises:
            DataError: it cannot be written, such as on a full disk. Nothing of it then stays.
        """
        name = hashlib.sha256(f"{_FORMAT} {key}".encode()).hexdigest()[:32]
        with self._failing_plainly():
            self.folder.mkdir(parents=True, exist_ok=True)
            with self._lock(name):
                found = self._read(name)
                if found is not None:
                    # The time of last use, for `_sweep`.
                    os.utime(self.folder / name / _INDEX)
                    return found
                self._write(name, write)
                found = self._read(name)
            self._sweep(name)
        if found is None:
            raise DataError(
                f"what was written to {self.folder / name} reads otherwise; the disk or its driver may be failing. "
                "Choose another place with --cache-dir, or take --cache memory or none."
            )
        return found._replace(reused=False)

    def _lock(self, name: str, timeout: float = -1) -> filelock.BaseFileLock:
        return filelock.FileLock(self.folder / f"{name}.lock", timeout=timeout)

    @contextlib.contextmanager
    def _failing_plainly(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise DataError(
                f"the token cache in {self.folder} could not be written or read: {error.strerror or error}. Free some "
                "space or mend the rights there, choose another place with --cache-dir, or take --cache memory or none."
            ) from error

    def _write(self, name: str, write: Write) -> None:
        """Write an entry; its lock is held."""
        partial = self.folder / f"{name}{_PARTIAL}"
        # Of a process that was killed, for the lock is ours.
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        try:
            writers, shared, targets = write(partial)
            _write_index(partial, writers, shared, targets)
            shutil.rmtree(self.folder / name, ignore_errors=True)
            partial.rename(self.folder / name)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise

    def _read(self, name: str) -> Entry | None:
        """Read an entry; None where there is none, or it is damaged."""
        folder = self.folder / name
        if not folder.exists():
            return None
        try:
            return _read_entry(folder)
        except (OSError, ValueError, KeyError, TypeError) as error:
            _logger.info("the token cache in %s is damaged (%s) and is written anew.", folder, error)
            return None

    def _sweep(self, kept: str) -> None:
        """Delete what killed processes left, and the entries that were not used for longest, until the limit is met."""
        entries = {}
        for index in self.folder.glob(f"*/{_INDEX}"):
            with contextlib.suppress(OSError):
                size = sum(file.stat().st_size for file in index.parent.iterdir())
                entries[index.parent.name] = (index.stat().st_mtime, size)
        total = sum(size for _, size in entries.values())
        for name in sorted(entries, key=entries.__getitem__):
            if total > self.limit and name != kept and self._delete(name, name):
                total -= entries[name][1]
        for partial in self.folder.glob(f"*{_PARTIAL}"):
            self._delete(partial.name.removesuffix(_PARTIAL), partial.name)

    def _delete(self, name: str, folder: str) -> bool:
        """Delete a folder of an entry, unless somebody holds its lock, who is checking or writing it."""
        with contextlib.suppress(filelock.Timeout), self._lock(name, timeout=0):
            shutil.rmtree(self.folder / folder, ignore_errors=True)
            return True
        return False


def default_folder() -> Path:
    """The folder `kseq` in the user's cache folder."""
    root = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(root).expanduser() / "kseq"


def _write_index(
    folder: Path, writers: Mapping[str, RowsWriter], shared: Mapping[str, str], targets: np.ndarray
) -> None:
    """Write the small parts of an entry, and last the index that makes it whole."""
    inputs: dict[str, Any] = {}
    for name, writer in writers.items():
        sink = writer.sink
        if not isinstance(sink, FileSink):
            raise TypeError(f"the rows of {name!r} are in memory; expected them in {folder}.")
        table = writer.table()
        lengths = np.concatenate([np.zeros(0, np.int32), *writer.lengths])
        inputs[name] = {
            "dtype": writer.dtype.str,
            "values": {"file": sink.path.name, "dtype": sink.dtype.str, "checksum": sink.checksum},
            "lengths": shared[name] if name in shared else _write_array(folder / f"{name}.lengths", lengths),
            "table": None if table is None else _write_array(folder / f"{name}.table", table),
        }
    parts = {"inputs": inputs, "targets": _write_array(folder / "targets", targets)}
    (folder / _INDEX).write_text(json.dumps({"checksum": _checksum_of_json(parts), **parts}, indent=1), "utf-8")


def _checksum_of_json(parts: Mapping[str, Any]) -> int:
    return zlib.crc32(json.dumps(parts).encode())


def _write_array(path: Path, array: np.ndarray) -> dict[str, Any]:
    array = np.ascontiguousarray(array)
    path.write_bytes(array.tobytes())
    return {
        "file": path.name,
        "dtype": array.dtype.str,
        "checksum": checksum_of(path),
        "shape": list(array.shape),
    }


def _read_entry(folder: Path) -> Entry:
    """Read an entry, and raise `ValueError` where a byte of it has changed."""
    index = json.loads((folder / _INDEX).read_text("utf-8"))
    checksum = index.pop("checksum")
    if checksum != _checksum_of_json(index):
        raise ValueError(f"another {_INDEX}")
    inputs: dict[str, Rows] = {}
    for name, part in index["inputs"].items():
        values = part["values"]
        _check(folder, values)
        shares = isinstance(part["lengths"], str)
        offsets = inputs[part["lengths"]].offsets if shares else offsets_of(_read_array(folder, part["lengths"]))
        table = None if part["table"] is None else _read_array(folder, part["table"])
        stored = StoredValues(folder / values["file"], np.dtype(values["dtype"]))
        inputs[name] = Rows(stored, offsets, np.dtype(part["dtype"]), table)
    return Entry(inputs, _read_array(folder, index["targets"]), reused=True)


def _read_array(folder: Path, part: Mapping[str, Any]) -> np.ndarray:
    _check(folder, part)
    return np.fromfile(folder / part["file"], np.dtype(part["dtype"])).reshape(part["shape"])


def _check(folder: Path, part: Mapping[str, Any]) -> None:
    if checksum_of(folder / part["file"]) != part["checksum"]:
        raise ValueError(f"another {part['file']}")
