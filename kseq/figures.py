"""Pictures of a run: how training went, which classes are taken for which, and how well each label is found.

They are drawn on a canvas of their own: no window, no state shared with a user's pyplot. The same numbers give the same
bytes.
"""

import math
import os
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import font_manager, style
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

# Blue and vermilion of Okabe & Ito (2008), which look different to every kind of eye.
BLUE, VERMILION = "#0072B2", "#D55E00"
INK, FAINT = "#222222", "#8a8a8a"
_FONT = "DejaVu Sans"
DOTS_PER_INCH = 150
# In columns; a Chinese sign takes two.
_LONGEST_NAME = 26
_MOST_COUNTED = 20
# Beyond, the picture would need more memory than training did; ticks then give class numbers.
_MOST_NAMED = 100
_NOT_METRICS = ("learning_rate", "seconds")


def draw_curves(history: Mapping[str, Sequence[float]], path: str | os.PathLike[str], best_epoch: int) -> None:
    """Draw each metric over the epochs, training and validation together, as a PNG file.

    Args:
        history: one number an epoch by Keras' names: `loss`, `val_loss`, `accuracy`, `val_accuracy`, …
        path: the file; an old one is replaced.
        best_epoch: the epoch whose weights were kept, from 1; 0 marks none.
    """
    metrics = [name for name in history if not name.startswith("val_") and name not in _NOT_METRICS]
    metrics.sort(key=lambda name: (name != "loss", name))
    panels = max(len(metrics), 1)
    with style.context("default"):
        figure = Figure(figsize=(4.6 * panels + 0.2, 3.6), dpi=DOTS_PER_INCH, layout="constrained")
        for axes, metric in zip(np.ravel(figure.subplots(1, panels)), metrics or [""], strict=True):
            _draw_metric(axes, metric, history.get(metric, ()), history.get(f"val_{metric}", ()), best_epoch)
        save(figure, path)


def draw_confusion_matrix(
    matrix: Sequence[Sequence[int]] | np.ndarray, class_names: Sequence[str], path: str | os.PathLike[str]
) -> None:
    """Draw a confusion matrix as a PNG file.

    A cell's colour is its share of its row, so that rare classes show as well as frequent ones; up to 20 classes, its
    count stands in it. A class name without a font on this machine is shown by its number, and so are all names where
    there are more than 100.

    Args:
        matrix: C rows (true) of C counts (predicted).
        class_names: C names.
        path: the file; an old one is replaced.

    Raises:
        ValueError: the matrix is not C by C.
    """
    counts = np.asarray(matrix)
    number = len(class_names)
    if not number or counts.shape != (number, number):
        raise ValueError(
            f"the matrix has the shape {counts.shape}; expected ({number}, {number}), a row and a column for each of "
            "at least one class name."
        )
    totals = counts.sum(axis=1, keepdims=True)
    # A class without texts has no shares; its row stays grey.
    shares = np.divide(counts, totals, out=np.full(counts.shape, np.nan), where=totals > 0)
    names, families = drawable(class_names)
    counted = number <= _MOST_COUNTED
    cell, size = (0.75, 10) if number <= 8 else (0.46, 9) if counted else (0.165, 7)
    side = max(cell * min(number, _MOST_NAMED), 2.2)  # inches
    with style.context("default"):
        # Only the matrix is measured; the picture grows around it to whatever the names need.
        figure = Figure(figsize=(side, side), dpi=DOTS_PER_INCH)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_facecolor("#e3e3e3")
        # The root lets a share of 2% be seen beside one of 90%.
        image = axes.imshow(shares, cmap="Blues", norm=PowerNorm(0.5, 0, 1), interpolation="nearest")
        _label_classes(axes, names, families, size, side / number)
        if counted:
            _write_counts(axes, image, counts, shares, side / number)
        _add_share_scale(figure, image, side)
        save(figure, path)


