"""A space in the words of keras-tuner, and its values as options."""

from collections.abc import Mapping
from typing import Any

import keras_tuner
from keras_tuner.engine.hyperparameters import Boolean, Choice, Float, HyperParameter, Int
from keras_tuner.src.engine.conditions import Parent

from kseq.option_fields import value_type
from kseq.options import FIELDS, Options
from kseq.tuning.conditions import Conditions
from kseq.tuning.space import Choices, Range, Space, nearest, rounded


def hyperparameters(space: Space, conditions: Conditions, settled: Options) -> keras_tuner.HyperParameters:
    """Make the hyperparameters of a search; their defaults are what a run takes, or what is nearest to it.

    Args:
        space: resolved.
        conditions: of each field that is searched, those that others depend on first.
        settled: the options of a run that sets nothing of the space.
    """
    found = keras_tuner.HyperParameters()
    for name, parents in conditions.items():
        # Not its scopes, which cannot have a conditional parent beside another one.
        beside = [Parent(parent, list(values)) for parent, values in parents.items()]
        found.merge([_hyperparameter(name, space[name], nearest(name, space[name], getattr(settled, name)), beside)])
    return found


def chosen_values(values: Mapping[str, Any], space: Space) -> dict[str, Any]:
    """Give the fields of `Options` among the values of a trial, as they are trained and told."""
    return {name: rounded(name, value, space[name]) for name, value in values.items() if name in space}


def _hyperparameter(name: str, values: Range | Choices, default: Any, conditions: list[Parent]) -> HyperParameter:
    """Make one hyperparameter."""
    kind, told = value_type(FIELDS[name]), {"default": default, "conditions": conditions}
    if isinstance(values, Choices):
        # keras-tuner takes true and false in a choice for whole numbers.
        return Boolean(name, **told) if kind is bool else Choice(name, list(values.values), **told)
    number = Int if kind is int else Float
    return number(name, values.low, values.high, sampling="log" if values.log else "linear", **told)
