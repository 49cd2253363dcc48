"""Text and labels in splits: the only thing a dataset module hands over."""

import dataclasses
import hashlib
import os
from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import tensorflow as tf

from pipelines.errors import DataError

_SURVEY_BATCH = 1024
# Texts of each split that are read a second time: enough to meet another order, few enough to cost nothing.
_READ_TWICE = 1000


@dataclasses.dataclass(frozen=True)
class Survey:
    """What one cheap pass over a labelled split finds; N is the number of texts.

    Attributes:
        labels: int32 (N,), in the order of the split.
        text_hashes: uint64 (N,), equal for equal texts.
    """

    labels: np.ndarray
    text_hashes: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, chosen: np.ndarray) -> "Survey":
        return Survey(self.labels[chosen], self.text_hashes[chosen])

    @property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that change when a text, a label or their order does."""
        digest = hashlib.sha256()
        digest.update(self.text_hashes.tobytes())
        digest.update(self.labels.tobytes())
        return digest.hexdigest()[:16]


@dataclasses.dataclass(frozen=True)
class TextData:
    """One dataset: raw texts with their labels, in splits, neither vectorized nor batched.

    Use `from_splits` to make one: it counts, fingerprints and checks the splits.

    Attributes:
        name: the dataset's name in file names and reports.
        train, validation, test: unbatched `tf.data` of `(text, label)`, a string and an int32 scalar, always in
            the same order.
        class_names: one name a class; a label is an index into it.
        sizes: number of texts by split; of unlabeled texts as published, those of the test split included.
        fingerprints: content fingerprint by split.
        suggested_sequence_length: in tokens, for whoever sets none.
        suggested_vocabulary_size: in words, for whoever sets none.
        unlabeled: unbatched `tf.data` of string scalars, or None; no text of the test split is among them.
        target_kind: what a target is; "class" is one of `class_names`.
        target_spec: shape and type of one target.
        test_parts: named parts of the test split that are also scored apart; each a bool (N,) over its texts.
        warnings: sentences for the user that do not stop a run.
    """

    name: str
    train: tf.data.Dataset
    validation: tf.data.Dataset
    test: tf.data.Dataset
    class_names: tuple[str, ...]
    sizes: Mapping[str, int]
    fingerprints: Mapping[str, str]
    suggested_sequence_length: int
    suggested_vocabulary_size: int
    unlabeled: tf.data.Dataset | None = None
    target_kind: str = "class"
    target_spec: tf.TensorSpec = dataclasses.field(default_factory=lambda: tf.TensorSpec((), tf.int32))
    test_parts: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def untuned(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Switch tf.data's tuner off for a pipeline whose parallelism is set.

    In TensorFlow 2.21, an iterator that is tuned waits, when it ends, for the tuner's next turn: the longer it has run,
    the longer, up to a minute.
    """
    settings = tf.data.Options()
    settings.autotune.enabled = False
    return dataset.with_options(settings)


def survey(dataset: tf.data.Dataset) -> Survey:
    """Read a labelled split once for its labels and a hash of every text.

    Args:
        dataset: unbatched `(text, label)`.
    """
    hashed = dataset.batch(_SURVEY_BATCH).map(
        lambda texts, labels: (tf.fingerprint(texts), labels), num_parallel_calls=os.cpu_count()
    )
    hashes, labels = [np.zeros((0, 8), np.uint8)], [np.zeros((0,), np.int32)]
    for batch_hashes, batch_labels in untuned(hashed.prefetch(2)).as_numpy_iterator():
        hashes.append(batch_hashes)
        labels.append(batch_labels)
    return Survey(
        labels=np.concatenate(labels).astype(np.int32),
        text_hashes=np.ascontiguousarray(np.concatenate(hashes)).view(np.uint64).reshape(-1),
    )