def draw_label_scores(classes: Sequence[Any], path: str | os.PathLike[str]) -> None:
    """Draw precision, recall and F1 of labels of which a text can have several, as a PNG file.

    Args:
        classes: with name, precision, recall, f1 and support; of more than 100, those that most texts have are drawn.
        path: the file; an old one is replaced.
    """
    # A name that cannot be drawn is shown by its number, which is its place among all.
    names, families = drawable([scores.name for scores in classes])
    order = sorted(range(len(classes)), key=lambda place: -classes[place].support)[:_MOST_NAMED]
    shown = [classes[place] for place in order]
    places = np.arange(len(shown))
    with style.context("default"):
        figure = Figure(figsize=(5.2, 0.26 * len(shown)), dpi=DOTS_PER_INCH)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.barh(places, [scores.f1 for scores in shown], height=0.62, color="#c9dff0", label="F1")
        # Marks of different forms tell the two apart where colours are not seen.
        look: dict[str, Any] = {"linestyle": "none", "markersize": 5, "clip_on": False}
        axes.plot([scores.precision for scores in shown], places, "o", color=BLUE, label="precision", **look)
        axes.plot([scores.recall for scores in shown], places, "D", color=VERMILION, label="recall", **look)
        supports = [f"{names[place]}  ({classes[place].support:,})" for place in order]
        axes.set_yticks(places, supports, fontsize=9, fontfamily=families, color=INK, parse_math=False)
        axes.set(xlim=(0, 1), ylim=(len(shown) - 0.5, -0.5))
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.tick_params(length=0)
        axes.grid(axis="x", color="#e6e6e6", linewidth=0.8)
        axes.set_axisbelow(True)
        axes.set_title("labels (texts of test)", loc="left", fontsize=10, color=INK)
        axes.legend(frameon=False, fontsize=9, labelcolor=INK, loc="upper left", bbox_to_anchor=(1.02, 1))
        save(figure, path)


def drawable(class_names: Sequence[str], longest: int = _LONGEST_NAME) -> tuple[list[str], list[str]]:
    """Make names that can be drawn, and choose the font families that hold their signs.

    A missing sign would be drawn as a box, the same for each sign, and be warned of; a number tells classes apart.

    Args:
        class_names: any names.
        longest: columns that a name may take; a Chinese sign takes two.
    """
    lines = [" ".join(name.split()) for name in class_names]
    families, missing = _families({sign for line in lines for sign in line})
    shown = [
        _cut(line, longest) if line and missing.isdisjoint(line) else f"class {place}"
        for place, line in enumerate(lines)
    ]
    return shown, families


def save(figure: Figure, path: str | os.PathLike[str]) -> None:
    """Write a figure as a PNG file that is the same for the same numbers."""
    FigureCanvasAgg(figure)
    # By default, the file would name Matplotlib's version.
    figure.savefig(
        path, format="png", metadata={"Software": None}, bbox_inches="tight", pad_inches=0.15, facecolor="white"
    )


def _draw_metric(axes: Axes, metric: str, train: Sequence[float], validation: Sequence[float], best_epoch: int) -> None:
    """Draw one metric of training and validation, a point an epoch."""
    axes.set_title(metric.replace("_", " "), loc="left", fontsize=12, color=INK, parse_math=False)
    axes.set_xlabel("epoch", color=INK)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#e6e6e6", linewidth=0.8)
    axes.set_axisbelow(True)
    epochs = max(len(train), len(validation))
    if not epochs:
        axes.text(0.5, 0.5, "no epoch was finished", transform=axes.transAxes, ha="center", color=FAINT)
        axes.set(xticks=[], yticks=[])
        return
    # A little air on both sides gives a single epoch a width; there is no epoch 0 to show.
    air = 0.04 * max(epochs - 1, 5)
    axes.set_xlim(1 - min(air, 0.9), epochs + air)
    look: dict[str, Any] = {"marker": "o", "markersize": 4 if epochs <= 40 else 0, "linewidth": 1.8, "clip_on": False}
    if 1 <= best_epoch <= epochs:
        axes.axvline(best_epoch, color=FAINT, linewidth=1, linestyle=(0, (2, 2)), zorder=1)
    # Dashes tell the two apart where colours are not seen.
    axes.plot(range(1, len(train) + 1), train, color=VERMILION, linestyle="--", label="training", **look)
    axes.plot(range(1, len(validation) + 1), validation, color=BLUE, label="validation", **look)
    if 1 <= best_epoch <= len(validation):
        kept = validation[best_epoch - 1]
        axes.plot(
            [best_epoch], [kept], "o", color="white", markeredgecolor=BLUE, markeredgewidth=2, markersize=9,
            label=f"kept: epoch {best_epoch}, {kept:.4f}", clip_on=False, zorder=5,
        )  # fmt: skip
    axes.legend(frameon=False, fontsize=9, labelcolor=INK)


