"""The state of a search on disk: whole in one file, and the one before it beside it."""

import contextlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kseq.replacing import replacing

NAMES = ("snapshot.json", "snapshot-before.json")


def write_json(path: Path, content: Any) -> None:
    """Write a file that is whole or the one that was there before, also after a power cut."""
    with replacing(path) as beside, open(beside, "w", encoding="utf-8") as stream:
        json.dump(content, stream, ensure_ascii=False)
        stream.write("\n")
        stream.flush()
        os.fsync(stream.fileno())


def read_json(path: Path) -> Any:
    """Read a file; None where it is missing, empty, cut short or anything else that is no JSON object."""
    with contextlib.suppress(OSError, ValueError):
        content = json.loads(path.read_text(encoding="utf-8"))
        return content if isinstance(content, dict) else None
    return None


def keep_snapshot(folder: Path, state: Mapping[str, Any]) -> None:
    """Write the state of a search, and keep the one before it."""
    newest, before = (folder / name for name in NAMES)
    if newest.exists():
        # A copy: the newest one is there at any moment.
        with replacing(before) as beside:
            shutil.copyfile(newest, beside)
    write_json(newest, state)


def last_snapshot(folder: Path) -> tuple[dict[str, Any] | None, list[str]]:
    """Read the newest state that is whole, and remove those that are not.

    Returns:
        The state, or None where there is none, and the names of the files that cannot be read.
    """
    broken: list[str] = []
    for name in NAMES:
        state = read_json(folder / name)
        if state is not None:
            return state, broken
        if (folder / name).exists():
            broken.append(name)
            # Or it would be copied over the one that is whole.
            (folder / name).unlink()
    return None, broken