def carve(found: Survey, fraction: float, seed: int) -> np.ndarray:
    """Choose a stratified part of a split, the same one for the same seed.

    Equal texts stay together, so that no text stands on both sides. The order of the split does not matter.

    Args:
        found: the survey of the split, N texts.
        fraction: share of each class to choose, between 0 and 1.
        seed: of the choice; it is the split's own seed, not the run's.

    Returns:
        bool (N,), True for the chosen texts. Every class with two different texts keeps at least one on each side; of
        a class with one nothing is chosen. A text with several labels counts for the rarest of them.
    """
    class_sizes = np.bincount(found.labels)
    # Rarest class first: otherwise a rare class whose text also has a common label could be chosen away whole.
    order = np.lexsort((found.labels, class_sizes[found.labels]))
    _, first, group_of_ordered = np.unique(found.text_hashes[order], return_index=True, return_inverse=True)
    group_labels = found.labels[order][first]
    group = np.empty(len(found), np.int64)
    group[order] = group_of_ordered
    random = np.random.default_rng(seed)
    chosen = np.zeros(len(first), bool)
    for label in np.unique(group_labels):
        # Groups are numbered by hash; ordering them by first appearance would tie the choice to the file's order.
        members = random.permutation(np.flatnonzero(group_labels == label))
        count = min(max(round(fraction * len(members)), 1), len(members) - 1)
        chosen[members[:count]] = True
    return chosen[group]


def select(dataset: tf.data.Dataset, chosen: np.ndarray) -> tf.data.Dataset:
    """Keep the elements of a dataset whose position is True in `chosen`, bool (N,)."""
    flags = tf.constant(chosen)
    return dataset.enumerate().filter(lambda position, _: flags[position]).map(lambda _, element: element)


def drop_texts(texts: tf.data.Dataset, text_hashes: np.ndarray) -> tf.data.Dataset:
    """Leave texts out of a dataset while it is read, and read nothing now.

    Args:
        texts: unbatched strings.
        text_hashes: uint64 (N,) of the texts to leave out, as `survey` finds them.
    """
    known = tf.constant(np.sort(text_hashes.view(np.int64)))

    def is_other(text: tf.Tensor) -> tf.Tensor:
        text_hash = tf.bitcast(tf.fingerprint(text[tf.newaxis]), tf.int64)
        first, end = (tf.searchsorted(known, text_hash, side=side) for side in ("left", "right"))
        return first[0] == end[0]

    return texts.filter(is_other)


def sample_train(data: TextData, count: int, seed: int) -> TextData:
    """Keep some texts of train, stratified, in their order; the same ones for the same seed.

    Args:
        data: left as it is; where it has no more than `count` texts of train, it is returned.
        count: number of texts to keep. Every class keeps at least one.
        seed: of the choice; a larger count keeps what a smaller one does, but for the rounding of the shares.

    Raises:
        DataError: fewer texts than classes.
    """
    if count >= data.sizes["train"]:
        return data
    whole = survey(data.train)
    labels, sizes = np.unique(whole.labels, return_counts=True)
    if count < len(labels):
        raise DataError(
            f"{count} texts cannot be a sample of train of {data.name!r}, which has texts of {len(labels)} classes; "
            f"take at least {len(labels)}, one of each."
        )
    random = np.random.default_rng(seed)
    chosen = np.zeros(len(whole), bool)
    for label, kept in zip(labels, _allot(sizes, count), strict=True):
        chosen[random.permutation(np.flatnonzero(whole.labels == label))[:kept]] = True
    sample = whole[chosen]
    warnings = data.warnings
    if warnings:
        held_out = {"validation": survey(data.validation), "test": survey(data.test)}
        of_whole = _leaks({"train": whole, **held_out})
        others = (sentence for sentence in warnings if sentence not in of_whole)
        warnings = (*_leaks({"train": sample, **held_out}), *others)
    return dataclasses.replace(
        data,
        train=select(data.train, chosen),
        sizes={**data.sizes, "train": count},
        fingerprints={**data.fingerprints, "train": sample.fingerprint},
        warnings=warnings,
    )


