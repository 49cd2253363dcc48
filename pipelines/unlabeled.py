"""Texts without labels, as a model may learn from them: no text that is held out is among them."""

import dataclasses

import numpy as np
import tensorflow as tf

from pipelines.survey import survey
from pipelines.text_data import TextData

UNLABELED = "unlabeled"


def read_unlabeled(data: TextData, most: int | None = None) -> TextData:
    """Read the unlabeled texts once, and write down how many there are and which.

    Those that also stand in validation or test were left out when the data was made; here they are counted.

    Args:
        data: with unlabeled texts or without; where it has none, it is returned.
        most: texts to keep, the first ones; all where None.

    Returns:
        The data, whose `unlabeled`, `sizes` and `fingerprints` are of the texts that are left; its `reading` has
        `unlabeled_left_out`, the number of those that are held out, where the number of all is known.
    """
    if data.unlabeled is None:
        return data
    found = survey(as_pairs(data.unlabeled, data.target_spec))
    reading = dict(data.reading)
    if UNLABELED in data.sizes and "unlabeled_left_out" not in reading:
        reading["unlabeled_left_out"] = data.sizes[UNLABELED] - len(found)
    kept = found[np.arange(len(found))[:most]]
    return dataclasses.replace(
        data,
        unlabeled=data.unlabeled.take(len(kept)),
        sizes={**data.sizes, UNLABELED: len(kept)},
        fingerprints={**data.fingerprints, UNLABELED: kept.fingerprint},
        reading=reading,
    )


def as_pairs(texts: tf.data.Dataset, target: tf.TensorSpec) -> tf.data.Dataset:
    """Put a target that says nothing, all zeros, beside each text, for what reads `(text, target)`.

    Args:
        texts: unbatched strings.
        target: shape and type.
    """
    nothing = tf.zeros(target.shape, target.dtype)
    return texts.map(lambda text: (text, nothing))
