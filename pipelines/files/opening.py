"""Files wherever they lie: in a folder, in an archive, compressed. Nothing is unpacked to disk."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from pipelines.errors import DataError
from pipelines.files.archives import tar_tree, zip_tree
from pipelines.files.trees import File, Tree, is_visible, opener, readable, shown

_TAR_MAGIC = slice(257, 262)


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
        file = File(path, (place.name,), opener(place))
        with file.open() as stream:
            head = stream.read(512)
        if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
            return zip_tree(path, place, encoding)
        if head[_TAR_MAGIC] == b"ustar":
            return tar_tree(file)
        return file


def _folder(path: str, folder: Path) -> Tree:
    places, left_out = _walk(path, folder)
    files = tuple(File(shown(str(Path(path, *parts))), parts, opener(place)) for parts, place in places)

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
            if not is_visible(parts):
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
    return sorted(places), tuple(f"{shown(str(Path(path, *parts)))} ({reason})" for parts, reason in sorted(left_out))
