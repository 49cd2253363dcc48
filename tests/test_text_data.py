"""Splits: carving, selecting, surveys, fingerprints, and what `from_splits` refuses."""

import dataclasses
from collections import Counter

import numpy as np
import pytest
import tensorflow as tf

from pipelines.errors import DataError
from pipelines.sampling import sample_train
from pipelines.splitting import carve
from pipelines.streams import drop_texts, select
from pipelines.survey import Survey, survey
from pipelines.text_data import TextData, from_splits


def _dataset(texts, labels):
    return tf.data.Dataset.from_tensor_slices((np.array(texts, object), np.array(labels, np.int64)))


def _pairs(dataset):
    return [(text.decode(), int(label)) for text, label in dataset.as_numpy_iterator()]


def _survey(texts, labels):
    """A survey made without TensorFlow: Python's own numbering of the texts stands for the hashes."""
    numbers = {text: number for number, text in enumerate(sorted(set(texts)))}
    return Survey(np.array(labels, np.int32), np.array([numbers[text] for text in texts], np.uint64))


def _from_splits(train, test, class_names=("bad", "good"), **settings):
    return from_splits(
        "toy",
        _dataset(*zip(*train, strict=True)) if train else _dataset([], []),
        _dataset(*zip(*test, strict=True)) if test else _dataset([], []),
        class_names,
        suggested_sequence_length=7,
        suggested_vocabulary_size=70,
        **settings,
    )


def _from_train(train):
    test = _dataset(*zip(*TEST, strict=True))
    names = ("bad", "good")
    return from_splits("toy", train, test, names, suggested_sequence_length=7, suggested_vocabulary_size=70)


TRAIN = [(f"train text {number}", number % 2) for number in range(40)]
TEST = [(f"test text {number}", number % 2) for number in range(10)]


def test_survey_reads_labels_and_equal_hashes_for_equal_texts():
    texts = [f"text {number % 700}" for number in range(1500)]  # more than one batch of the survey
    labels = [number % 3 for number in range(1500)]
    found = survey(_dataset(texts, labels).map(lambda text, label: (text, tf.cast(label, tf.int32))))
    assert len(found) == 1500
    assert found.targets.dtype == np.int32
    assert found.targets.tolist() == labels
    classes_by_hash = {}
    for text, value in zip(texts, found.hashes.tolist(), strict=True):
        classes_by_hash.setdefault(value, set()).add(text)
    assert len(classes_by_hash) == 700
    assert all(len(group) == 1 for group in classes_by_hash.values())


def test_survey_of_nothing_is_empty():
    assert len(survey(_dataset([], []))) == 0


@pytest.mark.parametrize("fraction", [0.01, 0.1, 0.5, 0.9, 0.99])
def test_carve_is_stratified_over_different_texts(fraction):
    texts = [f"text {number}" for number in range(230)]
    labels = [0] * 200 + [1] * 27 + [2] * 2 + [3]
    chosen = carve(_survey(texts, labels), fraction, 0)
    got = Counter(label for label, flag in zip(labels, chosen, strict=True) if flag)
    for label, number in Counter(labels).items():
        # Independent of the code: the share of the class, but never all of it and, where there are two, never none.
        expected = min(max(int(fraction * number + 0.5), 1), number - 1)
        assert abs(got[label] - expected) <= 1, (label, number)
        assert got[label] < number
        assert got[label] > 0 or number == 1


def test_carve_leaves_a_class_of_one_text_whole():
    chosen = carve(_survey(["a", "b", "c", "d", "only", "only"], [0, 0, 0, 0, 1, 1]), 0.9, 0)
    assert not chosen[4:].any()


@pytest.mark.parametrize("seed", range(10))
def test_carve_keeps_a_rare_class_whose_text_also_has_a_common_label(seed):
    texts = [f"text {number}" for number in range(10)] + ["text 3"]
    chosen = carve(_survey(texts, [0] * 10 + [1]), 0.5, seed)
    assert not chosen[10]
    assert chosen[3] == chosen[10]


def test_carve_keeps_equal_texts_together():
    texts = [f"text {number % 20}" for number in range(100)]
    labels = [number % 2 for number in range(100)]
    chosen = carve(_survey(texts, labels), 0.3, 5)
    inside = {text for text, flag in zip(texts, chosen, strict=True) if flag}
    outside = {text for text, flag in zip(texts, chosen, strict=True) if not flag}
    assert inside
    assert outside
    assert not inside & outside


