"""The rows that flags make, before anything is trained."""

import shlex

import pytest

from kseq.command_line import Parser, add_options, find_source, read_options
from kseq.commands import command_parser
from kseq.comparison.rows import add_row_flags, check_rows, plural, read_rows
from kseq.errors import UsageError
from kseq.options import REGISTRIES, Options


def rows_of(*arguments):
    parser = command_parser("compare", "")
    add_options(parser, groups=("data", "text", "model", "training"))
    add_row_flags(parser)
    namespace = parser.parse_all(["reviews", *arguments])
    options, typed = read_options(namespace)
    rows = read_rows(namespace, options, typed)
    first, *others = [row.options for row in rows]
    source = find_source(first, typed, others)
    check_rows(rows, source.parameters)
    return rows, source.parameters


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
    for name, registry in REGISTRIES.items():
        rows, _ = rows_of(f"--{plural(name)}", "all") if len(registry) > 1 else ([], ())
        found = [getattr(row.options, name) for row in rows]
        assert found == [] or found[0] == getattr(Options("reviews"), name)
        assert found == [] or sorted(found) == sorted(registry)
    assert labels("--cells", "all", "--cell", "lstm")[0] == "--cell lstm"
    assert len(labels("--cells", "all", "--heads", "all")) == len(REGISTRIES["cell"]) + len(REGISTRIES["head"]) - 1


def test_a_typed_choice_makes_the_first_row_whatever_the_list_begins_with():
    assert labels("--cells", "lstm,gru", "--cell", "gru") == ["--cell gru", "--cell lstm"]
    assert labels("--cells", "lstm", "--cell", "gru") == ["--cell gru", "--cell lstm"]


def test_plurals_are_words():
    assert [plural(name) for name in ("cell", "loss", "head")] == ["cells", "losses", "heads"]


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


def test_a_list_whose_option_the_first_row_does_not_read_chooses_what_does(monkeypatch):
    from kseq.registry import Part

    def bag(vectors, mask, initial=None):
        """Read no order."""

    monkeypatch.setitem(REGISTRIES["encoder"], "bag", Part(bag, "no order"))
    options = Options("reviews")
    object.__setattr__(options, "encoder", "bag")
    parser = Parser(allow_abbrev=False)
    add_row_flags(parser)
    monkeypatch.setattr(Options, "__post_init__", lambda self: None)
    rows = read_rows(parser.parse_all(["--cells", "gru,lstm"]), options, ["encoder"])
    assert [row.label for row in rows] == [
        "--encoder bag",
        "--encoder recurrent --cell gru",
        "--encoder recurrent --cell lstm",
    ]


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
        (("--row", "--units 8 trec --seed 3"), ["the dataset 'trec'", "--seed", "outside of --row"]),
        (("--row", "--preset default"), ["--preset", "outside of --row"]),
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
    assert rows[0].command(0, reads) == "python -m kseq.run reviews --head max --seed 0"
    assert rows[1].command(0, reads) == "python -m kseq.run reviews --head attention --attention-units 8 --seed 0"


def test_the_command_of_a_row_has_its_options():
    arguments = ["--cells", "gru,lstm", "--no-bidirectional", "--class-weight=-a=2", "--distance", "3", "--row", "--bi"]
    for row in rows_of(*arguments)[0]:
        program, m, module, *flags = shlex.split(row.command(5, ("distance",)))
        assert [program, m, module] == ["python", "-m", "kseq.run"]
        parser = command_parser("run", "")
        add_options(parser)
        options, typed = read_options(parser.parse_all(flags))
        assert options == row.options.replace(seed=5)
        find_source(options, typed)
