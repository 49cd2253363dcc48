"""`python -m kseq.tune DATASET`: search the options that do best on validation, and leave a verified SavedModel."""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pipelines
from kseq import errors
from kseq.command_line import Parser, find_source, read_options
from kseq.commands import CODES, command_parser, load_data
from kseq.console import Console, end
from kseq.options import Options
from kseq.tuning.budget import Budget, read_budget
from kseq.tuning.objective import NAMES
from kseq.tuning.request import TUNERS, Request, variants
from kseq.tuning.space import read_space

_FOLDER = "tuning"
_NAME = "tuned"
_TRIALS = 30
_SEEDS = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    return end(_run, arguments)


def _parser() -> Parser:
    parser = command_parser(
        "tune",
        "Search the options that do best on validation, train the best of them with several seeds, test once beside "
        "the defaults, and leave a SavedModel that loads anywhere. Flags of options hold them.",
        codes=sorted([*CODES, errors.NOT_VERIFIED]),
        # A trial ends where its tuner or the budget says; the name is that of the search.
        without=("last_epoch", "name"),
    )
    search = parser.add_argument_group("search")
    search.add_argument("--tuner", default="hyperband", metavar="|".join(TUNERS), help="(default: hyperband)")
    search.add_argument(
        "--search",
        action="append",
        default=[],
        metavar="FIELD=VALUES",
        help="search this option alone, and others that are named so: low..high, low..high:log, or a,b,c; 'default' "
        "adds what is searched without it; repeatable",
    )
    search.add_argument(
        "--objective", metavar="|".join(NAMES), help="(default: val_accuracy; val_macro_f1 of several labels a text)"
    )
    search.add_argument(
        "--trials", type=int, metavar="N", help=f"most trials (default: {_TRIALS}; with --budget, as many as it allows)"
    )
    search.add_argument(
        "--budget",
        metavar="TIME",
        help="time of the whole command until its exit, retraining, tests and export included, such as 30m",
    )
    search.add_argument(
        "--patience-trials",
        type=int,
        metavar="N",
        help="trials without a better one before the search stops (default: no such end)",
    )
    search.add_argument(
        "--seeds",
        type=int,
        default=_SEEDS,
        metavar="N",
        help=f"seeds that the best settings and the defaults are trained with at the end (default: {_SEEDS}; with "
        "--budget, as many of them as it allows)",
    )
    search.add_argument(
        "--tuning-dir", default=_FOLDER, metavar="FOLDER", help=f"folder for searches (default: {_FOLDER})"
    )
    search.add_argument(
        "--name", dest="search_name", default=_NAME, metavar="NAME", help=f"name of the search (default: {_NAME})"
    )
    search.add_argument(
        "--overwrite", action="store_true", help="delete what an earlier call has found under that name"
    )
    return parser


def _run(arguments: Sequence[str]) -> int:
    started = time.perf_counter()
    namespace = _parser().parse_all(arguments)
    options, typed = read_options(namespace)
    request = _request(namespace, options, typed, arguments)
    budget = Budget(None if namespace.budget is None else read_budget(namespace.budget), started)
    others = variants(request.space, options)
    source = find_source(options, typed, others)
    console = Console(namespace.json)
    with console.owning_output():
        code, found = _tune(console, source, request, others, budget, started)
    console.json(found)
    return code


def _request(
    namespace: argparse.Namespace, options: Options, typed: Sequence[str], arguments: Sequence[str]
) -> Request:
    """Put together what was asked for."""
    for flag, least in (("trials", 1), ("seeds", 1), ("patience_trials", 1)):
        value = getattr(namespace, flag)
        if value is not None and value < least:
            raise errors.UsageError(f"--{flag.replace('_', '-')} is {value}; expected at least {least}.")
    space, named = read_space(namespace.search, typed)
    return Request(
        options=options,
        typed=typed,
        space=space,
        named=frozenset(named),
        tuner=namespace.tuner,
        objective=namespace.objective,
        trials=namespace.trials or (_TRIALS if namespace.budget is None else None),
        patience_trials=namespace.patience_trials,
        seeds=namespace.seeds,
        root=Path(namespace.tuning_dir),
        name=namespace.search_name,
        overwrite=namespace.overwrite,
        arguments=tuple(arguments),
    )


def _tune(
    console: Console,
    source: pipelines.Source,
    request: Request,
    others: Sequence[Options],
    budget: Budget,
    started: float,
) -> tuple[int, dict[str, Any]]:
    """Search, retrain, test and export; return the exit code and what `--json` tells."""
    data = load_data(console, source, request.options, request.typed, others)

    from kseq.tuning.ending import end_search
    from kseq.tuning.search import run_search

    found = run_search(console, source, data, request, budget)
    return end_search(console, request, found, started)


if __name__ == "__main__":
    sys.exit(main())
