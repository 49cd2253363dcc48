"""Metrics of training that Keras lacks."""

from typing import Any

import keras


class MacroF1(keras.metrics.Metric):
    """Mean F1 from counts over the whole split, as scikit-learn's `f1_score(average="macro")` has it.

    Of single labels, it is the mean over the classes that a text has or got; of several, over all, and a label without
    text and prediction scores 0.

    `keras.metrics.F1Score` takes no integer labels.

    Args:
        number_of_classes: C.
        several: whether a text can have several labels. Then targets are (B, C) of 0 and 1, and a label is given where
            its logit is not negative; otherwise targets are (B,), and the class of the greatest logit is given.
    """

    def __init__(self, number_of_classes: int, several: bool = False, name: str = "macro_f1"):
        super().__init__(name=name)
        self.number_of_classes = number_of_classes
        self.several = several
        shape = (number_of_classes,)
        self._hits = self.add_weight(shape=shape, initializer="zeros", name="hits")
        self._given = self.add_weight(shape=shape, initializer="zeros", name="given")
        self._support = self.add_weight(shape=shape, initializer="zeros", name="support")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count targets, logits (B, C) and weights (B,), if any."""
        if self.several:
            actual = keras.ops.cast(y_true, self.dtype)  # (B, C)
            given = keras.ops.cast(keras.ops.greater_equal(y_pred, 0), self.dtype)  # (B, C)
        else:
            actual = keras.ops.one_hot(keras.ops.cast(y_true, "int32"), self.number_of_classes, dtype=self.dtype)
            given = keras.ops.one_hot(keras.ops.argmax(y_pred, axis=-1), self.number_of_classes, dtype=self.dtype)
        counted = actual
        if sample_weight is not None:
            weights = keras.ops.expand_dims(keras.ops.cast(sample_weight, self.dtype), -1)  # (B, 1)
            given, counted = given * weights, actual * weights
        self._hits.assign_add(keras.ops.sum(given * actual, axis=0))
        self._given.assign_add(keras.ops.sum(given, axis=0))
        self._support.assign_add(keras.ops.sum(counted, axis=0))

    def result(self) -> Any:
        """Compute the mean over the classes."""
        either = self._given + self._support
        scores = keras.ops.divide_no_nan(2 * self._hits, either)
        if self.several:
            return keras.ops.mean(scores)
        return keras.ops.divide_no_nan(keras.ops.sum(scores), keras.ops.sum(keras.ops.cast(either > 0, self.dtype)))

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal metric."""
        return {"number_of_classes": self.number_of_classes, "several": self.several, "name": self.name}
