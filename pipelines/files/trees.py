"""One file, or a tree of them, wherever they lie: decompressed as they are read, and told when they change."""

import bz2
import contextlib
import dataclasses
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, cast

from pipelines.errors import DataError

_COMPRESSIONS: tuple[tuple[bytes, Callable[..., Any]], ...] = (
    (b"\x1f\x8b", lambda stream: gzip.GzipFile(fileobj=stream)),
    (b"BZh", bz2.BZ2File),
    (b"\xfd7zXZ\x00", lzma.LZMAFile),
)
# A compressed archive within a compressed file is somebody's mistake; deeper, it is an attack.
_DEEPEST = 3
_DAMAGE = (
    EOFError, OSError, zlib.error, lzma.LZMAError, tarfile.TarError, zipfile.BadZipFile, NotImplementedError,
    # zipfile's words for a password, and its slips over damaged headers, as tarfile's.
    RuntimeError, ValueError, OverflowError, IndexError,
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class File:
    """One file that can be opened again and again.

    Attributes:
        name: as messages name it: its path, and its path within the archive.
        parts: its path within the folder or archive that it was found in.
        opener: opens it, decompressed, at its beginning.
    """

    name: str
    parts: tuple[str, ...]
    opener: Callable[[], BinaryIO]

    @contextlib.contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """Open it; what goes wrong while it is read is a `DataError` that names it."""
        with readable(self.name), self.opener() as stream:
            yield stream

    def head(self, size: int) -> bytes:
        """Read its first bytes."""
        with self.open() as stream:
            return stream.read(size)


@dataclasses.dataclass(frozen=True)
class Tree:
    """The files of a folder or an archive.

    Attributes:
        name: as messages name it.
        kind: "folder" or "archive".
        files: in the order they are read: sorted, or in a tar archive, which can only be read from its beginning, as
            they lie there.
        contents: some of the files, in that order, to each with its content; faster than opening each.
        left_out: what lies there and cannot be opened, each with the reason.
    """

    name: str
    kind: str
    files: tuple[File, ...]
    contents: Callable[[Sequence[File]], Iterator[tuple[File, bytes]]]
    left_out: tuple[str, ...] = ()


@contextlib.contextmanager
def readable(name: str) -> Iterator[None]:
    """Turn whatever a damaged or unreachable file causes into a `DataError` that names it."""
    try:
        yield
    except _DAMAGE as error:
        raise DataError(
            f"{name} cannot be read: {str(error).rstrip('.') or type(error).__name__}. Check that it is whole and that "
            "you may read it, or fetch it again."
        ) from error


def opener(place: Path) -> Callable[[], BinaryIO]:
    """Open a file again and again, decompressed, as long as it stays as it is now."""
    check = change_check(place)

    def opened() -> BinaryIO:
        check()
        return decompressed(place.open("rb"))

    return opened


def change_check(place: Path) -> Callable[[], None]:
    """Give what raises `DataError` once a file is not as it is now: texts are split by their place in it."""

    def state() -> tuple[int, int]:
        found = place.stat()
        return found.st_size, found.st_mtime_ns

    before = state()

    def check() -> None:
        if state() != before:
            raise DataError(changed(shown(str(place))))

    return check


def changed(files: str) -> str:
    """Word the message on files that are others than they were when they were read first."""
    return f"{files} changed while it was read. Run the command again once nothing writes to it any more."


def decompressed(stream: BinaryIO) -> BinaryIO:
    """Read through compressions, which content tells and not suffixes."""
    try:
        for _depth in range(_DEEPEST):
            head = stream.read(8)
            stream.seek(0)
            reader = next((reader for magic, reader in _COMPRESSIONS if head.startswith(magic)), None)
            if reader is None:
                return stream
            stream = cast(BinaryIO, _Layer(reader(stream), stream))
        raise OSError(f"it is compressed {_DEEPEST} times over")
    except BaseException:
        stream.close()
        raise


class _Layer(io.BufferedReader):
    """A stream over a stream, which closes both."""

    def __init__(self, upper: Any, lower: BinaryIO) -> None:
        super().__init__(upper)
        self._lower = lower

    def close(self) -> None:
        try:
            super().close()
        finally:
            self._lower.close()


def inflated(content: bytes) -> bytes:
    if not content.startswith(tuple(magic for magic, _ in _COMPRESSIONS)):
        return content
    with decompressed(io.BytesIO(content)) as stream:
        return stream.read()


def parts_of(name: str) -> tuple[str, ...]:
    return tuple(part for part in name.replace("\\", "/").split("/") if part not in ("", ".", ".."))


def is_visible(parts: tuple[str, ...]) -> bool:
    return bool(parts) and not any(part.startswith(".") or part in ("__MACOSX", "Thumbs.db") for part in parts)


def shown(name: str) -> str:
    """Make a name that can be printed of one with bytes that are no text."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")
