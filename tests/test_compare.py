"""The command from its flags to the folder it leaves: real trainings on a few texts, broken off and taken up again."""

import json
import math
import random
import shlex
import signal
import subprocess
import sys

import numpy as np
import pytest
from sklearn.metrics import f1_score

import kseq.compare
import kseq.run
import pipelines
from kseq import artifact, errors, experiment, report
from kseq.comparison import row_training
from kseq.comparison.folder import load_training
from kseq.comparison.rows import PLURALS
from kseq.comparison.trainings import train_once
from kseq.experiment import prepare
from kseq.inputs import INPUTS
from kseq.options import REGISTRIES, Options

SMALL = ["--cell", "simple_rnn", "--epochs", "1", "--units", "4", "--embedding-dim", "4", "--min-count", "1"]
COMPARISON = ["toy.csv", "--heads", "max,last", *SMALL, "--seeds", "2"]


@pytest.fixture(scope="module")
def toys(tmp_path_factory):
    """A table whose label is its first word, one of several labels, and an archive of numbers."""
    folder = tmp_path_factory.mktemp("toys")
    draw = random.Random(3)
    words = ["good", "bad", "fine", "poor", "long"]
    texts = [" ".join(draw.choices(words, k=draw.randint(3, 6))) for _ in range(200)]
    (folder / "toy.csv").write_text("text,label\n" + "".join(f"{text},{text.split()[0]}\n" for text in texts))
    several = "".join(f"{text},{'|'.join(sorted(set(text.split())))}\n" for text in texts)
    rng = np.random.default_rng(0)
    np.savez(folder / "numbers.npz", x=rng.normal(size=(60, 4, 3)), y=np.arange(60) % 3)
    (folder / "several.csv").write_text("text,label\n" + several)
    return folder


def in_process(folder, arguments, capsys, monkeypatch, program=kseq.compare.main):
    monkeypatch.chdir(folder)
    capsys.readouterr()
    code = program([*arguments, "--json"])
    captured = capsys.readouterr()
    return code, json.loads(captured.out), captured.err


def kept_in(folder):
    return {path.name: path.read_bytes() for path in (folder / "trainings").glob("*.npz")}


def kill_after_the_first_training(folder):
    """Run the comparison in a process of its own, up to `kill -9`; give its lines."""
    lines = []
    with subprocess.Popen(
        [sys.executable, "-m", "kseq.compare", *COMPARISON],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    ) as process:  # fmt: skip
        for line in process.stdout:
            lines.append(line)
            if line.startswith("scores "):
                process.kill()
        assert process.wait() == -signal.SIGKILL, lines
    return lines


def test_a_comparison_that_is_broken_off_goes_on_where_it_stopped(toys, capsys, monkeypatch):
    folder = toys / "comparisons" / "toy-simple_rnn-max"

    with monkeypatch.context() as patch:
        # Ctrl-C at the end of the first epoch.
        patch.setattr(report, "epoch_line", lambda *of: lambda number, logs: signal.raise_signal(signal.SIGINT))
        code, found, told = in_process(toys, COMPARISON, capsys, monkeypatch)
    assert code == errors.INTERRUPTED
    assert "the training in hand is given up" in told
    assert "goes on where this one stopped" in told
    assert [row["seeds"] for row in found["rows"]] == [[], []]
    assert found["notes"] == ["Not trained yet: row 1 with seed 0, 1; row 2 with seed 0, 1."]
    assert kept_in(folder) == {}

    # kill -9 some time after the first training.
    told = kill_after_the_first_training(toys)
    assert not any(line.startswith("found") for line in told)
    after_kill = kept_in(folder)
    assert 1 <= len(after_kill) < 4

    # Further rows join what is there; one that fails is told, and is no reason to stop or to forget the others.
    broken = "--optimizer sgd --lr 1e38 --clip-norm 0 --warmup-fraction 0"
    code, found, told = in_process(toys, [*COMPARISON, "--row", broken], capsys, monkeypatch)
    assert code == errors.FAILURE
    assert f"{len(after_kill)} of 6 trainings" in told
    assert told.count("epoch 1/1") == 4 - len(after_kill)
    assert len(kept_in(folder)) == 4
    assert after_kill.items() <= kept_in(folder).items()
    assert [row["seeds"] for row in found["rows"]] == [[0, 1], [0, 1], []]
    failed = found["rows"][2]
    assert failed["means"] is failed["test"] is None
    assert sorted(failed["failed"]) == ["0", "1"]
    assert "became" in failed["failed"]["0"]
    assert told.count("failed      ") == 2

    check_the_numbers(folder, found)
    check_that_others_are_refused(folder, capsys, monkeypatch)
    check_that_a_row_is_a_run(toys, found["rows"][1], capsys, monkeypatch)


