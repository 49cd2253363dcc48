"""What keeps splits from training and testing a classifier, and what the user should know of them."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from pipelines.errors import DataError
from pipelines.survey import Survey

# Shares of train: of one class, and of one text.
_NEARLY_ALL = 0.95
_MOST_OF = 0.5
_SHOWN = 5


def check_class_names(name: str, class_names: tuple[str, ...], noun: str = "text") -> None:
    """Raise `DataError` for names that are not two or more different texts.

    Args:
        name: of the dataset.
        class_names: one name a class.
        noun: what has a label.
    """
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
            f"{noun}s of at least two. Add {noun}s of another class, or check which column holds the label."
        )


def check_test_parts(name: str, test_parts: Mapping[str, np.ndarray], test: Survey) -> None:
    """Raise `DataError` for parts that do not choose some texts of the test split."""
    noun = test.noun
    for part, flags in test_parts.items():
        subject = f"the part {part!r} of the test split of {name!r}"
        if flags.shape != (len(test),):
            raise DataError(f"{subject} has the shape {flags.shape}; it must be {(len(test),)}, one bool a {noun}.")
        if flags.dtype != bool:
            raise DataError(f"{subject} holds {flags.dtype}; it must hold bool, True for the {noun}s of the part.")
        if not flags.any():
            raise DataError(f"{subject} has no {noun}; leave it out, or set the flag of at least one {noun}.")


def check_splits(name: str, surveys: Mapping[str, Survey], class_names: tuple[str, ...]) -> None:
    """Raise `DataError` for splits that no classifier can be trained and tested on."""
    noun = surveys["train"].noun
    for split, found in surveys.items():
        if not len(found):
            raise DataError(f"the {split} split of {name!r} is empty; it needs at least one labelled {noun}.")
        if found.targets.ndim == 1:
            outside = found.targets[(found.targets < 0) | (found.targets >= len(class_names))]
            allowed = f"lie between 0 and {len(class_names) - 1}, one for each of its {len(class_names)} classes"
        else:
            outside = found.targets[(found.targets < 0) | (found.targets > 1)]
            allowed = f"be 1 for each class that a {noun} has and 0 for the others"
        if len(outside):
            raise DataError(
                f"the {split} split of {name!r} holds the label {outside[0]} ({len(outside)} such {noun}s); labels "
                f"must {allowed}. {noun.capitalize()}s without a label belong into `unlabeled`."
            )
    counts = surveys["train"].counts(len(class_names))
    if np.count_nonzero(counts) < 2:
        raise DataError(
            f"the train split of {name!r} has {noun}s of one class only ({class_names[int(counts.argmax())]!r}); "
            f"a classifier needs {noun}s of at least two."
        )
    absent = [class_names[label] for label in np.flatnonzero(counts == 0)]
    if absent:
        raise DataError(
            f"the train split of {name!r} has no {noun} of class {', '.join(map(repr, absent))}; add some, or leave "
            "the class out of its class names."
        )


def leaks(surveys: Mapping[str, Survey]) -> tuple[str, ...]:
    """Sentences on texts, or whatever has a label, that stand in two splits."""
    noun = surveys["train"].noun
    pairs = (("test", "train"), ("test", "validation"), ("validation", "train"))
    sentences = []
    for held_out, other in pairs:
        count = int(np.isin(surveys[held_out].hashes, surveys[other].hashes).sum())
        if count:
            stands = f"{noun} also stands" if count == 1 else f"{noun}s also stand"
            share = count / len(surveys[held_out])
            sentences.append(
                f"{count} {held_out} {stands} in {other} ({share:.2%} of {held_out}): its score is that much flattered."
            )
    return tuple(sentences)


def warnings(surveys: Mapping[str, Survey], class_names: Sequence[str]) -> tuple[str, ...]:
    """Sentences on what stops no run and flatters or spoils its score.

    Args:
        surveys: of train, validation and test.
        class_names: C names.
    """
    train = surveys["train"]
    noun = train.noun
    sentences = [*leaks(surveys)]
    for split, found in surveys.items():
        conflicting = len(found.conflicting)
        if conflicting:
            stands = f"{noun} stands" if conflicting == 1 else f"different {noun}s stand"
            sentences.append(
                f"{conflicting} {stands} more than once in {split} and with different labels: no model can be right "
                "about all of them."
            )
    counts = train.counts(len(class_names))
    rare = [class_names[place] for place in np.flatnonzero(counts == 1).tolist()]
    if rare:
        one = len(rare) == 1
        sentences.append(
            f"{'class' if one else 'classes'} {_listed(rare)} {'has' if one else 'have'} a single {noun} in train: too "
            "few to learn from. Add some, or drop or merge the class."
        )
    for place in np.flatnonzero(counts > _NEARLY_ALL * len(train)).tolist():
        sentences.append(
            f"{counts[place] / len(train):.1%} of train has the label {class_names[place]!r}: answering so every time "
            "would look as accurate. Look at macro-F1."
        )
    _, times = np.unique(train.hashes, return_counts=True)
    if len(train) > 1 and times.max() > _MOST_OF * len(train):
        sentences.append(
            f"{times.max():,} of the {len(train):,} train {noun}s are one and the same {noun}. Check which column "
            f"holds the {noun}s."
        )
    return tuple(sentences)


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(map(repr, names[:_SHOWN]))
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN} more"
