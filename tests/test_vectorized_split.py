"""One split, kept in memory, on disk or not at all: the same batches, bit by bit."""

import dataclasses
import logging

import numpy as np
import pytest
import tensorflow as tf

from kseq.text_options import CACHES as OFFERED
from pipelines import free_memory
from pipelines.batching import evaluation_batches, training_batches
from pipelines.errors import DataError
from pipelines.free_memory import MemoryWatch
from pipelines.streams import select
from pipelines.vectorized_split import CACHES, StreamedSplit, VectorizedSplit, vectorize_split

RANDOM = np.random.default_rng(2)
TEXTS = ["".join(RANDOM.choice(list("abcdefgh "), RANDOM.integers(0, 40))) for _ in range(3000)]
# Sorted by label, as many files are.
LABELS = np.sort(RANDOM.integers(0, 3, len(TEXTS))).astype(np.int32)


def ids_by_hand(text):
    return [ord(character) for character in text] or [1]


def vectorize(texts):
    """Ids of characters; of each, two numbers, none of a blank; and as many n-grams as every third character."""
    characters = tf.strings.unicode_decode(tf.where(texts == "", "\x01", texts), "UTF-8")
    ids = characters.to_tensor(0)
    speaking = tf.cast((ids != 0) & (ids != ord(" ")), tf.int32)
    return {
        "character_ids": tf.stack([ids * speaking, (ids % 5) * speaking], axis=2),
        "ngram_ids": tf.cast(tf.where(ids[:, 2::3] == 0, 0, ids[:, 2::3] + 70000), tf.int64),
        "token_ids": ids,
    }


def counted(texts=TEXTS, targets=LABELS):
    """A dataset, and the list of its readings."""
    readings = []

    def read():
        readings.append(len(readings))
        for start in range(0, len(texts), 500):
            yield np.array(texts[start : start + 500], object), targets[start : start + 500]

    spec = (tf.TensorSpec((None,), tf.string), tf.TensorSpec((None, *targets.shape[1:]), targets.dtype))
    return tf.data.Dataset.from_generator(read, output_signature=spec).unbatch(), readings


def split_of(cache, tmp_path, dataset=None):
    return vectorize_split(counted()[0] if dataset is None else dataset, vectorize, cache, key="k", cache_dir=tmp_path)


def assert_same(batches, others, count):
    seen = 0
    for one, other in zip(batches.as_numpy_iterator(), others.as_numpy_iterator(), strict=True):
        assert one[0].keys() == other[0].keys()
        for mine, theirs in [
            *((one[0][name], other[0][name]) for name in one[0]),
            *zip(one[1:], other[1:], strict=True),
        ]:
            assert mine.dtype == theirs.dtype
            np.testing.assert_array_equal(mine, theirs)
        seen += 1
    assert seen == count


@pytest.mark.parametrize("cache", ["disk", "none"])
def test_batches_are_those_of_memory(tmp_path, cache):
    memory, other = split_of("memory", tmp_path), split_of(cache, tmp_path)
    weights = np.arange(len(TEXTS), dtype=np.float32)
    memory, other = (dataclasses.replace(split, sample_weights=weights) for split in (memory, other))
    if cache == "none":
        # Some windows an epoch, which do not end where batches of the file would.
        other = dataclasses.replace(other, window_tokens=17_000)
        assert other.passes == 4
    assert other.targets.tolist() == LABELS.tolist()
    assert other.lengths.tolist() == memory.lengths.tolist() == [len(ids_by_hand(text)) for text in TEXTS]
    assert other.specs == memory.specs
    assert_same(training_batches(memory, 64, 5, epochs=2), training_batches(other, 64, 5, epochs=2), 2 * 47)
    (batches, order), (others, other_order) = evaluation_batches(memory, 256), evaluation_batches(other, 256)
    np.testing.assert_array_equal(order, other_order)
    assert_same(batches, others, 12)
    blanks = sum(text.count(" ") for text in TEXTS) / sum(len(ids_by_hand(text)) for text in TEXTS)
    assert other.share_of(ord(" ")) == memory.share_of(ord(" ")) == pytest.approx(blanks, rel=1e-12)


def test_each_input_is_what_the_texts_say(tmp_path):
    split = split_of("disk", tmp_path)
    assert isinstance(split, VectorizedSplit)
    assert {name: rows.values.dtype for name, rows in split.inputs.items()} == {
        "token_ids": np.uint16,
        "character_ids": np.uint16,
        "ngram_ids": np.int32,
    }
    for number in range(0, 3000, 7):
        inputs, _, _ = split.batch(np.array([number]))
        ids = ids_by_hand(TEXTS[number])
        assert inputs["token_ids"].tolist() == [ids]
        assert inputs["character_ids"].tolist() == [[[0, 0] if one == 32 else [one, one % 5] for one in ids]]
        assert inputs["ngram_ids"].tolist() == [[one + 70000 for one in ids[2::3]] or [0]]


def test_more_n_grams_than_tokens_do_not_lengthen_a_text():
    def more(texts):
        ids = vectorize(texts)["token_ids"]
        return {"ngram_ids": tf.concat([ids, ids], axis=1), "token_ids": ids}

    split = vectorize_split(tf.data.Dataset.from_tensor_slices((["abc", ""], [0, 1])), more)
    assert split.lengths.tolist() == [3, 1]


