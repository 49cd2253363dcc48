"""What commands that read a dataset have in common: parser and start. No TensorFlow before the data is loaded."""

import time
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import pipelines
from kseq.applies import check_applies
from kseq.command_line import GROUPS, Parser, add_options
from kseq.console import Console, quiet_start
from kseq.errors import DATA, DONE, FAILURE, INTERRUPTED, MEANINGS, USAGE
from kseq.options import Options

if TYPE_CHECKING:
    from pipelines.sequence_data import SequenceData
    from pipelines.text_data import TextData

CODES = (DONE, FAILURE, USAGE, DATA, INTERRUPTED)


def command_parser(
    verb: str,
    description: str,
    groups: Sequence[str] = GROUPS,
    codes: Sequence[int] = CODES,
    without: Collection[str] = (),
) -> Parser:
    """Make the parser of a command: the dataset, a flag for each option and `--json`.

    Args:
        verb: the command's name.
        description: one sentence.
        groups: those of the options that the command reads.
        codes: exit codes that the command may end with.
        without: options of these groups that it does not read.
    """
    parser = Parser(
        prog=f"kseq {verb}",
        description=description,
        epilog=f"Exit codes: {', '.join(f'{code} {MEANINGS[code]}' for code in codes)}.",
        allow_abbrev=False,
    )
    add_options(parser, groups, without)
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output, the rest on error")
    return parser


def load_data(
    console: Console,
    source: pipelines.Source,
    options: Options,
    typed: Collection[str],
    others: Sequence[Options] = (),
) -> "TextData | SequenceData":
    """Load the texts or sequences and say what they are.

    It comes before the other slow imports: data that no classifier can be made of is told as soon as can be.

    Args:
        console: where it is said.
        source: of the data.
        options: all values.
        typed: names of the fields that the user set.
        others: of further models that the same flags are for.

    Raises:
        DataError: the data is not there, or no classifier can be made of it.
        UsageError: an option that was typed turns out not to apply to it.
    """
    with quiet_start():
        import tensorflow as tf  # noqa: F401
    start = time.perf_counter()
    data = source.load(**source.given(options))
    check_applies(options, typed, source.parameters, data.input_kind, others)

    from kseq.report import show_data

    show_data(console, data, start)
    return data
