"""The tensors of one dataset for several models: those that read it in the same way share them."""

import dataclasses
from collections.abc import Sequence

from kseq import experiment
from kseq.experiment import SPLITS, Adapted, Prepared
from kseq.options import Options
from pipelines.sequence_data import SequenceData
from pipelines.text_data import TextData


class AdaptedData:
    """Prepares one dataset for many options, and vectorizes it once for all that agree on how it is read.

    Args:
        data: the texts or sequences.
        splits: that are read.
        most: how many sets of tensors stay in memory, those used last; None for all.
    """

    def __init__(self, data: TextData | SequenceData, *, splits: Sequence[str] = SPLITS, most: int | None = None):
        self.data = data
        self._splits = tuple(splits)
        self._most = most
        self._adapted: dict[tuple[object, ...], Adapted] = {}

    def __contains__(self, options: Options) -> bool:
        """Whether the tensors for some options are there."""
        return experiment.adapt_settings(self.data, options) in self._adapted

    def __len__(self) -> int:
        return len(self._adapted)

    def read_also(self, split: str) -> None:
        """Read one more split from now on."""
        self._splits = (*self._splits, split)

    def prepare(self, options: Options) -> Prepared:
        """Give the data as a model of some options reads it."""
        settings = experiment.adapt_settings(self.data, options)
        adapted = self._adapted.pop(settings, None)
        # Room first, or one set more than asked for would be in memory.
        while self._most is not None and len(self._adapted) >= self._most:
            self._adapted.pop(next(iter(self._adapted)))
        if adapted is None:
            adapted = experiment.adapt(self.data, options, self._splits)
        missing = [split for split in self._splits if split not in adapted.splits]
        if missing:
            found = experiment.adapt(self.data, options, missing)
            adapted = dataclasses.replace(adapted, splits={**adapted.splits, **found.splits})
        self._adapted[settings] = adapted
        return experiment.fill_in(adapted, options)
