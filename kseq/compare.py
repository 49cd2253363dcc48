"""`python -m kseq.compare DATASET --cells simple_rnn,lstm,gru`: train several models on equal terms."""

import argparse
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pipelines
from kseq import errors
from kseq.command_line import Parser, find_source, read_options, recorded_fingerprints
from kseq.commands import command_parser, load_data
from kseq.comparison.rows import Row, add_row_flags, check_rows, read_rows, split_by_needs
from kseq.console import Console, end
from kseq.interruption import Interruption

FOLDER = "comparisons"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    return end(_run, arguments)


def _parser() -> Parser:
    parser = command_parser(
        "compare",
        "Train several models on the same splits and seeds, and compare accuracy, size and speed, with paired tests.",
        # A comparison exports no model.
        without=("output_dir", "name", "baseline", "predictions_text"),
    )
    add_row_flags(parser)
    parser.add_argument(
        "--seeds", type=int, default=3, metavar="N", help="trainings of each row, from --seed on (default: 3)"
    )
    output = parser.add_argument_group("folder of the comparison")
    output.add_argument(
        "--output-dir", "--output", default=FOLDER, metavar="FOLDER", help=f"folder for comparisons (default: {FOLDER})"
    )
    output.add_argument(
        "--name",
        default=argparse.SUPPRESS,
        metavar="NAME",
        help="name of the comparison (default: that of the first row's export)",
    )
    output.add_argument(
        "--overwrite", action="store_true", help="delete what an earlier call has trained under that name"
    )
    return parser


def _run(arguments: Sequence[str]) -> int:
    namespace = _parser().parse_all(arguments)
    if namespace.seeds < 1:
        raise errors.UsageError(f"--seeds is {namespace.seeds}; expected at least 1.")
    options, typed = read_options(namespace)
    recorded = recorded_fingerprints(Path(namespace.config)) if namespace.config is not None else {}
    rows = read_rows(namespace, options, typed)
    first, *others = [row.options for row in rows]
    source = find_source(first, typed, others)
    check_rows(rows, source.parameters, source.input_kind)
    seeds = [options.seed + place for place in range(namespace.seeds)]
    command = shlex.join(["python", "-m", "kseq.compare", *arguments])
    console = Console(namespace.json)
    with console.owning_output():
        code, found = _compare(console, source, rows, typed, seeds, namespace.overwrite, command, recorded)
    console.json(found)
    return code


def _compare(
    console: Console,
    source: pipelines.Source,
    rows: Sequence[Row],
    typed: Sequence[str],
    seeds: Sequence[int],
    overwrite: bool,
    command: str,
    recorded: Mapping[str, str],
) -> tuple[int, Mapping[str, Any]]:
    """Train what is missing, and write what all say; return the exit code and what `--json` tells."""
    first, *others = [row.options for row in rows]
    data = load_data(console, source, first, typed, others)
    check_rows(rows, source.parameters, data.input_kind)
    rows, left_out = split_by_needs(rows, data.input_kind)
    for label, reason in left_out.items():
        console.say("left out", f"{label}: {reason}")

    from kseq import experiment
    from kseq.comparison.folder import open_folder
    from kseq.comparison.row_training import of_rows, train_rows
    from kseq.comparison.table import plain_table
    from kseq.comparison.writing import write_comparison
    from kseq.run_record import environment
    from kseq.terms import learned_from

    for row in rows:
        experiment.check_fits(data, row.options)
    here = environment()
    terms = {
        "data": dict(data.fingerprints),
        "first_row": learned_from(first),
        "versions": {name: here["versions"][name] for name in ("tensorflow", "keras")} | {"kseq": here["kseq"]},
    }
    folder = open_folder(Path(first.output_dir) / first.export_name(data.name), terms, overwrite)
    with Interruption(lambda: _say_what_follows(console)) as interruption:
        done = train_rows(console, data, rows, seeds, folder, interruption.asked, recorded)
        commands = [row.command(seeds[0], source.parameters, data.input_kind) for row in rows]
        comparison = write_comparison(folder, data, of_rows(rows, commands, seeds, done), seeds, command, left_out)
    console.line()
    console.line(plain_table(comparison.results))
    console.line()
    for note in comparison.notes:
        console.say("note", note)
    console.say("saved", f"{folder.path.resolve()}")
    if interruption.asked():
        console.say("stopped", "the same command goes on where this one stopped")
        code = errors.INTERRUPTED
    else:
        code = errors.FAILURE if any(row.failed for row in comparison.results) else errors.DONE
    return code, {"folder": str(folder.path.resolve()), **comparison.record}


def _say_what_follows(console: Console) -> None:
    console.line()
    console.say(
        "stopping", "the training in hand is given up; those that are finished are kept. Ctrl-C again leaves at once."
    )


if __name__ == "__main__":
    sys.exit(main())
