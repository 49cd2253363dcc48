"""`tf.data` streams of texts to streams of texts."""

from typing import Any

import numpy as np
import tensorflow as tf

_SELECT_BLOCK = 1024


def untuned(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Switch tf.data's tuner off for a pipeline whose parallelism is set.

    In TensorFlow 2.21, an iterator that is tuned waits, when it ends, for the tuner's next turn: the longer it has run,
    the longer, up to a minute.
    """
    settings = tf.data.Options()
    settings.autotune.enabled = False
    return dataset.with_options(settings)


def select(dataset: tf.data.Dataset, chosen: np.ndarray) -> tf.data.Dataset:
    """Keep the elements of a dataset whose position is True in `chosen`, bool (N,)."""
    flags = tf.constant(chosen)

    # By blocks: a filter of single elements is some twenty times slower, longer than many files take to read.
    def keep(number: tf.Tensor, block: Any) -> Any:
        start = number * _SELECT_BLOCK
        kept = tf.where(flags[start : start + tf.shape(tf.nest.flatten(block)[0], tf.int64)[0]])[:, 0]
        return tf.nest.map_structure(lambda part: tf.gather(part, kept), block)

    return dataset.batch(_SELECT_BLOCK).enumerate().map(keep).unbatch()


def drop_texts(texts: tf.data.Dataset, text_hashes: np.ndarray) -> tf.data.Dataset:
    """Leave texts out of a dataset while it is read, and read nothing now.

    Args:
        texts: unbatched strings.
        text_hashes: uint64 (N,) of the texts to leave out, as `survey` finds them.
    """
    known = tf.constant(np.sort(text_hashes.view(np.int64)))

    def is_other(text: tf.Tensor) -> tf.Tensor:
        text_hash = tf.bitcast(tf.fingerprint(text[tf.newaxis]), tf.int64)
        first, end = (tf.searchsorted(known, text_hash, side=side) for side in ("left", "right"))
        return first[0] == end[0]

    return texts.filter(is_other)
