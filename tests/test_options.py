"""Options: types, ranges, choices, what applies to what, and that they are there before TensorFlow is."""

import dataclasses
import difflib
import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from kseq.applies import check_applies, chosen_parts, needed_tensors, readers_of
from kseq.errors import UsageError
from kseq.inputs import INPUTS
from kseq.option_fields import option, value_type
from kseq.options import FIELDS, REGISTRIES, Options
from kseq.registry import Part, unknown

ROOT = Path(__file__).parents[1]
# All but the dataset, which is no flag.
NAMES = [name for name in FIELDS if name != "dataset"]
NUMBERS = [name for name in NAMES if value_type(FIELDS[name]) in (int, float)]
CHOOSING = [name for name in NAMES if FIELDS[name].metadata["choices"]]


def refusal(**values):
    with pytest.raises(UsageError) as error:
        Options(**{"dataset": "toy", **values})
    return str(error.value)


def test_the_walks_below_walk_over_something():
    assert len(NAMES) >= 30
    assert len(NUMBERS) >= 20
    assert set(REGISTRIES) <= set(CHOOSING)
    assert len(CHOOSING) >= 7


@pytest.mark.parametrize("name", NAMES)
def test_every_field_says_what_it_is(name):
    rules = FIELDS[name].metadata
    assert rules["group"] in ("data", "text", "model", "training", "output")
    assert len(rules["help"]) > 5
    assert "\n" not in rules["help"]
    assert not rules["help"].endswith(".")
    assert all(alias.startswith("--") for alias in rules["aliases"])
    if value_type(FIELDS[name]) in (int, float):
        assert rules["low"] is not None, "a number without a lower end"
    else:
        assert rules["low"] is rules["high"] is rules["below"] is None


def test_defaults_are_valid_and_have_the_type_they_declare():
    options = Options("toy")
    for name in NAMES:
        value = getattr(options, name)
        declared = FIELDS[name].type if isinstance(FIELDS[name].type, str) else str(FIELDS[name].type)
        if value is None:
            assert "None" in declared, name
        else:
            assert type(value) is value_type(FIELDS[name]), name
            assert options.replace(**{name: value}) == options


def test_options_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Options("toy").units = 3


@pytest.mark.parametrize("name", NUMBERS)
def test_ends_of_ranges(name):
    rules, kind = FIELDS[name].metadata, value_type(FIELDS[name])
    low = kind(rules["low"])
    assert getattr(Options("toy", **{name: low}), name) == low
    below = low - 1 if kind is int else math.nextafter(low, -math.inf)
    message = refusal(**{name: below})
    assert message.startswith(f"{name} is {below!r}; expected {'a whole number' if kind is int else 'a number'} of at ")
    assert f"at least {rules['low']}" in message
    if rules["high"] is not None:
        high = kind(rules["high"])
        assert getattr(Options("toy", **{name: high}), name) == high
        above = high + 1 if kind is int else math.nextafter(high, math.inf)
        message = refusal(**{name: above})
        assert repr(above) in message
        assert f"at most {rules['high']}" in message
    if rules["below"] is not None:
        just_inside = math.nextafter(rules["below"], -math.inf)
        assert getattr(Options("toy", **{name: just_inside}), name) == just_inside
        message = refusal(**{name: float(rules["below"])})
        assert repr(float(rules["below"])) in message
        assert f"below {rules['below']}" in message


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", ["12", 1.5, 3, True, [], b"x", math.nan, math.inf, -math.inf, None], ids=repr)
def test_only_the_declared_type_passes(name, value):
    field = FIELDS[name]
    kind = value_type(field)
    allowed = {str: (str,), int: (int,), float: (int, float), bool: (bool,)}[kind]
    fits = value is None and field.default is None
    fits = fits or (type(value) in allowed and (not isinstance(value, float) or math.isfinite(value)))
    if not fits:
        assert refusal(**{name: value}).startswith(f"{name} is {value!r}; expected ")


def test_a_bool_is_no_number_and_a_number_is_no_bool():
    assert "expected a whole number" in refusal(units=True)
    assert "expected a number" in refusal(dropout=False)
    assert "expected true or false" in refusal(bidirectional=1)
    assert "expected a name" in refusal(dataset=None)


@pytest.mark.parametrize("name", ["learning_rate", "dropout", "clip_norm", "weight_decay"])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_numbers_are_finite(name, value):
    message = refusal(**{name: value})
    assert message.startswith(f"{name} is {value!r}; expected a number of at least 0")
    assert message.endswith(", and finite.")


