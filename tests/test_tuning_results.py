"""What a search writes and draws, how its time is divided, and how much each option mattered."""

import dataclasses
import html.parser
import io
import time

import numpy as np
import pytest

from kseq.console import Console
from kseq.options import Options
from kseq.tuning.budget import Budget
from kseq.tuning.figure import draw_course, draw_options, draw_together
from kseq.tuning.importance import importances
from kseq.tuning.objective import Objective
from kseq.tuning.page import search_page
from kseq.tuning.planning import TimePlan
from kseq.tuning.progress import LiveProgress, Progress
from kseq.tuning.results import TrialResult, best_first, table_rows
from kseq.tuning.space import Choices, Range

ACCURACY = Objective("val_accuracy", "max", None)
SPACE = {"cell": Choices(("gru", "lstm")), "units": Range(4, 64, log=True), "dropout": Range(0.0, 0.5)}
RECORD = {
    "trial": "0007", "value": 0.75, "epochs": 2, "trained_epochs": 2, "seconds": 10.0, "judged_in": 1.0,
    "cut": False, "finished": True, "options": {"epochs": 4},
}  # fmt: skip


def result(number, value=None, **more):
    values = {"cell": "gru", "units": 4 + number, "dropout": 0.1}
    status = "COMPLETED" if value is not None else "FAILED"
    row = TrialResult(
        number, status, f"--units {4 + number}", values, value, 2, 4, 10.0, command="python -m kseq.run toy"
    )
    return dataclasses.replace(row, **more)


RESULTS = [
    result(0, 0.5),
    result(1, None, reason="<script>loss</script> became nan", epochs=None, seconds=None),
    result(2, 0.75, validation={"accuracy": 0.75, "accuracy_interval": [0.7, 0.8]}),
    result(3, 0.75, cut=True, values={"cell": "lstm", "dropout": 0.5}),
]


def test_the_best_come_first_and_those_that_failed_last():
    assert [row.number for row in best_first(RESULTS, ACCURACY)] == [2, 3, 0, 1]
    assert [row.number for row in best_first(RESULTS, Objective("val_nll", "min", None))] == [0, 2, 3, 1]


def test_the_table_has_a_column_for_each_option_and_score():
    header, rows = table_rows(RESULTS, list(SPACE))
    assert header == [
        "trial", "status", "value", "epochs", "of_epochs", "seconds", "cut", "cell", "units", "dropout",
        "val_accuracy", "reason", "command",
    ]  # fmt: skip
    found = [dict(zip(header, row, strict=True)) for row in rows]
    assert [row["val_accuracy"] for row in found] == [None, None, 0.75, None]
    assert [row["units"] for row in found] == [4, 5, 6, None]
    assert found[1]["status"] == "FAILED"
    assert "became nan" in found[1]["reason"]


class _Tags(html.parser.HTMLParser):
    """Every tag, and all text."""

    def __init__(self):
        super().__init__()
        self.tags, self.text = [], ""

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)

    def handle_data(self, data):
        self.text += data


def test_whatever_comes_from_outside_is_text_on_the_page():
    rows = [dataclasses.replace(row, label=f"{row.label} '<b>'") for row in RESULTS]
    page = search_page("<i>toy</i>", rows, ["1 < 2"], {"machine": "<u>"}, {'"words"': b"\x89PNG"})
    parsed = _Tags()
    parsed.feed(page)
    assert {"script", "b", "i", "u"}.isdisjoint(parsed.tags)
    assert parsed.tags.count("img") == 1
    for words in ("<script>loss</script> became nan", "'<b>'", "1 < 2", "cut short by the budget", "<i>toy</i>"):
        assert words in parsed.text
    assert parsed.text.count("python -m kseq.run toy") == 4


def test_the_pictures_show_what_there_is(tmp_path):
    done = [row for row in RESULTS if row.value is not None]
    draw_course(done, ACCURACY, {"units": 0.6, "cell": 0.1}, tmp_path / "course.png")
    draw_options(done, ACCURACY, SPACE, tmp_path / "options.png")
    draw_together(done, ACCURACY, SPACE, tmp_path / "together.png")
    # One trial, and nothing to compare.
    draw_course(done[:1], ACCURACY, {}, tmp_path / "one_course.png")
    draw_options(done[:1], ACCURACY, {"units": SPACE["units"]}, tmp_path / "one_options.png")
    draw_together(done[:1], ACCURACY, {"units": SPACE["units"]}, tmp_path / "one_together.png")
    found = {path.stem: path.read_bytes() for path in tmp_path.iterdir()}
    assert len(found) == len(set(found.values())) == 6
    assert all(content.startswith(b"\x89PNG") for content in found.values())


# Importance


def test_importance_is_the_share_of_the_variance():
    """Of y = 2a + b with a and b of one variance, a explains four fifths and noise nothing."""
    random = np.random.default_rng(0)
    names = ["x", "y", "z"]
    settings = [
        {"learning_rate": a, "dropout": b, "cell": names[c], "same": 1}
        for a, b, c in zip(random.random(400), random.random(400), random.integers(0, 3, 400), strict=True)
    ]
    values = [2 * each["learning_rate"] + each["dropout"] for each in settings]
    found = importances(settings, values)
    assert list(found)[:2] == ["learning_rate", "dropout"]
    rates, dropouts = ([each[name] for each in settings] for name in ("learning_rate", "dropout"))
    assert found["learning_rate"] == pytest.approx(4 * np.var(rates) / np.var(values), abs=0.05)
    assert found["dropout"] == pytest.approx(np.var(dropouts) / np.var(values), abs=0.05)
    assert found["cell"] < 0.01
    assert "same" not in found


