"""Files wherever they lie: in a folder, in an archive, compressed. Nothing is unpacked to disk."""

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
_TAR_MAGIC = slice(257, 262)
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
    """

    name: str
    kind: str
    files: tuple[File, ...]
    contents: Callable[[Sequence[File]], Iterator[tuple[File, bytes]]]


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


def open_path(path: str) -> File | Tree:
    """Look at what lies at a path.

    Raises:
        DataError: nothing, or what cannot be read.
    """
    with readable(path):
        place = Path(path)
        if not place.exists():
            raise DataError(f"{path} does not exist. Check the path.")
        if place.is_dir():
            return _folder(path, place)
        if not place.is_file():
            raise DataError(f"{path} is neither a file nor a folder.")
        file = File(path, (place.name,), lambda: _decompressed(place.open("rb")))
        with file.open() as stream:
            head = stream.read(512)
        if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
            return _zip(path, place)
        if head[_TAR_MAGIC] == b"ustar":
            return _tar(file)
        return file


def _decompressed(stream: BinaryIO) -> BinaryIO:
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


class _Part(io.RawIOBase):
    """A stretch of a stream, as a stream."""

    def __init__(self, whole: BinaryIO, start: int, size: int) -> None:
        super().__init__()
        self._whole, self._start, self._size, self._at = whole, start, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(base + offset, 0)
        return self._at

    def readinto(self, buffer: Any) -> int:
        wanted = max(min(len(buffer), self._size - self._at), 0)
        if self._whole.tell() != self._start + self._at:
            self._whole.seek(self._start + self._at)
        content = self._whole.read(wanted)
        if wanted and not content:
            raise EOFError("it ends too early")
        buffer[: len(content)] = content
        self._at += len(content)
        return len(content)

    def close(self) -> None:
        super().close()
        self._whole.close()


def _folder(path: str, folder: Path) -> Tree:
    def opener(place: Path) -> Callable[[], BinaryIO]:
        return lambda: _decompressed(place.open("rb"))

    places = sorted(
        (place.relative_to(folder).parts, place)
        for place in folder.rglob("*")
        if _is_visible(place.relative_to(folder).parts) and place.is_file()
    )
    files = tuple(File(_shown(str(Path(path, *parts))), parts, opener(place)) for parts, place in places)

    def contents(chosen: Sequence[File]) -> Iterator[tuple[File, bytes]]:
        for file in chosen:
            with file.open() as stream:
                content = stream.read()
            yield file, content

    return Tree(path, "folder", files, contents)


def _zip(path: str, place: Path) -> Tree:
    def open_member(member: zipfile.ZipInfo) -> BinaryIO:
        with zipfile.ZipFile(place) as archive:
            # The file below stays open for as long as the member does.
            return _decompressed(cast(BinaryIO, archive.open(member)))

    with zipfile.ZipFile(place) as archive:
        members = {_parts(member.filename): member for member in archive.infolist() if not member.is_dir()}
    if ("xl", "workbook.xml") in members:
        raise DataError(
            f"{path} is an Excel workbook. Save the sheet as CSV (in Excel: CSV UTF-8), and name that file instead."
        )
    by_name: dict[str, zipfile.ZipInfo] = {}
    files = []
    for parts in sorted(filter(_is_visible, members)):
        name = _shown("/".join((path, *parts)))
        by_name[name] = members[parts]
        files.append(File(name, parts, lambda member=members[parts]: open_member(member)))  # type: ignore[misc]

    def contents(chosen: Sequence[File]) -> Iterator[tuple[File, bytes]]:
        with readable(path), zipfile.ZipFile(place) as archive:
            for file in chosen:
                with readable(file.name):
                    content = _inflated(archive.read(by_name[file.name]))
                yield file, content

    return Tree(path, "archive", tuple(files), contents)


def _tar(archive: File) -> Tree:
    def open_member(start: int, size: int) -> BinaryIO:
        return _decompressed(cast(BinaryIO, io.BufferedReader(_Part(archive.opener(), start, size))))

    places: dict[str, tuple[int, int]] = {}
    files = []
    with archive.open() as stream, tarfile.open(fileobj=stream, mode="r:") as members:
        for member in members:
            parts = _parts(member.name)
            if member.isreg() and not member.issparse() and _is_visible(parts):
                name = _shown("/".join((archive.name, *parts)))
                where = (member.offset_data, member.size)
                if name not in places:
                    files.append(File(name, parts, lambda where=where: open_member(*where)))  # type: ignore[misc]
                # A later member of the same name replaces the earlier one, as it does where an archive is unpacked.
                places[name] = where
            # Otherwise tarfile keeps every header.
            members.members = []  # type: ignore[attr-defined]

    def contents(chosen: Sequence[File]) -> Iterator[tuple[File, bytes]]:
        with archive.open() as stream:
            # One way, from the beginning to the end: a compressed stream that goes back begins anew.
            for file in sorted(chosen, key=lambda file: places[file.name][0]):
                start, size = places[file.name]
                stream.seek(start)
                content = stream.read(size)
                if len(content) < size:
                    raise EOFError("it ends too early")
                yield file, _inflated(content)

    return Tree(archive.name, "archive", tuple(files), contents)


def _inflated(content: bytes) -> bytes:
    if not content.startswith(tuple(magic for magic, _ in _COMPRESSIONS)):
        return content
    with _decompressed(io.BytesIO(content)) as stream:
        return stream.read()


def _parts(name: str) -> tuple[str, ...]:
    return tuple(part for part in name.replace("\\", "/").split("/") if part not in ("", ".", ".."))


def _is_visible(parts: tuple[str, ...]) -> bool:
    return bool(parts) and not any(part.startswith(".") or part in ("__MACOSX", "Thumbs.db") for part in parts)


def _shown(name: str) -> str:
    """Make a name that can be printed of one with bytes that are no text."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")
