"""The picture of a comparison: accuracy with intervals, accuracy against time, and how training went."""

import os
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from kseq.comparison.results import RowResult
from kseq.figures import DOTS_PER_INCH, FAINT, INK, drawable, save

# Okabe & Ito (2008), which look different to every kind of eye; the first row is black.
_COLORS = ("#000000", "#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7F6000")
_GREY = "#b5b5b5"
_INCHES_OF_A_ROW = 0.3
_LONGEST_LABEL = 44


def draw_comparison(
    results: Sequence[RowResult],
    histories: Mapping[int, Sequence[Mapping[str, Sequence[float]]]],
    metric: str,
    path: str | os.PathLike[str],
) -> None:
    """Draw all rows that were trained, each by its number, as a PNG file.

    The first row and the best seven by validation have colours, the others are grey.

    Args:
        results: of the rows.
        histories: of each row's number, the history of each seed.
        metric: of the histories, which the curves show.
        path: the file; an old one is replaced.
    """
    shown = [row for row in results if row.means]
    colors = _colors(shown)
    names, families = drawable([row.label for row in results], _LONGEST_LABEL)
    height = max(3.2, _INCHES_OF_A_ROW * len(shown) + 0.9)
    with style.context("default"), matplotlib.rc_context({"font.family": families}):
        figure = Figure(figsize=(15, height), dpi=DOTS_PER_INCH, layout="constrained")
        whiskers, times, curves = figure.subplots(1, 3, width_ratios=[1.25, 1, 1])
        _draw_accuracies(whiskers, shown, [f"{names[row.number - 1]}  {row.number}" for row in shown], colors)
        _draw_times(times, shown, colors)
        _draw_curves(curves, [row for row in shown if histories.get(row.number)], histories, metric, colors)
        save(figure, path)


def _colors(shown: Sequence[RowResult]) -> dict[int, str]:
    """Give each row's number a colour."""
    first, rest = shown[:1], list(shown[1:])
    rest.sort(key=lambda row: -row.means.validation_accuracy if row.means else 0)
    chosen = sorted(row.number for row in [*first, *rest[: len(_COLORS) - 1]])
    return {row.number: _GREY for row in shown} | dict(zip(chosen, _COLORS, strict=False))


def _draw_accuracies(axes: Axes, shown: Sequence[RowResult], labels: Sequence[str], colors: Mapping[int, str]) -> None:
    """Draw the mean accuracy of each row with its interval, and each seed as a small ring."""
    _prepare(axes, "test accuracy, 95% interval; a ring a seed", "x")
    for place, row in enumerate(shown):
        if row.means is None:
            continue
        color = colors[row.number]
        axes.plot(row.means.accuracy_interval, [place, place], color=color, linewidth=1.8, solid_capstyle="butt")
        if len(row.seeds) > 1:
            axes.plot(
                row.means.accuracies, [place] * len(row.seeds), "o", markersize=4, markerfacecolor="white",
                markeredgecolor=color, markeredgewidth=0.9, zorder=3,
            )  # fmt: skip
        axes.plot([row.means.accuracy], [place], "D", color=color, markersize=6, zorder=2.5)
    if shown and shown[0].means and shown[0].number == 1:
        axes.axvline(shown[0].means.accuracy, color=FAINT, linewidth=1, linestyle=(0, (2, 2)), zorder=1)
    axes.set_yticks(range(len(shown)), list(labels), fontsize=9, color=INK, parse_math=False)
    axes.set_ylim(len(shown) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.xaxis.set_major_formatter(_percent())
    axes.xaxis.set_major_locator(MaxNLocator(nbins=6))


def _draw_times(axes: Axes, shown: Sequence[RowResult], colors: Mapping[int, str]) -> None:
    """Draw the mean accuracy of each row over its seconds of an epoch, as its number."""
    _prepare(axes, "test accuracy, by seconds of an epoch", "both")
    for row in shown:
        if row.means is None:
            continue
        point = (row.means.seconds_per_epoch, row.means.accuracy)
        axes.plot(*point, "o", color=colors[row.number], markersize=5)
        axes.annotate(
            str(row.number), point, xytext=(4, 3), textcoords="offset points", fontsize=9, color=INK,
        )  # fmt: skip
    axes.margins(0.1)
    axes.set_xlim(left=0)
    axes.set_xlabel("seconds", color=INK)
    axes.yaxis.set_major_formatter(_percent())
    axes.yaxis.set_major_locator(MaxNLocator(nbins=7))


def _draw_curves(
    axes: Axes,
    shown: Sequence[RowResult],
    histories: Mapping[int, Sequence[Mapping[str, Sequence[float]]]],
    metric: str,
    colors: Mapping[int, str],
) -> None:
    """Draw a metric over the epochs, of each row the mean over the seeds that came so far."""
    _prepare(axes, f"{metric.replace('_', ' ').replace('val ', 'validation ')} by epoch", "both")
    # Grey lines lie below the others.
    for row in sorted(shown, key=lambda row: (colors[row.number] != _GREY, -row.number)):
        curves = [history[metric] for history in histories[row.number]]
        longest = max(map(len, curves))
        means = [statistics.mean(curve[epoch] for curve in curves if len(curve) > epoch) for epoch in range(longest)]
        epochs = range(1, longest + 1)
        axes.plot(epochs, means, color=colors[row.number], linewidth=1.6, marker="o", markersize=2.5)
        axes.annotate(
            str(row.number), (epochs[-1], means[-1]), xytext=(5, -3), textcoords="offset points", fontsize=9,
            color=INK if colors[row.number] != _GREY else FAINT, annotation_clip=False,
        )  # fmt: skip
    axes.set_xlabel("epoch", color=INK)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))


def _prepare(axes: Axes, title: str, grid: Any) -> None:
    axes.set_title(title, loc="left", fontsize=11, color=INK, parse_math=False)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis=grid, color="#e6e6e6", linewidth=0.8)
    axes.set_axisbelow(True)


def _percent() -> PercentFormatter:
    return PercentFormatter(1, decimals=None)
