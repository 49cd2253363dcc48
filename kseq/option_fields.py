"""What a field of `Options` tells of itself: its flag, its type, what is allowed. No TensorFlow here."""

import dataclasses
import math
from collections.abc import Callable, Collection
from typing import Any

from kseq.errors import UsageError
from kseq.registry import unknown


def option(
    default: Any,
    group: str,
    help: str,
    *,
    choices: Collection[str] | None = None,
    low: float | None = None,
    high: float | None = None,
    below: float | None = None,
    aliases: tuple[str, ...] = (),
    applies: tuple[str, Callable[[Any], bool]] | None = None,
    not_with: str | None = None,
) -> Any:
    """Declare a field of `Options`.

    Args:
        default: its value where nobody sets one; None leaves it to the dataset.
        group: heading in `--help`; options of the group "data" go to the dataset's `load`, where it takes them.
        help: one line; units in it.
        choices: the allowed names.
        low, high: the allowed range, ends included.
        below: the first value that is too large.
        aliases: other spellings of the flag.
        applies: when the option does anything, in words and as a function of the options, where that does not follow
            from the parts that read it.
        not_with: another option that, where it is set, leaves this one nothing to do.
    """
    metadata = {
        "group": group,
        "help": help,
        "choices": tuple(choices) if choices else None,
        "low": low,
        "high": high,
        "below": below,
        "aliases": aliases,
        "applies": applies,
        "not_with": not_with,
    }
    return dataclasses.field(default=default, metadata=metadata)


def value_type(field: dataclasses.Field) -> type:
    """Tell the type of a field's values, apart from None."""
    return {"str": str, "int": int, "float": float, "bool": bool}[_type_name(field).removesuffix(" | None")]


def check_value(field: dataclasses.Field, value: Any) -> None:
    """Refuse a value that has not the field's type or lies outside its range.

    Raises:
        UsageError: naming the field, what arrived and what is expected.
    """
    if value is None and field.default is None:
        return
    expected = value_type(field)
    fits = isinstance(value, (int, float)) if expected is float else isinstance(value, expected)
    if not fits or (isinstance(value, bool) and expected is not bool):
        raise UsageError(f"{field.name} is {value!r}; expected {_a(expected)}.")
    rules = field.metadata
    if rules.get("choices") and value not in rules["choices"]:
        raise UsageError(unknown(field.name, value, rules["choices"]))
    low, high, below = rules.get("low"), rules.get("high"), rules.get("below")
    inside = (low is None or value >= low) and (high is None or value <= high) and (below is None or value < below)
    finite = expected is not float or math.isfinite(value)
    if not (inside and finite):
        upper = f" and at most {high}" if high is not None else f" and below {below}" if below is not None else ""
        upper += "" if finite else ", and finite"
        raise UsageError(f"{field.name} is {value!r}; expected {_a(expected)} of at least {low}{upper}.")


def _type_name(field: dataclasses.Field) -> str:
    return field.type if isinstance(field.type, str) else getattr(field.type, "__name__", str(field.type))


def _a(expected: type) -> str:
    return {str: "a name", int: "a whole number", float: "a number", bool: "true or false"}[expected]
