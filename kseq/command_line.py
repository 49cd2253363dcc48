"""Flags of the commands, made from `Options`. No TensorFlow here."""

import argparse
import difflib
import json
import os
import shlex
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import pipelines
from kseq.applies import check_applies, inputs_reading, readers_of, refusal
from kseq.errors import UsageError
from kseq.inputs import INPUTS
from kseq.option_fields import value_type
from kseq.options import FIELDS, REGISTRIES, Options
from kseq.presets import PRESETS
from kseq.registry import unknown
from pipelines.errors import DataError

_METAVARS = {int: "N", float: "X", str: "NAME"}
GROUPS = ("data", "text", "model", "training", "output")
# Labels such as -1 begin with a dash, and so may what stands between labels.
_DASHED = {f"--{name.replace('_', '-')}" for name in ("class_weight", "label_separator")}
# Its value is flags.
_ROW = "--row"
_BESIDES = (
    "a path, such as tickets.csv or mails/; tfds:NAME; or a module with a function load, such as mycompany.tickets"
)


class Parser(argparse.ArgumentParser):
    """An argument parser that raises `UsageError` and names the nearest flag."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message)

    def parse_all(self, arguments: Sequence[str]) -> argparse.Namespace:
        """Parse, and refuse what is no flag.

        Raises:
            UsageError: naming the flag that may have been meant.
        """
        namespace, rest = self.parse_known_args(self._with_dashed_values(arguments))
        if rest:
            flag = rest[0].partition("=")[0]
            close = difflib.get_close_matches(flag, self._option_string_actions, n=1)
            hint = f" Did you mean {close[0]}?" if close else ""
            raise UsageError(f"unknown argument {flag!r}.{hint} See --help for all flags.")
        return namespace

    def _get_values(self, action: argparse.Action, arg_strings: list[str]) -> Any:
        # argparse takes two dashes for the end of the flags even in `--label-separator=--`, until Python 3.13.
        if action.option_strings and arg_strings == ["--"]:
            return self._get_value(action, "--")
        return super()._get_values(action, arg_strings)

    def _with_dashed_values(self, arguments: Sequence[str]) -> Sequence[str]:
        """Join flags to values that argparse would take for flags, as in `--class-weight -1=2,1=1`."""
        joined: list[str] = []
        for argument in arguments:
            known = argument.partition("=")[0] in self._option_string_actions
            dashed = joined and joined[-1] in _DASHED and argument.startswith("-") and not known
            if dashed or (joined and joined[-1] == _ROW):
                joined[-1] += f"={argument}"
            else:
                joined.append(argument)
        return joined


def add_options(parser: argparse.ArgumentParser, groups: Sequence[str] = GROUPS, without: Collection[str] = ()) -> None:
    """Add the dataset and a flag for each field of `Options`; flags that are not typed leave no trace.

    Args:
        parser: of a command.
        groups: those of the options that the command reads; without "data", it has no dataset.
        without: options of these groups that it does not read.
    """
    if "data" in groups:
        names = ", ".join(pipelines.datasets())
        parser.add_argument("dataset", nargs="?", default=argparse.SUPPRESS, help=f"a dataset: {names}; {_BESIDES}")
    headings = {name: parser.add_argument_group(name) for name in groups}
    parser.set_defaults(preset=None, config=None)
    if "output" in groups:
        presets = ", ".join(PRESETS)
        headings["output"].add_argument("--preset", metavar="NAME", help=f"a named set of options: {presets}")
        headings["output"].add_argument("--config", metavar="FILE", help="the run.json of a run, to run it again")
    for field in FIELDS.values():
        if field.metadata.get("group") not in groups or field.name in without:
            continue
        rules = field.metadata
        flags = [f"--{field.name.replace('_', '-')}", *rules["aliases"]]
        arguments: dict[str, Any] = {"dest": field.name, "default": argparse.SUPPRESS}
        help_text = rules["help"] + ("" if field.default is None else f" (default: {_shown(field.default)})")
        help_text += _applies_to(field.name)
        if value_type(field) is bool:
            arguments |= {"action": argparse.BooleanOptionalAction}
        else:
            metavar = "|".join(rules["choices"]) if rules["choices"] else _METAVARS[value_type(field)]
            metavar = "FOLDER" if field.name.endswith("_dir") else metavar
            arguments |= {"type": _reader(field), "metavar": metavar}
        headings[rules["group"]].add_argument(*flags, help=help_text.replace("%", "%%"), **arguments)


def read_options(namespace: argparse.Namespace) -> tuple[Options, tuple[str, ...]]:
    """Put typed flags over a recorded run, over a preset, over the defaults.

    Returns:
        The options, and the names of the fields that were typed.

    Raises:
        UsageError: an unknown preset, no dataset, or a wrong value.
        DataError: a record that is not there or is none.
    """
    typed = {name: value for name, value in vars(namespace).items() if name in FIELDS}
    values: dict[str, Any] = {}
    if namespace.preset is not None and namespace.config is not None:
        raise UsageError("--preset and --config were both given; a recorded run has every option. Leave one out.")
    if namespace.preset is not None:
        if namespace.preset not in PRESETS:
            raise UsageError(unknown("preset", namespace.preset, PRESETS))
        values |= PRESETS[namespace.preset]
    if namespace.config is not None:
        values |= recorded_options(Path(namespace.config))
        recorded = values.get("dataset")
        if recorded is not None and not _same_kind(typed.get("dataset", recorded), recorded):
            raise UsageError(
                f"the dataset is {typed['dataset']!r}, and {namespace.config} is of {recorded!r}, with options "
                "that were chosen for its texts. Leave the dataset out, or leave --config out and type the flags."
            )
    values |= typed
    if "dataset" not in values:
        raise UsageError(f"no dataset was named; expected one of {', '.join(pipelines.datasets())}; {_BESIDES}.")
    return Options(**values), tuple(typed)


def typed_flags(options: Options, typed: Sequence[str]) -> list[str]:
    """Give the flags that set what was typed, apart from the dataset."""
    flags = []
    for name in typed:
        flag, value = f"--{name.replace('_', '-')}", getattr(options, name)
        if value is True:
            flags.append(flag)
        elif value is False:
            flags.append(f"--no-{name.replace('_', '-')}")
        elif name != "dataset":
            # Behind a blank, a value that begins with a dash would be taken for a flag.
            flags += [f"{flag}={value}"] if str(value).startswith("-") else [flag, str(value)]
    return flags


def run_command(options: Options, dataset_reads: Collection[str], input_kind: str | None) -> str:
    """Give the command that trains with some options, the output apart.

    Args:
        options: all of them.
        dataset_reads: names of the arguments of the dataset's `load`.
        input_kind: of the data.
    """
    set_here = [
        name
        for name, field in FIELDS.items()
        if name not in ("dataset", "seed")
        and field.metadata["group"] != "output"
        and getattr(options, name) != field.default
        and refusal(name, options, dataset_reads, input_kind) is None
    ]
    flags = typed_flags(options, [*set_here, "seed"])
    return shlex.join(["python", "-m", "kseq.run", options.dataset, *flags])


def _same_kind(typed: str, recorded: str) -> bool:
    """Whether a recorded run may be run again on what is typed: its own dataset, or a path where it was of a path.

    Files move, and have another path from another folder; that their texts are the same is seen once they are read.
    """
    return typed == recorded or all(_is_path(name) for name in (typed, recorded))


def _is_path(name: str) -> bool:
    """Whether a dataset's name is rather a path, of something that may no longer be there."""
    try:
        source = pipelines.find(name)
    except DataError:
        return False
    return source is None or source.is_path


