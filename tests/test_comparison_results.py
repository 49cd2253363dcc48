"""The numbers of a comparison against SciPy and sums by hand, and the table that shows them."""

import csv
import html.parser
import math

import numpy as np
import pytest
from scipy.stats import binomtest

from kseq.comparison.figure import draw_comparison
from kseq.comparison.page import html_page
from kseq.comparison.results import RowTrainings, row_results
from kseq.comparison.table import markdown_page, notes, plain_table, table, write_table
from kseq.comparison.trainings import Training

TEXTS = 200
SIZES = {"train": 900, "validation": 90, "test": TEXTS}


def training(seed, right, epoch=2.0, parameters=50, latency=3.0):
    right = np.array(right, bool)
    record = {
        "seed": seed,
        "parameters": {"all": parameters, "without_vectors": 30},
        "epochs": 3 + seed,
        "history": {"val_accuracy": [0.5, 0.6, 0.7]},
        "seconds": {"epoch": epoch, "train": 4 * epoch, "total": 9.0},
        "latency": {"p50": latency, "p95": 2 * latency, "steps": 11, "calls": 100},
        "test": {"macro_f1": 0.25 + 0.5 * right.mean()},
        "right": {"validation": 0.5 + 0.1 * seed, "test": right.mean()},
    }
    return Training(record, np.zeros((TEXTS, 2)), np.zeros(TEXTS, int), right)


def row(label, trainings, failed=()):
    return RowTrainings(label, f"python -m kseq.run toy {label}", trainings, dict(failed))


@pytest.fixture
def rights():
    """Three rows of three seeds, whose models get 60%, 70% and 60% of the texts right: (3, 3, N)."""
    shares = np.array([0.6, 0.7, 0.6])[:, np.newaxis, np.newaxis]
    return np.random.default_rng(7).random((3, 3, TEXTS)) < shares


@pytest.fixture
def rows(rights):
    return [
        row(
            f"--cell c{place}",
            {seed: training(seed, right, epoch=[1.0, 2.0, 9.0][seed]) for seed, right in enumerate(of_row)},
        )
        for place, of_row in enumerate(rights)
    ]


def test_means_over_the_seeds(rows, rights):
    found = row_results(rows)
    for result, of_row in zip(found, rights, strict=True):
        means = result.means
        assert means.accuracies == pytest.approx(of_row.mean(axis=1))
        assert means.accuracy == pytest.approx(of_row.mean())
        assert means.accuracy_deviation == pytest.approx(np.std(of_row.mean(axis=1), ddof=1))
        assert means.macro_f1 == pytest.approx(0.25 + 0.5 * of_row.mean())
        assert means.validation_accuracy == pytest.approx(0.6)
        assert means.epochs == pytest.approx(4)
        assert (means.seconds_per_epoch, means.train_seconds) == (2.0, 16.0)
        assert (means.parameters, means.parameters_without_vectors) == (50, 30)
        # Between the intervals of the two whole numbers of texts beside the mean.
        right = of_row.sum() / 3
        below, above = (
            binomtest(int(count), TEXTS).proportion_ci(0.95, "wilson") for count in (np.floor(right), np.ceil(right))
        )
        low, high = means.accuracy_interval
        assert below.low - 1e-9 <= low <= above.low + 1e-9
        assert below.high - 1e-9 <= high <= above.high + 1e-9


def test_one_seed_has_the_interval_of_a_run_and_no_deviation(rights):
    (result, _) = row_results([row("a", {4: training(4, rights[0, 0])}), row("b", {4: training(4, rights[1, 0])})])
    interval = binomtest(int(rights[0, 0].sum()), TEXTS).proportion_ci(0.95, "wilson")
    assert result.means.accuracy_interval == pytest.approx((interval.low, interval.high))
    assert result.means.accuracy_deviation is None
    assert result.seeds == (4,)


def sign_test(first, other):
    """Text by text: which row has more models that got it right; then both tails of the fair coin."""
    b = sum(1 for place in range(TEXTS) if sum(first[:, place]) > sum(other[:, place]))
    c = sum(1 for place in range(TEXTS) if sum(first[:, place]) < sum(other[:, place]))
    ways = [math.comb(b + c, k) for k in range(b + c + 1)]
    return b, c, sum(way for way in ways if way <= ways[b]) / 2 ** (b + c)


def test_every_row_is_tested_against_the_first_and_corrected(rows, rights):
    found = row_results(rows)
    expected = [sign_test(rights[0], other) for other in rights[1:]]
    assert found[0].test is None
    assert found[0].p_holm is None
    for result, (b, c, p) in zip(found[1:], expected, strict=True):
        assert (result.test.b, result.test.c) == (b, c)
        assert result.test.p == pytest.approx(p)
    smaller, larger = sorted(p for _, _, p in expected)
    by_p = sorted(found[1:], key=lambda result: result.test.p)
    assert [result.p_holm for result in by_p] == pytest.approx([min(1, 2 * smaller), max(min(1, 2 * smaller), larger)])
    assert smaller < 0.01 < larger


def test_rows_are_tested_by_the_seeds_that_both_have(rights):
    first = {0: training(0, rights[0, 0]), 2: training(2, rights[0, 2])}
    other = {1: training(1, rights[1, 1]), 2: training(2, rights[1, 2])}
    found = row_results([row("a", first), row("b", other, {0: "no number"}), row("c", {1: training(1, rights[2, 1])})])
    assert (found[1].test.b, found[1].test.c, found[1].test.p) == pytest.approx(sign_test(rights[0, 2:], rights[1, 2:]))
    assert found[2].test is None
    # One test is no reason to correct.
    assert found[1].p_holm == found[1].test.p


