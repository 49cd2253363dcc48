"""`tf.data` streams of texts to streams of texts."""

import numpy as np
import tensorflow as tf


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
    return dataset.enumerate().filter(lambda position, _: flags[position]).map(lambda _, element: element)


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
