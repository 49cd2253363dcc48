"""The order of the input pipeline, in one place: vectorize, cache ids, shuffle, bucket by length, batch, prefetch.

Each step stands where it does for a reason:
- Vectorizing comes first and once: it costs more than reading the ids back, and training reads them every epoch.
- The cache holds ids, before any shuffle: a cache after the shuffle would replay one order for ever.
- The shuffle is over all texts: many files are sorted by label, and a buffer over one of them gives batches of one
  class.
- Buckets come after the shuffle, over pools of many batches: rows of a batch have nearly one length, so little padding
  is computed, and yet a text meets other neighbours in every epoch.
"""

import dataclasses
import functools
import math
import os
from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf

from pipelines.streams import untuned

Vectorize = Callable[[tf.Tensor], Mapping[str, tf.Tensor]]

_VECTORIZE_BATCH = 256
# Most batches in a pool that is sorted by length. Fewer mix better and pad more; 50 batches of 64 pad IMDB by about 4%.
_POOL_BATCHES = 50
# Fewest pools in an epoch, where it has batches enough: in one pool, the longest texts would always stand together.
_POOLS = 4
_PREFETCH_BATCHES = 4


@dataclasses.dataclass(frozen=True)
class Rows:
    """Rows of unequal length in one array, N of them.

    Attributes:
        values: (sum of lengths, ...).
        offsets: int64 (N + 1,); row i is `values[offsets[i]:offsets[i + 1]]`.
    """

    values: np.ndarray
    offsets: np.ndarray

    @property
    def lengths(self) -> np.ndarray:
        """int64 (N,)."""
        return np.diff(self.offsets)

    def padded(self, chosen: np.ndarray) -> np.ndarray:
        """Rows `chosen`, int (B,), padded with 0 on the right to the longest of them: (B, T, ...)."""
        starts, lengths = self.offsets[chosen], self.offsets[chosen + 1] - self.offsets[chosen]
        batch = np.zeros((len(chosen), int(lengths.max(initial=1)), *self.values.shape[1:]), self.values.dtype)
        for row, (start, length) in enumerate(zip(starts.tolist(), lengths.tolist(), strict=True)):
            batch[row, :length] = self.values[start : start + length]
        return batch