def test_without_the_first_row_nothing_is_tested(rows):
    found = row_results([row("a", {}, {0: "out of memory"}), *rows[1:]])
    assert [result.test for result in found] == [None] * 3
    assert found[0].means is None
    assert plain_table(found).splitlines()[1].split() == ["1", "a", *["–"] * 12]


def test_the_table_shows_the_numbers(rows):
    header, shown = table(row_results(rows))
    cells = dict(zip(header, shown[1], strict=True))
    (found,) = row_results(rows)[1:2]
    low, high = found.means.accuracy_interval
    assert cells["row"] == "--cell c1"
    assert cells["accuracy (95% interval)"] == f"{found.means.accuracy:.1%} ({low:.1%} to {high:.1%})"
    assert cells["over seeds"] == f"{min(found.means.accuracies):.1%} to {max(found.means.accuracies):.1%}"
    assert (cells["parameters"], cells["without vectors"], cells["epochs"]) == ("50", "30", "4")
    assert (cells["s/epoch"], cells["s of training"], cells["latency (ms)"]) == ("2.0", "16", "3.0")
    assert cells["b : c"] == f"{found.test.b} : {found.test.c}"
    assert float(cells["p (Holm)"].removeprefix("< ")) == pytest.approx(found.p_holm, abs=0.001)
    once = [row("a", {0: rows[0].trainings[0]}), row("b", {0: rows[1].trainings[0]})]
    assert "over seeds" not in table(row_results(once))[0]
    lines = plain_table(row_results(rows)).splitlines()
    assert len({len(line) for line in lines[:2]}) == 1


def test_the_notes_tell_the_test_the_failures_and_what_is_missing(rows, rights):
    found = row_results([*rows, row("d", {0: training(0, rights[1, 0])}, {1: "loss became nan"})])
    told = notes(found, [0, 1, 2], SIZES, "text", "got their label")
    assert any("fraction of texts that got their label: of 200 in test" in note for note in told)
    assert any("sign test" in note and "for 3 tests" in note for note in told)
    assert any("uses the test split up" in note for note in told)
    assert "Row 4, seed 1, failed: loss became nan" in told
    assert "Not trained yet: row 4 with seed 2." in told
    once = notes(row_results([row("a", {}), row("b", {})]), [0], SIZES, "text", "it")
    assert once == ["Not trained yet: row 1 with seed 0; row 2 with seed 0."]


def test_the_csv_holds_the_numbers_as_they_are(rows, tmp_path):
    found = row_results([*rows, row("d", {}, {0: "loss became nan"})])
    write_table(tmp_path / "comparison.csv", found)
    with open(tmp_path / "comparison.csv", newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == 4
    assert float(lines[1]["accuracy"]) == found[1].means.accuracy
    assert (float(lines[1]["accuracy_low"]), float(lines[1]["accuracy_high"])) == found[1].means.accuracy_interval
    assert [float(share) for share in lines[1]["accuracy_of_seeds"].split()] == list(found[1].means.accuracies)
    assert (int(lines[1]["b"]), int(lines[1]["c"])) == (found[1].test.b, found[1].test.c)
    assert float(lines[1]["p_holm"]) == found[1].p_holm
    assert lines[0]["p"] == lines[3]["accuracy"] == ""
    assert lines[3]["failed"] == "seed 0: loss became nan"


class _Cells(html.parser.HTMLParser):
    """Collects the texts of table cells, the tags, and the pictures."""

    def __init__(self):
        super().__init__()
        self.cells, self.tags, self.sources, self._open = [], [], [], False

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.sources += [value for name, value in attributes if name in ("src", "href")]
        self._open = tag == "td" or (self._open and tag == "code")

    def handle_data(self, data):
        if self._open:
            self.cells.append(data)
            self._open = False


def test_pages_show_what_users_wrote_as_it_is(rights):
    label = "--class-weight '<script>alert(1)</script>|*x*=2'"
    found = row_results([row(label, {0: training(0, rights[0, 0])}), row("b", {0: training(0, rights[1, 0])})])
    page = html_page("a <b>title</b>", found, ["1 < 2"], {"labels": "<i>no</i>"}, b"\x89PNG")
    parsed = _Cells()
    parsed.feed(page)
    assert label in parsed.cells
    assert "<i>no</i>" in parsed.cells
    assert {"script", "b", "i"}.isdisjoint(parsed.tags)
    assert parsed.tags.count("tr") == 1 + 2 + 1
    (source,) = parsed.sources
    assert source.startswith("data:image/png;base64,")
    written = markdown_page("a <b>title</b>", found, ["1 < 2"])
    (line,) = [line for line in written.splitlines() if line.startswith("| `--class")]
    assert line.startswith(r"| `--class-weight '<script>alert(1)</script>\|*x*=2'` | ")
    assert "a &lt;b&gt;title" in written


def test_the_picture_shows_every_row_that_was_trained(rows, rights, tmp_path):
    many = [row(f"--row {place} 模型", {0: training(0, rights[1, 0])}) for place in range(12)]
    found = row_results([*rows, row("failed", {}, {0: "no"}), *many])
    histories = {result.number: [{"val_accuracy": [0.1, 0.2]}] for result in found if result.means}
    draw_comparison(found, histories, "val_accuracy", tmp_path / "compare.png")
    drawn = (tmp_path / "compare.png").read_bytes()
    assert drawn.startswith(b"\x89PNG")
    draw_comparison(found[:4], histories, "val_accuracy", tmp_path / "few.png")
    # A row takes its height: big-endian at byte 20 of a PNG file.
    heights = [int.from_bytes(data[20:24]) for data in (drawn, (tmp_path / "few.png").read_bytes())]
    assert heights[0] > 1.3 * heights[1]
