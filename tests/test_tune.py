"""Searches on a few texts, with the real keras-tuner: broken off, taken up again, out of time, and to the export."""

import csv
import json
import random
import shlex
import signal
import subprocess
import sys
import time

import pytest
from sklearn.metrics import accuracy_score

import kseq.tune
from kseq import errors, experiment
from kseq.command_line import find_source, read_options
from kseq.commands import command_parser, load_data
from kseq.console import Console
from kseq.errors import ExportError, UsageError
from kseq.tuning import snapshots
from kseq.tuning.budget import Budget
from kseq.tuning.progress import Progress
from kseq.tuning.request import variants
from kseq.tuning.search import run_search

# A bag of words is traced in no time.
TOY = ["toy.csv", "--encoder", "bag", "--head", "max", "--min-count", "1", "--epochs", "3", "--no-baseline"]
SPACE = ["--search", "embedding_dim=2,3,4", "--search", "learning_rate=0.01..0.3:log"]


@pytest.fixture(scope="module")
def toys(tmp_path_factory):
    """Texts whose label is whether a word stands in them."""
    folder = tmp_path_factory.mktemp("toys")
    draw = random.Random(3)
    words = ["good", "bad", "fine", "poor", "long"]
    texts = [" ".join(draw.choices(words, k=draw.randint(2, 5))) for _ in range(250)]
    rows = "".join(f"{text},{'yes' if 'good' in text.split() else 'no'}\n" for text in texts)
    (folder / "toy.csv").write_text("text,label\n" + rows)
    return folder


@pytest.fixture
def toy(toys, tmp_path, monkeypatch):
    """The table alone, in a folder of its own."""
    (tmp_path / "toy.csv").write_bytes((toys / "toy.csv").read_bytes())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def search(*arguments, budget=None):
    """What the command does before it retrains."""
    arguments = [*TOY, *arguments]
    namespace = kseq.tune._parser().parse_all(arguments)
    options, typed = read_options(namespace)
    request = kseq.tune._request(namespace, options, typed, arguments)
    others = variants(request.space, options)
    source = find_source(options, typed, others)
    console = Console(as_json=True)
    data = load_data(console, source, options, typed, others)
    return run_search(console, source, data, request, Budget(budget, time.perf_counter()))


def told(found):
    return [(row.number, dict(row.values), row.value, row.epochs) for row in found.results]


def validation_of(command):
    """Run what a command of the leaderboard trains, up to its score of validation."""
    program, m, module, *arguments = shlex.split(command)
    assert [program, m, module] == ["python", "-m", "kseq.run"]
    options, typed = read_options(command_parser("run", "").parse_all(arguments))
    source = find_source(options, typed)
    data = load_data(Console(as_json=True), source, options, typed)
    prepared = experiment.prepare(data, options)
    model = experiment.new_model(prepared, prepared.options)
    experiment.train_model(model, prepared, prepared.options)
    return experiment.evaluate(model, prepared, prepared.options).scores["validation"]


