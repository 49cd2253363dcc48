"""The rows that flags make, before anything is trained."""

import shlex

import pytest

from kseq.command_line import find_source, read_options
from kseq.commands import command_parser
from kseq.comparison.rows import PLURALS, add_row_flags, check_rows, read_rows
from kseq.errors import UsageError
from kseq.options import REGISTRIES, Options


def rows_of(*arguments):
    parser = command_parser("compare", "", groups=("data", "text", "model", "training"))
    add_row_flags(parser)
    namespace = parser.parse_all(["reviews", *arguments])
    options, typed = read_options(namespace)
    rows = read_rows(namespace, options, typed)
    first, *others = [row.options for row in rows]
    source = find_source(first, typed, others)
    check_rows(rows, source.parameters, source.input_kind)
    return rows, (source.parameters, source.input_kind)


def labels(*arguments):
    return [row.label for row in rows_of(*arguments)[0]]


def refusal(*arguments):
    with pytest.raises(UsageError) as error:
        rows_of(*arguments)
    return str(error.value)


def test_each_list_varies_one_option_of_the_first_row():
    rows, _ = rows_of("--cells", "simple_rnn,lstm,gru", "--heads", "last,max", "--units", "7")
    assert [(row.options.cell, row.options.head) for row in rows] == [
        ("simple_rnn", "last"), ("lstm", "last"), ("gru", "last"), ("simple_rnn", "max"),
    ]  # fmt: skip
    assert {row.options.units for row in rows} == {7}
    assert [row.label for row in rows] == ["--cell simple_rnn --head last", "--cell lstm", "--cell gru", "--head max"]


def test_all_is_every_registered_name_and_begins_with_the_one_that_is_set():
    assert {"encoder", "cell", "head", "attention", "loss"} <= set(PLURALS)
    for name, several in PLURALS.items():
        rows, _ = rows_of(f"--{several}", "all")
        found = [getattr(row.options, name) for row in rows]
        assert found[0] == getattr(Options("reviews"), name)
        assert set(found) == set(REGISTRIES[name])
    assert labels("--cells", "all", "--cell", "lstm")[0] == "--cell lstm"
    assert len(labels("--cells", "all", "--heads", "all")) == len(REGISTRIES["cell"]) + len(REGISTRIES["head"]) - 1


def test_a_typed_choice_makes_the_first_row_whatever_the_list_begins_with():
    assert labels("--cells", "lstm,gru", "--cell", "gru") == ["--cell gru", "--cell lstm"]
    assert labels("--cells", "lstm", "--cell", "gru") == ["--cell gru", "--cell lstm"]


def test_plurals_are_words():
    assert [PLURALS[name] for name in ("cell", "loss", "normalization")] == ["cells", "losses", "normalizations"]
    assert set(PLURALS) == set(REGISTRIES)


def test_a_list_takes_the_place_of_another_spelling():
    """`--positions` is `--position` in a run, and a list of them here."""
    names = ["--position rotary", "--position sinusoidal"]
    assert labels("--encoder", "transformer", "--positions", "rotary,sinusoidal") == names
    assert labels("--encoder", "transformer", "--position", "rotary", "--row", "--positions sinusoidal")[1] == names[1]
    options, _ = read_options(command_parser("run", "").parse_all(["reviews", "--positions", "rotary"]))
    assert options.position == "rotary"


def test_rows_of_any_flags():
    rows, _ = rows_of("--row", "--bidirectional", "--row", "--cell lstm --num-layers 2 --layer-dropout .3")
    assert [row.label for row in rows] == [
        "--cell gru --no-bidirectional --num-layers 1",
        "--bidirectional",
        "--cell lstm --num-layers 2 --layer-dropout 0.3",
    ]
    assert rows[1].options == rows[0].options.replace(bidirectional=True)
    assert rows[2].options == rows[0].options.replace(cell="lstm", num_layers=2, layer_dropout=0.3)
    # The value of --row is flags, however it is written.
    assert labels("--row=--bidirectional") == labels("--row", "--bidirectional")
    assert labels("--row", "--class-weight -1=2,1=1")[1] == "--class-weight=-1=2,1=1"


