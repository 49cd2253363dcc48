"""Labels as the user wrote them: which ones there are, in which order, and whether a text has one or several."""

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)
# Separators that several labels in one field may have between them.
LIKELY_SEPARATORS = ("|", ";", ",")

# What one field says: one label, or several, or none that could be read.
Labels = str | tuple[str, ...] | None


def parse(field: Any, separator: str | None) -> Labels:
    """Read the label or the labels of one field.

    Args:
        field: text, a list of texts, or None.
        separator: what stands between several labels of a text, or None where it has one.

    Returns:
        One label without blanks around it; a tuple of several, each once and sorted; None where there is none. A list
        that is empty is a tuple that is: somebody says that no label applies.
    """
    if isinstance(field, str):
        if separator is None:
            return field.strip() or None
        found = {label for each in field.split(separator) if (label := each.strip())}
        return tuple(sorted(found)) or None
    if isinstance(field, bool):
        return str(field).lower()
    if isinstance(field, (list, tuple)):
        several = {str(parse(each, None)) for each in field if parse(each, None) is not None}
        return tuple(sorted(several))
    return None


def class_names(found: Iterable[str | tuple[str, ...]]) -> tuple[str, ...]:
    """Order all labels: by value where each is a number, otherwise by code point."""
    names = {label for each in found for label in ((each,) if isinstance(each, str) else each)}
    if all(map(_NUMBER.fullmatch, names)):
        return tuple(sorted(names, key=lambda name: (Decimal(name), name)))
    return tuple(sorted(names))


def target_kind(found: Iterable[str | tuple[str, ...]], separator: str | None) -> str:
    """Tell whether texts have one label each ("class") or any number ("classes")."""
    several = separator is not None or any(len(each) != 1 for each in found if isinstance(each, tuple))
    return "classes" if several else "class"


def targets(found: Iterable[str | tuple[str, ...]], names: Sequence[str], kind: str) -> dict[Any, Any]:
    """Map what a field says to a target: an index, or a list of 0 and 1 for each of the C classes."""
    index = {name: number for number, name in enumerate(names)}
    mapped: dict[Any, Any] = {}
    for each in found:
        several = {each} if isinstance(each, str) else set(each)
        mapped[each] = index[min(several)] if kind == "class" else [int(name in several) for name in names]
    return mapped


def likely_separator(counts: Mapping[str, int]) -> str | None:
    """Find what may stand between several labels, where labels look like `a|b`.

    Args:
        counts: how often each field comes.
    """
    for separator in LIKELY_SEPARATORS:
        joined = [name for name in counts if separator in name.strip(separator)]
        parts = {part.strip() for name in counts for part in name.split(separator)}
        if len(joined) >= 2 and len(joined) * 2 >= len(counts) and len(parts) < len(counts):
            return separator
    return None
