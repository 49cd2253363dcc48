"""What is searched, before anything is trained: ranges, choices, conditions, objectives, times."""

import pytest

from kseq.errors import UsageError
from kseq.options import FIELDS, Options
from kseq.tuning.budget import read_budget
from kseq.tuning.conditions import conditions_of, effective
from kseq.tuning.objective import objective_of
from kseq.tuning.space import SPACE, Choices, Range, as_grid, nearest, read_space, resolve, rounded

BASE = Options("toy")
SETTLED = BASE.replace(
    vocabulary_size=1000, sequence_length=50, learning_rate=0.003, dropout=0.3, embedding_dropout=0.3, epochs=4
)


def space_of(*texts, typed=()):
    return read_space(texts, typed)[0]


def conditions(*texts, options=BASE, kind="text"):
    space, named = read_space(texts, ())
    return conditions_of(resolve(space, SETTLED, kind), options, named, (), kind)


def test_a_search_is_read_as_it_is_typed():
    assert space_of("units=32..256:log") == {"units": Range(32, 256, log=True)}
    assert space_of("learning-rate=1e-4..0.01") == {"learning_rate": Range(1e-4, 0.01)}
    assert space_of("cell=gru,lstm", "bidirectional=true,false") == {
        "cell": Choices(("gru", "lstm")),
        "bidirectional": Choices((True, False)),
    }
    for text in ("units=32..256:log", "dropout=0..0.5", "cell=gru,lstm", "bidirectional=false,true"):
        (name, values), *_ = space_of(text).items()
        assert f"{name}={values}" == text


def test_what_is_named_is_what_is_searched():
    assert space_of() == SPACE
    assert list(space_of("units=4..8")) == ["units"]
    assert space_of("default", "units=4..8") == {**SPACE, "units": Range(4, 8)}
    assert "units" not in space_of(typed=("units",))
    assert "units" not in space_of("default", typed=("units",))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("units", ["'units'", "field=low..high"]),
        ("unitz=1..2", ["'unitz'", "Did you mean 'units'?"]),
        ("seed=1,2", ["'seed'"]),
        ("dataset=a,b", ["'dataset'"]),
        ("units=9..3", ["9 to 3", "lower end first"]),
        ("units=4..4", ["4 to 4"]),
        ("units=4..many", ["'many'", "a whole number"]),
        ("units=0..9", ["units is 0", "at least 1"]),
        ("dropout=0..1", ["dropout is 1.0", "below 1"]),
        ("dropout=0..0.5:log", ["begins with 0", "more than 0"]),
        ("units=4..9:exp", ["'exp'", "'log'"]),
        ("units=8", ["one value", "--units"]),
        ("units=8,8", ["one value"]),
        ("cell=gru,gur", ["'gur'", "Did you mean 'gru'?"]),
        ("cell=gru..lstm", ["no number"]),
        ("bidirectional=yes,no", ["'yes'", "true or false"]),
    ],
)
def test_what_cannot_be_searched_is_refused(text, parts):
    with pytest.raises(UsageError) as error:
        space_of(text)
    for part in ("--search", *parts):
        assert part in str(error.value)


def test_what_is_typed_and_searched_is_refused():
    with pytest.raises(UsageError, match="--units was typed, and units is to be searched too"):
        space_of("units=4..8", typed=("units",))


def test_the_default_space_holds_what_a_run_takes():
    """So that the first trial can be the defaults."""
    for kind in ("text", "numeric"):
        found = resolve(SPACE, SETTLED, kind)
        assert len(found) >= 10
        assert all(not values.relative for values in found.values())
        for name, values in found.items():
            assert nearest(name, values, getattr(SETTLED, name)) == getattr(SETTLED, name), name
    assert {"tokens", "vocabulary_size"} <= set(resolve(SPACE, SETTLED, "text"))
    assert {"tokens", "vocabulary_size"}.isdisjoint(resolve(SPACE, SETTLED, "numeric"))
    groups = {FIELDS[name].metadata["group"] for name in resolve(SPACE, SETTLED, "text")}
    assert groups == {"text", "model", "training"}


def test_multiples_become_numbers_that_the_option_takes():
    found = resolve(SPACE, SETTLED, "text")
    assert found["vocabulary_size"] == Choices((250, 500, 1000))
    assert found["sequence_length"] == Choices((25, 50))
    assert (found["learning_rate"].low, found["learning_rate"].high) == pytest.approx((0.0006, 0.009))
    small = resolve(SPACE, SETTLED.replace(vocabulary_size=5, sequence_length=2), "text")
    assert small["vocabulary_size"] == Choices((3, 5))
    # Both come to the least that is allowed.
    assert "sequence_length" not in small
    Options("toy", vocabulary_size=3, sequence_length=2)


