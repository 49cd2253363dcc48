"""Flags, where their values come from, and how commands end before TensorFlow is imported."""

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

import kseq.run
from kseq import __main__, errors
from kseq.command_line import (
    Parser,
    add_options,
    find_source,
    read_options,
    recorded_fingerprints,
    recorded_options,
    typed_flags,
)
from kseq.console import Console
from kseq.errors import UsageError
from kseq.option_fields import value_type
from kseq.options import FIELDS, Options
from kseq.presets import PRESETS
from pipelines.errors import DataError

ROOT = Path(__file__).parents[1]
NAMES = [name for name in FIELDS if name != "dataset"]


def parser():
    made = Parser(prog="kseq test", allow_abbrev=False)
    add_options(made)
    return made


def read(*arguments):
    return read_options(parser().parse_all(arguments))


def refusal(*arguments, kind=UsageError):
    with pytest.raises(kind) as error:
        read(*arguments)
    return str(error.value)


def other_value(name):
    """A value that is valid and, where there is another, not the default."""
    field, rules = FIELDS[name], FIELDS[name].metadata
    kind, default = value_type(field), field.default
    if rules["choices"]:
        # A registry of one part leaves no other choice.
        return next((choice for choice in reversed(rules["choices"]) if choice != default), default)
    if kind is bool:
        return not default
    if kind is str:
        return {"class_weight": "something=2", "kernel_sizes": "2,7"}.get(name, "something")
    low = rules["low"]
    for value in (kind(low), kind(low) + (1 if kind is int else 0.125)):
        if value != default:
            return value
    raise LookupError(name)


def flag_of(name, value):
    flag = "--" + name.replace("_", "-")
    if value_type(FIELDS[name]) is bool:
        return [flag if value else flag.replace("--", "--no-", 1)]
    return [flag, str(value)]


def test_every_field_has_one_flag_and_every_flag_one_field():
    actions = [action for action in parser()._actions if action.dest in FIELDS]
    assert sorted(action.dest for action in actions) == sorted(FIELDS)
    for action in actions:
        if action.dest != "dataset":
            wanted = {"--" + action.dest.replace("_", "-"), *FIELDS[action.dest].metadata["aliases"]}
            assert wanted <= set(action.option_strings)
            assert FIELDS[action.dest].metadata["help"].replace("%", "%%") in action.help
    assert {action.dest for action in parser()._actions} - set(FIELDS) == {"help", "preset", "config"}
    assert len(actions) >= 31


@pytest.mark.parametrize("name", NAMES)
def test_a_flag_sets_its_field_and_no_other(name):
    value = other_value(name)
    options, typed = read("reviews", *flag_of(name, value))
    assert options == Options("reviews").replace(**{name: value})
    assert sorted(typed) == sorted(["dataset", name])
    assert type(getattr(options, name)) is value_type(FIELDS[name])


@pytest.mark.parametrize(
    ("arguments", "name", "value"),
    [
        (["--lr", "0.5"], "learning_rate", 0.5),
        (["--max-length", "7"], "sequence_length", 7),
        (["--maxlen=8"], "sequence_length", 8),
        (["--vocab-size", "99"], "vocabulary_size", 99),
        (["--hidden-size", "6"], "units", 6),
        (["--embedding-size", "5"], "embedding_dim", 5),
        (["--layers", "3"], "num_layers", 3),
        (["--bi"], "bidirectional", True),
        (["--no-bi"], "bidirectional", False),
        (["--output", "here"], "output_dir", "here"),
    ],
)
def test_other_spellings(arguments, name, value):
    for typed_order in (["reviews", *arguments], [*arguments, "reviews"]):
        options, typed = read(*typed_order)
        assert getattr(options, name) == value
        assert name in typed


def test_every_alias_is_taken():
    aliases = [(name, alias) for name in NAMES for alias in FIELDS[name].metadata["aliases"]]
    assert len(aliases) >= 9
    for name, alias in aliases:
        value = other_value(name)
        arguments = [alias] if value_type(FIELDS[name]) is bool else [alias, str(value)]
        assert getattr(read("reviews", *arguments)[0], name) == (True if value_type(FIELDS[name]) is bool else value)


