"""`python -m kseq.predict MODEL FILE`: answer the texts of a file with a SavedModel."""

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

from kseq import errors
from kseq.answer_columns import answer_columns
from kseq.command_line import Parser
from kseq.commands import command_parser
from kseq.console import Console, end, quiet_start
from kseq.prediction_job import Job, answer_pieces, answered_rows, begun, finish, plan_of
from kseq.row_files import SUFFIXES, answer_schema, header, write_rows
from kseq.saved_model import EXTRA, Classifier, find_version, load, read_lines
from kseq.saved_model import LABELS as LABELS_FILE
from pipelines.files.given_rows import FORMATS, STANDARD_INPUT, GivenRows, open_rows

_STREAMED = 256
_SHOWN_LABELS = 8
_SAID_EVERY = 10.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    return end(_run, arguments)


def _parser() -> Parser:
    parser = command_parser(
        "predict",
        "Answer the texts of a file: its rows in their order with all their columns, the answers beside. A job that "
        "broke goes on where it stopped.",
        groups=(),
    )
    parser.add_argument("model", help="folder of a SavedModel: saved_models/NAME, or a version in it")
    parser.add_argument("file", help="CSV, JSON lines, Parquet or text with one text a line; - for standard input")
    parser.add_argument("--format", choices=FORMATS, help="of the file (default: found; of standard input, lines)")
    parser.add_argument(
        "--text-column", metavar="NAME", help="column of the text (default: that of training, else found)"
    )
    parser.add_argument("--encoding", metavar="NAME", help="of the file (default: UTF-8, or UTF-16 where it is)")
    parser.add_argument("--top-k", type=int, default=1, metavar="N", help="classes named a text (default: 1)")
    parser.add_argument(
        "--output",
        metavar="PATH",
        help="a .csv, .jsonl or .parquet; - for standard output, as CSV (default: FILE-predicted in the working "
        "folder, in the format of FILE; of standard input, standard output)",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace the output, and begin a broken job anew")
    return parser


def _run(arguments: Sequence[str]) -> int:
    started = time.perf_counter()
    typed = _parser().parse_all(arguments)
    folder = find_version(Path(typed.model))
    class_names = read_lines(folder, LABELS_FILE)
    record = _record(folder)
    if record.get("data", {}).get("input_kind") == "numeric":
        raise errors.UsageError(
            f"{folder} labels numeric sequences, and the rows of a file are answered as texts. From Python, give "
            "arrays (T, F) to kseq.load."
        )
    several = record.get("data", {}).get("target_kind") == "classes"
    if not 1 <= typed.top_k <= len(class_names) or (several and typed.top_k != 1):
        most = f"at most {len(class_names)}, the number of its classes" if not several else "1: it gives all labels"
        raise errors.UsageError(f"--top-k is {typed.top_k}; expected at least 1 and, of {folder}, {most}.")
    output = _output(typed.output, typed.file)
    if output is None and typed.json:
        raise errors.UsageError("--json needs standard output for itself. Name a file with --output.")
    trained_on = record.get("data", {}).get("reading", {}).get("text_column", ())
    rows = open_rows(
        typed.file, form=typed.format, text_column=typed.text_column, trained_on=trained_on, encoding=typed.encoding
    )
    own = answer_columns(several, typed.top_k, rows.columns)
    columns = (*rows.columns, *own)
    # Standard output may be the table's: the console writes beside it.
    console = Console(as_json=typed.json or output is None)
    if output is None:
        stream = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8", errors="backslashreplace", newline="")
        with stream, console.owning_output():
            _stream(rows, _loaded(folder), columns, own, typed.top_k, stream)
        return errors.DONE
    form, path = output
    flags = {"text column": typed.text_column, "format": typed.format, "encoding": typed.encoding, "top-k": typed.top_k}
    job = Job(
        output=path,
        form=form,
        columns=columns,
        own=own,
        schema=answer_schema(rows.schema, rows.columns, several, own) if form == "parquet" else None,
        top_k=typed.top_k,
        plan=plan_of(folder, typed.file, flags),
    )
    with console.owning_output():
        found = _answer(job, rows, folder, typed.overwrite, console, started)
    console.json(found)
    return errors.DONE


def _answer(
    job: Job, rows: GivenRows, folder: Path, overwrite: bool, console: Console, started: float
) -> dict[str, Any]:
    """Answer a file piece by piece, and say how it goes."""
    pieces = begun(job, overwrite)
    console.say("rows", f"of {rows.note}")
    if pieces:
        before = sum(piece.rows for piece in pieces)
        console.say("found", f"{before:,} rows that an earlier start had answered, in {job.folder}; going on")
    classifier = _loaded(folder)
    console.say("model", f"{folder}: {len(classifier.class_names)} classes  ({time.perf_counter() - started:.1f} s)")
    start = said = time.perf_counter()
    total = found = sum(piece.rows for piece in pieces)
    for piece in answer_pieces(job, rows.read(), classifier, pieces):
        pieces.append(piece)
        total += piece.rows
        if (now := time.perf_counter()) - said > _SAID_EVERY:
            console.say("answered", f"{total:,} rows, {(total - found) / (now - start):,.0f} a second")
            said = now
    rate = (total - found) / (time.perf_counter() - start)
    finish(job, pieces)
    problems = sum(piece.problems for piece in pieces)
    counts = sum((Counter(piece.counts) for piece in pieces), Counter[str]())
    most = [f"{label} {count:,}" for label, count in counts.most_common(_SHOWN_LABELS)]
    console.say("answered", f"{total:,} rows, {rate:,.0f} a second")
    console.say("predicted", ", ".join(most) + (", …" if len(counts) > _SHOWN_LABELS else "") or "nothing")
    if problems:
        console.say("warning", f"{problems:,} of {total:,} rows have no answer; their column {job.own[-1]!r} says why")
    console.say("saved", f"{job.output}  ({time.perf_counter() - started:.1f} s)")
    return {
        "output": str(job.output),
        "rows": total,
        "problems": problems,
        "predicted": dict(counts.most_common()),
        "model": str(folder),
        "seconds": round(time.perf_counter() - started, 3),
    }


def _stream(
    rows: GivenRows, classifier: Classifier, columns: Sequence[str], own: Sequence[str], top_k: int, stream: TextIO
) -> None:
    """Answer rows as they come."""
    stream.write(header("csv", columns))
    stream.flush()
    batch = []
    for row in rows.read():
        batch.append(row)
        # Whoever types waits for an answer; a file does not.
        if len(batch) == (1 if sys.stdin.isatty() else _STREAMED):
            write_rows(stream, "csv", columns, answered_rows(batch, classifier, own, top_k))
            stream.flush()
            batch = []
    write_rows(stream, "csv", columns, answered_rows(batch, classifier, own, top_k))


def _output(typed: str | None, file: str) -> tuple[str, Path] | None:
    """Find form and path of the output; None for standard output.

    Raises:
        UsageError: a suffix that is none of ours, or the file itself.
    """
    if typed == "-" or (typed is None and file == STANDARD_INPUT):
        return None
    if typed is None:
        given = Path(file)
        suffixes = [suffix.lower() for suffix in given.suffixes]
        suffix = next((suffix for suffix in reversed(suffixes) if suffix in SUFFIXES), ".csv")
        suffix = ".jsonl" if not {".json", ".ndjson"}.isdisjoint(suffixes) else suffix
        path = Path(f"{given.name.partition('.')[0] or 'rows'}-predicted{suffix}")
    else:
        path = Path(typed)
    if path.suffix.lower() not in SUFFIXES:
        raise errors.UsageError(f"--output is {typed!r}; expected a path that ends in {', '.join(SUFFIXES)}, or -.")
    if file != STANDARD_INPUT and path.exists() and os.path.exists(file) and path.samefile(file):
        raise errors.UsageError(f"--output {path} is the file that is read. Name another one.")
    return SUFFIXES[path.suffix.lower()], path


def _loaded(folder: Path) -> Classifier:
    with quiet_start():
        import tensorflow as tf  # noqa: F401
    return load(folder)


def _record(folder: Path) -> dict[str, Any]:
    """Read the run record beside the model; nothing where it has none."""
    try:
        found = json.loads((folder / EXTRA / "run.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


if __name__ == "__main__":
    sys.exit(main())