def test_from_the_first_trial_to_the_export(toys, capsys, monkeypatch):
    """Killed after the first trial, and called again."""
    monkeypatch.chdir(toys)
    command = [*TOY, *SPACE, "--tuner", "hyperband", "--trials", "4", "--seeds", "2"]
    lines = []
    with subprocess.Popen(
        [sys.executable, "-m", "kseq.tune", *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        for line in process.stdout:
            lines.append(line)
            if line.startswith("trial 1"):
                process.kill()
        assert process.wait() == -signal.SIGKILL, lines
    assert "pinned      --encoder bag --head max --min-count 1 --epochs 3\n" in lines

    assert kseq.tune.main([*command, "--json"]) == errors.DONE
    captured = capsys.readouterr()
    found, said = json.loads(captured.out), captured.err
    assert "1 trials in tuning/toy-tuned, done earlier" in said
    assert "trial 0 " not in said
    tried = found["search"]
    assert tried["trials"]["tried"] == tried["trials"]["completed"] == 4
    assert tried["stopped"] == "there were to be 4 (--trials)"

    folder = toys / "tuning" / "toy-tuned"
    with open(folder / "trials.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert sorted(int(row["trial"]) for row in rows) == [0, 1, 2, 3]
    values = [float(row["value"]) for row in rows]
    assert values == sorted(values, reverse=True)
    assert tried["best"]["value"] == values[0]
    # Rungs: the third of three settings is trained on from its first epoch.
    assert sorted(row["epochs"] for row in rows) == ["1", "1", "1", "3"]
    (longer,) = [row for row in rows if row["trial"] == "3"]
    record = json.loads((folder / "project" / "trial_0003" / "record.json").read_text())
    assert record["goes_on_from"] in ("0000", "0001", "0002")
    assert record["trained_epochs"] == 2
    # Its command trains from the beginning, to the very same score.
    assert validation_of(longer["command"]).accuracy == float(longer["val_accuracy"]) == float(longer["value"])
    assert validation_of(rows[0]["command"]).nll == float(rows[0]["val_nll"])

    check_the_export(toys / "saved_models" / "toy-tuned" / "1", found)
    check_the_page(folder, tried)
    check_that_others_are_refused(command, capsys)


def check_the_export(folder, found):
    """From the predictions that lie beside the model: what test says, and which seed it was."""
    assert found["saved_model"] == str(folder)
    record = json.loads((folder / "assets.extra" / "run.json").read_text())
    assert record["search"] == found["search"]
    with open(folder / "assets.extra" / "predictions.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    accuracy = accuracy_score([row["label"] for row in rows], [row["predicted"] for row in rows])
    retrained = found["search"]["retrained"]
    of_seeds = {each["seed"]: each for each in retrained["best"]}
    assert list(of_seeds) == [each["seed"] for each in retrained["defaults"]] == [0, 1]
    chosen = of_seeds[record["options"]["seed"]]
    assert chosen["test"]["accuracy"] == pytest.approx(accuracy)
    assert chosen["validation"]["accuracy"] == max(each["validation"]["accuracy"] for each in retrained["best"])
    mean = sum(each["test"]["accuracy"] for each in retrained["best"]) / 2
    assert retrained["means"]["best"]["test"] == pytest.approx(mean)
    assert retrained["gap"] == pytest.approx(found["search"]["best"]["value"] - mean)
    assert "best settings" in found["search"]["verdict"][-1]
    card = (folder / "assets.extra" / "README.md").read_text(encoding="utf-8")
    assert "4 trials of the tuner hyperband, of which 4 were completed, judged by val\\_accuracy" in card


def check_the_page(folder, tried):
    page = (folder / "search.html").read_text(encoding="utf-8")
    assert page.count("data:image/png;base64,") == 3
    assert page.count("python -m kseq.run toy.csv") == 4
    assert "http" not in page
    kept = json.loads((folder / "search.json").read_text())
    assert kept["best"] == tried["best"]
    assert kept["terms"]["space"] == {"embedding_dim": "2,3,4", "learning_rate": "0.01..0.3:log"}
    assert kept["terms"]["options"]["encoder"] == "bag"
    assert set(kept["terms"]["data"]) == {"train", "validation", "test"}


def check_that_others_are_refused(command, capsys):
    for change, part in (
        (["--search", "units=2,3"], "what is searched of units is nothing there and 2,3 here"),
        (["--word-dropout", "0.1"], "--word-dropout is 0.0 there and 0.1 here"),
        (["--tuner", "random"], "tuner is hyperband there and random here"),
        (["--split-seed", "1"], "the texts or labels of train are others"),
    ):
        changed = [*command, *change] if "units=2,3" not in change else [*command, "--search", "batch_size=8,16"]
        part = part.replace("units", "batch_size").replace("2,3", "8,16")
        assert kseq.tune.main(changed) == errors.USAGE
        assert part in capsys.readouterr().err


def test_ctrl_c_gives_up_the_trial_in_hand_alone(toy, monkeypatch):
    arguments = [*SPACE, "--tuner", "random", "--trials", "2"]
    expected = told(search(*arguments, "--name", "whole"))
    epochs = iter([False, False, False, False, True])
    with monkeypatch.context() as patch:
        patch.setattr(Progress, "epoch", lambda *of: signal.raise_signal(signal.SIGINT) if next(epochs) else None)
        stopped = search(*arguments)
    assert stopped.interrupted
    assert stopped.stopped == "it was interrupted"
    assert told(stopped) == expected[:1]
    assert told(search(*arguments)) == expected
    # More trials join what is there; --overwrite begins anew.
    assert told(search(*arguments[:-1], "3"))[:2] == expected
    assert told(search(*arguments[:-1], "1", "--overwrite")) == expected[:1]


def test_a_trial_that_fails_is_told_and_the_search_goes_on(toy, capsys):
    rates = ["--search", "learning_rate=1e38,0.05", "--optimizer", "sgd", "--clip-norm", "0", "--warmup-fraction", "0"]
    capsys.readouterr()
    found = search(*rates, "--tuner", "grid")
    said = capsys.readouterr().err
    # The default rate of sgd is nearer to the second.
    assert [row.status for row in found.results] == ["COMPLETED", "FAILED"]
    assert found.results[0].values == {"learning_rate": 0.05}
    assert "became" in found.results[1].reason
    assert "--learning-rate" in found.results[1].reason
    assert "--learning-rate 1e+38" in found.results[1].command
    assert said.count("again       ") == said.count("failed      ") == 1
    assert found.stopped == "the space has no other settings"
    assert int(found.best["trial"]) == 0


def test_without_a_completed_trial_it_says_why(toy, capsys):
    rates = ["--search", "learning_rate=1e37,1e38", "--optimizer", "sgd", "--clip-norm", "0", "--warmup-fraction", "0"]
    assert kseq.tune.main([*TOY, *rates, "--tuner", "grid"]) == errors.FAILURE
    message = capsys.readouterr().err
    assert message.startswith("kseq: no trial of 2 was completed.")
    assert "became" in message
    page = (toy / "tuning" / "toy-tuned" / "search.html").read_text(encoding="utf-8")
    assert page.count("became") >= 2


def test_a_budget_cuts_a_trial_at_its_next_epoch(toy):
    found = search(*SPACE, "--tuner", "random", budget=1.0)
    (row,) = found.results
    assert (row.epochs, row.of_epochs, row.cut) == (1, 3, True)
    assert "--last-epoch 1" in row.command
    assert found.stopped == "what follows takes the rest of the budget"
    assert validation_of(row.command).accuracy == row.value


def test_it_stops_where_nothing_gets_better(toy):
    """A learning rate of 0 leaves each trial to its seed."""
    found = search("--search", "patience=2,3,4,5,6,7,8", "--lr", "0", "--tuner", "grid", "--patience-trials", "2")
    values = [row.value for row in found.results]
    worse = [
        all(value <= max(values[:place]) for value in values[place : place + 2]) for place in range(1, len(values))
    ]
    assert worse.index(True) == len(values) - 3
    assert found.stopped == "the last 2 were no better (--patience-trials)"


def test_a_full_disk_ends_it_and_what_is_there_stays(toy, monkeypatch):
    arguments = [*SPACE, "--tuner", "random", "--trials", "2"]
    kept = told(search(*arguments[:-1], "1"))

    def full(*of):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(snapshots.os, "fsync", full)
        with pytest.raises(
            ExportError, match=r"Cannot write a search into tuning/toy-tuned: No space left on device\."
        ):
            search(*arguments)
    assert told(search(*arguments))[:1] == kept


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["--tuner", "hyperbrand"], ["tuner is 'hyperbrand'", "Did you mean 'hyperband'?"]),
        (["--trials", "0"], ["--trials is 0", "at least 1"]),
        (["--budget", "soon"], ["--budget is 'soon'", "30m"]),
        (["--search", "epochs=1..5"], ["--epochs was typed", "epochs is to be searched too"]),
        (["--objective", "val_f1"], ["'val_f1'", "Did you mean 'val_macro_f1'?"]),
        (["--search", "attention_units=4,8"], ["--search attention_units", "--head attention"]),
        (["--attention-units", "4"], ["--attention-units", "--head attention"]),
        (["--name", "a/b"], ["'toy-a/b'", "no slash"]),
    ],
)
def test_what_cannot_be_searched_is_refused(arguments, parts, toy, capsys):
    assert kseq.tune.main([*TOY, *arguments]) == errors.USAGE
    message = capsys.readouterr().err
    for part in parts:
        assert part in message
    assert not (toy / "tuning").exists()


def test_rungs_and_a_search_of_epochs_do_not_go_together(toy, capsys):
    assert kseq.tune.main(["toy.csv", "--search", "epochs=1..5"]) == errors.USAGE
    assert "--search epochs does not go with --tuner hyperband" in capsys.readouterr().err


def test_a_flag_that_some_settings_read_is_taken(toy):
    found = search("--search", "ngrams=1,2", "--ngram-buckets", "50", "--tuner", "grid", "--epochs", "1")
    assert [row.values for row in found.results] == [{"ngrams": 1}, {"ngrams": 2}]
    assert "--ngram-buckets" not in found.results[0].command
    assert "--ngram-buckets 50" in found.results[1].command
    with pytest.raises(UsageError, match="--ngram-buckets needs --ngrams 2 or more"):
        search("--search", "truncation=head,tail", "--ngram-buckets", "50")