def test_carve_depends_on_the_seed_and_not_on_the_order():
    texts = [f"text {number}" for number in range(200)]
    labels = [number % 4 for number in range(200)]
    found = _survey(texts, labels)
    chosen = carve(found, 0.2, 1)
    assert np.array_equal(chosen, carve(found, 0.2, 1))
    assert not np.array_equal(chosen, carve(found, 0.2, 2))
    shuffled = np.random.default_rng(0).permutation(200)
    assert np.array_equal(carve(found[shuffled], 0.2, 1), chosen[shuffled])


def test_select_keeps_the_chosen_elements_in_order_every_time():
    chosen = np.array([number % 3 == 1 for number in range(40)])
    kept = select(_dataset(*zip(*TRAIN, strict=True)), chosen)
    expected = [pair for pair, flag in zip(TRAIN, chosen, strict=True) if flag]
    assert _pairs(kept) == expected
    assert _pairs(kept) == expected


def test_fingerprint_changes_with_a_text_a_label_or_the_order():
    def fingerprint(pairs):
        return survey(_dataset(*zip(*pairs, strict=True))).fingerprint

    first = fingerprint(TRAIN)
    assert len(first) == 16
    assert int(first, 16) >= 0
    assert fingerprint(list(TRAIN)) == first
    others = [
        [("another text", 0), *TRAIN[1:]],
        [(TRAIN[0][0], 1), *TRAIN[1:]],
        [TRAIN[1], TRAIN[0], *TRAIN[2:]],
        TRAIN[:-1],
    ]
    assert len({first, *map(fingerprint, others)}) == 5


def test_from_splits_carves_validation_from_train():
    data = _from_splits(TRAIN, TEST, validation_fraction=0.25)
    assert isinstance(data, TextData)
    assert dict(data.sizes) == {"train": 30, "validation": 10, "test": 10}
    train, validation = _pairs(data.train), _pairs(data.validation)
    assert sorted(train + validation) == sorted(TRAIN)
    assert _pairs(data.test) == TEST
    assert Counter(label for _, label in validation) == {0: 5, 1: 5}
    assert data.train.element_spec[1] == tf.TensorSpec((), tf.int32) == data.target_spec
    assert data.warnings == ()
    # The fingerprint is the one of the split as it is read, not of what it was carved from.
    for split in ("train", "validation", "test"):
        assert data.fingerprints[split] == survey(getattr(data, split)).fingerprint


def test_from_splits_with_the_same_and_another_split_seed():
    first, again, other = (_pairs(_from_splits(TRAIN, TEST, split_seed=seed).validation) for seed in (3, 3, 4))
    assert first == again
    assert first != other


def test_from_splits_keeps_a_given_validation():
    validation = [("held out a", 0), ("held out b", 1)]
    data = _from_splits(TRAIN, TEST, validation=_dataset(*zip(*validation, strict=True)))
    assert _pairs(data.validation) == validation
    assert _pairs(data.train) == TRAIN
    assert dict(data.sizes) == {"train": 40, "validation": 2, "test": 10}


def test_from_splits_states_the_size_of_the_unlabeled_split_without_reading_it():
    def unreadable():
        raise AssertionError("read")
        yield b""

    unlabeled = tf.data.Dataset.from_generator(unreadable, output_signature=tf.TensorSpec((), tf.string))
    assert _from_splits(TRAIN, TEST, unlabeled=unlabeled, unlabeled_size=12).sizes["unlabeled"] == 12
    assert "unlabeled" not in _from_splits(TRAIN, TEST, unlabeled=unlabeled).sizes


@pytest.mark.parametrize(
    ("changed", "received"),
    [
        ({"class_names": ("bad",)}, r"has 1 class \(bad\)"),
        ({"class_names": ()}, r"has 0 class \(none\)"),
        ({"train": []}, "the train split of 'toy' is empty"),
        ({"test": []}, "the test split of 'toy' is empty"),
        ({"train": [*TRAIN, ("wild", 2)]}, r"train split of 'toy' holds the label 2 \(1 such texts\)"),
        ({"test": [*TEST, ("hidden", -1)]}, r"test split of 'toy' holds the label -1 .*between 0 and 1"),
        ({"train": [(text, 1) for text, _ in TRAIN]}, "texts of one class only \\('good'\\)"),
        ({"class_names": ("bad", "good", "odd")}, "no text of class 'odd'"),
        ({"validation_fraction": 0.0}, "fraction is 0.0"),
        ({"validation_fraction": 1.0}, "fraction is 1.0"),
        ({"validation_fraction": float("nan")}, "fraction is nan"),
        ({"test_fraction": 0.3}, r"'toy' has a test split of its own.*fraction of 0.3.*Leave --test-fraction out"),
        (
            {"validation": TEST, "validation_fraction": 0.2},
            r"a validation split of its own.* --validation-fraction",
        ),
    ],
)
def test_from_splits_refuses(changed, received):
    with pytest.raises(DataError, match=received):
        _from_splits(**{"train": TRAIN, "test": TEST, **changed})


