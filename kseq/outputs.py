"""Outputs: the last layer, what it is trained by and what is served, by the kind of target.

Nothing slow is imported until a part is used, so that the registry can be listed without TensorFlow.
"""

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kseq import class_output, labels_output

if TYPE_CHECKING:
    import numpy as np

Thresholds = tuple[float, ...] | None


@dataclasses.dataclass(frozen=True)
class Output:
    """One kind of target, and all that depends on it. N is the number of texts, C the number of classes.

    Attributes:
        noun: what the class names are names of, in the plural.
        logits: `(vector (B, D) or sequence (B, T, D), C)` → what the loss reads.
        log_probabilities: logits → (…, K) for the loss, as `kseq.losses` has it.
        probabilities: logits → what is served, (B, C).
        metrics: C → the Keras metrics of training.
        shown: the metrics that a line of an epoch shows.
        monitor: what the kept epoch is best by where nothing is asked for.
        weights: `(class_weight, targets of train, class names)` → weights of the texts, float32 (N,), or None, and
            weights of the labels for the loss, or None.
        can_tune: whether C classes have thresholds to choose.
        thresholds: C → the thresholds where none are chosen.
        tune: `(probabilities (N, C), targets)` → the thresholds of the best macro-F1.
        answer: `(probabilities (n, C), names (C,), thresholds)` → the outputs of the signature, all tensors of
            TensorFlow with the batch dimension n.
        accuracy: what texts that are right did, in words.
        right: `(probabilities, targets, thresholds)` → whether each text got its label, or all of its labels, bool
            (N,).
        score: `(probabilities, targets, class names, thresholds)` → scores.
        table: `(probabilities, targets, class names, thresholds)` → header and rows of predictions.csv, without the
            text.
        draw: `(scores, class names, folder)`: draws the picture of the scores.
        reads: "vector", what the head gives, or "sequence", what the encoder gives.
    """

    noun: str
    logits: Callable[[Any, int], Any]
    log_probabilities: Callable[[Any], Any]
    probabilities: Callable[[Any], Any]
    metrics: Callable[[int], list[Any]]
    shown: tuple[str, ...]
    monitor: str
    weights: Callable[[str, "np.ndarray", Sequence[str]], tuple[Any, Any]]
    can_tune: Callable[[int], bool]
    thresholds: Callable[[int], Thresholds]
    tune: Callable[["np.ndarray", "np.ndarray"], Thresholds]
    answer: Callable[[Any, Any, Thresholds], dict[str, Any]]
    accuracy: str
    right: Callable[["np.ndarray", "np.ndarray", Thresholds], "np.ndarray"]
    score: Callable[["np.ndarray", "np.ndarray", Sequence[str], Thresholds], Any]
    table: Callable[
        ["np.ndarray", "np.ndarray", Sequence[str], Thresholds], tuple[list[str], Iterable[Sequence[object]]]
    ]
    draw: Callable[[Any, Sequence[str], Path], None]
    reads: str = "vector"


OUTPUTS: dict[str, Output] = {
    # One of C classes.
    "class": Output(
        noun="classes",
        logits=class_output.logits,
        log_probabilities=class_output.log_probabilities,
        probabilities=class_output.probabilities,
        metrics=class_output.metrics,
        shown=("loss", "accuracy"),
        monitor="val_accuracy",
        weights=class_output.weights,
        can_tune=lambda number_of_classes: number_of_classes == 2,
        thresholds=lambda number_of_classes: None,
        tune=class_output.tune,
        answer=class_output.answer,
        accuracy="got their label",
        right=class_output.right,
        score=class_output.score,
        table=class_output.table,
        draw=class_output.draw,
    ),
    # Any number of C labels.
    "classes": Output(
        noun="labels",
        logits=class_output.logits,
        log_probabilities=labels_output.log_probabilities,
        probabilities=labels_output.probabilities,
        metrics=labels_output.metrics,
        shown=("loss", "macro_f1"),
        # Rare labels begin with F1 and subset accuracy at one value for epochs, which looks like the end of learning.
        monitor="val_loss",
        weights=labels_output.weights,
        can_tune=lambda number_of_classes: True,
        thresholds=labels_output.thresholds,
        tune=labels_output.tune,
        answer=labels_output.answer,
        accuracy="got all of their labels and no other one",
        right=labels_output.right,
        score=labels_output.score,
        table=labels_output.table,
        draw=labels_output.draw,
    ),
}
