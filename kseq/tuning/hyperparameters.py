"""A space in the words of keras-tuner, and its values as options."""

import contextlib
from collections.abc import Mapping
from typing import Any

import keras_tuner

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
        with contextlib.ExitStack() as scopes:
            for parent, values in parents.items():
                scopes.enter_context(found.conditional_scope(parent, list(values)))
            _add(found, name, space[name], nearest(name, space[name], getattr(settled, name)))
    return found


def chosen_values(values: Mapping[str, Any], space: Space) -> dict[str, Any]:
    """Give the fields of `Options` among the values of a trial, as they are trained and told."""
    return {name: rounded(name, value, space[name]) for name, value in values.items() if name in space}


def _add(found: keras_tuner.HyperParameters, name: str, values: Range | Choices, default: Any) -> None:
    """Add one hyperparameter."""
    if isinstance(values, Choices):
        # keras-tuner takes true and false in a choice for whole numbers.
        if value_type(FIELDS[name]) is bool:
            found.Boolean(name, default=default)
        else:
            found.Choice(name, list(values.values), default=default)
        return
    sampling = "log" if values.log else "linear"
    add = found.Int if value_type(FIELDS[name]) is int else found.Float
    add(name, values.low, values.high, sampling=sampling, default=default)