@pytest.mark.parametrize("split", ["train", "validation", "test"])
@pytest.mark.parametrize("seed", [None, 3])
def test_from_splits_refuses_another_order_at_each_reading(split, seed):
    splits = {"train": TRAIN * 10, "validation": [("held out a", 0), ("held out b", 1)] * 10, "test": TEST}
    datasets = {name: _dataset(*zip(*pairs, strict=True)) for name, pairs in splits.items()}

    def load(**shuffling):
        changed = datasets | {split: datasets[split].shuffle(200, seed=seed, **shuffling)}
        data = from_splits(
            "toy", class_names=("bad", "good"), suggested_sequence_length=7, suggested_vocabulary_size=70, **changed
        )
        return {name: Counter(_pairs(getattr(data, name))) for name in splits}

    with pytest.raises(DataError, match=rf"{split} split of 'toy', .*reshuffle_each_iteration=False"):
        load()
    assert load(reshuffle_each_iteration=False) == {name: Counter(pairs) for name, pairs in splits.items()}


def test_from_splits_accepts_one_shuffled_order_and_carves_it():
    shuffled = _dataset(*zip(*TRAIN, strict=True)).shuffle(200, reshuffle_each_iteration=False)
    data = _from_train(shuffled)
    for _ in range(2):
        assert sorted(_pairs(data.train) + _pairs(data.validation)) == sorted(TRAIN)


def test_from_splits_refuses_labels_that_change_and_a_split_that_can_be_read_once():
    # Not tf.random: under a global seed, it gives the same numbers at each reading.
    random = np.random.default_rng(3)

    def labelled_by_chance(text, label):
        return text, tf.ensure_shape(tf.numpy_function(lambda: random.integers(2), [], tf.int64), ())

    train = _dataset(*zip(*TRAIN, strict=True))
    with pytest.raises(DataError, match="read twice"):
        _from_train(train.map(labelled_by_chance))
    rows = iter(TRAIN)
    signature = (tf.TensorSpec((), tf.string), tf.TensorSpec((), tf.int64))
    once = tf.data.Dataset.from_generator(lambda: rows, output_signature=signature)
    with pytest.raises(DataError, match=r"read twice.* 40 .* 0"):
        _from_train(once)


def test_from_splits_reads_only_the_beginning_twice():
    readings = 0

    def rows():
        nonlocal readings
        for number in range(5000):
            readings += 1
            yield f"text {number}", number % 2

    signature = (tf.TensorSpec((), tf.string), tf.TensorSpec((), tf.int64))
    _from_train(tf.data.Dataset.from_generator(rows, output_signature=signature))
    # Prefetching reads some more than the thousand.
    assert 6000 <= readings < 8500


@pytest.mark.parametrize(
    ("class_names", "received"),
    [
        (("bad", "good", "bad"), r"class name 'bad' of 'toy' stands 2 times"),
        (("bad", 1), r"class name of 'toy' .* is 1 \(int\).*'1'"),
        (("bad", b"good"), r"class name of 'toy' .* is b'good' \(bytes\)"),
        ((0,), r"class name of 'toy' .* is 0 \(int\)"),
        (("bad", "g\ud800d"), r"class name 'g\\ud800d' of 'toy' .*UTF-8"),
        ("bg", "one text, 'bg'"),
    ],
)
def test_from_splits_refuses_class_names(class_names, received):
    with pytest.raises(DataError, match=received):
        _from_splits(TRAIN, TEST, class_names)


@pytest.mark.parametrize(
    ("part", "received"),
    [
        (np.ones(9, bool), r"part 'odd' of the test split of 'toy' has the shape \(9,\).*\(10,\)"),
        (np.ones((10, 1), bool), r"has the shape \(10, 1\)"),
        (np.ones(10, int), r"part 'odd' .* int64.*bool"),
        (np.zeros(10, bool), r"part 'odd' .* no text"),
    ],
)
def test_from_splits_refuses_test_parts(part, received):
    with pytest.raises(DataError, match=received):
        _from_splits(TRAIN, TEST, test_parts={"odd": part})


