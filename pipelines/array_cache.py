"""Small arrays that a later run finds again: one `.npz` file for each key, in the user's cache folder.

A file is written under another name and renamed when it is whole; the zip archive that it is has checksums. Files that
were not used for the longest time go when the cache outgrows its limit. What cannot be kept is computed again.
"""

import contextlib
import hashlib
import logging
import os
import uuid
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from pipelines.token_cache import default_folder

LIMIT = 2**28
_PARTIAL = ".partial"
# What NumPy and zipfile raise for files that are cut off, changed or no archives.
_DAMAGED = (OSError, ValueError, EOFError, KeyError, NotImplementedError, zipfile.BadZipFile, zlib.error)
_logger = logging.getLogger(__name__)


class ArrayCache:
    """A folder of named arrays by key.

    Attributes:
        folder: where they lie; it may be deleted at any time.
        limit: most bytes of all files.
    """

    def __init__(self, name: str, folder: str | Path | None = None, limit: int = LIMIT):
        self.folder = (default_folder() if folder is None else Path(folder).expanduser()) / name
        self.limit = limit

    def find(self, key: str) -> dict[str, np.ndarray] | None:
        """Read the arrays of a key; None where there are none, or they are damaged, which is logged."""
        path = self._path(key)
        if not path.exists():
            return None
        try:
            # NumPy leaves a path open where what lies there is no archive.
            with open(path, "rb") as raw, np.load(raw, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            # The time of last use, for `_sweep`.
            os.utime(path)
        except _DAMAGED as error:
            _logger.info("%s is damaged (%s) and is written anew.", path, error)
            return None
        return arrays

    def keep(self, key: str, arrays: Mapping[str, np.ndarray]) -> None:
        """Write the arrays of a key; where that fails, say so and go on: nothing but time is lost."""
        path = self._path(key)
        partial = path.with_name(f"{path.stem}-{uuid.uuid4().hex[:12]}{_PARTIAL}")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with open(partial, "wb") as file:
                np.savez(file, allow_pickle=False, **arrays)
            partial.replace(path)
            self._sweep()
        except OSError as error:
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)
            _logger.info("nothing could be kept in %s: %s.", self.folder, error.strerror or error)

    def _path(self, key: str) -> Path:
        return self.folder / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.npz"

    def _sweep(self) -> None:
        """Delete the files that were not used for longest, until the limit is met."""
        found = []
        for path in self.folder.glob("*.npz"):
            with contextlib.suppress(OSError):
                found.append((path.stat().st_mtime, path.stat().st_size, path))
        total = sum(size for _, size, _ in found)
        for _, size, path in sorted(found)[:-1]:
            if total > self.limit:
                with contextlib.suppress(OSError):
                    path.unlink()
                total -= size
