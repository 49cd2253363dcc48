"""A split of numeric sequences as the model reads it."""

from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf

from pipelines.rows import Rows, Scalars, offsets_of
from pipelines.sequence_data import Sequences
from pipelines.vectorized_split import VectorizedSplit

_BATCH = 32


def numeric_split(
    sequences: Sequences, standardize: Callable[[tf.Tensor, tf.Tensor], Mapping[str, tf.Tensor]]
) -> VectorizedSplit:
    """Standardise every sequence once, and keep the result in memory.

    Args:
        sequences: N of them.
        standardize: values float32 (B, T, F), padded on the right, and lengths int32 (B,) to `values` and `lengths`.
    """
    values, lengths = [np.zeros((0, sequences.channels), np.float32)], [np.zeros(0, np.int32)]
    of_all = sequences.lengths.astype(np.int32)
    for start in range(0, len(sequences), _BATCH):
        chosen = np.arange(start, min(start + _BATCH, len(sequences)))
        named = standardize(tf.constant(sequences.rows.padded(chosen)), tf.constant(of_all[chosen]))
        lengths.append(named["lengths"].numpy())
        real = np.arange(named["values"].shape[1]) < lengths[-1][:, np.newaxis]  # (B, T)
        values.append(named["values"].numpy()[real])
    counts = np.concatenate(lengths)
    rows = Rows(np.concatenate(values), offsets_of(counts))
    inputs: dict[str, Rows | Scalars] = {"values": rows, "lengths": Scalars(counts)}
    return VectorizedSplit(inputs, sequences.targets, np.ones(len(sequences), np.float32))
