"""Targets that are one of C classes: a softmax, and the most probable class or a threshold between two.

Nothing slow is imported until a function is called. What the functions take and give, `kseq.outputs.Output` says.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kseq.class_weights import NONE, class_weights

if TYPE_CHECKING:
    import numpy as np

    from kseq.scoring import Scores


def logits(vector: Any, number_of_classes: int) -> Any:
    """Map a vector (B, D) to one logit a class (B, C)."""
    import keras

    return keras.layers.Dense(number_of_classes, dtype="float32", name="logits")(vector)


def log_probabilities(logits: Any) -> Any:
    """Map logits (B, C) to the logarithms of probabilities (B, C)."""
    import keras

    return keras.ops.log_softmax(logits, axis=-1)


def probabilities(logits: Any) -> Any:
    """Map logits (B, C) to probabilities (B, C) that sum to 1."""
    import keras

    return keras.layers.Softmax(dtype="float32", name="probabilities")(logits)


def metrics(number_of_classes: int) -> list[Any]:
    """Make the metrics shown while training."""
    import keras

    from kseq.metrics import MacroF1

    return [keras.metrics.SparseCategoricalAccuracy(name="accuracy"), MacroF1(number_of_classes)]


def weights(setting: str, targets: "np.ndarray", class_names: Sequence[str]) -> tuple["np.ndarray | None", None]:
    """Weigh every text by its class: float32 (N,), or None where all weigh the same."""
    import numpy as np

    if setting == NONE:
        return None, None
    counts = np.bincount(targets, minlength=len(class_names))
    of_classes = np.array(class_weights(setting, class_names, counts.tolist()), np.float32)
    return of_classes[targets], None


def tune(probabilities: "np.ndarray", targets: "np.ndarray") -> tuple[float, ...]:
    """Choose the threshold of the second of two classes."""
    from kseq.thresholds import best_threshold

    return (best_threshold(probabilities[:, 1], targets == 1, both=True),)


def answer(probabilities: Any, names: Any, thresholds: tuple[float, ...] | None) -> dict[str, Any]:
    """Give one label a text, with its number and its probability."""
    import tensorflow as tf

    if thresholds is None:
        label_id = tf.argmax(probabilities, axis=1)  # (n,)
    else:
        label_id = tf.cast(probabilities[:, 1] >= thresholds[0], tf.int64)  # (n,)
    return {
        "probabilities": probabilities,
        "label": tf.gather(names, label_id),
        "label_id": label_id,
        "confidence": tf.gather(probabilities, label_id, batch_dims=1),
    }


def right(probabilities: "np.ndarray", targets: "np.ndarray", thresholds: tuple[float, ...] | None) -> "np.ndarray":
    """Tell which texts got their label, bool (N,)."""
    from kseq.scoring import predict

    return predict(probabilities, thresholds[0] if thresholds else None) == targets


def score(
    probabilities: "np.ndarray", targets: "np.ndarray", class_names: Sequence[str], thresholds: tuple[float, ...] | None
) -> "Scores":
    """Score the labels given and the probabilities."""
    from kseq import scoring

    return scoring.score(probabilities, targets, class_names, thresholds[0] if thresholds else None)


def table(
    probabilities: "np.ndarray", targets: "np.ndarray", class_names: Sequence[str], thresholds: tuple[float, ...] | None
) -> tuple[list[str], Iterable[Sequence[object]]]:
    """Make a row of every text: its label, the one given and all probabilities."""
    from kseq.scoring import predict

    predicted = predict(probabilities, thresholds[0] if thresholds else None)
    rows = (
        [class_names[label], class_names[guess], *(f"{value:.6f}" for value in (row[guess], *row))]
        for label, guess, row in zip(targets, predicted, probabilities, strict=True)
    )
    return ["label", "predicted", "confidence", *(f"probability of {name}" for name in class_names)], rows


def draw(scores: "Scores", class_names: Sequence[str], folder: Path) -> None:
    """Draw the confusion matrix."""
    from kseq.figures import draw_confusion_matrix

    draw_confusion_matrix(scores.confusion_matrix, class_names, folder / "confusion_matrix.png")
