"""How much of the differences between trials each option explains, by a random forest."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.ensemble import RandomForestRegressor

# Of fewer trials, a forest tells what chance has done.
FEWEST_TRIALS = 8
_TREES = 200
_POINTS = 20


def importances(settings: Sequence[Mapping[str, Any]], values: Sequence[float]) -> dict[str, float]:
    r"""Estimate the share of the variance that each option explains alone, the greatest first.

    With the forest's prediction \(f\), the marginal \(f_j(x) = \mathrm{mean}_i\, f(x_i \mid x_{ij} = x)\) over the
    trials, and \(V_j = \mathrm{Var}_x f_j(x)\) over values of option j as frequent as they were tried, the importance
    is \(V_j / \mathrm{Var}_i f(x_i)\): the main effects of a functional analysis of variance (Hutter, Hoos and
    Leyton-Brown 2014), with the trials in the place of all settings. What options do together is in none of them.

    Args:
        settings: of each trial, the value of each option that did anything in it.
        values: of the objective, one a trial.

    Returns:
        By option; nothing of fewer than 8 trials, or where all came out alike.
    """
    if len(values) < FEWEST_TRIALS:
        return {}
    columns = {name: _encoded([each.get(name) for each in settings]) for name in _names(settings)}
    columns = {name: column for name, column in columns.items() if len(np.unique(column, axis=0)) > 1}
    if not columns or np.ptp(values) == 0:
        return {}
    matrix = np.concatenate(list(columns.values()), axis=1)  # (trials, columns)
    forest = RandomForestRegressor(_TREES, random_state=0).fit(matrix, values)
    total = float(np.var(forest.predict(matrix)))
    if not total:
        return {}
    found, first = {}, 0
    for name, column in columns.items():
        chosen = slice(first, first + column.shape[1])
        first = chosen.stop
        # As frequent as they were tried; of many, the middles of equal parts.
        tried = column[np.lexsort(column.T)]
        points = tried[np.unique(((np.arange(_POINTS) + 0.5) / _POINTS * len(tried)).astype(int))]
        marginals = []
        for point in points:
            moved = matrix.copy()
            moved[:, chosen] = point
            marginals.append(forest.predict(moved).mean())
        found[name] = float(np.var(marginals)) / total
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def _names(settings: Sequence[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(name for each in settings for name in each))


def _encoded(values: Sequence[Any]) -> np.ndarray:
    """Give numbers as they are, and a column to each name; where an option did nothing is a column too."""
    missing = np.array([value is None for value in values], float)
    if any(isinstance(value, str) for value in values):
        known = sorted({value for value in values if value is not None})
        columns = [np.array([value == name for value in values], float) for name in known]
    else:
        there = [float(value) for value in values if value is not None]
        middle = float(np.median(there)) if there else 0.0
        columns = [np.array([middle if value is None else float(value) for value in values])]
    if missing.any():
        columns.append(missing)
    return np.stack(columns, axis=1)