def test_what_lies_on_disk_is_not_vectorized_again(tmp_path):
    dataset, readings = counted()
    split_of("disk", tmp_path, dataset)

    def never(texts):
        raise AssertionError("vectorized again")

    split = vectorize_split(dataset, never, "disk", key="k", cache_dir=tmp_path)
    assert (split.reused, split.folder, len(readings)) == (True, tmp_path / "tokens", 1)
    with pytest.raises(AssertionError, match="vectorized again"):
        vectorize_split(dataset, never, "disk", key="another", cache_dir=tmp_path)


def test_without_a_cache_the_file_is_read_once_a_window_and_windows_are_bounded():
    dataset, readings = counted()
    split = dataclasses.replace(split_of("none", None, dataset), window_tokens=17_000)
    assert isinstance(split, StreamedSplit)
    readings.clear()
    order = [np.arange(start, start + 100) for start in range(0, 3000, 100)]
    read = split.reader(order.__getitem__, lambda number: 30)
    held = []
    for number in range(30):
        read(number)
        window = read.__closure__[[*read.__code__.co_freevars].index("window")].cell_contents
        held.append(int(window[2].lengths.sum()))
        assert window[0].start <= number < window[0].stop
    assert max(held) <= 17_000
    tokens = sum(len(ids_by_hand(text)) for text in TEXTS)
    assert len(readings) == len(set(held)) == -(-tokens // 17_000) == 4


def test_a_batch_larger_than_the_window_still_comes():
    split = dataclasses.replace(split_of("none", None), window_tokens=1)
    read = split.reader(lambda number: np.arange(number, number + 3), lambda number: 5)
    assert read(4)[1].tolist() == LABELS[4:7].tolist()
    assert read(0)[0]["token_ids"][0].tolist()[: len(TEXTS[0])] == ids_by_hand(TEXTS[0])


@pytest.mark.parametrize("cache", CACHES)
def test_several_labels_a_text_keep_their_type(tmp_path, cache):
    targets = RANDOM.integers(0, 2, (len(TEXTS), 4)).astype(np.int8)
    split = split_of(cache, tmp_path, counted(targets=targets)[0])
    batches, order = evaluation_batches(split, 512)
    seen = np.concatenate([target for _, target, _ in batches.as_numpy_iterator()])
    assert seen.dtype == np.int8
    np.testing.assert_array_equal(seen, targets[order])


def test_the_caches_are_those_on_offer():
    assert OFFERED == CACHES
    with pytest.raises(ValueError, match="cache is 'ram'; expected one of 'memory', 'disk', 'none'"):
        vectorize_split(counted()[0], vectorize, "ram")
    with pytest.raises(ValueError, match="key is None"):
        vectorize_split(counted()[0], vectorize, "disk")


def test_memory_that_will_not_suffice_is_told_before_it_is_full(monkeypatch, caplog):
    gibibyte = 2**30
    monkeypatch.setattr(free_memory, "free_memory", lambda: 4 * gibibyte)
    caplog.set_level(logging.INFO)

    # 8,192 texts of 1,000 bytes: of a million, 1 GB.
    MemoryWatch(1_000_000).check(8192, lambda: 8192 * 1000)
    MemoryWatch(None).check(8192, lambda: 4 * gibibyte)
    MemoryWatch(1_000_000).check(8191, lambda: 4 * gibibyte)
    assert caplog.messages == []
    watch = MemoryWatch(3_000_000)
    watch.check(8192, lambda: 8192 * 1000)
    watch.check(16384, lambda: 16384 * 1000)
    (sentence,) = caplog.messages
    for word in ("3,000,000 texts", "2.8 GiB", "4.0 GiB are free", "--cache disk", "--cache none"):
        assert word in sentence
    with pytest.raises(DataError, match=r"5,000,000 texts need about 4\.7 GiB of memory, and 4\.0 GiB are free"):
        MemoryWatch(5_000_000).check(8192, lambda: 8192 * 1000)


def test_a_split_that_will_not_fit_ends_while_it_is_read(monkeypatch):
    monkeypatch.setattr(free_memory, "free_memory", lambda: 10_000)
    dataset, _ = counted(TEXTS * 4, np.tile(LABELS, 4))
    with pytest.raises(DataError, match="--cache disk"):
        vectorize_split(dataset, vectorize, size=12_000)


def test_free_memory_is_what_the_system_tells():
    free = free_memory.free_memory()
    assert free is None or 2**20 < free < 2**50


@pytest.mark.parametrize("count", [1, 1023, 1024, 1025, 5000])
def test_selecting_keeps_what_is_chosen_in_its_order(count):
    chosen = np.random.default_rng(count).random(count) < 0.3
    dataset = tf.data.Dataset.from_tensor_slices((np.arange(count), np.arange(2 * count).reshape(count, 2)))
    kept = list(select(dataset, chosen).as_numpy_iterator())
    assert [number for number, _ in kept] == np.flatnonzero(chosen).tolist()
    assert [pair.tolist() for _, pair in kept] == [[2 * number, 2 * number + 1] for number in np.flatnonzero(chosen)]
