"""The rows of a comparison: which options each of them trains with. No TensorFlow here."""

import argparse
import dataclasses
import shlex
from collections.abc import Collection, Sequence
from typing import Any

from kseq.applies import check_applies, check_needs, choosing, refusal
from kseq.command_line import Parser, add_options, run_command, typed_flags
from kseq.errors import UsageError
from kseq.inputs import INPUTS
from kseq.options import FIELDS, REGISTRIES, Options
from kseq.registry import unknown

ALL = "all"
# Every row has the same texts in the same memory; its seeds are counted from --seed.
_OF_ALL_ROWS = ("seed", "max_train_samples", "cache", "cache_dir")


# Options that choose a part, and their plurals.
PLURALS = {name: f"{name}es" if name.endswith("s") else f"{name}s" for name in REGISTRIES}


@dataclasses.dataclass(frozen=True)
class Row:
    """One model of a comparison.

    Attributes:
        options: all of them, before the data settles what they leave to it.
        told: names of those that tell it from others: what differs from the first row, or, of the first row, what
            others change.
        of_all: whether it is one of all names of a list, and was not asked for by its own.
    """

    options: Options
    told: tuple[str, ...]
    of_all: bool = False

    @property
    def label(self) -> str:
        """Name the row by the flags that make it."""
        return shlex.join(typed_flags(self.options, self.told))

    def command(self, seed: int, dataset_reads: Collection[str], input_kind: str | None) -> str:
        """Give the command that trains this row alone.

        Args:
            seed: of the training.
            dataset_reads: names of the arguments of the dataset's `load`.
            input_kind: of the data.
        """
        return run_command(self.options.replace(seed=seed), dataset_reads, input_kind)


def add_row_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags that make rows: one for each option that chooses a part, and one for any other options."""
    heading = parser.add_argument_group(
        "rows",
        "The first names of the lists make the first row, which others vary.",
        # A list takes the place of an option's other spelling, as --positions does.
        conflict_handler="resolve",
    )
    for name, several in PLURALS.items():
        heading.add_argument(
            f"--{several.replace('_', '-')}",
            dest=f"several_{name}",
            metavar=f"NAME,…|{ALL}",
            help=f"compare these, by their --{name.replace('_', '-')} names; {ALL} is all of them",
        )
    heading.add_argument(
        "--row",
        dest="rows",
        action="append",
        default=[],
        metavar="FLAGS",
        help="a row of the first one's options but for these flags, such as '--cell lstm --num-layers 2'; repeatable",
    )


def read_rows(namespace: argparse.Namespace, options: Options, typed: Sequence[str]) -> list[Row]:
    """Make the rows that were asked for, each once, the first one first.

    Each name of a list gives a row that differs from the first one by it alone, and, where the first row reads no such
    option, by the first part that does.

    Args:
        namespace: with what `add_row_flags` added.
        options: those of all rows.
        typed: names of the fields that the user set.

    Raises:
        UsageError: an unknown name, flags that make no row, or only one row.
    """
    texts = {name: getattr(namespace, f"several_{name}") for name in PLURALS}
    lists = {name: _names(name, text) for name, text in texts.items() if text is not None}
    firsts = {name: names[0] for name, names in lists.items() if name not in typed and texts[name] != ALL}
    first = options.replace(**firsts)
    of_lists = {name: [_chosen(first, name, each) for each in names] for name, names in lists.items()}
    asked = [change for name, changes in of_lists.items() if texts[name] != ALL for change in changes]
    asked += [_read_row(text, first) for text in namespace.rows]
    changes = [*(change for changes in of_lists.values() for change in changes), *asked]
    varied = [name for name in FIELDS if any(name in changed for changed in changes)]
    told = tuple(name for name in varied if _does_something(name, first))
    rows = [Row(first, told)]
    by_name = [first.replace(**changed) for changed in asked]
    for changed in changes:
        made = first.replace(**changed)
        differing = (name for name in changed if name not in told or changed[name] != getattr(first, name))
        if made not in [row.options for row in rows]:
            rows.append(Row(made, tuple(differing), of_all=made not in by_name))
    if len(rows) == 1:
        flags = ", ".join(f"--{several.replace('_', '-')}" for several in PLURALS.values())
        raise UsageError(
            f"there is one row, and nothing to compare it with; expected names in {flags}, such as --cells "
            "simple_rnn,lstm,gru, or a --row."
        )
    return rows


def split_by_needs(rows: Sequence[Row], input_kind: str) -> tuple[list[Row], dict[str, str]]:
    """Take out of the rows of `all` names those that need what such data does not give.

    Args:
        rows: the first one first.
        input_kind: of the data.

    Returns:
        The rows that are left, and why others are not, by their labels.

    Raises:
        UsageError: such a row was asked for by its own name.
    """
    left, out = [], {}
    for row in rows:
        try:
            check_needs(row.options, INPUTS[input_kind].gives)
        except UsageError as error:
            if not row.of_all:
                raise
            out[row.label] = str(error)
        else:
            left.append(row)
    return left, out


def check_rows(rows: Sequence[Row], dataset_reads: Collection[str], input_kind: str | None) -> None:
    """Refuse rows whose own flags neither their parts nor the kind of the data reads.

    Args:
        rows: the first one first.
        dataset_reads: names of the arguments of the dataset's `load`.
        input_kind: of the data; None where it is not known yet.

    Raises:
        UsageError: naming the row and the flag.
    """
    for row in rows[1:]:
        try:
            check_applies(row.options, row.told, dataset_reads, input_kind)
        except UsageError as error:
            raise UsageError(f"the row {row.label!r}: {error}") from None


def _names(name: str, text: str) -> list[str]:
    """Read a list of names of parts."""
    if text == ALL:
        return [*REGISTRIES[name]]
    names = list(dict.fromkeys(text.split(",")))
    for each in names:
        if each not in REGISTRIES[name]:
            choices = [*REGISTRIES[name], ALL]
            raise UsageError(unknown(f"a name in --{PLURALS[name].replace('_', '-')}", each, choices))
    return names


def _chosen(first: Options, registry: str, name: str) -> dict[str, Any]:
    """Give the options that put a part into the first row: its own, and those of what reads it."""
    try:
        made = choosing(first, registry, name)
    except UsageError as error:
        raise UsageError(f"the row '--{registry} {name}': {error}") from None
    readers = {other: getattr(made, other) for other in REGISTRIES if getattr(made, other) != getattr(first, other)}
    return {**readers, registry: name}


def _does_something(name: str, options: Options) -> bool:
    return getattr(options, name) is not None and refusal(name, options, ()) is None


def _read_row(text: str, first: Options) -> dict[str, Any]:
    """Read the flags of a `--row`, which must fit the options of the first row."""
    parser = Parser(prog="kseq compare --row", allow_abbrev=False, add_help=False)
    add_options(parser, groups=("text", "model", "training"))
    try:
        given = vars(parser.parse_all(shlex.split(text)))
        changes = {name: value for name, value in given.items() if name in FIELDS}
        first.replace(**changes)
    except ValueError as error:  # UsageError among them, and a quotation mark without its second.
        raise UsageError(f"--row {text!r}: {error}") from None
    refused = [f"--{name.replace('_', '-')}" for name in _OF_ALL_ROWS if name in changes]
    if refused:
        raise UsageError(f"--row {text!r} sets {', '.join(refused)}, which all rows share. Write it outside of --row.")
    return changes
