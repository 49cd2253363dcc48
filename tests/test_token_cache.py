"""The token cache on disk: found again, written anew where damaged, by one process at a time, and bounded."""

import contextlib
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from pipelines.errors import DataError
from pipelines.rows_writer import RowsWriter
from pipelines.token_cache import TokenCache, default_folder

ROOT = Path(__file__).parents[1]
IDS = np.array([[5, 6, 0], [7, 0, 0], [8, 9, 70000]], np.int32)
GRAMS = np.stack([IDS, 0 * IDS], axis=2)


class Writing:
    """Writes the three texts above, and counts how often it is asked to."""

    def __init__(self, ids=IDS):
        self.calls = 0
        self.ids = ids

    def __call__(self, folder):
        self.calls += 1
        lengths = (self.ids != 0).sum(axis=1)
        tokens = RowsWriter(np.dtype(np.int32), (), folder / "token_ids.values")
        tokens.add(self.ids, lengths)
        grams = RowsWriter(np.dtype(np.int32), (2,), folder / "character_ids.values")
        grams.add(np.stack([self.ids, 0 * self.ids], axis=2), lengths)
        targets = np.arange(len(self.ids), dtype=np.int8)
        return {"token_ids": tokens, "character_ids": grams}, {"character_ids": "token_ids"}, targets


def check(entry):
    assert list(entry.inputs) == ["token_ids", "character_ids"]
    for name, wanted in (("token_ids", IDS), ("character_ids", GRAMS)):
        batch = entry.inputs[name].padded(np.arange(3))
        assert batch.dtype == np.int32
        assert batch.tolist() == wanted.tolist()
    assert entry.inputs["character_ids"].offsets is entry.inputs["token_ids"].offsets
    assert (entry.targets.tolist(), entry.targets.dtype) == ([0, 1, 2], np.int8)


def entry_folder(cache):
    (index,) = cache.folder.glob("*/index.json")
    return index.parent


def test_a_second_run_finds_what_the_first_wrote(tmp_path):
    write = Writing()
    first = TokenCache(tmp_path).entry("one", write)
    second = TokenCache(tmp_path).entry("one", write)
    assert (first.reused, second.reused, write.calls) == (False, True, 1)
    check(first)
    check(second)
    assert not TokenCache(tmp_path).entry("another", write).reused
    assert write.calls == 2
    assert sorted({path.suffix for path in (tmp_path / "tokens").iterdir()}) == ["", ".lock"]


def _flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)


PARTS = [
    "index.json", "token_ids.values", "token_ids.lengths", "character_ids.values", "character_ids.table", "targets",
]  # fmt: skip
DAMAGES = {
    "missing": Path.unlink,
    "empty": lambda path: path.write_bytes(b""),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"7"),
    "flipped": _flip,
}


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_damaged_is_written_anew(tmp_path, part, damage):
    cache = TokenCache(tmp_path)
    write = Writing()
    cache.entry("one", write)
    folder = entry_folder(cache)
    assert sorted(path.name for path in folder.iterdir()) == sorted(PARTS)
    DAMAGES[damage](folder / part)
    entry = cache.entry("one", write)
    assert (entry.reused, write.calls) == (False, 2)
    check(entry)
    assert cache.entry("one", write).reused


def test_a_number_changed_in_the_index_is_noticed(tmp_path):
    cache = TokenCache(tmp_path)
    write = Writing()
    cache.entry("one", write)
    index = entry_folder(cache) / "index.json"
    # The type of the padded ids, which no checksum of a file covers.
    changed = index.read_text().replace('"dtype": "<i4",\n   "values"', '"dtype": "<i8",\n   "values"')
    assert changed != index.read_text()
    index.write_text(changed)
    check(cache.entry("one", write))
    assert write.calls == 2


