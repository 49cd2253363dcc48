"""Targets that are any number of C labels: a sigmoid and a threshold for each.

Nothing slow is imported until a function is called. What the functions take and give, `kseq.outputs.Output` says.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kseq.class_weights import NONE, label_weights

if TYPE_CHECKING:
    import numpy as np

    from kseq.label_scoring import LabelsScores

Thresholds = tuple[float, ...] | None


def log_probabilities(logits: Any) -> Any:
    """Map logits (B, C) to the logarithms of the probabilities of absence and presence (B, C, 2)."""
    import keras

    return keras.ops.stack([keras.ops.log_sigmoid(-logits), keras.ops.log_sigmoid(logits)], axis=-1)


def probabilities(logits: Any) -> Any:
    """Map logits (B, C) to probabilities (B, C), each between 0 and 1."""
    import keras

    return keras.layers.Activation("sigmoid", dtype="float32", name="probabilities")(logits)


def metrics(number_of_classes: int) -> list[Any]:
    """Make the metrics shown while training: the fraction of texts with all labels right, and macro-F1, at 0.5."""
    import keras

    from kseq.metrics import MacroF1

    def all_right(targets: Any, logits: Any) -> Any:
        right = keras.ops.equal(keras.ops.cast(targets, "bool"), keras.ops.greater_equal(logits, 0))  # (B, C)
        return keras.ops.cast(keras.ops.all(right, axis=-1), "float32")

    accuracy = keras.metrics.MeanMetricWrapper(all_right, name="accuracy")
    return [accuracy, MacroF1(number_of_classes, several=True)]


def weights(
    setting: str, targets: "np.ndarray", class_names: Sequence[str]
) -> tuple[None, tuple[list[float], list[float]] | None]:
    """Weigh absence and presence of every label, C weights each, or None where all weigh the same.

    They go through the loss: a weight of a text could not tell its labels apart.
    """
    if setting == NONE:
        return None, None
    return None, label_weights(setting, class_names, targets.sum(axis=0, dtype=int).tolist(), len(targets))


def thresholds(number_of_classes: int) -> tuple[float, ...]:
    """Give every label from a probability of 0.5 on."""
    from kseq.thresholds import DEFAULT

    return (DEFAULT,) * number_of_classes


def tune(probabilities: "np.ndarray", targets: "np.ndarray") -> tuple[float, ...]:
    """Choose the threshold of the best F1 for each label; their mean, macro-F1, is then the best as well."""
    from kseq.thresholds import best_threshold

    columns = zip(probabilities.T, targets.T, strict=True)
    return tuple(best_threshold(column, present, both=False) for column, present in columns)


def answer(probabilities: Any, names: Any, thresholds: Thresholds) -> dict[str, Any]:
    """Give the labels of each text, the most probable first, and fill up to C columns with nothing."""
    import tensorflow as tf

    given = probabilities >= tf.constant(thresholds, tf.float32)  # (n, C)
    # Probabilities are not negative, so that what is not given comes last.
    order = tf.argsort(tf.where(given, probabilities, -1.0), axis=1, direction="DESCENDING", stable=True)  # (n, C)
    count = tf.reduce_sum(tf.cast(given, tf.int64), axis=1)  # (n,)
    filled = tf.range(tf.shape(given)[1], dtype=tf.int64) < count[:, tf.newaxis]  # (n, C)
    return {
        "probabilities": probabilities,
        "labels": tf.where(filled, tf.gather(names, order), ""),
        "label_ids": tf.where(filled, tf.cast(order, tf.int64), tf.constant(-1, tf.int64)),
        "confidences": tf.where(filled, tf.gather(probabilities, order, batch_dims=1), 0.0),
        "label_count": count,
    }


def right(probabilities: "np.ndarray", targets: "np.ndarray", thresholds: Thresholds) -> "np.ndarray":
    """Tell which texts got all of their labels and no other one, bool (N,)."""
    import numpy as np

    return ((probabilities >= np.array(thresholds, np.float32)) == targets.astype(bool)).all(axis=1)


def score(
    probabilities: "np.ndarray", targets: "np.ndarray", class_names: Sequence[str], thresholds: Thresholds
) -> "LabelsScores":
    """Score the labels given and the probabilities."""
    from kseq.label_scoring import score_labels

    return score_labels(probabilities, targets, class_names, thresholds)


def table(
    probabilities: "np.ndarray", targets: "np.ndarray", class_names: Sequence[str], thresholds: Thresholds
) -> tuple[list[str], Iterable[Sequence[object]]]:
    """Make a row of every text: its labels and the ones given, each a row of CSV within its cell, and probabilities."""
    import numpy as np

    given = probabilities >= np.array(thresholds, np.float32)
    rows = (
        [_names(label, class_names), _names(guess, class_names), *(f"{value:.6f}" for value in row)]
        for label, guess, row in zip(targets, given, probabilities, strict=True)
    )
    return ["labels", "predicted", *(f"probability of {name}" for name in class_names)], rows


def draw(scores: "LabelsScores", class_names: Sequence[str], folder: Path) -> None:
    """Draw precision, recall and F1 of the labels."""
    from kseq.figures import draw_label_scores

    draw_label_scores(scores.classes, folder / "labels.png")


def _names(present: "np.ndarray", class_names: Sequence[str]) -> str:
    names = [name for name, flag in zip(class_names, present, strict=True) if flag]
    cell = io.StringIO()
    csv.writer(cell, lineterminator="").writerow(names)
    # One empty name would be written as two quotation marks; no name at all is an empty cell.
    return cell.getvalue()
