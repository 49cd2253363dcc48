"""The leaderboard of a search: what came of each trial, and the command that repeats it."""

import dataclasses
from collections.abc import Collection, Mapping
from typing import Any

from keras_tuner.engine.trial import TrialStatus

from kseq.command_line import run_command
from kseq.options import FIELDS, Options
from kseq.tuning.folder import SearchFolder
from kseq.tuning.objective import Objective
from kseq.tuning.oracles import LastingOracle
from kseq.tuning.progress import settings_label


@dataclasses.dataclass(frozen=True)
class TrialResult:
    """A row of the leaderboard.

    Attributes:
        number: of the trial, from 0.
        status: "COMPLETED" or "FAILED".
        label: the flags that tell it from what is not searched.
        values: of the fields that were searched, as far as they do anything.
        value: of the objective; None where it failed.
        epochs: that are in its weights, of those of its schedule.
        of_epochs: of its schedule.
        seconds: that it took.
        cut: whether the budget ended it.
        validation: scores.
        reason: why it failed.
        command: that repeats it; None where there are no options to repeat.
    """

    number: int
    status: str
    label: str
    values: Mapping[str, Any]
    value: float | None = None
    epochs: int | None = None
    of_epochs: int | None = None
    seconds: float | None = None
    cut: bool = False
    validation: Mapping[str, Any] | None = None
    reason: str | None = None
    command: str | None = None


def trial_results(
    oracle: LastingOracle,
    folder: SearchFolder,
    base: Options,
    dataset_reads: Collection[str],
    input_kind: str,
    options_of: Any,
) -> list[TrialResult]:
    """Read what came of each trial that has ended, in the order of their ends.

    Args:
        oracle: of the search.
        folder: with the records.
        base: the options that are not searched.
        dataset_reads: names of the arguments of the dataset's `load`.
        input_kind: of the data.
        options_of: trial of keras-tuner → its options; it raises `ValueError` where they do not fit one another.
    """
    found = []
    for trial in oracle.ended:
        record = folder.record(trial.trial_id) if trial.status == TrialStatus.COMPLETED else None
        try:
            options = Options(**record["asked"]) if record else options_of(trial)
        except ValueError:
            options = None
        label = settings_label(options, base) if options else ""
        command = run_command(options, dataset_reads, input_kind) if options else None
        values = {name: value for name, value in trial.hyperparameters.values.items() if name in FIELDS}
        number = int(trial.trial_id)
        if record is None:
            reason = (trial.message or "").strip()
            found.append(TrialResult(number, trial.status, label, values, reason=reason, command=command))
            continue
        found.append(
            TrialResult(
                number,
                trial.status,
                label,
                record["values"],
                record["value"],
                record["epochs"],
                record["options"]["epochs"],
                record["seconds"],
                record["cut"],
                record["validation"],
                command=command,
            )
        )
    return found


def best_first(results: list[TrialResult], objective: Objective) -> list[TrialResult]:
    """Order the leaderboard: the best first, of equal ones the earlier; those that failed last."""
    sign = -1 if objective.direction == "max" else 1
    return sorted(results, key=lambda row: (row.value is None, sign * (row.value or 0.0), row.number))


def table_rows(results: list[TrialResult], fields: Collection[str]) -> tuple[list[str], list[list[Any]]]:
    """Make header and rows of trials.csv, unrounded; a cell is empty where nothing is known.

    Args:
        results: in any order.
        fields: that were searched.
    """
    scores = list(dict.fromkeys(name for row in results for name in row.validation or {} if "interval" not in name))
    header = ["trial", "status", "value", "epochs", "of_epochs", "seconds", "cut", *fields]
    header += [*(f"val_{name}" for name in scores), "reason", "command"]
    rows = [
        [
            row.number,
            row.status,
            row.value,
            row.epochs,
            row.of_epochs,
            row.seconds,
            row.cut,
            *(row.values.get(name) for name in fields),
            *((row.validation or {}).get(name) for name in scores),
            row.reason,
            row.command,
        ]
        for row in results
    ]
    return header, rows
