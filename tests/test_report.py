"""What commands tell of the data that was prepared."""

import io

import numpy as np
import pytest

from kseq.baseline import Baseline
from kseq.console import Console
from kseq.experiment import prepare
from kseq.options import Options
from kseq.paired_tests import McNemar
from kseq.report import show_baseline, show_cache, show_kept, show_model
from kseq.scoring import score
from kseq.training import TrainingResult
from pipelines import reviews
from pipelines.vectorized_split import SEQUENCE_INPUT


@pytest.fixture(scope="module")
def data():
    return reviews.load(size=300)


def told(prepared):
    console = Console()
    console.stream = io.StringIO()
    show_cache(console, prepared)
    return console.stream.getvalue()


def test_where_tokens_are_is_told_with_their_size(data, tmp_path):
    options = Options("reviews", cache="disk", cache_dir=str(tmp_path))
    first, second = prepare(data, options), prepare(data, options)
    kept = sum(file.stat().st_size for file in tmp_path.rglob("*.values"))
    # Two bytes a token, for the vocabulary is small.
    assert kept == 2 * sum(int(split.lengths.sum()) for split in first.splits.values())
    assert told(first) == (
        f"cache       disk: {kept / 2**20:.1f} MiB of tokens in {tmp_path / 'tokens'}, written now; the folder may be "
        "deleted\n"
    )
    assert "found there from an earlier run" in told(second)
    # Another vocabulary makes other ids.
    assert "written now" in told(prepare(data, options.replace(vocabulary_size=50)))


def test_memory_is_not_worth_a_line_and_none_is(data):
    memory, none = (prepare(data, Options("reviews", cache=cache)) for cache in ("memory", "none"))
    assert told(memory) == ""
    assert told(none) == "cache       none: train is read and vectorized while it is trained on, once an epoch\n"
    assert none.padding_share == memory.padding_share
    assert none.input.tell(none) == memory.input.tell(memory)
    assert list(none.splits["train"].specs) == [SEQUENCE_INPUT]


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        (
            {"cell": "lstm", "num_layers": 2, "bidirectional": True},
            "2 layers of 128 lstm units each read a text in both directions; head max: 1,234 parameters",
        ),
        (
            {"encoder": "bag"},
            "no layer reads a text: the vectors go to the head as they are, whatever their order; head max: 1,234 "
            "parameters",
        ),
    ],
)
def test_the_model_is_told_by_its_encoder(data, chosen, said, capsys):
    prepared = prepare(data, Options("reviews", head="max", **chosen))
    show_model(Console(False), prepared, 1234)
    assert capsys.readouterr().out == f"model       {said}\n"


@pytest.mark.parametrize(
    ("trained", "interrupted", "said"),
    [(4, False, ""), (3, False, "; stopped early, since no epoch was better for 2 (--patience)"), (3, True, "")],
)
def test_early_stopping_is_said(trained, interrupted, said, capsys):
    result = TrainingResult({"loss": [1.0] * trained}, 1, 1.0, interrupted)
    show_kept(Console(False), Options("reviews", epochs=4, monitor="val_loss"), result)
    assert capsys.readouterr().out == f"kept        epoch 1 of {trained}, best val_loss{said}\n"


@pytest.mark.parametrize(("reused", "time"), [(False, "3.2 s"), (True, "kept by an earlier run")])
def test_the_baseline_is_shown_beside_the_model(reused, time, capsys):
    scores = score(np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]), np.array([0, 1, 1]), ("no", "yes"))
    comparisons = {"validation": McNemar(1, 2, 1.0), "test": McNemar(1_512, 2_112, 1e-9)}
    show_baseline(Console(False), Baseline({"test": scores}, comparisons, 3.21, reused))
    assert capsys.readouterr().out == (
        f"baseline    n-grams, test: accuracy 66.67% (20.77% to 93.85%)  ({time})\n"
        "            the model is worse: it alone is right in b = 1,512 texts, the n-grams alone in c = 2,112 "
        "(McNemar's test, p < 0.001)\n"
    )
