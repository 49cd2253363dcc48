"""The order of the input pipeline, in one place: vectorize, cache ids, shuffle, bucket by length, batch, prefetch.

The first two steps are in `pipelines.vectorized_split`. Each step stands where it does for a reason:
- Vectorizing comes first and once: it costs more than reading the ids back, and training reads them every epoch. Only
  where memory and disk are both too small is it done again.
- The cache holds ids, before any shuffle: a cache after the shuffle would replay one order for ever.
- The shuffle is over all texts: many files are sorted by label, and a buffer over one of them gives batches of one
  class.
- Buckets come after the shuffle, over pools of many batches: rows of a batch have nearly one length, so little padding
  is computed, and yet a text meets other neighbours in every epoch.
"""

import functools
import math
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from pipelines.split_view import SplitView
from pipelines.streams import untuned
from pipelines.vectorized_split import Split

# Most batches in a pool that is sorted by length. Fewer mix better and pad more; 50 batches of 64 pad IMDB by about 4%.
_POOL_BATCHES = 50
# Fewest pools in an epoch, where it has batches enough: in one pool, the longest texts would always stand together.
_POOLS = 4
_PREFETCH_BATCHES = 4


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
    split: Split | SplitView, batch_size: int, seed: int, first_epoch: int = 0, epochs: int | None = None
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

    count = np.iinfo(np.int64).max if epochs is None else epochs * steps
    return _as_dataset(split, chosen, count, lambda number: (number // steps + 1) * steps)


def evaluation_batches(split: Split | SplitView, batch_size: int) -> tuple[tf.data.Dataset, np.ndarray]:
    """Make a dataset that holds every text once, ordered by length, for the least padding.

    Returns:
        `tf.data` of `(inputs, target, sample_weight)`, and the position in the split of each text in it, int (N,).
    """
    order = np.argsort(split.lengths, kind="stable")
    batches = [order[first : first + batch_size] for first in range(0, len(order), batch_size)]
    return _as_dataset(split, batches.__getitem__, len(batches), lambda _: len(batches)), order


def _as_dataset(
    split: Split | SplitView, chosen: Callable[[int], np.ndarray], count: int, epoch_end: Callable[[int], int]
) -> tf.data.Dataset:
    """Gather the texts `chosen(number)` of each of `count` batches, ahead of the model."""
    specs = split.specs
    dtypes = [*(dtype for _, dtype in specs.values()), split.targets.dtype, np.dtype(np.float32)]
    shapes = [*((None, *shape) for shape, _ in specs.values()), (None, *split.targets.shape[1:]), (None,)]
    read = split.reader(chosen, lambda number: min(epoch_end(number), count))

    def gather(number: np.ndarray) -> list[np.ndarray]:
        inputs, targets, weights = read(int(number))
        return [*(inputs[name] for name in specs), targets, weights]

    def batch(number: tf.Tensor) -> tuple[dict[str, tf.Tensor], tf.Tensor, tf.Tensor]:
        tensors = tf.numpy_function(gather, [number], dtypes, stateful=False)
        for tensor, shape in zip(tensors, shapes, strict=True):
            tensor.set_shape(shape)
        *inputs, targets, weights = tensors
        return dict(zip(specs, inputs, strict=True)), targets, weights

    return untuned(tf.data.Dataset.range(count).map(batch).prefetch(_PREFETCH_BATCHES))