@pytest.mark.parametrize("name", CHOOSING)
def test_choices_answer_with_the_nearest_name(name):
    choices = FIELDS[name].metadata["choices"]
    for choice in choices:
        # The cell that every initialiser fits.
        assert getattr(Options("toy", **{"cell": "simple_rnn", name: choice}), name) == choice
        wrong = choice[:-1] + "~" + choice[-1]
        message = refusal(**{name: wrong})
        assert message.startswith(f"{name} is {wrong!r}; expected one of ")
        assert all(repr(other) in message for other in choices)
        nearest = difflib.get_close_matches(wrong, sorted(choices), n=1)
        assert message.endswith(f"Did you mean {nearest[0]!r}?")
    assert "Did you mean" not in refusal(**{name: "qqqqqqqqqqqq"})


def test_unknown_lists_choices_in_order():
    assert (
        unknown("cell", "gur", ["lstm", "gru"]) == "cell is 'gur'; expected one of 'gru', 'lstm'. Did you mean 'gru'?"
    )
    assert unknown("cell", None, ["b", "a"]) == "cell is None; expected one of 'a', 'b'."


@pytest.mark.parametrize(
    ("typed", "choices", "meant"),
    [
        ("imdb_reviews", ["imdb", "reviews", "sst2"], "imdb"),
        ("glue/sst2", ["imdb", "sst2"], "sst2"),
        ("GRU", ["gru", "lstm"], "gru"),
        ("rnn", ["gru", "simple_rnn"], "simple_rnn"),
        ("simple-rnn", ["gru", "simple_rnn"], "simple_rnn"),
    ],
)
def test_the_nearest_name_sees_through_case_dashes_and_longer_names(typed, choices, meant):
    assert unknown("part", typed, choices).endswith(f"Did you mean {meant!r}?")


@pytest.mark.parametrize("name", ["", "7", ".hidden", "..", "a/b", "a\\b", "a\0b"])
def test_a_name_that_is_no_folder_name_is_refused(name):
    with pytest.raises(UsageError, match="the name of one folder") as caught:
        Options("imdb", name=name)
    assert repr(name) in str(caught.value)


def test_layer_dropout_needs_layers():
    options = Options("imdb", layer_dropout=0.2)
    with pytest.raises(UsageError, match="--layer-dropout needs --num-layers 2 or more"):
        check_applies(options, ["layer_dropout"], [])
    check_applies(options.replace(num_layers=2), ["layer_dropout"], [])


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_the_identity_needs_a_square_matrix(cell):
    message = refusal(cell=cell, recurrent_initializer="identity")
    assert message.startswith(f"recurrent_initializer is 'identity' and cell is {cell!r}")
    assert "--cell simple_rnn" in message
    Options("toy", cell="simple_rnn", recurrent_initializer="identity")
    # Read by nothing, it is in nobody's way.
    Options("toy", encoder="bag", cell=cell, recurrent_initializer="identity")


@pytest.mark.parametrize(
    ("typed", "mend", "mended"),
    [
        ("character_buckets", "--character-buckets needs --tokens word+character", {"tokens": "word+character"}),
        ("ngram_buckets", "--ngram-buckets needs --ngrams 2 or more", {"ngrams": 2}),
    ],
)
def test_buckets_need_what_falls_into_them(typed, mend, mended):
    for options in (Options("imdb"), Options("imdb", tokens="character")):
        with pytest.raises(UsageError, match=re.escape(mend)):
            check_applies(options, [typed], [])
        check_applies(options.replace(**mended), [typed], [])


def test_to_dict_goes_through_json_and_comes_back():
    changed = Options("toy", units=3, dropout=0.25, bidirectional=True, name="a-name", vocabulary_size=None)
    recorded = json.loads(json.dumps(changed.to_dict()))
    assert set(recorded) == set(FIELDS)
    assert Options(**recorded) == changed
    assert Options(**recorded).replace(units=4).units == 4
    assert Options(**recorded).replace(units=4) != changed


def test_replace_checks_again():
    with pytest.raises(UsageError, match="units is 0; expected a whole number of at least 1"):
        Options("toy").replace(units=0)


def test_export_name_says_the_model():
    assert Options("imdb", cell="lstm", head="max").export_name("imdb") == "imdb-lstm-max"
    assert (
        Options("imdb", cell="gru", bidirectional=True, head="max_mean").export_name("imdb") == "imdb-gru-bi-max_mean"
    )
    assert Options("trec", cell="lstm", head="max").export_name("trec_fine") == "trec_fine-lstm-max"
    assert Options("imdb", cell="gru", head="max", max_train_samples=9).export_name("imdb") == "imdb-gru-max-sample"
    assert Options("imdb", head="attention").export_name("imdb") == "imdb-gru-attention"
    structured = Options("imdb", head="attention", attention="structured")
    assert structured.export_name("imdb") == "imdb-gru-attention-structured"
    assert structured.replace(head="max").export_name("imdb") == "imdb-gru-max"
    assert Options("imdb", name="mine").export_name("imdb") == "mine"


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/tmp", "a\\b"])
def test_a_name_is_one_folder(name):
    message = refusal(name=name)
    assert repr(name) in message
    assert "--output-dir" in message