@contextlib.contextmanager
def files_of_at_most(size):
    """Let the system refuse larger files, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_disk_that_takes_no_more_leaves_nothing_and_is_told(tmp_path):
    cache = TokenCache(tmp_path)
    write = Writing(np.ones((1000, 1000), np.int32))
    with files_of_at_most(2**20), pytest.raises(DataError) as told:
        cache.entry("large", write)
    for word in (str(tmp_path / "tokens"), "File too large", "--cache-dir", "--cache memory or none"):
        assert word in str(told.value)
    assert [path.suffix for path in cache.folder.iterdir()] == [".lock"]
    assert not cache.entry("large", write).reused


def test_a_place_that_is_no_folder_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"file/tokens could not be written or read: .*--cache-dir"):
        TokenCache(tmp_path / "file").entry("one", Writing())


def test_a_failure_while_vectorizing_passes_through_and_leaves_nothing(tmp_path):
    def write(folder):
        Writing()(folder)
        raise DataError("line 7 is broken")

    with pytest.raises(DataError, match="line 7 is broken"):
        TokenCache(tmp_path).entry("one", write)
    assert [path.suffix for path in (tmp_path / "tokens").iterdir()] == [".lock"]


PROGRAM = """
import os, sys, time
sys.modules["tensorflow"] = None
from tests.test_token_cache import TokenCache, Writing, check
def write(folder):
    with open(sys.argv[2], "a") as log:
        log.write("x")
    time.sleep(1)
    if sys.argv[3] == "die":
        Writing()(folder)
        os._exit(9)
    return Writing()(folder)
check(TokenCache(sys.argv[1]).entry("one", write))
"""


def process(folder, log, ending):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen([sys.executable, "-c", PROGRAM, str(folder), str(log), ending], env=environment)


def test_two_processes_write_an_entry_once(tmp_path):
    log = tmp_path / "log"
    both = [process(tmp_path / "cache", log, "live") for _ in range(2)]
    assert [one.wait(timeout=60) for one in both] == [0, 0]
    assert log.read_text() == "x"


def test_what_a_killed_process_left_is_cleared_away(tmp_path):
    assert process(tmp_path, tmp_path / "log", "die").wait(timeout=60) == 9
    cache = TokenCache(tmp_path)
    assert len(list(cache.folder.glob("*.partial"))) == 1
    # Also by a run that needs another entry.
    cache.entry("another", Writing())
    assert list(cache.folder.glob("*.partial")) == []
    entry = cache.entry("one", Writing())
    assert not entry.reused
    check(entry)


def test_the_entry_unused_for_longest_goes_first(tmp_path):
    write = Writing()
    sizes = {}
    for key in "abc":
        cache = TokenCache(tmp_path)
        before = set(cache.folder.glob("*/index.json"))
        cache.entry(key, write)
        (index,) = set(cache.folder.glob("*/index.json")) - before
        sizes[key] = sum(path.stat().st_size for path in index.parent.iterdir())
        os.utime(index, (time.time() - 1000, time.time() - 1000 + "abc".index(key)))
    old = TokenCache(tmp_path).entry("a", write)
    assert old.reused
    # Of the four, "b" was not used for longest, and then "c".
    TokenCache(tmp_path, limit=sum(sizes.values()) + 100).entry("d", write)
    left = {}
    for key in "acdb":
        calls = write.calls
        TokenCache(tmp_path).entry(key, write)
        left[key] = write.calls == calls
    assert left == {"a": True, "c": True, "d": True, "b": False}
    # What is in use stays, larger than all that is allowed.
    alone = TokenCache(tmp_path, limit=1)
    check(alone.entry("e", write))
    assert len(list(alone.folder.glob("*/index.json"))) == 1
    # And what another split of ours has open can still be read.
    check(old)


def test_the_folder_is_the_users(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_folder() == tmp_path / "kseq"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert TokenCache().folder == tmp_path / ".cache" / "kseq" / "tokens"
    assert TokenCache("~/here").folder == tmp_path / "here" / "tokens"
