"""One row of a comparison trained with one seed, and tested once."""

import dataclasses
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np

from kseq import experiment
from kseq.experiment import Prepared
from kseq.latency import measure_latency
from kseq.many_trainings import of_many_models
from kseq.model import count_weights
from kseq.options import Options
from kseq.pretraining import Pretrained
from kseq.report import summary
from kseq.run_record import environment
from kseq.training import TrainingResult


@dataclasses.dataclass(frozen=True)
class Training:
    """What is left of a model that was trained and tested.

    Attributes:
        record: what JSON knows of it: seed, options, scores, history, sizes and times.
        probabilities: of the test split, float32 (N, C).
        targets: of the test split, (N,) or (N, C).
        right: whether each text of the test split got its label, or all of its labels, bool (N,).
    """

    record: Mapping[str, Any]
    probabilities: np.ndarray
    targets: np.ndarray
    right: np.ndarray


@of_many_models()
def train_once(
    prepared: Prepared,
    options: Options,
    on_epoch: Callable[[int, Mapping[str, float]], None],
    pretrain: Callable[[Prepared, Options], Pretrained | None] = experiment.pretrain_model,
) -> Training | None:
    """Train and test a model as `kseq run` does; None where the user stopped it.

    Args:
        prepared: for these options.
        options: with what the data settles filled in, and with the seed.
        on_epoch: called after each epoch with its number, from 1, and its metrics.
        pretrain: learns from the texts alone what the options ask for.

    Raises:
        TrainingError: the loss is not a number any more.
    """
    started = time.perf_counter()
    # What Keras keeps of the model before would stay in memory.
    keras.utils.clear_session()
    pretrained = pretrain(prepared, options)
    if pretrained is not None and pretrained.interrupted:
        return None
    model = experiment.new_model(prepared, options, pretrained)
    result = experiment.train_model(model, prepared, options, on_epoch=on_epoch)
    if result.interrupted:
        return None
    evaluation = experiment.evaluate(model, prepared, options)
    answers, targets = evaluation.answers["test"], prepared.splits["test"].targets
    thresholds = evaluation.decision.thresholds
    parameters, without_vectors = count_weights(model)
    latency = measure_latency(evaluation.server, prepared)
    record = {
        "seed": options.seed,
        "options": options.to_dict(),
        "parameters": {"all": parameters, "without_vectors": without_vectors},
        "epochs": len(result.history["loss"]),
        "best_epoch": result.best_epoch,
        "history": dict(result.history),
        "pretraining": None if pretrained is None else pretrained.to_dict(),
        "seconds": {
            "epoch": seconds_per_epoch(result),
            "train": result.seconds,
            "total": time.perf_counter() - started,
        },
        "latency": dataclasses.asdict(latency),
        "thresholds": evaluation.decision.named(prepared.data.class_names),
        **{split: summary(scores) for split, scores in evaluation.scores.items()},
        "right": {
            split: float(_right(prepared, split, evaluation.answers[split], thresholds).mean())
            for split in evaluation.answers
        },
        **environment(),
    }
    return Training(record, answers, targets, _right(prepared, "test", answers, thresholds))


def seconds_per_epoch(result: TrainingResult) -> float:
    """Give the median time of an epoch; the first, which compiles, is left out where there are others."""
    seconds = result.history["seconds"]
    return statistics.median(seconds[1:] or seconds)


def _right(prepared: Prepared, split: str, answers: np.ndarray, thresholds: Any) -> np.ndarray:
    return prepared.output.right(answers, prepared.splits[split].targets, thresholds)