def check_the_numbers(folder, found):
    """From the predictions that are kept: which texts are right, by NumPy alone, and so every share of them."""
    assert json.loads((folder / "comparison.json").read_text(encoding="utf-8"))["rows"] == found["rows"]
    rights = {}
    for path in (folder / "trainings").glob("*.npz"):
        kept = load_training(path)
        right = kept.probabilities.argmax(axis=1) == kept.targets
        assert (right == kept.right).all()
        rights[kept.record["options"]["head"], kept.record["seed"]] = right
    for head, row in zip(("max", "last"), found["rows"][:2], strict=True):
        of_seeds = [rights[head, seed].mean() for seed in (0, 1)]
        assert row["means"]["accuracies"] == pytest.approx(of_seeds)
        assert row["means"]["accuracy"] == pytest.approx(np.mean(of_seeds))
        assert [training["test"]["accuracy"] for training in row["trainings"]] == pytest.approx(of_seeds)
    first, last = (rights[head, 0].astype(int) + rights[head, 1] for head in ("max", "last"))
    b, c = int((first > last).sum()), int((last > first).sum())
    ways = [math.comb(b + c, k) for k in range(b + c + 1)]
    p = sum(way for way in ways if way <= ways[b]) / 2 ** (b + c)
    assert found["rows"][1]["test"] == pytest.approx({"b": b, "c": c, "p": p})
    assert found["rows"][1]["p_holm"] == pytest.approx(p)
    assert b + c > 0
    for name in ("comparison.csv", "comparison.md", "compare.png", "compare.html"):
        assert (folder / name).stat().st_size > 500
    assert [path.name for path in folder.rglob(".*")] == []


def check_that_others_are_refused(folder, capsys, monkeypatch):
    for change, part in (
        (["--units", "5"], "--units of the first row is 4 there and 5 here"),
        (["--split-seed", "1"], "the texts or labels of train are others"),
    ):
        monkeypatch.chdir(folder.parents[1])
        assert kseq.compare.main([*COMPARISON, *change]) == errors.USAGE
        message = capsys.readouterr().err
        assert part in message
        assert "--name" in message
        assert "--overwrite" in message
    assert len(kept_in(folder)) == 4


def check_that_a_row_is_a_run(folder, row, capsys, monkeypatch):
    """The command that is told of a row, run on its own, comes to the same scores."""
    *program, dataset = shlex.split(row["command"])[:4]
    assert program == ["python", "-m", "kseq.run"]
    assert dataset == "toy.csv"
    with monkeypatch.context() as patch:
        # What it exports is tested elsewhere.
        patch.setattr(artifact, "write_artifact", lambda *arguments: folder)
        code, found, _ = in_process(folder, shlex.split(row["command"])[3:], capsys, monkeypatch, kseq.run.main)
    assert code == errors.DONE
    for split in ("validation", "test"):
        assert row["trainings"][0][split] == found[split]


