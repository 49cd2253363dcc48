"""Text and labels in splits: the only thing a dataset module hands over."""

import dataclasses
import os
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import tensorflow as tf

from pipelines.errors import DataError
from pipelines.split_checks import check_class_names, check_splits, check_test_parts, warnings
from pipelines.splitting import carve, sample
from pipelines.streams import drop_texts, select
from pipelines.survey import survey, survey_twice

TARGET_KINDS = ("class", "classes")
# Of what then is train, where nothing is asked for; test is carved first.
FRACTIONS = {"test": 0.2, "validation": 0.1}


@dataclasses.dataclass(frozen=True)
class TextData:
    """One dataset: raw texts with their labels, in splits, neither vectorized nor batched.

    Use `from_splits` to make one: it counts, fingerprints and checks the splits.

    Attributes:
        name: the dataset's name in file names and reports.
        train, validation, test: unbatched `tf.data` of `(text, target)`, a string scalar and what `target_spec` says,
            always in the same order.
        class_names: one name a class, C of them; a label is an index into it.
        sizes: number of texts by split; of unlabeled texts as published, those of the test split included.
        fingerprints: content fingerprint by split.
        suggested_sequence_length: in tokens, for whoever sets none.
        suggested_vocabulary_size: in words, for whoever sets none.
        unlabeled: unbatched `tf.data` of string scalars, or None; no text of the test split is among them.
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

    @property
    def target_spec(self) -> tf.TensorSpec:
        """Shape and type of one target."""
        return target_spec(self.target_kind, len(self.class_names))


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
        unlabeled: unbatched `tf.data` of strings; those that stand in test are left out as it is read.
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
    for split, fraction in fractions.items():
        if fraction is not None and not 0 < fraction < 1:
            raise DataError(
                f"the {split} fraction is {fraction}; it must lie between 0 and 1, such as 0.1 for a tenth of the "
                "training split."
            )
    if target_kind not in TARGET_KINDS:
        raise DataError(f"the target kind of {name!r} is {target_kind!r}; expected one of {TARGET_KINDS}.")
    check_class_names(name, class_names)
    spec = target_spec(target_kind, len(class_names))
    given = {"train": train, "validation": validation, "test": test}
    for split, fraction in fractions.items():
        if fraction is not None and given[split] is not None:
            raise DataError(
                f"{name!r} has a {split} split of its own, so that none is carved; the {split} fraction of {fraction} "
                f"would do nothing. Leave --{split}-fraction out, or take the {split} split out of the data."
            )
    splits = {split: _typed(name, split, each, spec) for split, each in given.items() if each is not None}
    surveys = {split: survey_twice(name, split, each) for split, each in splits.items()}
    # Labels are checked before anything is carved: of one class or of wild labels, it would only blur the message.
    check_splits(name, surveys, class_names)
    staying = np.arange(len(surveys["train"]))
    for split, fraction in fractions.items():
        if split not in splits:
            whole = surveys["train"]
            chosen = carve(whole, fraction or FRACTIONS[split], split_seed)
            if not chosen.any():
                raise DataError(
                    f"no {split} split can be carved out of {name!r}: of its {len(whole)} texts, "
                    f"{len(np.unique(whole.text_hashes))} are different, and at least two different ones of a class "
                    "are needed, one to learn from and one to hold out. Add texts."
                )
            staying = staying[~chosen]
            splits |= {split: select(splits["train"], chosen), "train": select(splits["train"], ~chosen)}
            surveys |= {split: whole[chosen], "train": whole[~chosen]}
    # In one order, whatever was given.
    surveys = {split: surveys[split] for split in given}
    check_splits(name, surveys, class_names)
    test_parts = {part: np.asarray(flags) for part, flags in test_parts.items()}
    check_test_parts(name, test_parts, len(surveys["test"]))
    sizes = {split: len(found) for split, found in surveys.items()}
    if unlabeled is not None:
        unlabeled = drop_texts(unlabeled, surveys["test"].text_hashes)
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
            suggested_sequence_length(staying) if callable(suggested_sequence_length) else suggested_sequence_length
        ),
        suggested_vocabulary_size=suggested_vocabulary_size,
        unlabeled=unlabeled,
        target_kind=target_kind,
        test_parts=test_parts,
        warnings=warnings(surveys, class_names),
        notes=tuple(notes),
        reading=dict(reading),
    )


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
    strata = len(np.unique(whole.strata))
    if count < strata:
        raise DataError(
            f"{count} texts cannot be a sample of train of {data.name!r}, which has texts of {strata} classes; "
            f"take at least {strata}, one of each."
        )
    chosen = sample(whole, count, seed)
    kept = whole[chosen]
    held_out = {"validation": survey(data.validation), "test": survey(data.test)}
    of_whole = warnings({"train": whole, **held_out}, data.class_names)
    others = [sentence for sentence in data.warnings if sentence not in of_whole]
    return dataclasses.replace(
        data,
        train=select(data.train, chosen),
        sizes={**data.sizes, "train": count},
        fingerprints={**data.fingerprints, "train": kept.fingerprint},
        warnings=(*warnings({"train": kept, **held_out}, data.class_names), *others),
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
