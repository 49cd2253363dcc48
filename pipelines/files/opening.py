"""Files wherever they lie: in a folder, in an archive, compressed. Nothing is unpacked to disk."""

import bz2
import contextlib
import dataclasses
import functools
import gzip
import io
import lzma
import os
import stat
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
_TAR_KINDS = {
    tarfile.SYMTYPE: "a link",
    tarfile.LNKTYPE: "a link to what is not there",
    tarfile.GNUTYPE_SPARSE: "a sparse file",
}
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


def open_path(path: str, encoding: str | None = None) -> File | Tree:
    """Look at what lies at a path.

    Args:
        path: of a file, a folder or an archive.
        encoding: that the user typed; names in a zip archive that says nothing of theirs are in it too.

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
        file = File(path, (place.name,), _opener(place))
        with file.open() as stream:
            head = stream.read(512)
        if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
            return _zip(path, place, encoding)
        if head[_TAR_MAGIC] == b"ustar":
            return _tar(file)
        return file


def _opener(place: Path) -> Callable[[], BinaryIO]:
    """Open a file again and again, decompressed, as long as it stays as it is now."""
    check = _change_check(place)

    def opened() -> BinaryIO:
        check()
        return _decompressed(place.open("rb"))

    return opened


def _change_check(place: Path) -> Callable[[], None]:
    """Give what raises `DataError` once a file is not as it is now: texts are split by their place in it."""

    def state() -> tuple[int, int]:
        found = place.stat()
        return found.st_size, found.st_mtime_ns

    before = state()

    def check() -> None:
        if state() != before:
            raise DataError(changed(_shown(str(place))))

    return check


def changed(files: str) -> str:
    """Word the message on files that are others than they were when they were read first."""
    return f"{files} changed while it was read. Run the command again once nothing writes to it any more."


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
    places, left_out = _walk(path, folder)
    files = tuple(File(_shown(str(Path(path, *parts))), parts, _opener(place)) for parts, place in places)

    def contents(chosen: Sequence[File]) -> Iterator[tuple[File, bytes]]:
        for file in chosen:
            with file.open() as stream:
                content = stream.read()
            yield file, content

    return Tree(path, "folder", files, contents, left_out)


def _walk(path: str, folder: Path) -> tuple[list[tuple[tuple[str, ...], Path]], tuple[str, ...]]:
    """List the files under a folder, through links too, and what is none; an unreadable folder raises `OSError`."""
    places, left_out = [], []
    waiting: list[tuple[tuple[str, ...], frozenset[tuple[int, int]]]] = [((), frozenset())]
    while waiting:
        above, known = waiting.pop()
        here = folder.joinpath(*above)
        state = here.stat()
        around = known | {(state.st_dev, state.st_ino)}
        for entry in os.scandir(here):
            parts = (*above, entry.name)
            if not _is_visible(parts):
                continue
            try:
                found = entry.stat()
            except OSError:
                if not entry.is_symlink():
                    raise
                left_out.append((parts, "a broken link"))
                continue
            if entry.is_file():
                places.append((parts, here / entry.name))
            elif not entry.is_dir():
                left_out.append((parts, "no regular file"))
            elif (found.st_dev, found.st_ino) in around:
                left_out.append((parts, "a link to a folder that it lies in"))
            else:
                waiting.append((parts, around))
    return sorted(places), tuple(f"{_shown(str(Path(path, *parts)))} ({reason})" for parts, reason in sorted(left_out))


def _zip(path: str, place: Path, encoding: str | None) -> Tree:
    check = _change_check(place)

    def open_member(member: zipfile.ZipInfo) -> BinaryIO:
        check()
        with zipfile.ZipFile(place) as archive:
            # The file below stays open for as long as the member does.
            return _decompressed(cast(BinaryIO, archive.open(member)))

    with zipfile.ZipFile(place) as archive:
        listed = [member for member in archive.infolist() if not member.is_dir()]
    named = list(zip(map(_parts, _zip_names(path, listed, encoding)), listed, strict=True))
    # Of members of one name the last one counts, as it does where an archive is unpacked.
    members = {parts: member for parts, member in named if not _is_link(member)}
    left_out = tuple(
        f"{_shown('/'.join((path, *parts)))} ({'a link' if _is_link(member) else 'a later one has its name'})"
        for parts, member in named
        if members.get(parts) is not member and _is_visible(parts)
    )
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
        check()
        with readable(path), zipfile.ZipFile(place) as archive:
            for file in chosen:
                with readable(file.name):
                    content = _inflated(archive.read(by_name[file.name]))
                yield file, content

    return Tree(path, "archive", tuple(files), contents, left_out)


def _zip_names(path: str, members: Sequence[zipfile.ZipInfo], encoding: str | None) -> list[str]:
    """Read the names of members: a flag says that one is UTF-8, and without it programs write what they like.

    Raises:
        DataError: names that are neither UTF-8 nor in the encoding that the user typed.
    """
    names = [member.filename for member in members]
    # zipfile reads names without the flag as cp437, in which every byte is a character.
    raw = {
        number: member.orig_filename.partition("\0")[0].encode("cp437")
        for number, member in enumerate(members)
        if not member.flag_bits & 0x800 and not member.filename.isascii()
    }
    # UTF-8 first, even where another encoding was typed: many names at once are hardly UTF-8 by chance.
    for codec in filter(None, ("utf-8", encoding)):
        try:
            decoded = {number: name.decode(codec) for number, name in raw.items()}
        except UnicodeError:
            continue
        for number, name in decoded.items():
            names[number] = name
        return names
    shown = next(name for name in raw.values() if not _is(name, "utf-8"))
    raise DataError(
        f"{path}: the names in it are no UTF-8{f', and not {encoding.upper()} either' if encoding else ''}, such as "
        f"{shown!r}, and the archive does not say what they are. If they have the encoding of the texts, add it, such "
        "as --encoding gb18030; otherwise unpack the archive with the program that made it, and name the folder."
    )


def _is_link(member: zipfile.ZipInfo) -> bool:
    """Whether a member is a symbolic link of Unix, whose content is the path that it leads to."""
    return stat.S_ISLNK(member.external_attr >> 16)


def _is(content: bytes, codec: str) -> bool:
    try:
        content.decode(codec)
    except UnicodeError:
        return False
    return True


def _tar(archive: File) -> Tree:
    def open_member(name: str) -> BinaryIO:
        return _decompressed(cast(BinaryIO, io.BufferedReader(_Part(archive.opener(), *places[name]))))

    places: dict[str, tuple[int, int]] = {}
    files: dict[str, File] = {}
    left_out: list[str] = []
    with archive.open() as stream, tarfile.open(fileobj=stream, mode="r:") as members:
        for member in members:
            # Otherwise tarfile keeps every header.
            members.members = []  # type: ignore[attr-defined]
            parts = _parts(member.name)
            name, where = _tar_name(archive, member.name), None
            if member.isreg() and not member.issparse():
                where = (member.offset_data, member.size)
            elif member.islnk():
                # Another name of a file before it: tar writes the content once.
                where = places.get(_tar_name(archive, member.linkname))
            if where is not None:
                if name in files:
                    left_out.append(f"{name} (a later one has its name)")
                # A later member of the same name replaces the earlier one, as it does where an archive is unpacked.
                places[name] = where
                if _is_visible(parts):
                    files[name] = File(name, parts, functools.partial(open_member, name))
            elif _is_visible(parts) and not member.isdir():
                left_out.append(f"{name} ({_TAR_KINDS.get(member.type, 'no regular file')})")

    def contents(chosen: Sequence[File]) -> Iterator[tuple[File, bytes]]:
        with archive.open() as stream:
            # One way, from the beginning to the end: a compressed stream that goes back begins anew.
            read, content = None, b""
            for file in sorted(chosen, key=lambda file: places[file.name][0]):
                if places[file.name] != read:
                    read = start, size = places[file.name]
                    stream.seek(start)
                    content = stream.read(size)
                    if len(content) < size:
                        raise EOFError("it ends too early")
                yield file, _inflated(content)

    return Tree(archive.name, "archive", tuple(files.values()), contents, tuple(left_out))


def _tar_name(archive: File, member: str) -> str:
    return _shown("/".join((archive.name, *_parts(member))))


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
