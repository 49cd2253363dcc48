"""A split as the model reads it: vectorized once and kept in memory or on disk, or vectorized anew at each reading."""

import dataclasses
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

import numpy as np
import tensorflow as tf

from pipelines.free_memory import MemoryWatch
from pipelines.rows import Rows, Scalars
from pipelines.rows_writer import RowsWriter, row_lengths
from pipelines.streams import select, untuned
from pipelines.token_cache import TokenCache

Vectorize = Callable[[tf.Tensor], Mapping[str, tf.Tensor]]
Batch = tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]
Spec = tuple[tuple[int | None, ...], np.dtype]

CACHES = ("memory", "disk", "none")
# The input whose steps the encoder walks along. Others may have rows of another length, such as n-grams.
SEQUENCE_INPUT = "token_ids"
_VECTORIZE_BATCH = 256
_PREFETCH_BATCHES = 4
# Most tokens that a split without a cache holds at a time: some 30 MB of ids, and as many passes over the file in an
# epoch as this goes into its tokens.
_WINDOW_TOKENS = 16_000_000


@dataclasses.dataclass(frozen=True)
class VectorizedSplit:
    """A split whose tokens are kept, N texts; or N numeric sequences.

    Attributes:
        inputs: named rows, those that the encoder walks along first where they are no token ids; and named numbers.
        targets: (N, ...), such as int32 (N,) labels.
        sample_weights: float32 (N,); 1 where a text counts once.
        folder: of the token cache, where the rows are on disk.
        reused: whether an earlier run had left them there.
    """

    inputs: Mapping[str, Rows | Scalars]
    targets: np.ndarray
    sample_weights: np.ndarray
    folder: Path | None = None
    reused: bool = False

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of each text, or time steps of each sequence, int32 (N,)."""
        return self._sequence.lengths

    @property
    def specs(self) -> dict[str, Spec]:
        """Of each input, the shape that a text has in a batch, and its type."""
        return {name: (rows.row_shape, rows.element_dtype) for name, rows in self.inputs.items()}

    @property
    def nbytes(self) -> int:
        """Bytes of the tokens, in memory or on disk."""
        return sum(rows.nbytes for rows in self.inputs.values())

    def batch(self, chosen: np.ndarray) -> Batch:
        """Texts `chosen`, int (B,), as `(inputs, target, sample_weight)`."""
        inputs = {name: rows.padded(chosen) for name, rows in self.inputs.items()}
        return inputs, self.targets[chosen], self.sample_weights[chosen]

    def reader(self, chosen: Callable[[int], np.ndarray], epoch_end: Callable[[int], int]) -> Callable[[int], Batch]:
        """Make the function that gives batch after batch.

        Args:
            chosen: number of a batch to its texts, int (B,).
            epoch_end: number of a batch to the first number of the next epoch.
        """
        return lambda number: self.batch(chosen(number))

    def share_of(self, token_id: int) -> float:
        """Tell which fraction of the tokens has an id."""
        rows = self._sequence
        count = sum(np.count_nonzero(block == token_id) for block in rows.blocks())
        return count / max(rows.values.shape[0], 1)

    @property
    def _sequence(self) -> Rows:
        """The rows that the encoder walks along."""
        return cast(Rows, self.inputs[_sequence_of(self.inputs)])


@dataclasses.dataclass(frozen=True)
class StreamedSplit:
    """A split of which no tokens are kept, N texts: they are read and vectorized when batches need them.

    The order is that of a kept split, batch by batch: the file is read several times an epoch, each time for the texts
    of the next batches, as many as a window of memory holds. A file that is sorted by label mixes as any other.

    Attributes:
        dataset: unbatched `(text, target)`, the same at each reading.
        vectorize: string (B,) to named tensors.
        lengths: tokens of each text, int32 (N,).
        targets: (N, ...).
        sample_weights: float32 (N,).
        specs: of each input, the shape that a text has in a batch, and its type.
        window_tokens: most tokens that are held at a time, but for a batch that alone has more.
    """

    dataset: tf.data.Dataset
    vectorize: Vectorize
    lengths: np.ndarray
    targets: np.ndarray
    sample_weights: np.ndarray
    specs: Mapping[str, Spec]
    window_tokens: int = _WINDOW_TOKENS

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def passes(self) -> int:
        """About how many times an epoch reads the file."""
        return max(1, -(-int(self.lengths.sum(dtype=np.int64)) // self.window_tokens))

    def reader(self, chosen: Callable[[int], np.ndarray], epoch_end: Callable[[int], int]) -> Callable[[int], Batch]:
        """Make the function that gives batch after batch; a window of them is read at once.

        Args:
            chosen: number of a batch to its texts, int (B,).
            epoch_end: number of a batch to the first number of the next epoch.
        """
        window: tuple[range, np.ndarray, VectorizedSplit] | None = None

        def read(number: int) -> Batch:
            nonlocal window
            if window is None or number not in window[0]:
                # Or two windows would be in memory while the next is read.
                window = None
                window = self._window(number, chosen, epoch_end(number))
            _, positions, split = window
            texts = chosen(number)
            inputs, targets, _ = split.batch(np.searchsorted(positions, texts))
            return inputs, targets, self.sample_weights[texts]

        return read

    def share_of(self, token_id: int) -> float:
        """Tell which fraction of the tokens has an id, by one more reading."""
        count = 0
        for inputs, _ in _vectorized(self.dataset, self.vectorize).as_numpy_iterator():
            count += int(np.count_nonzero(inputs[_sequence_of(inputs)] == token_id))
        return count / max(int(self.lengths.sum(dtype=np.int64)), 1)

    def _window(
        self, first: int, chosen: Callable[[int], np.ndarray], end: int
    ) -> tuple[range, np.ndarray, VectorizedSplit]:
        """Read the texts of batch `first` and of those after it; also give their positions, ordered."""
        flags = np.zeros(len(self), bool)
        tokens, number = 0, first
        while number < end:
            texts = chosen(number)
            tokens += int(self.lengths[texts].sum(dtype=np.int64))
            if number > first and tokens > self.window_tokens:
                break
            flags[texts] = True
            number += 1
        split = _in_memory(select(self.dataset, flags), self.vectorize, None)
        return range(first, number), np.flatnonzero(flags), split


Split = VectorizedSplit | StreamedSplit


def vectorize_split(
    dataset: tf.data.Dataset,
    vectorize: Vectorize,
    cache: str = "memory",
    *,
    size: int | None = None,
    key: str | None = None,
    cache_dir: str | Path | None = None,
) -> Split:
    """Vectorize every text of a split, and keep the result as asked for.

    Beside the tokens, some bytes a text stay in memory whatever the cache: its length, its place, its target, its
    weight and the order of the epoch; the peak grows by some 50 (see benchmarks/memory.md).

    Args:
        dataset: unbatched `(text, target)`.
        vectorize: string (B,) to named tensors (B, T, ...), 0 where padded on the right. A text has as many steps as
            `token_ids` has ids that are not 0; tensors of more dimensions share them, and those of two have rows of
            their own.
        cache: "memory"; "disk", in files that later calls find again; "none", for reading and vectorizing again.
        size: number of texts, where it is known: then memory that will not suffice is told early.
        key: changes whenever the texts, their targets or the vectorizer do; needed on disk.
        cache_dir: folder of the files (default: `kseq` in the user's cache folder).

    Raises:
        DataError: more tokens than memory is free, or a disk that cannot be written.
    """
    if cache not in CACHES:
        raise ValueError(f"cache is {cache!r}; expected one of {', '.join(map(repr, CACHES))}.")
    if cache == "memory":
        return _in_memory(dataset, vectorize, size)
    if cache == "none":
        return _streamed(dataset, vectorize)
    if key is None:
        raise ValueError("key is None; expected the fingerprint of the split and the key of the vectorizer.")
    tokens = TokenCache(cache_dir)
    # Another TensorFlow may know other letters.
    entry = tokens.entry(f"{key} {tf.__version__}", lambda folder: _write(dataset, vectorize, folder, None))
    weights = np.ones(len(entry.targets), np.float32)
    return VectorizedSplit(entry.inputs, entry.targets, weights, tokens.folder, entry.reused)


def _in_memory(dataset: tf.data.Dataset, vectorize: Vectorize, size: int | None) -> VectorizedSplit:
    writers, shared, targets = _write(dataset, vectorize, None, MemoryWatch(size))
    inputs: dict[str, Rows] = {}
    for name, writer in writers.items():
        inputs[name] = writer.rows(inputs[shared[name]].offsets if name in shared else None)
    return VectorizedSplit(inputs, targets, np.ones(len(targets), np.float32))


def _streamed(dataset: tf.data.Dataset, vectorize: Vectorize) -> StreamedSplit:
    vectorized = _vectorized(dataset, vectorize)
    inputs_spec, target_spec = vectorized.element_spec
    sequence = _sequence_of(inputs_spec)
    lengths, targets = [np.zeros(0, np.int32)], [_no_targets(target_spec)]
    for inputs, batch_targets in vectorized.as_numpy_iterator():
        lengths.append(row_lengths(inputs[sequence]))
        targets.append(batch_targets)
    specs = {
        name: ((None, *(size or 0 for size in spec.shape[2:])), np.dtype(spec.dtype.as_numpy_dtype))
        for name, spec in inputs_spec.items()
    }
    all_targets = np.concatenate(targets)
    weights = np.ones(len(all_targets), np.float32)
    return StreamedSplit(dataset, vectorize, np.concatenate(lengths), all_targets, weights, specs)


def _write(
    dataset: tf.data.Dataset, vectorize: Vectorize, folder: Path | None, watch: MemoryWatch | None
) -> tuple[dict[str, RowsWriter], dict[str, str], np.ndarray]:
    """Vectorize into writers, below a folder or in memory; see `pipelines.token_cache.Write`."""
    vectorized = _vectorized(dataset, vectorize)
    inputs_spec, target_spec = vectorized.element_spec
    sequence = _sequence_of(inputs_spec)
    # The sequence first: others share its offsets.
    writers = {
        name: RowsWriter(
            np.dtype(spec.dtype.as_numpy_dtype),
            tuple(spec.shape[2:]),
            None if folder is None else folder / f"{name}.values",
        )
        for name, spec in sorted(inputs_spec.items(), key=lambda item: item[0] != sequence)
    }
    shared = {name: sequence for name, spec in inputs_spec.items() if spec.shape.rank > 2}
    targets, texts = [_no_targets(target_spec)], 0
    for inputs, batch_targets in vectorized.as_numpy_iterator():
        targets.append(batch_targets)
        texts += len(batch_targets)
        steps = row_lengths(inputs[sequence])
        for name, writer in writers.items():
            # Of an element of several numbers, all may be 0: a word without n-grams is a step nonetheless.
            writer.add(inputs[name], steps if name in shared else row_lengths(inputs[name]))
        if watch is not None:
            watch.check(texts, lambda: sum(writer.nbytes for writer in writers.values()))
    return writers, shared, np.concatenate(targets)


def _vectorized(dataset: tf.data.Dataset, vectorize: Vectorize) -> tf.data.Dataset:
    vectorized = dataset.batch(_VECTORIZE_BATCH).map(
        lambda texts, targets: (dict(vectorize(texts)), targets), num_parallel_calls=os.cpu_count()
    )
    return untuned(vectorized.prefetch(_PREFETCH_BATCHES))


def _sequence_of(inputs: Mapping[str, object]) -> str:
    """Name the input that the encoder walks along."""
    return SEQUENCE_INPUT if SEQUENCE_INPUT in inputs else next(iter(inputs))


def _no_targets(spec: tf.TensorSpec) -> np.ndarray:
    """Targets, (0, ...), of the type and shape of a batch of them."""
    return np.zeros((0, *spec.shape[1:]), spec.dtype.as_numpy_dtype)