def test_from_splits_refuses_an_empty_validation():
    with pytest.raises(DataError, match="the validation split of 'toy' is empty"):
        _from_splits(TRAIN, TEST, validation=_dataset([], []))


def test_from_splits_keeps_a_class_of_one_text_in_train():
    data = _from_splits([*TRAIN, ("lonely", 2)], TEST, ("bad", "good", "odd"), validation_fraction=0.9)
    assert ("lonely", 2) in _pairs(data.train)


def test_leaks_are_counted_by_split():
    train = [*TRAIN, ("both", 0)]
    held_out = [("both", 0), ("held out", 1)]
    test = [*TEST, ("both", 1), ("both", 0), ("held out", 1)]
    data = _from_splits(train, test, validation=_dataset(*zip(*held_out, strict=True)))
    assert data.warnings == (
        "2 test texts also stand in train (15.38% of test): its score is that much flattered.",
        "3 test texts also stand in validation (23.08% of test): its score is that much flattered.",
        "1 validation text also stands in train (50.00% of validation): its score is that much flattered.",
        "1 text stands more than once in test and with different labels: no model can be right about all of them.",
    )


# The unlabeled texts


def test_drop_texts_leaves_the_named_texts_out_and_keeps_the_order():
    texts = ["a", "b", "c", "b", "d", ""]
    found = survey(_dataset(["d", "b", "", "z"], [0, 0, 0, 0]))
    kept = drop_texts(tf.data.Dataset.from_tensor_slices(texts), found.hashes)
    for _ in range(2):
        assert list(kept.as_numpy_iterator()) == [b"a", b"c"]
    none = drop_texts(tf.data.Dataset.from_tensor_slices(texts), found.hashes[:0])
    assert [text.decode() for text in none.as_numpy_iterator()] == texts


def test_unlabeled_texts_never_hold_one_that_is_held_out():
    train, test = dict(TRAIN), dict(TEST)
    # A text of train may stay: training on it twice flatters no score.
    unlabeled = tf.data.Dataset.from_tensor_slices(["new", *test, *train, "newer", *test])
    data = _from_splits(TRAIN, TEST, unlabeled=unlabeled, unlabeled_size=62)
    validation = dict(_pairs(data.validation))
    assert len(validation) == 4
    kept = [text for text in train if text not in validation]
    assert [text.decode() for text in data.unlabeled.as_numpy_iterator()] == ["new", *kept, "newer"]
    assert data.unlabeled.element_spec == tf.TensorSpec((), tf.string)


# A sample of train


def _unbalanced():
    train = [(f"text {number}", 0 if number < 300 else 1 if number < 395 else 2) for number in range(400)]
    return _from_splits(train, TEST, ("many", "some", "few"), validation=_dataset(*zip(*TEST, strict=True)))


@pytest.mark.parametrize("count", [3, 4, 5, 10, 40, 100, 250, 399])
def test_sample_train_keeps_the_shares_of_the_classes(count):
    data = _unbalanced()
    sample = sample_train(data, count, 0)
    pairs = _pairs(sample.train)
    assert len(set(pairs)) == len(pairs) == count
    assert set(pairs) <= set(_pairs(data.train))
    found = Counter(label for _, label in pairs)
    for label, size in {0: 300, 1: 95, 2: 5}.items():
        # No class is two texts off its share: the one or two that the rarest are given come off the largest.
        assert max(1, size * count / 400 - 2) <= found[label] <= max(1, size * count / 400 + 1)


def test_sample_train_changes_size_and_fingerprint_of_train_alone():
    data = _unbalanced()
    sample = sample_train(data, 40, 0)
    assert dict(sample.sizes) == {"train": 40, "validation": 10, "test": 10}
    assert sample.fingerprints["train"] == survey(sample.train).fingerprint != data.fingerprints["train"]
    assert {split: sample.fingerprints[split] for split in ("validation", "test")} == {
        split: data.fingerprints[split] for split in ("validation", "test")
    }
    assert (sample.name, sample.class_names, sample.target_spec) == (data.name, data.class_names, data.target_spec)
    assert sample.validation is data.validation
    assert sample.test is data.test