def test_equal_rows_are_one():
    assert labels("--cells", "gru,lstm,gru", "--row", "--cell lstm", "--row", "--cell gru") == [
        "--cell gru",
        "--cell lstm",
    ]


def test_a_list_whose_option_the_first_row_does_not_read_chooses_what_does():
    assert labels("--encoder", "transformer", "--cells", "gru,lstm") == [
        "--encoder transformer",
        "--encoder recurrent --cell gru",
        "--encoder recurrent --cell lstm",
    ]
    attentions = labels("--attentions", "all")
    assert attentions[:2] == ["--head max_mean", "--head attention --attention additive"]
    assert len(attentions) == 1 + len(REGISTRIES["attention"])
    assert "--head attention" in labels("--heads", "all", "--attentions", "all")


def test_everything_can_be_compared_at_once():
    everything = [part for several in PLURALS.values() for part in (f"--{several}", "all")]
    rows, reads = rows_of(*everything)
    assert len(rows) == len({row.command(0, *reads) for row in rows}) == len({row.label for row in rows})
    assert len(rows) == 1 + sum(len(REGISTRIES[name]) - 1 for name in PLURALS)


@pytest.mark.parametrize("arguments", [("--cells", "gru"), (), ("--row", ""), ("--row", "--cell gru")])
def test_one_row_is_no_comparison(arguments):
    message = refusal(*arguments)
    assert "nothing to compare" in message
    assert "--cells" in message


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (("--cells", "gru,gur"), ["--cells", "'gur'", "'all'", "Did you mean 'gru'?"]),
        (("--heads", "max,"), ["--heads", "''"]),
        (("--row", "--unitz 8"), ["--row '--unitz 8'", "Did you mean --units?"]),
        (("--row", "--units many"), ["--row '--units many'", "a whole number"]),
        (("--row", "--name 'a"), ["--row", "No closing quotation"]),
        (("--row", "--units 8 trec"), ["--row '--units 8 trec'", "unknown argument 'trec'"]),
        (("--row", "--units 8 --seed 3"), ["--seed", "outside of --row"]),
        (("--row", "--preset default"), ["unknown argument '--preset'"]),
        (("--row", "--head nothing"), ["--row '--head nothing'", "'nothing'", "'max_mean'"]),
        (("--row", "--max-train-samples 9 --units 8"), ["--max-train-samples"]),
        (("--row", "--text-column a"), ["--text-column"]),
        (("--row", "--attention-units 8"), ["the row '--attention-units 8'", "--head max_mean", "--head attention"]),
        (("--cells", "lstm,gru", "--momentum", ".5"), ["--momentum", "--optimizer adam", "--optimizer sgd"]),
        (("--cells", "lstm,gru", "--fine-labels"), ["--fine-labels", "'reviews'"]),
        (("--cells", "lstm,gru", "--layer-dropout", ".5"), ["--layer-dropout", "--num-layers 2"]),
    ],
)
def test_rows_that_cannot_be_are_refused(arguments, parts):
    message = refusal(*arguments)
    for part in parts:
        assert part in message


def test_a_flag_that_one_row_reads_is_taken_and_not_told_to_the_others():
    rows, reads = rows_of("--heads", "max,attention", "--attention-units", "8")
    assert rows[0].command(0, *reads) == "python -m kseq.run reviews --head max --seed 0"
    assert rows[1].command(0, *reads) == "python -m kseq.run reviews --head attention --attention-units 8 --seed 0"


def test_the_command_of_a_row_has_its_options():
    arguments = ["--cells", "gru,lstm", "--no-bidirectional", "--class-weight=-a=2", "--distance", "3", "--row", "--bi"]
    for row in rows_of(*arguments)[0]:
        program, m, module, *flags = shlex.split(row.command(5, ("distance",), "text"))
        assert [program, m, module] == ["python", "-m", "kseq.run"]
        options, typed = read_options(command_parser("run", "").parse_all(flags))
        assert options == row.options.replace(seed=5)
        find_source(options, typed)
