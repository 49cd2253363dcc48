"""Which options of a space do something beside which values of others, as the parts themselves tell. No TensorFlow."""

import itertools
from collections.abc import Collection, Mapping
from typing import Any

from kseq.applies import readers_of, refusal
from kseq.errors import UsageError
from kseq.option_fields import value_type
from kseq.options import FIELDS, REGISTRIES, Options
from kseq.tuning.space import Choices, Range, Space

# Of a field, the fields and values beside which alone it does something.
Conditions = Mapping[str, Mapping[str, tuple[Any, ...]]]
# An option of more values decides nothing about others.
_MOST_VALUES = 16


def conditions_of(
    space: Space, options: Options, named: Collection[str], dataset_reads: Collection[str], input_kind: str
) -> dict[str, dict[str, tuple[Any, ...]]]:
    """Find the conditions of each field of a space; fields that never do anything are left out.

    Args:
        space: resolved.
        options: what is not searched.
        named: fields that were asked for.
        dataset_reads: names of the arguments of the dataset's `load`.
        input_kind: of the data.

    Returns:
        By field, those that others depend on first.

    Raises:
        UsageError: a field that was asked for does nothing beside the other options.
    """
    found = {}
    for name in space:
        active = _active(name, space, options, dataset_reads, input_kind)
        if active is not None:
            found[name] = active
        elif name in named:
            raise UsageError(f"--search {name}: {refusal(name, options, dataset_reads, input_kind)}")
    return _in_order(found)


def effective(
    options: Options, names: Collection[str], base: Options, dataset_reads: Collection[str], input_kind: str
) -> Options:
    """Put back what does nothing to what it was.

    Args:
        options: of a trial.
        names: of the fields that the search has set.
        base: the options that are not searched.
        dataset_reads: names of the arguments of the dataset's `load`.
        input_kind: of the data.
    """
    idle = [name for name in names if refusal(name, options, dataset_reads, input_kind) is not None]
    return options.replace(**{name: getattr(base, name) for name in idle})


def _active(
    name: str, space: Space, options: Options, dataset_reads: Collection[str], input_kind: str
) -> dict[str, tuple[Any, ...]] | None:
    """Give the values of other fields beside which a field does something; None where there are none."""
    parents = {other: _listed(other, space[other]) for other in _deciding(name, space, options)}
    active = []
    for values in itertools.product(*parents.values()):
        try:
            tried = options.replace(**dict(zip(parents, values, strict=True)))
        except UsageError:
            continue
        if refusal(name, tried, dataset_reads, input_kind) is None:
            active.append(values)
    if not active:
        return None
    beside = {parent: tuple(dict.fromkeys(values[place] for values in active)) for place, parent in enumerate(parents)}
    return {parent: values for parent, values in beside.items() if set(values) != set(parents[parent])}


def _deciding(name: str, space: Space, options: Options) -> list[str]:
    """List the searched fields that may decide whether a field does anything."""
    waiting, registries = [name], set()
    while waiting:
        for registry, _ in readers_of(waiting.pop()):
            if registry not in registries:
                registries.add(registry)
                waiting.append(registry)
    applies = FIELDS[name].metadata.get("applies")
    found = []
    for other, values in space.items():
        if other == name or not (listed := _listed(other, values)):
            continue
        if other in registries:
            found.append(other)
        elif applies and other not in REGISTRIES:
            answers = {bool(applies[1](options.replace(**{other: value}))) for value in listed}
            if len(answers) > 1:
                found.append(other)
    return found


def _listed(name: str, values: Range | Choices) -> list[Any]:
    """List the values of choices and of short ranges of whole numbers."""
    if isinstance(values, Choices):
        return list(values.values)
    if value_type(FIELDS[name]) is int and values.high - values.low < _MOST_VALUES:
        return list(range(int(values.low), int(values.high) + 1))
    return []


def _in_order(found: dict[str, dict[str, tuple[Any, ...]]]) -> dict[str, dict[str, tuple[Any, ...]]]:
    """Put each field behind those that it depends on."""
    ordered: dict[str, dict[str, tuple[Any, ...]]] = {}

    def add(name: str) -> None:
        if name in ordered or name not in found:
            return
        for parent in found[name]:
            add(parent)
        ordered[name] = found[name]

    for name in found:
        add(name)
    return ordered