def find_source(options: Options, typed: Sequence[str], others: Sequence[Options] = ()) -> pipelines.Source:
    """Find what the dataset's name means, and refuse flags that it does not read and data that cannot be had.

    Args:
        options: all values.
        typed: names of the fields that the user set.
        others: of further models that the same flags are for.

    Raises:
        DataError: it looks like a path, and nothing is there; or the data is not there and cannot be fetched.
        UsageError: it is no dataset, path or module; or a flag does not apply.
    """
    name = options.dataset
    source = pipelines.find(name, sequences=options.sequence_column is not None)
    if source is None:
        message = unknown("dataset", name, pipelines.datasets())
        if "dataset" not in typed:
            raise DataError(
                f"{name}, the dataset of the recorded run, does not exist in {os.getcwd()}. Type its path beside "
                "--config, or change to the folder of that run."
            )
        if os.sep in name or "." in name:
            here = "" if os.path.isabs(name) else f" in {os.getcwd()}"
            raise DataError(f"{name} does not exist{here}. Check the path. If a dataset was meant: {message}")
        raise UsageError(f"{message} A path or a module of that name is not here either.")
    check_applies(options, typed, source.parameters, source.input_kind, others)
    for field in ("test_file", "validation_file", "unlabeled_file"):
        file, flag = getattr(options, field), f"--{field.replace('_', '-')}"
        if file is not None and field not in typed and not os.path.exists(file):
            raise DataError(
                f"{file}, the {flag} of the recorded run, does not exist in {os.getcwd()}. Type {flag} with its path "
                "beside --config, or change to the folder of that run."
            )
    source.check(source.given(options))
    return source


def recorded_options(path: Path) -> Mapping[str, Any]:
    """Read the options out of a run record.

    Raises:
        DataError: no such file, or one that is no run record.
        UsageError: a recorded option that this version does not know.
    """
    record = _record(path)
    options = record.get("options") if isinstance(record, dict) else None
    if not isinstance(options, dict):
        raise DataError(f"{path} holds no options; expected the run.json that a run leaves in assets.extra/.")
    for name in options:
        if name not in FIELDS:
            raise UsageError(unknown(f"an option in {path}", name, FIELDS))
    return options


def recorded_fingerprints(path: Path) -> Mapping[str, str]:
    """Read the fingerprints of the splits out of a run record; none where it has none.

    Raises:
        DataError: no such file, or one that is no run record.
    """
    record = _record(path)
    data = record.get("data") if isinstance(record, dict) else None
    found = data.get("fingerprints") if isinstance(data, dict) else None
    return found if isinstance(found, dict) else {}


def _record(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read as a run record ({error}); expected the run.json of a run.") from error


def _reader(field: Any) -> Any:
    kind = value_type(field)

    def read(text: str) -> Any:
        try:
            return kind(text)
        except ValueError:
            noun = "a whole number" if kind is int else "a number"
            raise argparse.ArgumentTypeError(f"{field.name} is {text!r}; expected {noun}.") from None

    return read


def _applies_to(name: str) -> str:
    """Say for which choices alone a flag is, where that is not all of them."""
    found = pipelines.datasets()
    takers = [dataset for dataset, module in found.items() if name in module.parameters]
    words = f" [{', '.join(takers)}]" if 0 < len(takers) < len(found) else ""
    kinds = inputs_reading(name)
    words += f" [{', '.join(f'{INPUTS[kind].noun}s' for kind in kinds)}]" if 0 < len(kinds) < len(INPUTS) else ""
    for registry, parts in REGISTRIES.items():
        readers = [part for option, part in readers_of(name) if option == registry]
        if 0 < len(readers) < len(parts):
            words += f" [--{registry} {'|'.join(readers)}]"
    return words


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