# Which options apply

READS = [
    pytest.param(registry, name, part, id=f"{registry}-{name}")
    for registry, parts in REGISTRIES.items()
    for name, part in parts.items()
]


@pytest.mark.parametrize(("registry", "name", "part"), READS)
def test_parts_read_fields_that_exist(registry, name, part):
    assert set(part.reads) <= set(NAMES)
    assert "dataset" not in part.reads
    groups = {FIELDS[read].metadata["group"] for read in part.reads}
    assert groups <= ({"training"} if registry in ("pretraining", "optimizer", "schedule", "loss") else {"model"})
    assert part.summary
    assert name in FIELDS[registry].metadata["choices"]


def test_every_option_is_read_somewhere():
    """By a part, or as an attribute in the code outside options.py: an option that nothing reads is a lie."""
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "kseq").glob("*.py") if path.stem != "options")
    read = {name for _, parts in REGISTRIES.items() for part in parts.values() for name in part.reads}
    read |= {name for each in INPUTS.values() for name in each.reads}
    unread = [
        name
        for name in NAMES
        # Options of the group "data" go to the dataset's `load` by their names.
        if name not in read and f"options.{name}" not in code and FIELDS[name].metadata["group"] != "data"
    ]
    # `options.schedule` and such stand in the code too; `name` and `bidirectional` are read in options.py.
    assert set(unread) <= {"name"}


def test_every_option_of_the_data_is_taken_by_a_dataset():
    import pipelines

    sources = [*pipelines.datasets().values(), pipelines.find(str(ROOT)), pipelines.find(str(ROOT), sequences=True)]
    taken = {parameter for source in sources for parameter in source.parameters}
    assert {name for name in NAMES if FIELDS[name].metadata["group"] == "data"} - taken == set()


def test_chosen_parts_are_those_in_use():
    options = Options("toy", cell="lstm", head="attention", optimizer="sgd")
    chosen = {registry: (name, part) for registry, name, part in chosen_parts(options)}
    assert set(chosen) <= set(REGISTRIES)
    assert chosen["cell"] == ("lstm", REGISTRIES["cell"]["lstm"])
    assert chosen["head"][0] == "attention"
    assert chosen["optimizer"][0] == "sgd"


EVERYTHING_OF_DATA = [name for name in NAMES if FIELDS[name].metadata["group"] == "data"]


@pytest.mark.parametrize(
    ("chosen", "typed", "received", "readers"),
    [
        ({"head": "max"}, "attention_units", "--attention-units does not apply to --head max", ["--head attention"]),
        ({"cell": "lstm"}, "activation", "--activation does not apply to --cell lstm", ["--cell simple_rnn"]),
        (
            {"cell": "simple_rnn"},
            "chrono_length",
            "--chrono-length does not apply to --cell simple_rnn",
            ["--cell lstm", "--cell gru"],
        ),
        (
            {"head": "max"},
            "num_heads",
            "--num-heads does not apply to --encoder recurrent and --head max",
            ["--encoder transformer", "--head attention --attention multi_head."],
        ),
        (
            {"head": "attention"},
            "num_heads",
            "--num-heads does not apply to --attention additive and --encoder recurrent",
            ["--encoder transformer", "--attention multi_head."],
        ),
        (
            {"optimizer": "adam"},
            "momentum",
            "--momentum does not apply to --optimizer adam",
            ["--optimizer rmsprop", "--optimizer sgd"],
        ),
        (
            {"optimizer": "sgd"},
            "weight_decay",
            "--weight-decay does not apply to --optimizer sgd",
            ["--optimizer adamw", "--optimizer lion"],
        ),
    ],
)
def test_an_option_that_no_chosen_part_reads_is_refused(chosen, typed, received, readers):
    with pytest.raises(UsageError) as error:
        check_applies(Options("toy", **chosen), ["units", typed], EVERYTHING_OF_DATA)
    message = str(error.value)
    assert message.startswith(received)
    assert all(reader in message for reader in readers)
    assert "Leave it out" in message


@pytest.mark.parametrize(("registry", "name", "part"), READS)
def test_an_option_that_the_chosen_part_reads_is_taken(registry, name, part):
    # What reads the choice is chosen too: a cell is none without a recurrent encoder.
    choosers = dict(readers_of(registry)[:1])
    check_applies(Options("toy", num_layers=2, **choosers, **{registry: name}), part.reads, EVERYTHING_OF_DATA)


