"""Pictures: they are drawn whatever the class names are, without warnings, and always the same."""

import struct
import sys
import zlib

import matplotlib
import numpy as np
import pytest
from matplotlib import font_manager
from PIL import Image

from kseq import figures
from kseq.figures import draw_confusion_matrix, draw_curves

HISTORY = {
    "accuracy": [0.71, 0.86, 0.9],
    "loss": [0.55, 0.34, 0.26],
    "val_accuracy": [0.83, 0.87, 0.86],
    "val_loss": [0.39, 0.31, 0.33],
    "learning_rate": [1e-3, 1e-3, 5e-4],
    "seconds": [20.1, 19.8, 19.9],
}

ODD_NAMES = [
    "体育新闻",
    "Спорт",
    "رياضة",
    "ข่าว",
    "🎬",
    "$x_1$ and $",
    r"\frac{a}{b}",
    "two\nlines\tand a tab",
    "",
    " ",
    "\x00\x1b[31m",
    "\udc80",
    "\U0010ffff",
    "<script>alert(1)</script>",
    "long " * 40,
    "长" * 100,
]


def chunk_names(path):
    """Read the names of a PNG file's chunks, checking each checksum."""
    content = path.read_bytes()
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    names, place = [], 8
    while place < len(content):
        (size,) = struct.unpack(">I", content[place : place + 4])
        body = content[place + 4 : place + 8 + size]
        assert struct.unpack(">I", content[place + 8 + size : place + 12 + size])[0] == zlib.crc32(body)
        names.append(body[:4].decode())
        place += 12 + size
    return names


def picture(path):
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB")).astype(int)


@pytest.mark.parametrize("number", [1, 6, 20, 50, 101])
def test_confusion_matrix_of_any_size(tmp_path, number):
    path = tmp_path / "m.png"
    draw_confusion_matrix(np.eye(number, dtype=int) * 40 + 3, [f"class {place}" for place in range(number)], path)
    height, width, _ = picture(path).shape
    # A picture that a page can show and any machine can hold.
    assert 250 < height < 3500
    assert 350 < width < 3800


@pytest.mark.parametrize("names", [ODD_NAMES[:8], ODD_NAMES[8:], ODD_NAMES * 2])
def test_any_class_name_is_drawn(tmp_path, names):
    path = tmp_path / "m.png"
    draw_confusion_matrix(np.eye(len(names), dtype=int), names, path)
    assert picture(path).shape[1] < 1800


def test_a_name_without_a_font_is_shown_by_its_number(monkeypatch):
    # As on a machine that has no other fonts.
    monkeypatch.setattr(
        font_manager.fontManager,
        "ttflist",
        [font for font in font_manager.fontManager.ttflist if font.name == "DejaVu Sans"],
    )
    names, families = figures.drawable(["体育", "Спорт", "体 sport", "", "\x1b"])
    assert names == ["class 0", "Спорт", "class 2", "class 3", "class 4"]
    assert families == ["DejaVu Sans"]


def test_a_font_that_has_the_sign_is_found():
    # An integral's middle piece of STIX, which travels with Matplotlib and lies in a private area of Unicode.
    held = figures._signs_of("STIXNonUnicode") - figures._signs_of("DejaVu Sans")
    sign = min(held)
    names, families = figures.drawable([sign])
    assert names == [sign]
    assert families[0] == "DejaVu Sans"
    assert len(families) == 2


def test_long_names_keep_both_ends():
    (short, long, wide), _ = figures.drawable(["x" * 26, "comp.sys.ibm.pc.hardware.and.more.of.it", "é" * 27])
    assert short == "x" * 26
    assert long.startswith("comp.sys.ibm")
    assert long.endswith("of.it")
    assert "…" in long
    assert len(wide) <= 26


def test_colour_is_the_share_of_the_row(tmp_path):
    """The same shares with other counts are the same colours; a row without texts is grey."""
    for name, matrix in {"few": [[9, 1], [0, 0]], "many": [[9000, 1000], [0, 0]]}.items():
        draw_confusion_matrix(matrix, ["a", "b"], tmp_path / name)
    few, many = picture(tmp_path / "few"), picture(tmp_path / "many")
    assert few.shape == many.shape
    colors = [{tuple(color) for color in image[::10, ::10].reshape(-1, 3)} for image in (few, many)]
    dark = [min(found, key=sum) for found in colors]
    assert dark[0] == dark[1]
    assert (227, 227, 227) in colors[0] & colors[1]


@pytest.mark.parametrize("matrix", [[[1, 2]], [[1]], [[1, 2, 3]] * 3, []])
def test_a_matrix_of_another_size_is_refused(tmp_path, matrix):
    with pytest.raises(ValueError, match=r"has the shape \(.*\); expected \(2, 2\)"):
        draw_confusion_matrix(matrix, ["a", "b"], tmp_path / "m.png")
    assert not (tmp_path / "m.png").exists()


@pytest.mark.parametrize(("epochs", "best_epoch"), [(0, 0), (1, 0), (1, 1), (2, 2)])
def test_curves_of_any_length(tmp_path, epochs, best_epoch):
    path = tmp_path / "c.png"
    draw_curves({name: values[:epochs] for name, values in HISTORY.items()}, path, best_epoch)
    assert picture(path).shape[1] > 1000


@pytest.mark.parametrize(
    "history",
    [{}, {"loss": [1.0, 0.5]}, {"loss": [1.0, float("nan")], "val_loss": [float("nan")] * 2}, {"$f_1$": [0.1] * 100}],
    ids=["none", "no validation", "nan", "odd name, long"],
)
def test_odd_histories(tmp_path, history):
    draw_curves(history, tmp_path / "c.png", 1)
    assert picture(tmp_path / "c.png").shape[1] > 500


def test_the_kept_epoch_is_marked(tmp_path):
    for best in (0, 2, 3):
        draw_curves(HISTORY, tmp_path / f"{best}.png", best)
    assert len({(tmp_path / f"{best}.png").read_bytes() for best in (0, 2, 3)}) == 3


def test_bytes_are_the_same_each_time_and_carry_no_metadata(tmp_path):
    for turn in "ab":
        draw_curves(HISTORY, tmp_path / f"{turn}c.png", 2)
        draw_confusion_matrix([[5, 1], [2, 7]], ["a", "b"], tmp_path / f"{turn}m.png")
        # What a user sets for pictures of her own changes none of ours.
        if turn == "a":
            with matplotlib.rc_context({"axes.facecolor": "black", "font.size": 30, "text.usetex": True}):
                draw_confusion_matrix([[5, 1], [2, 7]], ["a", "b"], tmp_path / "user.png")
    for kind in "cm":
        assert (tmp_path / f"a{kind}.png").read_bytes() == (tmp_path / f"b{kind}.png").read_bytes()
        assert set(chunk_names(tmp_path / f"a{kind}.png")) == {"IHDR", "pHYs", "IDAT", "IEND"}
    assert (tmp_path / "user.png").read_bytes() == (tmp_path / "am.png").read_bytes()


def test_settings_and_pyplot_are_left_alone(tmp_path):
    before = dict(matplotlib.rcParams)
    draw_curves(HISTORY, tmp_path / "c.png", 2)
    assert dict(matplotlib.rcParams) == before
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or not pyplot.get_fignums()
