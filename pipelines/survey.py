"""One cheap pass over a labelled split: its labels, and a hash of everything it holds."""

import dataclasses
import functools
import hashlib
import os

import numpy as np
import tensorflow as tf

from pipelines.errors import DataError
from pipelines.streams import untuned

_SURVEY_BATCH = 1024
# Texts of each split that are read a second time: enough to meet another order, few enough to cost nothing.
_READ_TWICE = 1000


@dataclasses.dataclass(frozen=True)
class Survey:
    """What one cheap pass over a labelled split finds; N is the number of texts, or of whatever has a label.

    Attributes:
        targets: in the order of the split; int32 (N,), a label each, or int8 (N, C), 1 for each class that a text has.
        hashes: uint64 (N,), equal for equal texts.
        noun: what has a label, for messages.
    """

    targets: np.ndarray
    hashes: np.ndarray
    noun: str = "text"

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, chosen: np.ndarray) -> "Survey":
        return Survey(self.targets[chosen], self.hashes[chosen], self.noun)

    def counts(self, number_of_classes: int) -> np.ndarray:
        """Count the texts of each class, int64 (C,)."""
        if self.targets.ndim == 1:
            return np.bincount(self.targets, minlength=number_of_classes)
        return self.targets.sum(axis=0, dtype=np.int64)

    @functools.cached_property
    def strata(self) -> np.ndarray:
        """What a stratified choice keeps the shares of, int64 (N,): the label, or the rarest of several.

        The rarest, since common labels come with any choice; -1 where a text has none (Sechidis et al. 2011 choose
        rare labels first for the same reason).
        """
        if self.targets.ndim == 1:
            return self.targets.astype(np.int64)
        rarest_first = np.argsort(self.counts(self.targets.shape[1]), kind="stable")
        ordered = self.targets[:, rarest_first]
        return np.where(ordered.any(axis=1), rarest_first[ordered.argmax(axis=1)], -1)

    @functools.cached_property
    def target_hashes(self) -> np.ndarray:
        """uint64 (N,), equal for equal targets."""
        if self.targets.ndim == 1:
            return self.targets.astype(np.uint64)
        packed = np.packbits(self.targets.astype(bool), axis=1)
        return np.unique(packed, axis=0, return_inverse=True)[1].reshape(-1).astype(np.uint64)

    @functools.cached_property
    def conflicting(self) -> np.ndarray:
        """Hashes of the texts that stand with several targets, uint64, in the order of the split."""
        pairs = np.unique(np.stack([self.hashes, self.target_hashes], axis=1), axis=0)
        hashes, targets_of_text = np.unique(pairs[:, 0], return_counts=True)
        every, first = np.unique(self.hashes, return_index=True)
        places = first[np.isin(every, hashes[targets_of_text > 1])]
        return self.hashes[np.sort(places)]

    @property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that change when a text, a label or their order does."""
        digest = hashlib.sha256()
        digest.update(self.hashes.tobytes())
        digest.update(self.targets.tobytes())
        if self.targets.ndim > 1:
            # Or four flags in a row would be the bytes of one label.
            digest.update(repr(self.targets.shape).encode())
        return digest.hexdigest()[:16]


def survey(dataset: tf.data.Dataset) -> Survey:
    """Read a labelled split once for its targets and a hash of every text.

    Args:
        dataset: unbatched `(text, target)`, an int32 label or int8 (C,).
    """
    spec = dataset.element_spec[1]
    hashed = dataset.batch(_SURVEY_BATCH).map(
        lambda texts, targets: (tf.fingerprint(texts), targets), num_parallel_calls=os.cpu_count()
    )
    hashes = [np.zeros((0, 8), np.uint8)]
    targets = [np.zeros((0, *spec.shape), spec.dtype.as_numpy_dtype)]
    for batch_hashes, batch_targets in untuned(hashed.prefetch(2)).as_numpy_iterator():
        hashes.append(batch_hashes)
        targets.append(batch_targets)
    return Survey(
        targets=np.concatenate(targets),
        hashes=np.ascontiguousarray(np.concatenate(hashes)).view(np.uint64).reshape(-1),
    )


def survey_twice(name: str, split: str, dataset: tf.data.Dataset) -> Survey:
    """Survey a split, and raise `DataError` where a second reading begins otherwise than the first."""
    found, again = survey(dataset), survey(dataset.take(_READ_TWICE))
    size = min(len(found), _READ_TWICE)
    if len(again) != size:
        difference = f"{size} texts at its beginning and then {len(again)}"
    else:
        equal = found.targets[:size] == again.targets
        same_targets = equal.all(axis=tuple(range(1, equal.ndim)))
        others = (found.hashes[:size] != again.hashes) | ~same_targets
        if not others.any():
            return found
        difference = f"another text or label at {others.sum()} of its first {size} places"
    raise DataError(
        f"the {split} split of {name!r}, read twice, gave {difference}; it must be the same at each reading, or texts "
        "held out would leak into train. Leave `shuffle` out, since training shuffles by itself, or call it as "
        "`shuffle(..., reshuffle_each_iteration=False)`; a generator must begin anew each time."
    )
