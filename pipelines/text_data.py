"""Text and labels in splits: the only thing a dataset module hands over."""

import dataclasses
import os
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from pipelines.errors import DataError
from pipelines.split_checks import check_class_names, check_splits, check_test_parts, warnings
from pipelines.splitting import carve_missing, check_fractions
from pipelines.streams import drop_texts, select
from pipelines.survey import Survey, survey, survey_twice

TARGET_KINDS = ("class", "classes")


@dataclasses.dataclass(frozen=True)
class TextData:
    """One dataset: raw texts with their labels, in splits, neither vectorized nor batched.

    Use `from_splits` to make one: it counts, fingerprints and checks the splits.

    Attributes:
        name: the dataset's name in file names and reports.
        train, validation, test: unbatched `tf.data` of `(text, target)`, a string scalar and what `target_spec` says,
            always in the same order.
        class_names: one name a class, C of them; a label is an index into it.
        sizes: number of texts by split; of unlabeled texts as published, those that are held out included.
        fingerprints: content fingerprint by split.
        suggested_sequence_length: in tokens, for whoever sets none.
        suggested_vocabulary_size: in words, for whoever sets none.
        unlabeled: unbatched `tf.data` of string scalars, or None; no text of validation or test is among them. What
            learns from them calls `pipelines.unlabeled.read_unlabeled` first.
        target_kind: what a target is: "class", the label of one of `class_names`, int32 (), or "classes", any number of
            them, int8 (C,) with 1 for each class that the text has.
        test_parts: named parts of the test split that are also scored apart; each a bool (N,) over its texts.
        warnings: sentences for the user that do not stop a run.
        notes: sentences for the user on how the data was read, such as which column holds the text.
        reading: the same for programs: names to what JSON knows.
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
    test_parts: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    reading: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    # How the data becomes tensors; see `kseq.inputs`.
    input_kind: ClassVar[str] = "text"

    @property
    def target_spec(self) -> tf.TensorSpec:
        """Shape and type of one target."""
        return target_spec(self.target_kind, len(self.class_names))

    def survey(self, split: str) -> Survey:
        """Read a split once for its targets and a hash of every text."""
        return survey(getattr(self, split))

    def select(self, split: str, chosen: np.ndarray) -> tf.data.Dataset:
        """Give the texts of a split whose flag in `chosen`, bool (N,), is True."""
        return select(getattr(self, split), chosen)


def target_spec(target_kind: str, number_of_classes: int) -> tf.TensorSpec:
    """Shape and type of one target of a kind."""
    if target_kind == "class":
        return tf.TensorSpec((), tf.int32)
    return tf.TensorSpec((number_of_classes,), tf.int8)


def from_splits(
    name: str,
    train: tf.data.Dataset,
    test: tf.data.Dataset | None,
    class_names: tuple[str, ...],
    *,
    target_kind: str = "class",
    validation: tf.data.Dataset | None = None,
    validation_fraction: float | None = None,
    test_fraction: float | None = None,
    split_seed: int = 0,
    unlabeled: tf.data.Dataset | None = None,
    unlabeled_size: int | None = None,
    suggested_sequence_length: int | Callable[[np.ndarray], int],
    suggested_vocabulary_size: int,
    test_parts: Mapping[str, np.ndarray] = MappingProxyType({}),
    notes: Sequence[str] = (),
    reading: Mapping[str, Any] = MappingProxyType({}),
) -> TextData:
    """Make a `TextData` from labelled splits, after checking them.

    Where `test` is None, it is carved out of train: stratified, with `split_seed`, equal texts on one side. Where
    `validation` is None, it is carved out of what then is train.

    Args:
        train, test, validation: unbatched `tf.data` of `(text, target)`, a string and an integer scalar, or integers
            (C,) for the kind "classes", in the same order at each reading: without `shuffle`, or with
            `reshuffle_each_iteration=False`.
        class_names: one name a class, all different, C of them.
        target_kind: "class", one label a text, or "classes", any number of them.
        validation_fraction: share of train to carve, between 0 and 1; 0.1 where None, as it is beside a given split.
        test_fraction: the same of the test split; 0.2 where None.
        split_seed: seed of the carving.
        unlabeled: unbatched `tf.data` of strings; those that stand in validation or test are left out as it is read.
        unlabeled_size: number of its texts, those included, where known.
        suggested_sequence_length: in tokens; or a function of the numbers of those texts of the given train, int (N,),
            that stay there: what is carved shall not take part.
        suggested_vocabulary_size: in words.
        test_parts: bool (N,) over the test split by name.
        notes: sentences for the user on how the data was read.
        reading: the same for programs.

    Raises:
        DataError: one class only, class names that are not different texts, an empty split, a split that is another
            when it is read again, a label out of range, a class that train lacks, a test part of another length.
    """
    fractions = {"test": test_fraction, "validation": validation_fraction}
    if target_kind not in TARGET_KINDS:
        raise DataError(f"the target kind of {name!r} is {target_kind!r}; expected one of {TARGET_KINDS}.")
    check_class_names(name, class_names)
    spec = target_spec(target_kind, len(class_names))
    given = {"train": train, "validation": validation, "test": test}
    check_fractions(name, fractions, [split for split, each in given.items() if each is not None])
    splits = {split: _typed(name, split, each, spec) for split, each in given.items() if each is not None}
    read = {split: survey_twice(name, split, each) for split, each in splits.items()}
    # Labels are checked before anything is carved: of one class or of wild labels, it would only blur the message.
    check_splits(name, read, class_names)
    surveys, places = carve_missing(name, read, fractions, split_seed)
    if len(places) > 1:
        whole = splits["train"]
        for split, chosen in places.items():
            flags = np.zeros(len(read["train"]), bool)
            flags[chosen] = True
            splits[split] = select(whole, flags)
    check_splits(name, surveys, class_names)
    test_parts = {part: np.asarray(flags) for part, flags in test_parts.items()}
    check_test_parts(name, test_parts, surveys["test"])
    sizes = {split: len(found) for split, found in surveys.items()}
    if unlabeled is not None:
        held_out = np.concatenate([surveys[split].hashes for split in ("validation", "test")])
        unlabeled = drop_texts(unlabeled, held_out)
        if unlabeled_size is not None:
            sizes["unlabeled"] = unlabeled_size
    return TextData(
        name=name,
        train=splits["train"],
        validation=splits["validation"],
        test=splits["test"],
        class_names=tuple(class_names),
        sizes=sizes,
        fingerprints={split: found.fingerprint for split, found in surveys.items()},
        suggested_sequence_length=(
            suggested_sequence_length(places["train"])
            if callable(suggested_sequence_length)
            else suggested_sequence_length
        ),
        suggested_vocabulary_size=suggested_vocabulary_size,
        unlabeled=unlabeled,
        target_kind=target_kind,
        test_parts=test_parts,
        warnings=warnings(surveys, class_names),
        notes=tuple(notes),
        reading=dict(reading),
    )


def _typed(name: str, split: str, dataset: tf.data.Dataset, target: tf.TensorSpec) -> tf.data.Dataset:
    """Cast the targets of a split, and raise `DataError` unless it is unbatched texts with such targets."""
    spec = dataset.element_spec
    pair = isinstance(spec, tuple) and len(spec) == 2 and all(isinstance(part, tf.TensorSpec) for part in spec)
    if not (
        pair
        and spec[0].dtype == tf.string
        and spec[0].shape.is_compatible_with(())
        and spec[1].dtype.is_integer
        and spec[1].shape.is_compatible_with(target.shape)
    ):
        form = "an integer scalar" if target.shape.rank == 0 else f"{target.shape[0]} integers, 1 or 0 for each class"
        raise DataError(
            f"the {split} split of {name!r} gives {spec}; expected pairs of a text and a label, a string scalar and "
            f"{form}. Unbatch it (.unbatch()) where it is batched, and number the labels in the order of the "
            "class names where they are strings."
        )

    def cast(text: tf.Tensor, label: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return text, tf.ensure_shape(tf.cast(label, target.dtype), target.shape)

    return dataset.map(cast, num_parallel_calls=os.cpu_count())