def test_sample_train_follows_from_the_seed():
    data = _unbalanced()
    first, again, other = (_pairs(sample_train(data, 40, seed).train) for seed in (1, 1, 2))
    assert first == again != other
    # In the order of train, and not its beginning.
    positions = [int(text.split()[1]) for text, _ in first]
    assert positions == sorted(positions)
    assert positions[:30] != list(range(30))
    assert set(first) <= set(_pairs(sample_train(data, 80, 1).train))


def test_sample_train_of_as_many_as_there_are_is_the_data():
    data = _unbalanced()
    assert sample_train(data, 400, 0) is data
    assert sample_train(data, 10**9, 0) is data


@pytest.mark.parametrize("count", [2, 0, -1])
def test_sample_train_refuses_fewer_texts_than_classes(count):
    with pytest.raises(DataError, match=rf"{count} .*train of 'toy', .*3 classes.*at least 3"):
        sample_train(_unbalanced(), count, 0)


def test_sample_train_counts_its_own_leaks():
    train = [*TRAIN, *((f"both {number}", number % 2) for number in range(4))]
    test = [*TEST, *((f"both {number}", number % 2) for number in range(4))]
    data = _from_splits(train, test, validation=_dataset(["held out"], [0]))
    data = dataclasses.replace(data, warnings=(*data.warnings, "Another sentence."))
    assert data.warnings[0].startswith("4 test texts")
    sample = sample_train(data, 24, 0)
    shared = len({text for text, _ in _pairs(sample.train)} & {text for text, _ in test})
    assert 0 < shared < 4
    assert len(sample.warnings) == 2
    assert any(sentence.startswith(f"{shared} test text") for sentence in sample.warnings)
    assert "Another sentence." in sample.warnings


@pytest.mark.parametrize(
    ("change", "arrived"),
    [
        (lambda data: data.batch(4), "shape=(None,)"),
        (lambda data: data.map(lambda text, label: (text, tf.strings.as_string(label))), "dtype=tf.string"),
        (lambda data: data.map(lambda text, label: {"text": text, "label": label}), "'label'"),
        (lambda data: data.map(lambda text, label: text), "TensorSpec"),
    ],
)
def test_from_splits_refuses_what_is_no_pair_of_text_and_label(change, arrived):
    with pytest.raises(DataError, match="expected pairs of a text and a label") as error:
        _from_train(change(_dataset(*zip(*TRAIN, strict=True))))
    assert arrived in str(error.value)
    assert "the train split of 'toy'" in str(error.value)


def _several(rows):
    """Texts with the classes of each, out of three, as a dataset of multi-hot targets."""
    texts = [text for text, _ in rows]
    targets = np.array([[int(label in classes) for label in range(3)] for _, classes in rows], np.int64)
    return tf.data.Dataset.from_tensor_slices((texts, targets))


def test_from_splits_keeps_the_shares_of_several_labels():
    # Label 2 is rare and always comes with 0, so that a choice by the common label could miss it.
    rows = [(f"text {number}", {0, 2} if number % 20 == 0 else {0} if number % 2 else {1}) for number in range(400)]
    data = from_splits(
        "toy",
        _several(rows),
        None,
        ("a", "b", "c"),
        target_kind="classes",
        test_fraction=0.25,
        validation_fraction=0.2,
        suggested_sequence_length=8,
        suggested_vocabulary_size=10,
    )
    assert data.sizes == {"train": 240, "validation": 60, "test": 100}
    assert data.target_spec == data.train.element_spec[1] == tf.TensorSpec((3,), tf.int8)
    found = {split: survey(getattr(data, split)) for split in data.sizes}
    expected = np.array([220, 180, 20])
    for split, share in (("train", 0.6), ("validation", 0.15), ("test", 0.25)):
        np.testing.assert_allclose(found[split].targets.sum(axis=0), share * expected, atol=1)
    hashes = [set(each.hashes.tolist()) for each in found.values()]
    assert len(set.union(*hashes)) == sum(map(len, hashes)) == 400


def test_from_splits_takes_a_text_without_any_of_several_labels():
    rows = [(f"text {number}", {number % 3} if number % 4 else set()) for number in range(60)]
    data = from_splits(
        "toy", _several(rows), _several(rows[:9]), ("a", "b", "c"), target_kind="classes",
        suggested_sequence_length=8, suggested_vocabulary_size=10,
    )  # fmt: skip
    assert sum(not target.any() for _, target in data.train.as_numpy_iterator()) > 5