def test_the_dataset_stands_anywhere():
    flags = [["--bi"], ["--units", "3"], ["--lr", "1"]]
    for place in range(4):
        arguments = [word for words in [*flags[:place], ["reviews"], *flags[place:]] for word in words]
        options, _ = read(*arguments)
        assert (options.dataset, options.units, options.learning_rate) == ("reviews", 3, 1)


def test_nothing_typed_is_the_defaults():
    assert read("reviews") == (Options("reviews"), ("dataset",))


def test_typed_flags_over_a_record_over_a_preset_over_the_defaults(tmp_path, monkeypatch):
    monkeypatch.setitem(PRESETS, "four", {"units": 4, "num_layers": 4, "epochs": 4})
    record = tmp_path / "run.json"
    record.write_text(json.dumps({"options": {"dataset": "reviews", "units": 5, "num_layers": 5}}))
    options, typed = read("--units", "6", "--config", str(record))
    assert options == Options("reviews", units=6, num_layers=5)
    assert typed == ("units",)
    options, typed = read("imdb", "--preset", "four", "--epochs", "3")
    assert options == Options("imdb", units=4, num_layers=4, epochs=3)
    assert typed == ("dataset", "epochs")


def test_a_record_and_what_contradicts_it_are_refused(tmp_path):
    record = tmp_path / "run.json"
    record.write_text(json.dumps({"options": {"dataset": "reviews"}}))
    assert read("reviews", "--config", str(record))[0].dataset == "reviews"
    with pytest.raises(UsageError, match=r"'imdb'.*'reviews'"):
        read("imdb", "--config", str(record))
    with pytest.raises(UsageError, match="--preset and --config"):
        read("--config", str(record), "--preset", "default")


def test_a_record_of_files_is_run_again_on_files_of_another_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    record = tmp_path / "run.json"
    record.write_text(json.dumps({"options": {"dataset": "once/tickets.csv", "units": 5}}))
    (tmp_path / "moved.csv").write_text("")
    options, typed = read("moved.csv", "--config", str(record))
    assert (options.dataset, options.units) == ("moved.csv", 5)
    for other in ("imdb", "tfds:imdb_reviews"):
        with pytest.raises(UsageError, match=rf"{other}.*'once/tickets\.csv'"):
            read(other, "--config", str(record))
    options, typed = read("--config", str(record))
    with pytest.raises(DataError) as error:
        find_source(options, typed)
    for part in ("once/tickets.csv, the dataset of the recorded run,", f"exist in {tmp_path}.", "beside --config"):
        assert part in str(error.value)


def test_a_recorded_test_file_that_is_elsewhere_is_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run.json").write_text(json.dumps({"options": {"dataset": "a.csv", "test_file": "once/b.csv"}}))
    (tmp_path / "a.csv").write_text("")
    with pytest.raises(DataError) as error:
        find_source(*read("--config", "run.json"))
    for part in ("once/b.csv, the --test-file of the recorded run,", f"exist in {tmp_path}.", "Type --test-file"):
        assert part in str(error.value)
    assert find_source(*read("--config", "run.json", "--test-file", "a.csv")).of == ("a.csv",)


@pytest.mark.parametrize(
    ("record", "found"),
    [({"data": {"fingerprints": {"test": "abc"}}}, {"test": "abc"}), ({}, {}), ({"data": {}}, {}), ([1], {})],
)
def test_the_fingerprints_of_a_record_are_read(record, found, tmp_path):
    (tmp_path / "run.json").write_text(json.dumps(record))
    assert recorded_fingerprints(tmp_path / "run.json") == found