def test_several_labels_are_right_together(toys):
    data = pipelines.find(str(toys / "several.csv")).load(label_separator="|")
    options = Options(
        "several", cell="simple_rnn", units=4, embedding_dim=4, min_count=1, epochs=4, batch_size=8, learning_rate=0.05,
        tune_threshold=True,
    )  # fmt: skip
    prepared = prepare(data, options)
    kept = train_once(prepared, prepared.options, lambda number, logs: None)
    limits = np.array([kept.record["thresholds"][name] for name in data.class_names], np.float32)
    targets = np.array([target for _, target in data.test.as_numpy_iterator()])
    assert (kept.targets == targets).all()
    right = [all((given >= limits) == (labels == 1)) for given, labels in zip(kept.probabilities, targets, strict=True)]
    assert right == kept.right.tolist()
    assert 0 < np.mean(right) < 1
    assert kept.record["right"]["test"] == kept.record["test"]["subset_accuracy"] == pytest.approx(np.mean(right))
    given = kept.probabilities >= limits
    assert kept.record["test"]["macro_f1"] == pytest.approx(f1_score(targets, given, average="macro", zero_division=0))
    # Five words and two reserved ones; the output has a bias.
    beside_them = (4 + 4 + 1) * 4 + (2 * 4 + 1) * 5
    assert kept.record["parameters"] == {"all": 7 * 4 + beside_them, "without_vectors": beside_them}
    seconds = kept.record["history"]["seconds"]
    assert kept.record["seconds"]["epoch"] == np.median(seconds[1:])
    assert kept.record["latency"]["steps"] == sorted(len(text.split()) for text, _ in data.test.as_numpy_iterator())[20]


def test_every_list_can_be_compared_on_numbers_but_for_what_reads_words(toys, monkeypatch, capsys):
    """Every model is built and none trained; what needs sentences is left out and told."""
    built = []

    def build(prepared, options, *told):
        built.append(experiment.new_model(prepared, options).output_shape)
        raise errors.TrainingError("built")

    monkeypatch.setattr(row_training, "train_once", build)
    # What texts alone are read with is refused by its name, as the list of normalisations is below.
    lists = [name for name in PLURALS if name not in INPUTS["text"].reads]
    flags = [part for name in lists for part in (f"--{PLURALS[name]}", "all")]
    arguments = ["numbers.npz", *flags, "--seeds", "1", "--units", "8", "--feed-forward-units", "4"]
    _, found, told = in_process(toys, arguments, capsys, monkeypatch)
    expected = 1 + sum(len(REGISTRIES[name]) - 1 for name in lists) - 1
    assert built == [(None, 3)] * expected
    assert [row["failed"] for row in found["rows"]] == [{"0": "built"}] * expected
    reason = "--head attention --attention hierarchical: --attention hierarchical needs sentence_ids, and of this data"
    assert told.count(f"left out    {reason}") == 1
    assert [note for note in found["notes"] if note.startswith(f"Left out is {reason}")]


def test_a_row_that_cannot_be_built_keeps_no_other_from_its_turn(toys, monkeypatch, capsys):
    def refuse(prepared, options, *told):
        raise errors.UsageError(f"no {options.head}")

    monkeypatch.setattr(row_training, "train_once", refuse)
    arguments = ["toy.csv", "--heads", "max,last", *SMALL, "--seeds", "1", "--name", "refused"]
    code, found, _ = in_process(toys, arguments, capsys, monkeypatch)
    assert code == errors.FAILURE
    assert [row["failed"] for row in found["rows"]] == [{"0": "no max"}, {"0": "no last"}]


@pytest.mark.parametrize(
    ("arguments", "code", "part"),
    [
        (["toy.csv"], errors.USAGE, "nothing to compare"),
        (["toy.csv", "--cells", "all", "--seeds", "0"], errors.USAGE, "--seeds is 0"),
        (["toy.csv", "--cells", "all", "--no-baseline"], errors.USAGE, "'--no-baseline'"),
        (["toy.csv", "--heads", "all", "--tune-threshold"], errors.USAGE, "--tune-threshold needs two classes"),
        (["toy.csv", "--heads", "all", "--row", "--class-weight nobody=2"], errors.USAGE, "'nobody'"),
        (["numbers.npz", "--attentions", "additive,hierarchical"], errors.USAGE, "hierarchical needs sentence_ids"),
        (["numbers.npz", "--normalizations", "all"], errors.USAGE, "--normalization does not apply"),
        (["nowhere.csv", "--cells", "all"], errors.DATA, "nowhere.csv"),
        (["toy.csv", "--cells", "all", "--output-dir", "toy.csv"], errors.FAILURE, "into toy.csv"),
    ],
)
def test_bad_input_is_answered_before_training(arguments, code, part, toys, monkeypatch, capsys):
    monkeypatch.chdir(toys)
    assert kseq.compare.main(arguments) == code
    captured = capsys.readouterr()
    assert part in captured.err
    assert "Traceback" not in captured.err
    assert "epoch" not in captured.out
