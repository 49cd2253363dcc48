"""The pictures of a search: how it went, what mattered, each option against the objective, and all together."""

import math
import os
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

from kseq.figures import BLUE, DOTS_PER_INCH, FAINT, INK, VERMILION, drawable, save
from kseq.tuning.objective import Objective
from kseq.tuning.results import TrialResult
from kseq.tuning.space import Choices, Space

_COLUMNS = 4
_LONGEST_NAME = 26
_COLORS = "viridis"


def draw_course(
    results: Sequence[TrialResult], objective: Objective, shares: Mapping[str, float], path: str | os.PathLike[str]
) -> None:
    """Draw the trials and the best so far over the seconds of training, and the importance of each option.

    Args:
        results: in the order of their ends, those that are completed among them.
        objective: what they are judged by.
        shares: importance by option, the greatest first.
        path: the PNG file; an old one is replaced.
    """
    with style.context("default"):
        figure = Figure(figsize=(11, 3.8), dpi=DOTS_PER_INCH, layout="constrained")
        course, bars = figure.subplots(1, 2, width_ratios=[1.5, 1])
        _prepare(course, f"{objective.name} over the seconds of training; line: the best so far")
        seconds = np.cumsum([row.seconds or 0.0 for row in results])
        done = [(second, row.value) for second, row in zip(seconds, results, strict=True) if row.value is not None]
        times, values = zip(*done, strict=True)
        best = np.maximum.accumulate(values) if objective.direction == "max" else np.minimum.accumulate(values)
        course.plot(times, values, "o", markersize=4, color=FAINT)
        course.step(times, best, where="post", color=BLUE, linewidth=1.8)
        course.set_xlabel("seconds", color=INK)
        _prepare(bars, "share of the variance that an option explains alone")
        names = list(shares)[::-1]
        bars.barh(range(len(names)), [shares[name] for name in names], color=BLUE, height=0.6)
        bars.set_yticks(range(len(names)), names, fontsize=8, color=INK)
        if not shares:
            bars.text(0.5, 0.5, "too few trials to tell", ha="center", color=FAINT, transform=bars.transAxes)
            bars.set_axis_off()
        save(figure, path)


def draw_options(
    results: Sequence[TrialResult], objective: Objective, space: Space, path: str | os.PathLike[str]
) -> None:
    """Draw each option against the objective, a point a trial.

    Args:
        results: those that are completed.
        objective: what they are judged by.
        space: that was searched, resolved.
        path: the PNG file; an old one is replaced.
    """
    rows = math.ceil(len(space) / _COLUMNS)
    texts = [str(value) for values in space.values() if isinstance(values, Choices) for value in values.values]
    _, families = drawable(texts, _LONGEST_NAME)
    with style.context("default"), matplotlib.rc_context({"font.family": families}):
        figure = Figure(figsize=(3.1 * min(_COLUMNS, len(space)), 2.5 * rows), dpi=DOTS_PER_INCH, layout="constrained")
        panels = figure.subplots(rows, min(_COLUMNS, len(space)), sharey=True, squeeze=False)
        for axes in panels.flat[len(space) :]:
            axes.set_axis_off()
        best = _best(results, objective)
        for axes, (name, values) in zip(panels.flat, space.items(), strict=False):
            _prepare(axes, name)
            shown = [row for row in results if name in row.values]
            places = [_place(values, row.values[name]) for row in shown]
            axes.plot(places, [row.value for row in shown], "o", markersize=4, color=BLUE, alpha=0.7)
            if name in best.values:
                axes.plot([_place(values, best.values[name])], [best.value], "D", markersize=6, color=VERMILION)
            _scale(axes, values)
        save(figure, path)


def draw_together(
    results: Sequence[TrialResult], objective: Objective, space: Space, path: str | os.PathLike[str]
) -> None:
    """Draw each trial as a line through its values, coloured by the objective; one where an option did nothing ends.

    Args:
        results: those that are completed.
        objective: what they are judged by.
        space: that was searched, resolved.
        path: the PNG file; an old one is replaced.
    """
    names = list(space)
    values = [row.value for row in results if row.value is not None]
    scale = Normalize(min(values), max(values) if max(values) > min(values) else min(values) + 1e-9)
    # The best are dark.
    colors = matplotlib.colormaps[f"{_COLORS}_r" if objective.direction == "max" else _COLORS]
    with style.context("default"):
        figure = Figure(figsize=(max(6.0, 1.15 * len(names)), 4.2), dpi=DOTS_PER_INCH, layout="constrained")
        axes = figure.subplots()
        _prepare(axes, f"values of each trial, coloured by {objective.name}")
        # The best lie above the others.
        for row in sorted(results, key=lambda row: (row.value or 0.0) * (1 if objective.direction == "max" else -1)):
            heights = [_height(space[name], row.values.get(name)) for name in names]
            axes.plot(range(len(names)), heights, color=colors(scale(row.value or 0.0)), linewidth=1.2, alpha=0.8)
        axes.set_xticks(range(len(names)), [_ends(name, space[name]) for name in names], fontsize=7, color=INK)
        axes.set_yticks([])
        axes.set_xlim(-0.2, len(names) - 0.8)
        figure.colorbar(matplotlib.cm.ScalarMappable(scale, colors), ax=axes, pad=0.01)
        save(figure, path)


def _best(results: Sequence[TrialResult], objective: Objective) -> TrialResult:
    best = results[0]
    for row in results:
        if row.value is not None and objective.better(row.value, best.value):
            best = row
    return best


def _place(values: Any, value: Any) -> float:
    """Place a value on an axis: choices by their number, numbers as they are."""
    return float(values.values.index(value)) if isinstance(values, Choices) else float(value)


def _scale(axes: Axes, values: Any) -> None:
    """Label the axis of an option."""
    if isinstance(values, Choices):
        axes.set_xticks(range(len(values.values)), [str(value) for value in values.values], fontsize=8)
        axes.set_xlim(-0.5, len(values.values) - 0.5)
    elif values.log:
        axes.set_xscale("log")
        axes.set_xticks([float(f"{point:.2g}") for point in values.points(4)])
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, place: f"{value:g}"))
        axes.xaxis.set_minor_locator(NullLocator())
    else:
        axes.xaxis.set_major_locator(MaxNLocator(nbins=4))


def _height(values: Any, value: Any) -> float:
    """Place a value between the ends of its option, 0 and 1; no number where it did nothing."""
    if value is None:
        return math.nan
    if isinstance(values, Choices):
        return values.values.index(value) / max(len(values.values) - 1, 1)
    low, high, at = (math.log(each) if values.log else each for each in (values.low, values.high, value))
    return (at - low) / (high - low)


def _ends(name: str, values: Any) -> str:
    """Name an axis and its ends."""
    low, high = (values.values[0], values.values[-1]) if isinstance(values, Choices) else (values.low, values.high)
    return f"{name.replace('_', chr(10))}\n{low} to\n{high}"


def _prepare(axes: Axes, title: str) -> None:
    axes.set_title(title, loc="left", fontsize=9, color=INK, parse_math=False)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#e6e6e6", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=8)