def _allot(sizes: np.ndarray, count: int) -> np.ndarray:
    """Share `count` out in proportion to `sizes`, int (C,): at least one to each and no more than its size."""
    allotted = np.maximum(count * sizes // sizes.sum(), 1)
    lacking = count * sizes / sizes.sum() - allotted
    while allotted.sum() != count:
        step = 1 if allotted.sum() < count else -1
        place = np.argmax(np.where(allotted + step > 0, step * lacking, -np.inf))
        allotted[place] += step
        lacking[place] -= step
    return allotted


def from_splits(
    name: str,
    train: tf.data.Dataset,
    test: tf.data.Dataset,
    class_names: tuple[str, ...],
    *,
    validation: tf.data.Dataset | None = None,
    validation_fraction: float = 0.1,
    split_seed: int = 0,
    unlabeled: tf.data.Dataset | None = None,
    unlabeled_size: int | None = None,
    suggested_sequence_length: int,
    suggested_vocabulary_size: int,
    test_parts: Mapping[str, np.ndarray] = MappingProxyType({}),
) -> TextData:
    """Make a `TextData` from labelled splits, after checking them.

    Without `validation`, it is carved out of train: stratified, with `split_seed`.

    Args:
        train, test, validation: unbatched `tf.data` of `(text, label)`, a string and an integer scalar, in the same
            order at each reading: without `shuffle`, or with `reshuffle_each_iteration=False`.
        class_names: one name a class, all different.
        validation_fraction: share of train to carve, between 0 and 1.
        split_seed: seed of the carving.
        unlabeled: unbatched `tf.data` of strings; those that stand in test are left out as it is read.
        unlabeled_size: number of its texts, those included, where known.
        suggested_sequence_length: in tokens.
        suggested_vocabulary_size: in words.
        test_parts: bool (N,) over the test split by name.

    Raises:
        DataError: one class only, class names that are not different texts, an empty split, a split that is another
            when it is read again, a label out of range, a class that train lacks, a test part of another length.
    """
    if not 0 < validation_fraction < 1:
        raise DataError(
            f"the validation fraction is {validation_fraction}; it must lie between 0 and 1, such as 0.1 for a tenth "
            "of the training split."
        )
    _check_class_names(name, class_names)
    train, test = _as_int32(name, "train", train), _as_int32(name, "test", test)
    surveys = {"train": _survey_twice(name, "train", train), "test": _survey_twice(name, "test", test)}
    if validation is None:
        # Labels are checked first: carving a split of one class or of wild labels would only blur the message.
        _check(name, surveys, class_names)
        chosen = carve(surveys["train"], validation_fraction, split_seed)
        validation, train = select(train, chosen), select(train, ~chosen)
        surveys = {"train": surveys["train"][~chosen], "validation": surveys["train"][chosen], "test": surveys["test"]}
    else:
        validation = _as_int32(name, "validation", validation)
        found = _survey_twice(name, "validation", validation)
        surveys = {"train": surveys["train"], "validation": found, "test": surveys["test"]}
    _check(name, surveys, class_names)
    test_parts = {part: np.asarray(flags) for part, flags in test_parts.items()}
    _check_test_parts(name, test_parts, len(surveys["test"]))
    sizes = {split: len(found) for split, found in surveys.items()}
    if unlabeled is not None:
        unlabeled = drop_texts(unlabeled, surveys["test"].text_hashes)
        if unlabeled_size is not None:
            sizes["unlabeled"] = unlabeled_size
    return TextData(
        name=name,
        train=train,
        validation=validation,
        test=test,
        class_names=tuple(class_names),
        sizes=sizes,
        fingerprints={split: found.fingerprint for split, found in surveys.items()},
        suggested_sequence_length=suggested_sequence_length,
        suggested_vocabulary_size=suggested_vocabulary_size,
        unlabeled=unlabeled,
        test_parts=test_parts,
        warnings=_leaks(surveys),
    )


def _as_int32(name: str, split: str, dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Cast the labels of a split, and raise `DataError` unless it is unbatched texts with integer labels."""
    spec = dataset.element_spec
    pair = isinstance(spec, tuple) and len(spec) == 2 and all(isinstance(part, tf.TensorSpec) for part in spec)
    if not (
        pair
        and spec[0].dtype == tf.string
        and spec[1].dtype.is_integer
        and all(part.shape.is_compatible_with(()) for part in spec)
    ):
        raise DataError(
            f"the {split} split of {name!r} gives {spec}; expected pairs of a text and a label, a string scalar and an "
            "integer scalar. Unbatch it (.unbatch()) where it is batched, and number the labels in the order of the "
            "class names where they are strings."
        )
    return dataset.map(lambda text, label: (text, tf.cast(label, tf.int32)), num_parallel_calls=os.cpu_count())


def _survey_twice(name: str, split: str, dataset: tf.data.Dataset) -> Survey:
    """Survey a split, and raise `DataError` where a second reading begins otherwise than the first."""
    found, again = survey(dataset), survey(dataset.take(_READ_TWICE))
    size = min(len(found), _READ_TWICE)
    if len(again) != size:
        difference = f"{size} texts at its beginning and then {len(again)}"
    else:
        others = (found.text_hashes[:size] != again.text_hashes) | (found.labels[:size] != again.labels)
        if not others.any():
            return found
        difference = f"another text or label at {others.sum()} of its first {size} places"
    raise DataError(
        f"the {split} split of {name!r}, read twice, gave {difference}; it must be the same at each reading, or texts "
        "held out would leak into train. Leave `shuffle` out, since training shuffles by itself, or call it as "
        "`shuffle(..., reshuffle_each_iteration=False)`; a generator must begin anew each time."
    )


def _check_class_names(name: str, class_names: tuple[str, ...]) -> None:
    """Raise `DataError` for names that are not two or more different texts."""
    if isinstance(class_names, str):
        raise DataError(
            f"the class names of {name!r} are one text, {class_names!r}; they must be a tuple, such as ('no', 'yes')."
        )
    for label, class_name in enumerate(class_names):
        if not isinstance(class_name, str):
            raise DataError(
                f"the class name of {name!r} for label {label} is {class_name!r} ({type(class_name).__name__}); it "
                f"must be a text, such as {str(class_name)!r}."
            )
        try:
            class_name.encode("utf-8")
        except UnicodeEncodeError as error:
            raise DataError(
                f"the class name {class_name!r} of {name!r} cannot be written as UTF-8; take the half of a character "
                "(a lone surrogate) out, or read its source in the right encoding."
            ) from error
    for class_name, count in Counter(class_names).items():
        if count > 1:
            raise DataError(
                f"the class name {class_name!r} of {name!r} stands {count} times among {len(class_names)}; every "
                "class needs a name of its own."
            )
    if len(class_names) < 2:
        raise DataError(
            f"dataset {name!r} has {len(class_names)} class ({', '.join(class_names) or 'none'}); a classifier needs "
            "texts of at least two. Add texts of another class, or check which column holds the label."
        )


def _check_test_parts(name: str, test_parts: Mapping[str, np.ndarray], test_size: int) -> None:
    """Raise `DataError` for parts that do not choose some texts of the test split."""
    for part, flags in test_parts.items():
        subject = f"the part {part!r} of the test split of {name!r}"
        if flags.shape != (test_size,):
            raise DataError(f"{subject} has the shape {flags.shape}; it must be {(test_size,)}, one bool a text.")
        if flags.dtype != bool:
            raise DataError(f"{subject} holds {flags.dtype}; it must hold bool, True for the texts of the part.")
        if not flags.any():
            raise DataError(f"{subject} has no text; leave it out, or set the flag of at least one text.")


def _check(name: str, surveys: Mapping[str, Survey], class_names: tuple[str, ...]) -> None:
    """Raise `DataError` for splits that no classifier can be trained and tested on."""
    for split, found in surveys.items():
        if not len(found):
            raise DataError(f"the {split} split of {name!r} is empty; it needs at least one labelled text.")
        outside = found.labels[(found.labels < 0) | (found.labels >= len(class_names))]
        if len(outside):
            raise DataError(
                f"the {split} split of {name!r} holds the label {outside[0]} ({len(outside)} such texts); labels must "
                f"lie between 0 and {len(class_names) - 1}, one for each of its {len(class_names)} classes. Texts "
                "without a label belong into `unlabeled`."
            )
    counts = np.bincount(surveys["train"].labels, minlength=len(class_names))
    if np.count_nonzero(counts) < 2:
        raise DataError(
            f"the train split of {name!r} has texts of one class only ({class_names[int(counts.argmax())]!r}); "
            "a classifier needs texts of at least two."
        )
    absent = [class_names[label] for label in np.flatnonzero(counts == 0)]
    if absent:
        raise DataError(
            f"the train split of {name!r} has no text of class {', '.join(map(repr, absent))}; add some, or leave the "
            "class out of its class names."
        )


def _leaks(surveys: Mapping[str, Survey]) -> tuple[str, ...]:
    """Sentences on texts that stand in two splits."""
    pairs = (("test", "train"), ("test", "validation"), ("validation", "train"))
    sentences = []
    for held_out, other in pairs:
        count = int(np.isin(surveys[held_out].text_hashes, surveys[other].text_hashes).sum())
        if count:
            noun = "text also stands" if count == 1 else "texts also stand"
            share = count / len(surveys[held_out])
            sentences.append(
                f"{count} {held_out} {noun} in {other} ({share:.2%} of {held_out}): its score is that much flattered."
            )
    return tuple(sentences)
