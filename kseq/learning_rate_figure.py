"""The picture of a sweep over learning rates."""

import os
from typing import Any

from matplotlib import style
from matplotlib.figure import Figure

from kseq.figures import BLUE, DOTS_PER_INCH, FAINT, INK, VERMILION, save


def draw_learning_rates(sweep: Any, optimizer: str, loss: str, path: str | os.PathLike[str]) -> None:
    """Draw the loss over the learning rate, whose axis is logarithmic, as a PNG file.

    Args:
        sweep: with rates, losses, smoothed, lowest and suggested, as `kseq.learning_rate_sweep.Sweep` has them.
        optimizer: its name, for the title.
        loss: its name, for the axis.
        path: the file; an old one is replaced.
    """
    smoothed = sweep.smoothed
    lowest = sweep.rates[sweep.lowest], smoothed[sweep.lowest]
    with style.context("default"):
        figure = Figure(figsize=(6.4, 4.0), dpi=DOTS_PER_INCH, layout="constrained")
        axes = figure.subplots()
        axes.set_title(f"loss at rising learning rates of {optimizer}", loc="left", fontsize=12, color=INK)
        axes.set_xlabel("learning rate (logarithmic scale)", color=INK)
        axes.set_ylabel(f"training loss ({loss})", color=INK)
        axes.set_xscale("log")
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", color="#e6e6e6", linewidth=0.8)
        axes.set_axisbelow(True)
        axes.plot(sweep.rates, sweep.losses, ".", color=FAINT, markersize=3, label="a batch")
        axes.plot(sweep.rates, smoothed, color=BLUE, linewidth=1.8, label="smoothed")
        axes.plot(
            *([place] for place in lowest), "o", color="white", markeredgecolor=BLUE, markeredgewidth=2,
            markersize=8, label=f"lowest: {lowest[0]:.2g}", zorder=5,
        )  # fmt: skip
        if sweep.suggested is not None:
            label = f"suggested: {sweep.suggested:g}"
            axes.axvline(sweep.suggested, color=VERMILION, linewidth=1.5, linestyle="--", label=label, zorder=1)
        # Single batches at the end may lie far above all that is of interest.
        bottom, top = min(sweep.losses), max(smoothed)
        if bottom < top:
            axes.set_ylim(bottom - 0.05 * (top - bottom), top + 0.1 * (top - bottom))
        axes.legend(frameon=False, fontsize=9, labelcolor=INK, loc="best")
        save(figure, path)
