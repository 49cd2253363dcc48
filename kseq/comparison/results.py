"""What the trainings of each row say together. N is the number of test texts, S that of seeds."""

import dataclasses
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kseq.comparison.trainings import Training
from kseq.paired_tests import McNemar, holm, mcnemar
from kseq.scoring import wilson_interval


@dataclasses.dataclass(frozen=True)
class Means:
    """Means over the S seeds that a row was trained with.

    Attributes:
        accuracies: fraction of the test texts that are all right, S.
        accuracy: their mean.
        accuracy_interval: 95% Wilson score interval of that mean on N texts: what another sample of texts would change.
            Means over seeds vary less than it allows for.
        accuracy_deviation: standard deviation over the seeds, None of one.
        macro_f1: of the test texts.
        validation_accuracy: fraction of the validation texts that are all right.
        parameters: trained numbers.
        parameters_without_vectors: those of them outside the tables of vectors, of which a text uses a few rows.
        epochs: that were trained, a mean.
        seconds_per_epoch: median over the epochs, validation included, the first one apart; of it the median over the
            seeds.
        train_seconds: of training and validating.
        latency: milliseconds of one text, the median of the calls; of it the median over the seeds.
        latency_steps: of that one.
    """

    accuracies: tuple[float, ...]
    accuracy: float
    accuracy_interval: tuple[float, float]
    accuracy_deviation: float | None
    macro_f1: float
    validation_accuracy: float
    parameters: int
    parameters_without_vectors: int
    epochs: float
    seconds_per_epoch: float
    train_seconds: float
    latency: float
    latency_steps: int


@dataclasses.dataclass(frozen=True)
class RowResult:
    """A row of the table.

    Attributes:
        number: of the row, from 1.
        label: the flags that make it.
        command: that trains it alone, with its first seed.
        seeds: that were trained.
        failed: why a seed could not be trained, by seed.
        means: None where no seed was trained.
        test: McNemar's, against the first row.
        p_holm: its p, corrected for the number of rows that are tested.
    """

    number: int
    label: str
    command: str
    seeds: tuple[int, ...]
    failed: Mapping[int, str]
    means: Means | None
    test: McNemar | None = None
    p_holm: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Give the row as what JSON knows."""
        return dataclasses.asdict(self)


@dataclasses.dataclass(frozen=True)
class RowTrainings:
    """A row and what came of training it.

    Attributes:
        label: the flags that make it.
        command: that trains it alone, with its first seed.
        trainings: by seed.
        failed: why there is none, by seed.
    """

    label: str
    command: str
    trainings: Mapping[int, Training]
    failed: Mapping[int, str]


def row_results(rows: Sequence[RowTrainings]) -> list[RowResult]:
    """Put the trainings of each row together, and test each row against the first.

    Args:
        rows: the first one first.
    """
    found = [
        RowResult(
            number, row.label, row.command, tuple(row.trainings), row.failed, _means(list(row.trainings.values()))
        )
        for number, row in enumerate(rows, start=1)
    ]
    tests = [_test(rows[0].trainings, row.trainings) for row in rows[1:]]
    corrected = iter(holm([test.p for test in tests if test]))
    tested = [
        dataclasses.replace(result, test=test, p_holm=next(corrected)) if test else result
        for result, test in zip(found[1:], tests, strict=True)
    ]
    return [found[0], *tested]


def _means(trainings: Sequence[Training]) -> Means | None:
    """Put the trainings of one row together."""
    if not trainings:
        return None
    accuracies = [float(training.right.mean()) for training in trainings]
    records = [training.record for training in trainings]
    return Means(
        accuracies=tuple(accuracies),
        accuracy=statistics.mean(accuracies),
        accuracy_interval=wilson_interval(
            statistics.mean(int(training.right.sum()) for training in trainings), len(trainings[0].right)
        ),
        accuracy_deviation=statistics.stdev(accuracies) if len(accuracies) > 1 else None,
        macro_f1=_mean(records, "test", "macro_f1"),
        validation_accuracy=_mean(records, "right", "validation"),
        parameters=records[0]["parameters"]["all"],
        parameters_without_vectors=records[0]["parameters"]["without_vectors"],
        epochs=statistics.mean(record["epochs"] for record in records),
        seconds_per_epoch=statistics.median(record["seconds"]["epoch"] for record in records),
        train_seconds=_mean(records, "seconds", "train"),
        latency=statistics.median(record["latency"]["p50"] for record in records),
        latency_steps=records[0]["latency"]["steps"],
    )


def _mean(records: Sequence[Mapping[str, Any]], group: str, name: str) -> float:
    return statistics.mean(record[group][name] for record in records)


def _test(first: Mapping[int, Training], other: Mapping[int, Training]) -> McNemar | None:
    """Test two rows by the seeds that both were trained with."""
    seeds = [seed for seed in first if seed in other]
    if not seeds:
        return None
    return mcnemar(*(np.sum([row[seed].right for seed in seeds], axis=0) for row in (first, other)))
