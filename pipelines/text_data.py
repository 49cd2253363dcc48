"""Text and labels in splits: the only thing a dataset module hands over."""

import dataclasses
import hashlib
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import tensorflow as tf

from pipelines.errors import DataError

_SURVEY_BATCH = 1024


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
        sizes: number of texts by split.
        fingerprints: content fingerprint by split.
        suggested_sequence_length: in tokens, for whoever sets none.
        suggested_vocabulary_size: in words, for whoever sets none.
        unlabeled: unbatched `tf.data` of string scalars, or None.
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


def survey(dataset: tf.data.Dataset) -> Survey:
    """Read a labelled split once for its labels and a hash of every text.

    Args:
        dataset: unbatched `(text, label)`.
    """
    hashed = dataset.batch(_SURVEY_BATCH).map(
        lambda texts, labels: (tf.fingerprint(texts), labels), num_parallel_calls=tf.data.AUTOTUNE
    )
    hashes, labels = [np.zeros((0, 8), np.uint8)], [np.zeros((0,), np.int32)]
    for batch_hashes, batch_labels in hashed.prefetch(2).as_numpy_iterator():
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
        train, test, validation: unbatched `tf.data` of `(text, label)`, a string and an integer scalar.
        class_names: one name a class.
        validation_fraction: share of train to carve, between 0 and 1.
        split_seed: seed of the carving.
        unlabeled: unbatched `tf.data` of strings.
        unlabeled_size: number of its texts, where known.
        suggested_sequence_length: in tokens.
        suggested_vocabulary_size: in words.
        test_parts: bool (N,) over the test split by name.

    Raises:
        DataError: one class only, an empty split, a label out of range, a class that train lacks.
    """
    if not 0 < validation_fraction < 1:
        raise DataError(
            f"the validation fraction is {validation_fraction}; it must lie between 0 and 1, such as 0.1 for a tenth "
            "of the training split."
        )
    train, test = _as_int32(train), _as_int32(test)
    surveys = {"train": survey(train), "test": survey(test)}
    if validation is None:
        # Labels are checked first: carving a split of one class or of wild labels would only blur the message.
        _check(name, surveys, class_names)
        chosen = carve(surveys["train"], validation_fraction, split_seed)
        validation, train = select(train, chosen), select(train, ~chosen)
        surveys = {"train": surveys["train"][~chosen], "validation": surveys["train"][chosen], "test": surveys["test"]}
    else:
        validation = _as_int32(validation)
        surveys = {"train": surveys["train"], "validation": survey(validation), "test": surveys["test"]}
    _check(name, surveys, class_names)
    sizes = {split: len(found) for split, found in surveys.items()}
    if unlabeled is not None and unlabeled_size is not None:
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


def _as_int32(dataset: tf.data.Dataset) -> tf.data.Dataset:
    return dataset.map(lambda text, label: (text, tf.cast(label, tf.int32)), num_parallel_calls=tf.data.AUTOTUNE)


def _check(name: str, surveys: Mapping[str, Survey], class_names: tuple[str, ...]) -> None:
    """Raise `DataError` for splits that no classifier can be trained and tested on."""
    if len(class_names) < 2:
        raise DataError(
            f"dataset {name!r} has {len(class_names)} class ({', '.join(class_names) or 'none'}); a classifier needs "
            "texts of at least two. Add texts of another class, or check which column holds the label."
        )
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
