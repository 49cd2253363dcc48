"""Weights against uneven classes: read from `--class-weight`, or computed from counts. No TensorFlow here."""

import csv
import io
import math
from collections.abc import Mapping, Sequence

from kseq.errors import UsageError
from kseq.registry import unknown

BALANCED, NONE = "balanced", "none"
# What a label that one text in a hundred has gets. Beyond, one text would outweigh all others of its batch of 64.
GREATEST_LABEL_WEIGHT = 50.0


def read_weights(setting: str) -> dict[str, float]:
    """Read the weights that stand in a setting, `spam=5,ham=1`.

    The pairs are the cells of one CSV row: a label with a comma or a quotation mark in it is quoted, `"a, b"=2`. The
    last equals sign of a pair parts label and weight, so that a label may hold others. A space after a comma is no
    part of a label that is not quoted.

    Args:
        setting: "balanced" and "none" name no label and give nothing.

    Raises:
        UsageError: a pair that is none, a weight that is no positive number, or a label that stands twice.
    """
    if setting in (BALANCED, NONE):
        return {}
    try:
        rows = list(csv.reader(io.StringIO(setting, newline=""), skipinitialspace=True))
    except csv.Error:
        rows = []
    if len(rows) != 1:
        raise UsageError(f"class_weight is {setting!r}; expected {_ALLOWED}")
    weights: dict[str, float] = {}
    for pair in rows[0]:
        label, equals, number = pair.rpartition("=")
        if not equals:
            raise UsageError(f"class_weight is {setting!r}, in which {pair!r} is no LABEL=WEIGHT; expected {_ALLOWED}")
        try:
            weight = float(number)
        except ValueError:
            weight = math.nan
        if not (math.isfinite(weight) and weight > 0):
            raise UsageError(f"class_weight gives {label!r} the weight {number!r}; expected a number above 0.")
        if label in weights:
            raise UsageError(f"class_weight names {label!r} twice; expected one weight for a label.")
        weights[label] = weight
    return weights


_ALLOWED = (
    "balanced, none, or LABEL=WEIGHT between commas, such as spam=5,ham=1. A label with a comma in it is quoted as in "
    'CSV: "a, b"=2.'
)


def class_weights(setting: str, class_names: Sequence[str], counts: Sequence[int]) -> list[float]:
    """Weigh the texts of each of C classes.

    "balanced" gives a class n / (C · count), so that all classes weigh the same and a text weighs 1 on average; that is
    scikit-learn's formula (after King & Zeng 2001). A class that the setting does not name weighs 1.

    Args:
        setting: as `read_weights` takes it.
        class_names: C names.
        counts: texts of each class in train; of a class without texts the weight is 1.

    Raises:
        UsageError: the setting names a label that is no class.
    """
    if setting == BALANCED:
        return [sum(counts) / (len(counts) * count) if count else 1.0 for count in counts]
    return _named(setting, class_names)


def label_weights(
    setting: str, class_names: Sequence[str], counts: Sequence[int], texts: int
) -> tuple[list[float], list[float]]:
    """Weigh the absence and the presence of each of C labels, where a text can have several.

    "balanced" takes each label for two classes, those with and without it: n / (2 · count) where it is present and
    n / (2 · (n - count)) where it is absent, no weight above 50. A weight that the setting names holds where the label
    is present; all else weighs 1.

    Args:
        setting: as `read_weights` takes it.
        class_names: C names.
        counts: texts that have each label, in train.
        texts: n, the texts of train.

    Returns:
        C weights of absence, C weights of presence.

    Raises:
        UsageError: the setting names a label that is none.
    """
    if setting != BALANCED:
        return [1.0] * len(class_names), _named(setting, class_names)
    pairs = [class_weights(BALANCED, ("absent", "present"), (texts - count, count)) for count in counts]
    absent, present = ([min(weight, GREATEST_LABEL_WEIGHT) for weight in side] for side in zip(*pairs, strict=True))
    return absent, present


def check_weights(setting: str, class_names: Sequence[str]) -> None:
    """Refuse a setting that names a label which the data does not have.

    Raises:
        UsageError: naming the label, the choices and the nearest.
    """
    for label in read_weights(setting):
        if label not in class_names:
            raise UsageError(unknown("a label in class_weight", label, class_names))


def _named(setting: str, class_names: Sequence[str]) -> list[float]:
    check_weights(setting, class_names)
    weights: Mapping[str, float] = read_weights(setting)
    return [weights.get(name, 1.0) for name in class_names]