@pytest.mark.parametrize(
    ("rows", "kind", "received"),
    [
        ([("a", {0}), ("b", {1})], "class", "an integer scalar"),
        ([("a", {0}), ("b", {1})], "classes", "the train split of 'toy' has no text of class 'c'"),
        ([("a", {0}), ("b", {0})], "classes", "one class only"),
    ],
)
def test_from_splits_refuses_several_labels(rows, kind, received):
    with pytest.raises(DataError, match=received):
        from_splits(
            "toy", _several(rows), _several(rows), ("a", "b", "c"), target_kind=kind,
            suggested_sequence_length=8, suggested_vocabulary_size=10,
        )  # fmt: skip


def test_from_splits_refuses_targets_that_are_no_flags():
    dataset = tf.data.Dataset.from_tensor_slices((["a", "b"], [[1, 0], [0, 2]]))
    with pytest.raises(DataError, match=r"holds the label 2 \(1 such texts\); labels must be 1 for each"):
        from_splits(
            "toy", dataset, dataset, ("a", "b"), target_kind="classes",
            suggested_sequence_length=8, suggested_vocabulary_size=10,
        )  # fmt: skip


def test_from_splits_carves_test_before_validation_whatever_the_seed_of_the_run():
    rows = [(f"text {number}", number % 2) for number in range(200)]
    data = from_splits(
        "toy", _dataset(*zip(*rows, strict=True)), None, ("a", "b"), test_fraction=0.2, validation_fraction=0.25,
        suggested_sequence_length=8, suggested_vocabulary_size=10,
    )  # fmt: skip
    assert data.sizes == {"train": 120, "validation": 40, "test": 40}
    assert list(data.sizes) == ["train", "validation", "test"]
    other = from_splits(
        "toy", _dataset(*zip(*rows, strict=True)), None, ("a", "b"), test_fraction=0.2, validation_fraction=0.5,
        suggested_sequence_length=8, suggested_vocabulary_size=10,
    )  # fmt: skip
    assert data.fingerprints["test"] == other.fingerprints["test"]


def test_warnings_tell_what_flatters_or_spoils_a_score():
    train = [*((f"text {number}", 0) for number in range(98)), ("other", 1), ("other", 0)]
    test = [("held out", 0), ("held out", 0), ("held out", 1)]
    data = _from_splits(train, test, validation=_dataset(("val a", "val b"), (0, 1)))
    assert data.warnings == (
        "1 text stands more than once in train and with different labels: no model can be right about all of them.",
        "1 text stands more than once in test and with different labels: no model can be right about all of them.",
        "class 'good' has a single text in train: too few to learn from. Add some, or drop or merge the class.",
        "99.0% of train has the label 'bad': answering so every time would look as accurate. Look at macro-F1.",
    )
    same = _from_splits([("same", 0)] * 6 + [("a", 1), ("b", 1)], [("d", 0)], validation=_dataset(("e", "f"), (0, 1)))
    assert [sentence for sentence in same.warnings if "one and the same" in sentence] == [
        "6 of the 8 train texts are one and the same text. Check which column holds the texts."
    ]


@pytest.mark.parametrize("seed", range(40))
def test_carve_leaves_every_class_a_text_where_texts_have_several_labels(seed):
    # Class 0 stands in three texts, each of which has label 1 as well.
    texts = [f"text {number % 30}" for number in range(60)]
    labels = [0 if number in (30, 31, 32) else 1 + number % 2 for number in range(60)]
    found = _survey(texts, labels)
    assert set(found.targets[~carve(found, 0.8, seed)]) == {0, 1, 2}
    # A label that comes only with a rarer one.
    flags = np.zeros((40, 3), np.int8)
    flags[:, 0] = 1
    flags[:3, 1] = flags[:2, 2] = 1
    several = Survey(flags, np.arange(40, dtype=np.uint64))
    assert several[~carve(several, 0.8, seed)].targets.any(axis=0).all()


def test_fingerprint_tells_a_label_from_flags():
    hashes = np.arange(2, dtype=np.uint64)
    label, flags = np.array([1, 256], np.int32), np.array([[1, 0, 0, 0], [0, 1, 0, 0]], np.int8)
    assert label.tobytes() == flags.tobytes()
    assert Survey(label, hashes).fingerprint != Survey(flags, hashes).fingerprint


def test_too_few_different_texts_to_carve_are_told():
    rows = _dataset(["same", "same", "other"], [0, 0, 1])
    with pytest.raises(DataError, match=r"no test split can be carved out of 'toy': of its 3 texts, 2 are different"):
        from_splits("toy", rows, None, ("a", "b"), suggested_sequence_length=8, suggested_vocabulary_size=10)