@pytest.mark.parametrize("split", ["test", "validation"])
def test_a_fraction_is_refused_where_the_whole_split_is_given(split, tmp_path):
    path = str(tmp_path / "tickets.csv")
    (tmp_path / "tickets.csv").write_text("")
    with pytest.raises(UsageError, match=rf"--{split}-fraction does not apply beside --{split}-file {path}.*Leave one"):
        find_source(*read(path, f"--{split}-fraction", "0.3", f"--{split}-file", path))
    other = {"test": "validation", "validation": "test"}[split]
    source = find_source(*read(path, f"--{split}-fraction", "0.3", f"--{other}-file", path))
    assert source.of == (path,)


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("--class-weight", "-1=2,1=1"), ("--class-weight", "--no=2"), ("--label-separator", "--"),
        ("--label-separator", "-"), ("--label-separator", "->"), ("--label-separator", "--;"),
    ],
)  # fmt: skip
def test_values_may_begin_with_a_dash_where_labels_do(flag, value):
    name = flag.strip("-").replace("-", "_")
    for arguments in ([flag, value], [f"{flag}={value}"]):
        for order in (["reviews", *arguments, "--units", "3"], ["--units", "3", *arguments, "reviews"]):
            options, _ = read(*order)
            assert (getattr(options, name), options.dataset, options.units) == (value, "reviews", 3)
    assert "expected one argument" in refusal("reviews", flag, "--units", "3")


def test_a_record_of_all_options_gives_them_back(tmp_path):
    recorded = Options("reviews", bidirectional=True, units=3, name="mine", dropout=0.125, vocabulary_size=77)
    record = tmp_path / "run.json"
    record.write_text(json.dumps({"name": "mine", "options": recorded.to_dict()}))
    assert read("--config", str(record)) == (recorded, ())
    options, typed = read("--config", str(record), "--no-bidirectional")
    assert options == recorded.replace(bidirectional=False)
    assert typed == ("bidirectional",)


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_valid(name):
    assert read("reviews", "--preset", name)[0] == Options("reviews", **PRESETS[name])


def test_an_unknown_preset_names_the_nearest():
    message = refusal("reviews", "--preset", "defualt")
    assert message.startswith("preset is 'defualt'; expected one of ")
    assert "Did you mean 'default'?" in message


@pytest.mark.parametrize(
    ("arguments", "received", "meant"),
    [
        (["--unit", "3"], "--unit", "--units"),
        (["--learning_rate", "3"], "--learning_rate", "--learning-rate"),
        (["--droput=0.5"], "--droput", "--dropout"),
        (["--bidirectoinal"], "--bidirectoinal", "--bidirectional"),
    ],
)
def test_an_unknown_flag_names_the_nearest(arguments, received, meant):
    message = refusal("reviews", *arguments)
    assert f"{received!r}" in message
    assert f"Did you mean {meant}?" in message


def test_a_second_dataset_and_a_strange_flag_are_refused():
    assert "'imdb'" in refusal("reviews", "imdb")
    message = refusal("reviews", "--qqqqqqq")
    assert "Did you mean" not in message
    assert "--help" in message


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["--units", "many"], ["--units", "units is 'many'", "a whole number"]),
        (["--units", "2.5"], ["units is '2.5'", "a whole number"]),
        (["--lr", "fast"], ["learning_rate is 'fast'", "a number"]),
        (["--units", "0"], ["units is 0", "at least 1"]),
        (["--dropout", "1"], ["dropout is 1.0", "below 1"]),
        (["--dropout", "nan"], ["dropout is nan", "a number"]),
        (["--cell", "gur"], ["cell is 'gur'", "Did you mean 'gru'?"]),
        (["--units"], ["--units", "expected one argument"]),
        (["--bi=yes"], ["--bi", "'yes'"]),
        (["--config"], ["--config", "expected one argument"]),
    ],
)
def test_wrong_values(arguments, wanted):
    message = refusal("reviews", *arguments)
    for part in wanted:
        assert part in message


def test_no_dataset_lists_those_there_are():
    message = refusal("--units", "3")
    assert message.startswith("no dataset was named")
    for kind in ("imdb", "reviews", "a path", "tfds:NAME", "mycompany.tickets"):
        assert kind in message


