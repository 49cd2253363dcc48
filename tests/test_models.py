"""`kseq models` lists every part, and counts what is counted by hand here."""

import json
import re

import pytest

from kseq import models
from kseq.options import REGISTRIES

SMALL = ["--vocabulary-size", "50", "--embedding-dim", "4", "--units", "6", "--num-layers", "2", "--head", "mean"]
SMALL += ["--filters", "5", "--kernel-sizes", "2,3", "--num-heads", "3", "--feed-forward-units", "7"]
SMALL += ["--attention-units", "3"]
# Of word vectors of 4 numbers: a layer of 6 units, and one that reads another.
CELL = {
    "simple_rnn": [4 * 6 + 6 * 6 + 6, 6 * 6 + 6 * 6 + 6],
    "lstm": [4 * (4 * 6 + 6 * 6 + 6), 4 * (6 * 6 + 6 * 6 + 6)],
}
# Keras' GRU has two rows of biases.
CELL |= {"gru": [3 * (4 * 6 + 6 * 6 + 12), 3 * (6 * 6 + 6 * 6 + 12)]}
LOGITS = 6 * 2 + 2
GRU = sum(CELL["gru"])
FILTERS = (2 * 4 + 1) * 5 + (3 * 4 + 1) * 5
# Four projections, two matrices with biases and two pairs of scale and offset.
TRANSFORMER_LAYER = 4 * 6 * 6 + (6 * 7 + 7) + (7 * 6 + 6) + 2 * 2 * 6
TRANSFORMER = 4 * 6 + 2 * TRANSFORMER_LAYER + 2 * 6
BY_HAND = {
    ("encoder", "recurrent"): GRU + LOGITS,
    ("encoder", "convolution"): FILTERS + 10 * 2 + 2,
    ("encoder", "convolution_recurrent"): FILTERS + GRU + 3 * 6 * 6 + LOGITS,
    ("encoder", "transformer"): TRANSFORMER + LOGITS,
    ("encoder", "bag"): 4 * 2 + 2,
    **{("cell", cell): sum(count) + LOGITS for cell, count in CELL.items()},
    ("position", "sinusoidal"): TRANSFORMER + LOGITS,
    ("position", "rotary"): TRANSFORMER + LOGITS,
    ("head", "last"): GRU + LOGITS,
    ("head", "max_mean"): GRU + 12 * 2 + 2,
    ("head", "attention"): GRU + (6 * 3 + 3) + 3 + LOGITS,
}
EVERY = [(registry, name) for registry, parts in REGISTRIES.items() for name in parts]


def listed(capsys, *flags):
    assert models.main([*flags, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_every_part_is_listed_and_counted_as_by_hand(capsys):
    found = listed(capsys, *SMALL)
    assert found["options"]["units"] == 6
    assert found["classes"] == 2
    parts = {(part["registry"], part["name"]): part for part in found["parts"]}
    assert list(parts) == EVERY
    counts = {key: parts[key]["parameters_without_vectors"] for key in BY_HAND}
    assert counts == BY_HAND
    for (registry, name), part in parts.items():
        registered = REGISTRIES[registry][name]
        assert (part["summary"], part["source"]) == (registered.summary, registered.source)
        assert part["reads"] == list(registered.reads)
        if registry in ("pretraining", "optimizer", "schedule", "loss"):
            assert part["parameters"] is part["parameters_without_vectors"] is None
        else:
            assert part["parameters"] == part["parameters_without_vectors"] + 50 * 4
    chosen = {key for key, part in parts.items() if part["chosen"]}
    assert {("encoder", "recurrent"), ("cell", "gru"), ("head", "mean"), ("optimizer", "adam")} <= chosen
    assert not [key for key in chosen if key[0] == "position"], "nothing that is chosen reads positions"


def test_the_options_count(capsys):
    flags = ["--encoder", "bag", "--tokens", "word+character", "--character-buckets", "70", "--ngrams", "2"]
    found = listed(capsys, *SMALL, *flags, "--ngram-buckets", "90")
    parts = {(part["registry"], part["name"]): part for part in found["parts"]}
    bag, gru = parts["encoder", "bag"], parts["cell", "gru"]
    # Character n-grams have 32 numbers, which are projected to the words' 4, and word n-grams have 16; 0 is padding.
    assert bag["parameters_without_vectors"] == 32 * 4 + (4 + 16) * 2 + 2
    assert bag["parameters"] - bag["parameters_without_vectors"] == 50 * 4 + 71 * 32 + 91 * 16
    # A cell is counted where something reads it.
    assert gru["parameters_without_vectors"] == 32 * 4 + GRU + (6 + 16) * 2 + 2
    assert bag["chosen"]
    assert not gru["chosen"]


def test_a_part_that_does_not_fit_says_so_and_the_others_are_counted(capsys):
    assert models.main([*SMALL, "--num-heads", "4"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert sum("num_heads is 4 and units is 6" in line for line in lines) == 3, "the Transformer, and its positions"
    assert any(re.fullmatch(r" +bag +210 +10  .*Joulin et al. 2017\)", line) for line in lines)


def test_lines_stand_under_one_another(capsys):
    assert models.main(SMALL) == 0
    head, *lines = capsys.readouterr().out.splitlines()[2:]
    assert len(lines) == len(EVERY)
    width = max(map(len, REGISTRIES))
    for line, (registry, name) in zip(lines, EVERY, strict=True):
        part = REGISTRIES[registry][name]
        assert line.startswith(f"{registry if name == next(iter(REGISTRIES[registry])) else '':<{width}} {name} ")
        assert line[len(head) :].startswith(f"  {part.summary}")
        assert part.source in line
    assert any(line.startswith("cell") for line in lines)
    assert sum(" * " in line for line in lines) >= 6


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["imdb"], "unknown argument 'imdb'"),
        (["--cell", "gur"], "Did you mean 'gru'?"),
        (["--epochs", "3"], "unknown argument '--epochs'"),
        (["--encoder", "transformer", "--units", "10"], "num_heads is 4 and units is 10"),
    ],
)
def test_what_is_refused(flags, message, capsys):
    assert models.main(flags) == 2
    assert message in capsys.readouterr().err