def test_numbers_are_rounded_within_their_range():
    assert rounded("learning_rate", 0.00123456, Range(1e-4, 1e-2)) == 0.00123
    assert rounded("dropout", 0.12345, Range(0.1234, 0.5)) == 0.1234
    assert rounded("units", 37, Range(1, 64)) == 37
    assert type(rounded("units", 37, Range(1, 64))) is int


def test_a_grid_cuts_ranges():
    grid = as_grid({"units": Range(4, 64, log=True), "dropout": Range(0.0, 0.4), "cell": Choices(("gru", "lstm"))}, 5)
    assert grid["units"] == Choices((4, 8, 16, 32, 64))
    assert grid["dropout"].values == pytest.approx((0, 0.1, 0.2, 0.3, 0.4))
    assert grid["cell"] == Choices(("gru", "lstm"))
    assert as_grid({"num_layers": Range(1, 2)}, 5)["num_layers"] == Choices((1, 2))


# What does something beside what


def test_options_that_are_read_beside_some_choices_alone():
    found = conditions("attention_units=8,16", "head=max,attention,last", "units=4..8")
    assert found == {"head": {}, "attention_units": {"head": ("attention",)}, "units": {}}
    # Those that others depend on come first, whatever the order in which they were typed.
    assert list(found).index("head") < list(found).index("attention_units")


def test_conditions_of_several_steps():
    found = conditions("encoder=recurrent,bag", "cell=gru,lstm", "bidirectional=true,false", "num_layers=1..3")
    assert found["cell"] == {"encoder": ("recurrent",)}
    assert found["bidirectional"] == {"encoder": ("recurrent",)}
    found = conditions("layer_dropout=0..0.5", "num_layers=1..3")
    assert found["layer_dropout"] == {"num_layers": (2, 3)}
    found = conditions("ngram_buckets=100,200", "ngrams=1,2,3")
    assert found["ngram_buckets"] == {"ngrams": (2, 3)}
    found = conditions("momentum=0.5..0.9", "optimizer=adam,sgd,rmsprop")
    assert found["momentum"] == {"optimizer": ("sgd", "rmsprop")}


def test_what_nothing_reads_is_refused_where_it_was_asked_for_and_left_out_where_not():
    with pytest.raises(UsageError) as error:
        conditions("attention_units=8,16")
    for part in ("--search attention_units", "--head max_mean", "--head attention"):
        assert part in str(error.value)
    assert {"cell", "units"} & set(conditions(options=BASE.replace(encoder="bag"))) == set()
    assert "cell" in conditions()


def test_what_does_nothing_in_a_trial_is_put_back():
    trial = BASE.replace(head="max", attention_units=7, units=9)
    assert effective(trial, ["head", "attention_units", "units"], BASE, (), "text") == BASE.replace(head="max", units=9)


# What is made best, and how long


def test_objectives_have_a_direction_and_a_monitor():
    for name, kind, direction, monitor in (
        (None, "class", "max", None),
        ("val_accuracy", "class", "max", None),
        ("val_macro_f1", "class", "max", "val_macro_f1"),
        ("val_nll", "class", "min", "val_loss"),
        (None, "classes", "max", None),
        ("val_micro_f1", "classes", "max", None),
        ("val_hamming_loss", "classes", "min", None),
    ):
        found = objective_of(name, kind, None)
        assert (found.direction, found.monitor) == (direction, monitor), name
        better, worse = (0.9, 0.1) if direction == "max" else (0.1, 0.9)
        assert found.better(better, worse)
        assert not found.better(worse, better)
        assert not found.better(better, better)
        assert found.better(worse, None)
    assert objective_of(None, "class", None).name == "val_accuracy"
    assert objective_of(None, "classes", None).name == "val_macro_f1"
    assert objective_of("val_nll", "class", "val_accuracy").monitor == "val_accuracy"


@pytest.mark.parametrize(("name", "meant"), [("accuracy", "val_accuracy"), ("val_f1", "val_macro_f1"), ("loss", None)])
def test_other_objectives_are_refused(name, meant):
    with pytest.raises(UsageError) as error:
        objective_of(name, "class", None)
    assert repr(name) in str(error.value)
    assert meant is None or f"Did you mean {meant!r}?" in str(error.value)


def test_times():
    assert [read_budget(text) for text in ("90s", "30m", "1h", "1h30m", "1.5h")] == [90, 1800, 3600, 5400, 5400]
    for text in ("30", "m", "", "30 m", "0m", "5d", "-3m"):
        with pytest.raises(UsageError, match="--budget is"):
            read_budget(text)