@pytest.mark.parametrize(
    ("content", "kind", "wanted"),
    [
        (None, DataError, "cannot be read as a run record"),
        (b"{not json", DataError, "cannot be read as a run record"),
        (b"\xff\xfe\x00", DataError, "cannot be read as a run record"),
        (b"", DataError, "cannot be read as a run record"),
        (b"[1]", DataError, "holds no options"),
        (b"{}", DataError, "holds no options"),
        (b'{"options": [1]}', DataError, "holds no options"),
        (b'{"options": {"dataset": "reviews", "unist": 3}}', UsageError, "Did you mean 'units'?"),
        (b'{"options": {"dataset": "reviews", "units": "3"}}', UsageError, "units is '3'; expected a whole number"),
        (b'{"options": {"units": 3}}', UsageError, "no dataset was named"),
    ],
)
def test_records_that_are_none(tmp_path, content, kind, wanted):
    path = tmp_path / "record of mine.json"
    if content is not None:
        path.write_bytes(content)
    message = refusal("--config", str(path), kind=kind)
    assert wanted in message
    if kind is DataError:
        assert str(path) in message
        assert "run.json" in message


def test_a_folder_is_no_record(tmp_path):
    with pytest.raises(DataError, match="cannot be read as a run record"):
        recorded_options(tmp_path)


# How commands end. None of these gets as far as TensorFlow.


@pytest.fixture
def no_slow_imports(monkeypatch):
    """Nothing is trained by mistake: importing what trains fails."""
    monkeypatch.setitem(sys.modules, "kseq.experiment", None)
    monkeypatch.delattr(sys.modules["kseq"], "experiment", raising=False)


