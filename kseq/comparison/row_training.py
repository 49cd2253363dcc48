"""Train the rows of a comparison, each with every seed, but for what an earlier call has done."""

import functools
import statistics
import time
from collections.abc import Callable, Mapping, Sequence

from kseq import report
from kseq.adapted_data import AdaptedData
from kseq.comparison.folder import Folder
from kseq.comparison.results import RowTrainings
from kseq.comparison.rows import Row
from kseq.comparison.trainings import Training, train_once
from kseq.console import Console, shown_time
from kseq.experiment import Prepared
from kseq.many_trainings import FAILURES, failure_reason
from kseq.options import Options
from kseq.pretraining_report import pretrain_and_tell
from pipelines.sequence_data import SequenceData
from pipelines.text_data import TextData

# A row's number, from 1, and a seed.
Key = tuple[int, int]


def train_rows(
    console: Console,
    data: TextData | SequenceData,
    rows: Sequence[Row],
    seeds: Sequence[int],
    folder: Folder,
    asked: Callable[[], bool],
    recorded: Mapping[str, str],
) -> dict[Key, Training | str]:
    """Train what is missing, one seed of all rows after the other, and keep each training as soon as it is there.

    A row that fails does not keep the others from their turn, and is tried again by the next call.

    Args:
        console: where progress is told.
        data: the texts or sequences.
        rows: to train.
        seeds: to train each with.
        folder: where trainings are kept.
        asked: whether the user wants to stop; the training in hand is then given up.
        recorded: fingerprints of the splits of the run that the first row repeats; none where there is no such run.

    Returns:
        The trainings, and, for those that failed, why.
    """
    numbered = dict(enumerate(rows, start=1))
    wanted = [(number, seed) for seed in seeds for number in numbered]
    done: dict[Key, Training | str] = {}
    for number, seed in wanted:
        training = folder.find(numbered[number].options, seed)
        if training is not None:
            done[number, seed] = training
    if done:
        console.say("found", f"{len(done)} of {len(wanted)} trainings in {folder.path}, done earlier")
    adapted = AdaptedData(data)
    for key in wanted:
        if asked():
            break
        if key in done:
            continue
        number, seed = key
        row = numbered[number]
        prepared = _prepared(console, row.options, adapted, recorded)
        console.say(f"row {number}/{len(rows)}", f"{row.label}, seed {seed}")
        try:
            training = train_once(
                prepared,
                prepared.options.replace(seed=seed),
                report.epoch_line(console, prepared),
                functools.partial(pretrain_and_tell, console),
            )
        except FAILURES as error:
            done[key] = reason = failure_reason(error)
            console.say("failed", reason)
            continue
        if training is None:
            break
        folder.keep(training, row.options, seed)
        done[key] = training
        _show(console, training, wanted, done)
    return done


def of_rows(
    rows: Sequence[Row], commands: Sequence[str], seeds: Sequence[int], done: Mapping[Key, Training | str]
) -> list[RowTrainings]:
    """Put what came of the trainings to the rows.

    Args:
        rows: the first one first.
        commands: that train each alone.
        seeds: that were asked for.
        done: as `train_rows` gives it.
    """
    found = []
    for number, (row, command) in enumerate(zip(rows, commands, strict=True), start=1):
        outcomes = {seed: done[number, seed] for seed in seeds if (number, seed) in done}
        found.append(
            RowTrainings(
                row.label,
                command,
                {seed: outcome for seed, outcome in outcomes.items() if isinstance(outcome, Training)},
                {seed: outcome for seed, outcome in outcomes.items() if isinstance(outcome, str)},
            )
        )
    return found


def _prepared(console: Console, options: Options, adapted: AdaptedData, recorded: Mapping[str, str]) -> Prepared:
    """Give the data as a row reads it; say what that is where no row before has read it in the same way."""
    there = options in adapted
    start = time.perf_counter()
    prepared = adapted.prepare(options)
    if not there:
        report.show_prepared(console, prepared, start)
        if len(adapted) == 1:
            report.show_changed(console, recorded, prepared.data)
    return prepared


def _show(console: Console, training: Training, wanted: Sequence[Key], done: Mapping[Key, Training | str]) -> None:
    """Say how a training came out, and how long the others will take."""
    right, total = training.record["right"], training.record["seconds"]["total"]
    waiting = [key for key in wanted if key not in done]
    left = (
        f"; {len(done)} of {len(wanted)} done, about {shown_time(_seconds_of(waiting, done))} left" if waiting else ""
    )
    console.say("scores", f"validation {right['validation']:.2%}  test {right['test']:.2%}  ({total:.0f} s{left})")


def _seconds_of(waiting: Sequence[Key], done: Mapping[Key, Training | str]) -> float:
    """Estimate the time of trainings: as long as the same row took, or else as long as the others took in the mean."""
    took: dict[int, list[float]] = {}
    for (number, _), outcome in done.items():
        if isinstance(outcome, Training):
            took.setdefault(number, []).append(outcome.record["seconds"]["total"])
    means = {number: statistics.mean(seconds) for number, seconds in took.items()}
    usual = statistics.mean(means.values())
    return sum(means.get(number, usual) for number, _ in waiting)