@dataclasses.dataclass(frozen=True)
class VectorizedSplit:
    """A split as the model reads it, N texts.

    Attributes:
        inputs: named rows.
        targets: (N, ...), such as int32 (N,) labels.
        sample_weights: float32 (N,); 1 where a text counts once.
    """

    inputs: Mapping[str, Rows]
    targets: np.ndarray
    sample_weights: np.ndarray

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of each text, int64 (N,): the longest of its named rows."""
        return np.max([rows.lengths for rows in self.inputs.values()], axis=0)

    def batch(self, chosen: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
        """Texts `chosen`, int (B,), as `(inputs, target, sample_weight)`."""
        inputs = {name: rows.padded(chosen) for name, rows in self.inputs.items()}
        return inputs, self.targets[chosen], self.sample_weights[chosen]


def vectorize_split(dataset: tf.data.Dataset, vectorize: Vectorize) -> VectorizedSplit:
    """Vectorize every text of a split once and keep the result in memory.

    Args:
        dataset: unbatched `(text, target)`.
        vectorize: string (B,) to named tensors (B, T, ...) of integers, 0 where padded on the right.
    """
    vectorized = dataset.batch(_VECTORIZE_BATCH).map(
        lambda texts, targets: (dict(vectorize(texts)), targets), num_parallel_calls=os.cpu_count()
    )
    values: dict[str, list[np.ndarray]] = {}
    lengths: dict[str, list[np.ndarray]] = {}
    targets = []
    for inputs, batch_targets in untuned(vectorized.prefetch(_PREFETCH_BATCHES)).as_numpy_iterator():
        targets.append(batch_targets)
        for name, tensor in inputs.items():
            real = (tensor != 0).reshape(*tensor.shape[:2], -1).any(axis=-1)
            values.setdefault(name, []).append(tensor[real])
            lengths.setdefault(name, []).append(real.sum(axis=1))
    rows = {
        name: Rows(np.concatenate(values[name]), np.concatenate([[0], np.cumsum(np.concatenate(lengths[name]))]))
        for name in values
    }
    all_targets = np.concatenate(targets)
    return VectorizedSplit(rows, all_targets, np.ones(len(all_targets), np.float32))


def epoch_order(lengths: np.ndarray, batch_size: int, seed: int, epoch: int) -> list[np.ndarray]:
    """Order the texts of one epoch into batches: a pure function of its arguments, so that a run can go on anywhere.

    Args:
        lengths: tokens of each text, int (N,).
        batch_size: texts in a batch; the last one of the shuffled order may be smaller.
        seed: of the run.
        epoch: from 0.

    Returns:
        Positions, one int array a batch; every text stands in exactly one of them.
    """
    random = np.random.default_rng((seed, epoch))
    shuffled = random.permutation(len(lengths))
    pool_size = batch_size * max(1, min(_POOL_BATCHES, -(-len(lengths) // batch_size) // _POOLS))
    batches = []
    for start in range(0, len(shuffled), pool_size):
        pool = shuffled[start : start + pool_size]
        pool = pool[np.argsort(lengths[pool], kind="stable")]
        batches += [pool[first : first + batch_size] for first in range(0, len(pool), batch_size)]
    return [batches[position] for position in random.permutation(len(batches))]


def padding_share(lengths: np.ndarray, batches: list[np.ndarray]) -> float:
    """Tell which share of the computed time steps is padding, between 0 and 1."""
    computed = sum(int(lengths[batch].max()) * len(batch) for batch in batches)
    return 1 - int(lengths.sum()) / computed


def training_batches(
    split: VectorizedSplit, batch_size: int, seed: int, first_epoch: int = 0, epochs: int | None = None
) -> tf.data.Dataset:
    """Make a dataset of training batches, one epoch after the other.

    Args:
        split: N texts.
        batch_size: texts in a batch; an epoch has ceil(N / batch_size) of them.
        seed: of the order.
        first_epoch: the epoch to start with, from 0.
        epochs: how many there are; None for no end.

    Returns:
        `tf.data` of `(inputs, target, sample_weight)`.
    """
    lengths = split.lengths
    steps = math.ceil(len(split) / batch_size)

    @functools.lru_cache(maxsize=2)
    def order(epoch: int) -> list[np.ndarray]:
        return epoch_order(lengths, batch_size, seed, epoch)

    def chosen(number: int) -> np.ndarray:
        return order(first_epoch + number // steps)[number % steps]

    return _as_dataset(split, chosen, np.iinfo(np.int64).max if epochs is None else epochs * steps)


def evaluation_batches(split: VectorizedSplit, batch_size: int) -> tuple[tf.data.Dataset, np.ndarray]:
    """Make a dataset that holds every text once, ordered by length, for the least padding.

    Returns:
        `tf.data` of `(inputs, target, sample_weight)`, and the position in the split of each text in it, int (N,).
    """
    order = np.argsort(split.lengths, kind="stable")
    batches = [order[first : first + batch_size] for first in range(0, len(order), batch_size)]
    return _as_dataset(split, batches.__getitem__, len(batches)), order


def _as_dataset(split: VectorizedSplit, chosen: Callable[[int], np.ndarray], count: int) -> tf.data.Dataset:
    """Gather the texts `chosen(number)` of each of `count` batches, ahead of the model."""
    names = list(split.inputs)
    arrays = [split.inputs[name].values for name in names]
    dtypes = [*(array.dtype for array in arrays), split.targets.dtype, np.dtype(np.float32)]
    shapes = [*((None, None, *array.shape[1:]) for array in arrays), (None, *split.targets.shape[1:]), (None,)]

    def gather(number: np.ndarray) -> list[np.ndarray]:
        inputs, targets, weights = split.batch(chosen(int(number)))
        return [*inputs.values(), targets, weights]

    def batch(number: tf.Tensor) -> tuple[dict[str, tf.Tensor], tf.Tensor, tf.Tensor]:
        tensors = tf.numpy_function(gather, [number], dtypes, stateful=False)
        for tensor, shape in zip(tensors, shapes, strict=True):
            tensor.set_shape(shape)
        *inputs, targets, weights = tensors
        return dict(zip(names, inputs, strict=True)), targets, weights

    return untuned(tf.data.Dataset.range(count).map(batch).prefetch(_PREFETCH_BATCHES))