def _label_classes(axes: Axes, names: Sequence[str], families: Sequence[str], size: float, cell: float) -> None:
    """Write the class names at both sides of the matrix; below, they are slanted where they would touch."""
    axes.set_xlabel("predicted", fontsize=11, color=INK, labelpad=8)
    axes.set_ylabel("true", fontsize=11, color=INK, labelpad=8)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    if len(names) > _MOST_NAMED:
        return
    # About 0.6 of the font size is the mean width of a letter; 72 points are an inch.
    slanted = max(map(_columns, names)) * size * 0.6 / 72 > cell * 0.95
    look: dict[str, Any] = {"fontsize": size, "fontfamily": list(families), "color": INK, "parse_math": False}
    turned: dict[str, Any] = (
        {"rotation": 90 if cell < 0.3 else 45, "ha": "center" if cell < 0.3 else "right"} if slanted else {}
    )
    places = range(len(names))
    axes.set_xticks(
        places, list(names), rotation_mode="anchor" if slanted and cell >= 0.3 else "default", **turned, **look
    )
    axes.set_yticks(places, list(names), **look)
    edges = np.arange(len(names) + 1) - 0.5
    axes.set_xticks(edges, minor=True)
    axes.set_yticks(edges, minor=True)
    axes.tick_params(which="minor", length=0)
    axes.grid(which="minor", color="white", linewidth=1.5 if cell >= 0.3 else 0.4)


def _write_counts(axes: Axes, image: Any, counts: np.ndarray, shares: np.ndarray, cell: float) -> None:
    """Write the count into every cell, and in large cells its share of the row below it."""
    large = cell >= 0.6
    for row, column in np.ndindex(counts.shape):
        count, share = int(counts[row, column]), float(shares[row, column])
        empty = math.isnan(share)
        dark = not empty and _luminance(image.cmap(image.norm(share))) < 0.5
        text = f"{count:,}" if count or large else "·"
        if large and not empty:
            text += f"\n{share:.1%}"
        digits = len(f"{count:,}")
        size = 10 if large and digits < 8 else 7.5 if digits < 6 else 6
        axes.text(
            column, row, text, ha="center", va="center", fontsize=size, color="white" if dark else INK,
            fontweight="bold" if row == column and large else "normal", linespacing=1.3,
        )  # fmt: skip


def _add_share_scale(figure: Figure, image: Any, side: float) -> None:
    """Add the scale of the colours, right of the matrix."""
    height = min(1.0, 3.2 / side)
    axes = figure.add_axes((1 + 0.25 / side, (1 - height) / 2, 0.13 / side, height))
    scale = figure.colorbar(image, cax=axes, ticks=[0, 0.01, 0.05, 0.1, 0.25, 0.5, 1])
    scale.ax.set_yticklabels(["0%", "1%", "5%", "10%", "25%", "50%", "100%"], fontsize=8, color=INK)
    scale.ax.minorticks_off()
    scale.outline.set_visible(False)
    scale.ax.tick_params(length=2, color=FAINT)
    scale.set_label("share of the true class", fontsize=9, color=INK)


def _luminance(color: tuple[float, ...]) -> float:
    return 0.2126 * color[0] + 0.7152 * color[1] + 0.0722 * color[2]


def _families(signs: Iterable[str]) -> tuple[list[str], set[str]]:
    """Find installed font families for signs; also give the signs that none of them has."""
    families = [_FONT]
    missing = set(signs) - _signs_of(_FONT)
    # Sans first: among fonts that can do it, those look most like the others in the picture.
    fonts = {font.name for font in font_manager.fontManager.ttflist if font.style == "normal" and font.weight == 400}
    # Matplotlib's own last resort draws the name of a sign's block, not the sign.
    fonts = {name for name in fonts if not name.startswith("Last Resort")}
    for name in sorted(fonts, key=lambda name: ("Sans" not in name, name)):
        if not missing:
            break
        found = missing & _signs_of(name)
        if found:
            families.append(name)
            missing -= found
    return families, missing


def _signs_of(family: str) -> set[str]:
    path = font_manager.findfont(font_manager.FontProperties(family=[family]))
    return {chr(code) for code in font_manager.get_font(path).get_charmap()}


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def _cut(name: str, longest: int) -> str:
    """Cut a long name in its middle, since names of one family often differ at their ends."""
    if _columns(name) <= longest:
        return name
    head, tail = name, name
    while _columns(head) > longest * 0.6:
        head = head[:-1]
    while _columns(tail) > longest * 0.35:
        tail = tail[1:]
    return f"{head.rstrip()}…{tail.lstrip()}"