def test_importance_of_names_beside_an_option_that_did_nothing_in_half_of_the_trials():
    random = np.random.default_rng(0)
    names = {"gru": 0.5, "lstm": 0.9, "sru": 0.6}
    settings = [{"cell": cell} | ({"units": int(random.integers(1, 9))} if random.random() < 0.5 else {})
                for cell in random.choice(list(names), 200)]  # fmt: skip
    found = importances(settings, [names[each["cell"]] for each in settings])
    assert found["cell"] == pytest.approx(1, abs=0.1)
    assert found["units"] < 0.05


def test_of_few_trials_or_equal_ones_nothing_is_told():
    settings = [{"units": number} for number in range(20)]
    assert importances(settings[:7], list(range(7))) == {}
    assert importances(settings, [0.5] * 20) == {}
    assert list(importances(settings, list(map(float, range(20))))) == ["units"]


# Time


def plan_of(seconds, spent, seeds=3):
    return TimePlan(Budget(seconds, time.perf_counter() - spent), 5.0, seeds)


def test_without_a_budget_there_is_always_time():
    plan = plan_of(None, 1e6)
    plan.learn(RECORD, RECORD, [RECORD])
    assert plan.reserve == 0
    assert plan.time_for_a_trial()
    assert plan.time_for_an_epoch(1e9)
    assert plan.time_for_a_pair()


def test_what_follows_the_search_is_kept_free():
    """Two whole trainings take 10 s each, and judging them a second each time."""
    plan = plan_of(200, 0)
    plan.learn(RECORD, RECORD, [RECORD])
    plan.learn_from_reading(4.0, {"train": 60, "validation": 20, "test": 20})
    # Of 8 s twice as much, half of train counted again and test read; test is as large as validation.
    export = 2 * 5 + 8 + 2 * 4 * (30 + 20) / 80
    assert plan.export == pytest.approx(export)
    plan.learn(RECORD, RECORD, [RECORD])
    pair = 2 * (10 + 3 * 1)
    assert plan.pair == pytest.approx(pair)
    # Three pairs would take more than half of the budget, two do not.
    assert plan.reserve == pytest.approx(export + 2 * pair if 3 * pair + export > 100 else export + 3 * pair)
    assert plan.time_for_an_epoch(200 - plan.reserve - 5)
    assert not plan.time_for_an_epoch(200 - plan.reserve + 5)
    late = plan_of(200, 200 - plan.reserve + 1)
    late.learn(RECORD, RECORD, [RECORD])
    late.learn_from_reading(4.0, {"train": 60, "validation": 20, "test": 20})
    late.learn(RECORD, RECORD, [RECORD])
    assert not late.time_for_a_trial()
    assert late.time_for_a_pair()


def test_a_part_of_a_training_tells_how_long_the_whole_takes():
    plan = plan_of(1000, 0)
    part = RECORD | {"finished": False, "judged_in": 0.0}
    plan.learn(part, RECORD | {"judged_in": 0.0}, [part])
    assert plan.pair == pytest.approx(10 / 2 * 4 + 10)
    plan.learn(part | {"trained_epochs": 1}, RECORD | {"judged_in": 0.0}, [part])
    assert plan.pair == pytest.approx(10 / 1 * 4 + 10)


# What is shown meanwhile


def shown(kind, budget=None):
    console = Console()
    console.stream = io.StringIO()
    base = Options("toy")
    asked = base.replace(units=9, cell="lstm", seed=5)
    with kind(console, ACCURACY, base, Budget(budget, time.perf_counter())) as progress:
        progress.begin("0007", asked, asked.replace(epochs=4))
        progress.epoch(1, {"val_accuracy": 0.5, "val_loss": 1.0})
        progress.epoch(2, {"val_accuracy": 0.75, "val_loss": 1.0})
        progress.end("0007", RECORD, None, False, RECORD)
        progress.begin("0008", base, base.replace(epochs=4))
        progress.end("0008", None, "the [red]loss[/red] became nan", True, RECORD)
    return console.stream.getvalue()


def test_plain_lines():
    lines = shown(Progress, 600).splitlines()
    assert lines[0] == "trial 7     --cell lstm --units 9"
    assert lines[1].strip() == "val_accuracy 0.7500 after 2 of 4 epochs  (10 s); best 0.7500, trial 7; 10 min left"
    assert lines[2] == "trial 8     the defaults"
    assert lines[3] == "again       the [red]loss[/red] became nan"
    assert len(lines) == 4


def test_a_table_in_a_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "140")
    drawn = shown(LiveProgress, 600)
    for words in (
        "--cell lstm --units 9",
        "2/4",
        "0.7500",
        "10 s",
        "the defaults",
        "again: the [red]loss[/red] became",
    ):
        assert words in drawn
    assert "best 0.7500, trial 7; 10 min left" in drawn