@pytest.mark.usefixtures("no_slow_imports")
@pytest.mark.parametrize(
    ("arguments", "code", "wanted"),
    [
        (["imbd"], errors.USAGE, ["dataset is 'imbd'", "Did you mean 'imdb'?"]),
        (["text_data"], errors.USAGE, ["dataset is 'text_data'"]),
        (["no/such.csv"], errors.DATA, ["no/such.csv does not exist in /", "reviews"]),
        (["/no/such.csv"], errors.DATA, ["/no/such.csv does not exist. Check the path."]),
        (["mails"], errors.USAGE, ["dataset is 'mails'", "A path or a module of that name is not here either."]),
        (["missing.csv"], errors.DATA, ["missing.csv does not exist"]),
        ([], errors.USAGE, ["no dataset was named"]),
        (["reviews", "--units", "x"], errors.USAGE, ["units is 'x'"]),
        (["reviews", "--unitz", "3"], errors.USAGE, ["--unitz", "--units"]),
        (
            ["reviews", "--head", "max", "--attention-units", "3"],
            errors.USAGE,
            ["--attention-units", "--head attention"],
        ),
        (["imdb", "--fine-labels"], errors.USAGE, ["--fine-labels", "'imdb'", "--split-seed"]),
        (["--config", "no-such-run.json"], errors.DATA, ["no-such-run.json", "run.json"]),
        (["reviews", "--preset", "x"], errors.USAGE, ["preset is 'x'"]),
        (["reviews", "--name", "a/b"], errors.USAGE, ["name is 'a/b'", "--output-dir"]),
    ],
)
def test_exit_codes_and_messages(arguments, code, wanted, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert kseq.run.main(arguments) == code
    output, message = capsys.readouterr()
    assert output == ""
    assert message.startswith("kseq: ")
    assert message.count("\n") == 1
    for part in wanted:
        assert part in message
    assert list(tmp_path.iterdir()) == []


def test_the_codes_are_those_that_the_help_names(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert (errors.DONE, errors.FAILURE, errors.USAGE, errors.DATA) == (0, 1, 2, 3)
    assert (errors.NOT_VERIFIED, errors.INTERRUPTED) == (4, 130)
    with pytest.raises(SystemExit) as ended:
        kseq.run.main(["--help"])
    assert ended.value.code == 0
    assert "0 done, 1 failure, 2 usage, 3 data, 4 export not verified, 130 interrupted" in capsys.readouterr().out


def test_verbs(capsys):
    assert __main__.main([]) == errors.DONE
    shown = capsys.readouterr().out
    assert shown.startswith("usage: kseq COMMAND")
    assert all(f"  {verb} " in shown for verb in __main__.COMMANDS)
    assert __main__.main(["-h"]) == __main__.main(["--help"]) == errors.DONE
    capsys.readouterr()
    assert __main__.main(["rnu"]) == errors.USAGE
    assert capsys.readouterr().err.startswith("kseq: command is 'rnu'; expected one of ")
    assert __main__.main(["run", "imbd"]) == errors.USAGE
    assert "Did you mean 'imdb'?" in capsys.readouterr().err


def test_an_unknown_verb_names_the_nearest(capsys):
    __main__.main(["rum"])
    assert capsys.readouterr().err.rstrip().endswith("Did you mean 'run'?")


def test_a_dataset_or_a_file_in_the_place_of_a_command_is_told(capsys, tmp_path):
    (tmp_path / "tickets.csv").write_text("")
    for name in ("reviews", str(tmp_path / "tickets.csv")):
        assert __main__.main([name]) == errors.USAGE
        assert capsys.readouterr().err.rstrip().endswith(f"{name!r} is something to train on: kseq run {name}")


def test_the_version_and_the_names_of_the_package_are_told(capsys):
    assert __main__.main(["--version"]) == errors.DONE
    assert capsys.readouterr().out == f"kseq {kseq.__version__}\n"
    assert {"load", "__version__"} <= set(dir(kseq))


def test_a_console_shows_the_log_while_it_owns_the_output_and_no_longer(capsys):
    log = logging.getLogger("pipelines")
    handlers, level = list(log.handlers), log.level
    with Console().owning_output():
        log.info("read again")
    log.info("told to nobody")
    assert capsys.readouterr().out == "note        read again\n"
    assert (log.handlers, log.level) == (handlers, level)


def in_a_process(*arguments, probe=False):
    """Run `python -m kseq …`; with `probe`, TensorFlow and Keras fail loudly when they are imported."""
    blocked = "import sys, runpy; sys.modules.update(tensorflow=None, keras=None, numpy=None); "
    program = ["-c", blocked + f"sys.argv = {['kseq', *arguments]!r}; runpy.run_module('kseq', run_name='__main__')"]
    return subprocess.run(
        [sys.executable, *(program if probe else ["-m", "kseq", *arguments])],
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200", "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
    )


@pytest.mark.parametrize(
    ("arguments", "code"),
    [([], 0), (["--help"], 0), (["run", "--help"], 0), (["nothing"], 2), (["run"], 2), (["run", "no.csv"], 3)],
)
def test_what_needs_no_tensorflow_imports_none(arguments, code):
    done = in_a_process(*arguments, probe=True)
    assert done.returncode == code, done.stderr
    assert (done.stdout == "") == (code != 0)
    assert (done.stderr == "") == (code == 0)


def test_help_names_every_flag_and_dataset():
    done = in_a_process("run", "--help")
    assert (done.returncode, done.stderr) == (0, "")
    for name in NAMES:
        assert "--" + name.replace("_", "-") in done.stdout
    for dataset in ("imdb", "reviews", "trec", "tickets.csv", "tfds:NAME", "mycompany.tickets"):
        assert dataset in done.stdout


@pytest.mark.parametrize("verb", __main__.COMMANDS)
def test_every_command_has_help(verb):
    done = in_a_process(verb, "--help", probe=True)
    assert done.returncode == 0, done.stderr
    assert f"kseq {verb}" in done.stdout


def test_typed_flags_set_the_same_options_again():
    typed = ["reviews", "--units", "3", "--no-bidirectional", "--predictions-text", "--class-weight", "-1=2,1=0.5"]
    options, names = read(*typed)
    flags = typed_flags(options, names)
    assert sorted(flags) == sorted(
        ["--units", "3", "--no-bidirectional", "--predictions-text", "--class-weight=-1=2,1=0.5"]
    )
    assert read("reviews", *flags) == (options, names)
    assert typed_flags(options, ["dataset"]) == []


def test_options_that_a_command_does_not_read_have_no_flag():
    made = Parser(allow_abbrev=False)
    add_options(made, groups=("data", "training"), without=("epochs",))
    with pytest.raises(UsageError, match="unknown argument '--epochs'"):
        made.parse_all(["reviews", "--epochs", "3"])
    assert made.parse_all(["reviews", "--patience", "3"]).patience == 3
