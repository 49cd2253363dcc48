"""`kseq VERB …` is `python -m kseq.VERB …`."""

import importlib
import os
import sys
from collections.abc import Sequence

import pipelines
from kseq import __version__
from kseq.errors import DONE, USAGE
from kseq.registry import unknown

COMMANDS = {
    "run": "train on a dataset, test once, leave a verified SavedModel",
    "compare": "train several models on equal terms: one table, one picture, paired tests",
    "tune": "search the options that do best on validation, test once beside the defaults, leave a SavedModel",
    "data": "look at a dataset or a file: what is in it, what is wrong with it",
    "predict": "answer the texts of a file with a SavedModel",
    "models": "list the parts that a model can be made of, their parameters and papers",
    "find_learning_rate": "try rising learning rates on train, and suggest one",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Hand the arguments to the command that the first of them names, and return its exit code."""
    verb, *rest = (sys.argv[1:] if arguments is None else list(arguments)) or ["--help"]
    if verb in ("-h", "--help"):
        width = max(map(len, COMMANDS))
        lines = [f"  {name:<{width}} {summary}" for name, summary in COMMANDS.items()]
        sys.stdout.write("\n".join(["usage: kseq COMMAND …", "", *lines, "", "kseq COMMAND --help tells more."]) + "\n")
        return DONE
    if verb == "--version":
        sys.stdout.write(f"kseq {__version__}\n")
        return DONE
    if verb not in COMMANDS:
        message = unknown("command", verb, COMMANDS)
        if verb in pipelines.datasets() or os.path.exists(verb):
            message += f" {verb!r} is something to train on: kseq run {verb}"
        sys.stderr.write(f"kseq: {message}\n")
        return USAGE
    return importlib.import_module(f"kseq.{verb}").main(rest)


if __name__ == "__main__":
    sys.exit(main())
