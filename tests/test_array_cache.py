"""Arrays that a later run finds: whole or not at all, and bounded."""

import logging
import os
import time

import numpy as np
import pytest

from pipelines.array_cache import ArrayCache

ARRAYS = {"test": np.arange(6, dtype=np.float32).reshape(3, 2), "validation": np.ones((1, 2), np.float32)}


def same(found):
    assert set(found) == set(ARRAYS)
    for name, array in ARRAYS.items():
        assert found[name].dtype == array.dtype
        assert found[name].tolist() == array.tolist()


def test_what_is_kept_is_found_by_its_key(tmp_path):
    ArrayCache("baseline", tmp_path).keep("one", ARRAYS)
    same(ArrayCache("baseline", tmp_path).find("one"))
    assert ArrayCache("baseline", tmp_path).find("another") is None
    assert ArrayCache("others", tmp_path).find("one") is None
    assert [path.suffix for path in (tmp_path / "baseline").iterdir()] == [".npz"]


def flip(data, at):
    return data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :]


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: b"no archive",
        lambda data: data[: len(data) // 2],
        lambda data: data[:-1],
        # The last byte of an array, which a checksum alone can tell.
        lambda data: flip(data, data.index(ARRAYS["test"].tobytes()) + 23),
        lambda data: flip(data, 2),
    ],
    ids=["empty", "other", "half", "cut", "array", "header"],
)
def test_damage_is_told_and_nothing_is_found(damage, tmp_path, caplog):
    cache = ArrayCache("baseline", tmp_path)
    cache.keep("one", ARRAYS)
    (path,) = cache.folder.iterdir()
    path.write_bytes(damage(path.read_bytes()))
    with caplog.at_level(logging.INFO):
        assert cache.find("one") is None
    assert f"{path} is damaged" in caplog.text
    cache.keep("one", ARRAYS)
    same(cache.find("one"))


def test_pickles_are_not_opened(tmp_path):
    cache = ArrayCache("baseline", tmp_path)
    cache.keep("one", ARRAYS)
    (path,) = cache.folder.iterdir()
    np.savez(path, allow_pickle=True, test=np.array([{"an": "object"}], object))
    assert cache.find("one") is None


def test_a_folder_that_cannot_be_written_costs_nothing_but_a_word(tmp_path, caplog):
    (tmp_path / "file").write_text("no folder")
    with caplog.at_level(logging.INFO):
        ArrayCache("baseline", tmp_path / "file").keep("one", ARRAYS)
    assert f"nothing could be kept in {tmp_path / 'file' / 'baseline'}" in caplog.text
    with pytest.raises(ValueError, match="allow_pickle"):
        ArrayCache("baseline", tmp_path).keep("one", {"test": np.array([{}], object)})


def test_the_file_unused_for_longest_goes_first(tmp_path):
    cache = ArrayCache("baseline", tmp_path)
    for age, key in enumerate("abc"):
        before = set(tmp_path.rglob("*.npz"))
        cache.keep(key, ARRAYS)
        (path,) = set(tmp_path.rglob("*.npz")) - before
        os.utime(path, (time.time() - 1000, time.time() - 1000 + age))
    size = path.stat().st_size
    same(cache.find("a"))
    ArrayCache("baseline", tmp_path, limit=3 * size).keep("d", ARRAYS)
    assert [cache.find(key) is not None for key in "abcd"] == [True, False, True, True]
    # The newest stays, however small the limit.
    ArrayCache("baseline", tmp_path, limit=1).keep("e", ARRAYS)
    assert [cache.find(key) is not None for key in "acde"] == [False, False, False, True]
