"""Some texts of several splits, read as one split."""

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from pipelines.vectorized_split import Batch, Spec, Split


@dataclasses.dataclass(frozen=True)
class SplitView:
    """Chosen texts of splits that were made by one vectorizer, wherever their tokens are kept; M texts.

    Attributes:
        splits: one after the other; a text's place is counted through all of them.
        places: of the texts, int (M,), in the order of the view.
    """

    splits: Sequence[Split]
    places: np.ndarray

    def __len__(self) -> int:
        return len(self.places)

    @functools.cached_property
    def lengths(self) -> np.ndarray:
        """Tokens of each text, int32 (M,)."""
        return np.concatenate([split.lengths for split in self.splits])[self.places]

    @functools.cached_property
    def targets(self) -> np.ndarray:
        """(M, ...)."""
        return np.concatenate([split.targets for split in self.splits])[self.places]

    @property
    def specs(self) -> Mapping[str, Spec]:
        """Of each input, the shape that a text has in a batch, and its type."""
        return self.splits[0].specs

    def reader(self, chosen: Callable[[int], np.ndarray], epoch_end: Callable[[int], int]) -> Callable[[int], Batch]:
        """Make the function that gives batch after batch.

        Args:
            chosen: number of a batch to its texts, int (B,).
            epoch_end: number of a batch to the first number of the next epoch.
        """
        starts = np.cumsum([0, *map(len, self.splits)])

        def chosen_of(part: int, number: int) -> np.ndarray:
            places = self.places[chosen(number)]
            return places[(places >= starts[part]) & (places < starts[part + 1])] - starts[part]

        readers = [
            split.reader(functools.partial(chosen_of, part), epoch_end) for part, split in enumerate(self.splits)
        ]

        def read(number: int) -> Batch:
            places = self.places[chosen(number)]
            # Behind one another, the splits' texts stand in the order of this stable sort.
            sorted_places = np.argsort(np.searchsorted(starts, places, side="right"), kind="stable")
            order = np.argsort(sorted_places)
            parts = [reader(number) for reader in readers]
            inputs = {name: _stacked([part[0][name] for part in parts])[order] for name in self.specs}
            targets, weights = (np.concatenate([part[place] for part in parts])[order] for place in (1, 2))
            return inputs, targets, weights

        return read


def _stacked(batches: Sequence[np.ndarray]) -> np.ndarray:
    """Put batches, (b, ...) or padded ones (b, T, ...), below one another, padded to the longest."""
    if batches[0].ndim == 1:
        return np.concatenate(batches)
    width = max(batch.shape[1] for batch in batches)
    rows = np.zeros((sum(map(len, batches)), width, *batches[0].shape[2:]), batches[0].dtype)
    start = 0
    for batch in batches:
        rows[start : start + len(batch), : batch.shape[1]] = batch
        start += len(batch)
    return rows
