"""Rows end to end: what comes back is what a list of lists holds, in memory and in a file."""

import numpy as np
import pytest

from pipelines.errors import DataError
from pipelines.rows import Rows, StoredValues, offsets_of
from pipelines.rows_writer import RowsWriter, row_lengths

PLACES = ["memory", "file"]


def padded_by_hand(rows, width, zero=0):
    return [list(row) + [zero] * (width - len(row)) for row in rows]


def writer_of(place, folder, dtype, element_shape=()):
    return RowsWriter(np.dtype(dtype), element_shape, folder / "values" if place == "file" else None)


def random_rows(largest, count=70, seed=0):
    random = np.random.default_rng(seed)
    return [random.integers(1, largest + 1, random.integers(0, 9)).tolist() for _ in range(count)]


def add_all(writer, rows, batch_size, zero=0):
    for batch in (rows[start : start + batch_size] for start in range(0, len(rows), batch_size)):
        lengths = np.array([len(row) for row in batch])
        tensor = np.array(padded_by_hand(batch, max(1, lengths.max()), zero), writer.dtype)
        writer.add(tensor, lengths)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    ("largest", "kept_as"), [(65535, np.uint16), (65536, np.int32), (2**31 - 1, np.int32), (2**31, np.int64)]
)
def test_rows_come_back_and_are_kept_narrow(tmp_path, place, largest, kept_as):
    rows = random_rows(30)
    # The wide ones last: what was kept narrow until then is widened.
    rows[-1], rows[0] = [largest, 7], []
    writer = writer_of(place, tmp_path, np.int64)
    add_all(writer, rows, 16)
    kept = writer.rows()
    assert kept.values.dtype == kept_as
    assert kept.lengths.tolist() == [len(row) for row in rows]
    assert kept.lengths.dtype == np.int32
    for chosen in ([5], [3, 3, 1], list(range(70)), [69, 0]):
        batch = kept.padded(np.array(chosen))
        assert batch.dtype == np.int64
        wanted = [rows[number] for number in chosen]
        assert batch.tolist() == padded_by_hand(wanted, max(1, *map(len, wanted), 1))
    assert np.concatenate(list(kept.blocks())).tolist() == [value for row in rows for value in row]
    assert kept.nbytes == sum(map(len, rows)) * np.dtype(kept_as).itemsize
    if place == "file":
        assert [file.name for file in tmp_path.iterdir()] == ["values"]


@pytest.mark.parametrize("place", PLACES)
def test_elements_of_several_numbers_are_kept_once_and_none_shifts(tmp_path, place):
    """A token without any n-gram, all zeros, stands first, between others and last."""
    words = {"": [0, 0, 0], "a": [5, 0, 0], "b": [5, 9, 70000], "c": [0, 0, 5]}
    texts = ["abc", "", "a", "ba", "cccc"]
    tokens = [
        [words["a"], words[""], words["b"], words["c"]],
        [words[""]],
        [words[""], words["a"], words[""]],
        [],
        [words["c"]] * 5,
    ] * 9
    writer = writer_of(place, tmp_path, np.int32, (3,))
    add_all(writer, tokens, 4, zero=[0, 0, 0])
    kept = writer.rows()
    assert len(texts) == 5
    assert kept.element_shape == (3,)
    assert kept.table.tolist()[0] == [0, 0, 0]
    assert sorted(kept.table.tolist()) == sorted(words.values())
    assert kept.values.dtype == np.uint16
    assert kept.lengths.tolist() == [len(row) for row in tokens]
    batch = kept.padded(np.array([1, 0, 2, 3, 4, 0]))
    assert batch.dtype == np.int32
    chosen = [tokens[number] for number in (1, 0, 2, 3, 4, 0)]
    assert batch.tolist() == padded_by_hand(chosen, 5, zero=[0, 0, 0])


def test_more_elements_than_the_narrowest_type_numbers():
    random = np.random.default_rng(1)
    tensor = random.integers(1, 2**30, (90, 1000, 2)).astype(np.int32)
    writer = RowsWriter(np.dtype(np.int32), (2,))
    for start in range(0, 90, 30):
        writer.add(tensor[start : start + 30], np.full(30, 1000))
    kept = writer.rows()
    assert kept.values.dtype == np.int32
    np.testing.assert_array_equal(kept.padded(np.arange(90)), tensor)


def test_a_fraction_is_kept_as_it_is():
    writer = RowsWriter(np.dtype(np.float32), ())
    writer.add(np.array([[0.5, 0.0, 2.5], [1.5, 0.0, 0.0]], np.float32), np.array([3, 1]))
    assert writer.rows().padded(np.array([0, 1])).tolist() == [[0.5, 0.0, 2.5], [1.5, 0.0, 0.0]]


def test_lengths_of_rows_end_at_the_last_id():
    ids = np.array([[3, 0, 4, 0, 0], [0, 0, 0, 0, 0], [1, 1, 1, 1, 1], [0, 0, 0, 0, 2], [7, 0, 0, 0, 0]])
    assert row_lengths(ids).tolist() == [3, 0, 5, 5, 1]
    assert row_lengths(np.zeros((2, 0), int)).tolist() == [0, 0]


def test_values_in_a_file_outlive_its_name_and_tell_when_it_is_cut(tmp_path):
    path = tmp_path / "values"
    np.arange(1000, dtype=np.int32).tofile(path)
    rows = Rows(StoredValues(path, np.dtype(np.int32)), offsets_of(np.full(10, 100)))
    moved = path.rename(tmp_path / "moved")
    assert rows.padded(np.array([9])).tolist() == [list(range(900, 1000))]
    with moved.open("r+b") as file:
        file.truncate(3700)
    assert rows.padded(np.array([8])).tolist() == [list(range(800, 900))]
    with pytest.raises(DataError, match=rf"{path} was cut short .* Run again"):
        rows.padded(np.array([9]))