def test_untyped_options_are_never_refused():
    check_applies(Options("toy", head="max", attention_units=7), [], [])


def test_options_of_the_data_apply_where_the_dataset_takes_them():
    options = Options("toy", fine_labels=True)
    check_applies(options, ["fine_labels", "units", "dataset"], ["fine_labels"])
    with pytest.raises(UsageError) as error:
        check_applies(options, ["fine_labels"], ["split_seed", "manual_dir", "no_option"])
    message = str(error.value)
    assert message.startswith(
        "--fine-labels does not apply to the dataset 'toy', which takes --manual-dir, --split-seed."
    )
    assert "no-option" not in message
    with pytest.raises(UsageError, match="takes none of its kind"):
        check_applies(options, ["fine_labels"], [])


def test_a_part_that_nothing_chooses_is_not_in_use(monkeypatch):
    """A cell beside an encoder that has none: its flag and those that it reads are refused, naming the encoder."""
    monkeypatch.setitem(REGISTRIES["encoder"], "bag", Part(lambda vectors, mask: None, "no order"))
    monkeypatch.setitem(REGISTRIES["cell"], "leaky", Part(lambda units, *, attention_units: None, "reads an option"))
    options = Options("toy", cell="gru")
    object.__setattr__(options, "encoder", "bag")
    chosen = {name for name, _, _ in chosen_parts(options)}
    assert chosen == {"encoder", "head", "normalization", "pretraining", "optimizer", "schedule", "loss"}
    for typed in ("cell", "units"):
        with pytest.raises(UsageError) as error:
            check_applies(options, [typed], [])
        assert f"--{typed} does not apply to --encoder bag; it is read by --encoder recurrent" in str(error.value)
    object.__setattr__(options, "encoder", "recurrent")
    with pytest.raises(UsageError, match="--attention-units does not apply to --cell gru and --head max_mean; it is"):
        check_applies(options, ["attention_units"], [])


# Parts


def test_a_part_reads_its_keyword_only_parameters_without_default():
    def build(inputs, scale=2, *, units, cell, extra=5, **more):
        return inputs, scale, units, cell, extra, more

    part = Part(build, "a part")
    assert part.reads == ("units", "cell")
    options = Options("toy", units=3, cell="lstm")
    assert part("x", options=options) == ("x", 2, 3, "lstm", 5, {})
    assert part("x", 4, options=options, extra=6, other=7) == ("x", 4, 3, "lstm", 6, {"other": 7})


def test_a_part_that_chooses_another_one_takes_all_options():
    part = Part(lambda inputs, *, options, units: (inputs, options.cell, units), "a part")
    assert part.reads == ("units",)
    assert part("x", options=Options("toy", units=3, cell="lstm")) == ("x", "lstm", 3)


def test_a_part_takes_the_tensors_that_it_needs_and_hands_on_all():
    inner = Part(
        lambda inputs, *, units, sentence_ids: (inputs, units, sentence_ids), "a part", needs=("sentence_ids",)
    )
    outer = Part(lambda inputs, *, options, tensors, cell: inner(inputs, options=options, tensors=tensors), "a part")
    assert (inner.reads, outer.reads) == (("units",), ("cell",))
    tensors = {"token_ids": "ids", "sentence_ids": "numbers"}
    assert outer("x", options=Options("toy", units=3), tensors=tensors) == ("x", 3, "numbers")
    with pytest.raises(KeyError, match="sentence_ids"):
        inner("x", options=Options("toy"))


def test_what_the_chosen_parts_need_is_known():
    assert needed_tensors(Options("toy")) == set()
    assert needed_tensors(Options("toy", attention="hierarchical")) == set()
    assert needed_tensors(Options("toy", head="attention", attention="hierarchical")) == {"sentence_ids"}


def test_option_declares_every_rule():
    field = option(2, "model", "help of it", low=1, high=9, choices=None, aliases=("--alias",))
    assert field.default == 2
    assert dict(field.metadata) == {
        "group": "model", "help": "help of it", "choices": None, "low": 1, "high": 9, "below": None,
        "aliases": ("--alias",), "applies": None, "not_with": None,
    }  # fmt: skip


def test_no_tensorflow_before_it_is_needed():
    program = (
        "import sys, kseq, kseq.options, kseq.command_line, kseq.run, kseq.__main__\n"
        "from kseq.options import REGISTRIES, Options\n"
        "[part.reads for parts in REGISTRIES.values() for part in parts.values()]; Options('toy')\n"
        "print(sorted({'tensorflow', 'keras', 'numpy', 'matplotlib', 'sklearn'} & set(sys.modules)))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "[]", "")
