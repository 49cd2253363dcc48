"""A file that is answered in pieces, so that a broken job goes on where it stopped."""

import dataclasses
import hashlib
import itertools
import json
import os
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from kseq.answer_columns import answer_cells, with_answer
from kseq.errors import UsageError
from kseq.replacing import replacing
from kseq.row_files import join_pieces, write_piece
from kseq.saved_model import MANIFEST, Classifier
from pipelines.files.given_rows import GivenRow

# Many enough for texts of one length to find each other; few enough to be held and to be done again.
PIECE = 8192
_PLAN, _TALLY, _WHOLE = "job.json", "{:08d}.json", "whole"
_VERSION = 1


@dataclasses.dataclass(frozen=True)
class Piece:
    """Some rows that are answered.

    Attributes:
        path: of their file.
        rows: how many.
        problems: those of them without an answer.
        counts: answered texts by label.
    """

    path: Path
    rows: int
    problems: int
    counts: Mapping[str, int]


@dataclasses.dataclass(frozen=True)
class Job:
    """What is answered, and where it goes.

    Attributes:
        output: path of the file.
        form: "csv", "jsonl" or "parquet".
        columns: all of them, the answer's last.
        own: those of the answer.
        schema: of Parquet, or None.
        top_k: classes named a text.
        plan: whatever must be the same for a broken job to go on: model, input, settings.
    """

    output: Path
    form: str
    columns: tuple[str, ...]
    own: tuple[str, ...]
    schema: Any
    top_k: int
    plan: Mapping[str, Any]

    @property
    def folder(self) -> Path:
        """Where the pieces lie until the file is whole."""
        return self.output.with_name(f"{self.output.name}.parts")


def plan_of(model: Path, file: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Say what a job is of: the same model, file and settings give the same rows."""
    state = os.stat(file)
    return {
        "version": _VERSION,
        "model": hashlib.sha256((model / MANIFEST).read_bytes()).hexdigest(),
        "file": os.path.abspath(file),
        "bytes": state.st_size,
        "changed": state.st_mtime_ns,
        "piece": PIECE,
        **settings,
    }


def begun(job: Job, overwrite: bool) -> list[Piece]:
    """Find the pieces that an earlier start of the same job left, and make the folder where there is none.

    Raises:
        UsageError: the output exists, or pieces of another job lie there, and they are not to be overwritten.
    """
    if overwrite:
        shutil.rmtree(job.folder, ignore_errors=True)
    elif job.output.exists():
        raise UsageError(f"{job.output} exists. Name another --output, or add --overwrite.")
    if not job.folder.exists():
        job.folder.mkdir(parents=True)
        _write(job.folder / _PLAN, json.dumps(job.plan))
        return []
    found = _read(job.folder / _PLAN)
    other = sorted(name for name in {*found, *job.plan} if found.get(name) != job.plan.get(name))
    if other:
        raise UsageError(
            f"{job.folder} holds the pieces of another job, with another {' and '.join(other)}. Name another "
            "--output, or add --overwrite to begin anew."
        )
    pieces: list[Piece] = []
    # A piece counts once its tally is there too, which is written last.
    while tally := _read(job.folder / _TALLY.format(len(pieces))):
        pieces.append(Piece(_path(job, len(pieces)), **tally))
    return pieces


def answer_pieces(
    job: Job, rows: Iterable[GivenRow], classifier: Classifier, pieces: Sequence[Piece]
) -> Iterator[Piece]:
    """Answer the rows that are not answered yet, and give each piece once it is written.

    Args:
        rows: all of them.
        pieces: those that were found.
    """
    waiting = itertools.islice(rows, len(pieces) * PIECE, None)
    for number in itertools.count(len(pieces)):
        batch = list(itertools.islice(waiting, PIECE))
        if not batch:
            return
        answered = list(answered_rows(batch, classifier, job.own, job.top_k))
        piece = Piece(_path(job, number), len(batch), sum(bool(row.problem) for row in batch), _counts(answered, job))
        write_piece(piece.path, job.form, job.columns, answered, job.schema)
        tally = {"rows": piece.rows, "problems": piece.problems, "counts": piece.counts}
        _write(job.folder / _TALLY.format(number), json.dumps(tally))
        yield piece


def finish(job: Job, pieces: Sequence[Piece]) -> None:
    """Put the pieces together, and take them away."""
    whole = job.folder / _WHOLE
    join_pieces(whole, job.form, job.columns, [piece.path for piece in pieces], job.schema)
    whole.replace(job.output)
    shutil.rmtree(job.folder)


def answered_rows(
    rows: Sequence[GivenRow], classifier: Classifier, own: Sequence[str], top_k: int
) -> Iterator[dict[str, Any]]:
    """Answer rows; those with a problem come back with it."""
    answer = classifier([row.text for row in rows if not row.problem])
    cells = answer_cells(answer, classifier.class_names, top_k)
    for row in rows:
        yield with_answer(row.values, own, None if row.problem else next(cells), row.problem)


def _counts(answered: Iterable[Mapping[str, Any]], job: Job) -> dict[str, int]:
    given = (row[job.own[0]] for row in answered if row[job.own[-1]] is None)
    return dict(Counter(label for said in given for label in (said if isinstance(said, list) else [said])))


def _path(job: Job, number: int) -> Path:
    return job.folder / f"{number:08d}.{job.form}"


def _write(path: Path, text: str) -> None:
    with replacing(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")


def _read(path: Path) -> dict[str, Any]:
    """Read what `_write` wrote; nothing where it is not there or damaged."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
