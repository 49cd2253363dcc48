"""The files of zip and tar archives, read where they lie in them."""

import functools
import io
import stat
import tarfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, cast

from pipelines.errors import DataError
from pipelines.files.trees import (
    File,
    Tree,
    change_check,
    decompressed,
    inflated,
    is_visible,
    parts_of,
    readable,
    shown,
)

_TAR_KINDS = {
    tarfile.SYMTYPE: "a link",
    tarfile.LNKTYPE: "a link to what is not there",
    tarfile.GNUTYPE_SPARSE: "a sparse file",
}


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


def zip_tree(path: str, place: Path, encoding: str | None) -> Tree:
    check = change_check(place)

    def open_member(member: zipfile.ZipInfo) -> BinaryIO:
        check()
        with zipfile.ZipFile(place) as archive:
            # The file below stays open for as long as the member does.
            return decompressed(cast(BinaryIO, archive.open(member)))

    with zipfile.ZipFile(place) as archive:
        listed = [member for member in archive.infolist() if not member.is_dir()]
    named = list(zip(map(parts_of, _zip_names(path, listed, encoding)), listed, strict=True))
    # Of members of one name the last one counts, as it does where an archive is unpacked.
    members = {parts: member for parts, member in named if not _is_link(member)}
    left_out = tuple(
        f"{shown('/'.join((path, *parts)))} ({'a link' if _is_link(member) else 'a later one has its name'})"
        for parts, member in named
        if members.get(parts) is not member and is_visible(parts)
    )
    if ("xl", "workbook.xml") in members:
        raise DataError(
            f"{path} is an Excel workbook. Save the sheet as CSV (in Excel: CSV UTF-8), and name that file instead."
        )
    by_name: dict[str, zipfile.ZipInfo] = {}
    files = []
    for parts in sorted(filter(is_visible, members)):
        name = shown("/".join((path, *parts)))
        by_name[name] = members[parts]
        files.append(File(name, parts, lambda member=members[parts]: open_member(member)))  # type: ignore[misc]

    def contents(chosen: Sequence[File]) -> Iterator[tuple[File, bytes]]:
        check()
        with readable(path), zipfile.ZipFile(place) as archive:
            for file in chosen:
                with readable(file.name):
                    content = inflated(archive.read(by_name[file.name]))
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
    example = next(name for name in raw.values() if not _is(name, "utf-8"))
    raise DataError(
        f"{path}: the names in it are no UTF-8{f', and not {encoding.upper()} either' if encoding else ''}, such as "
        f"{example!r}, and the archive does not say what they are. If they have the encoding of the texts, add it, "
        "such as --encoding gb18030; otherwise unpack the archive with the program that made it, and name the folder."
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


def tar_tree(archive: File) -> Tree:
    def open_member(name: str) -> BinaryIO:
        return decompressed(cast(BinaryIO, io.BufferedReader(_Part(archive.opener(), *places[name]))))

    places: dict[str, tuple[int, int]] = {}
    files: dict[str, File] = {}
    left_out: list[str] = []
    with archive.open() as stream, tarfile.open(fileobj=stream, mode="r:") as members:
        for member in members:
            # Otherwise tarfile keeps every header.
            members.members = []  # type: ignore[attr-defined]
            parts = parts_of(member.name)
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
                if is_visible(parts):
                    files[name] = File(name, parts, functools.partial(open_member, name))
            elif is_visible(parts) and not member.isdir():
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
                yield file, inflated(content)

    return Tree(archive.name, "archive", tuple(files.values()), contents, tuple(left_out))


def _tar_name(archive: File, member: str) -> str:
    return shown("/".join((archive.name, *parts_of(member))))
