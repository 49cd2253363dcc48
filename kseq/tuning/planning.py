"""How a budget is divided between the search and what follows it: retraining, tests, the baseline and the export."""

from collections.abc import Mapping, Sequence
from typing import Any

from kseq.tuning.budget import Budget

# Of the budget, so much at most is kept for retraining where that lets several seeds be trained.
_SHARE = 0.5
# The export loads TensorFlow in a second process, as this one did at its start, and checks every file.
_STARTS, _EXPORT = 2.0, 8.0


class TimePlan:
    """Estimates what is still to be done from what was measured.

    Args:
        budget: of the whole command.
        start_up: seconds until TensorFlow and the data were there.
        seeds: that the best settings, and the defaults, are to be retrained with.
    """

    def __init__(self, budget: Budget, start_up: float, seeds: int):
        self.budget = budget
        self.seeds = seeds
        self._export = _STARTS * start_up + _EXPORT
        self._tests = 1.0
        self._whole: list[float] = [0.0, 0.0]
        self._epoch = 0.0

    @property
    def export(self) -> float:
        """Seconds to read the test split and to export."""
        return self._export

    @property
    def pair(self) -> float:
        """Seconds to retrain the best settings and the defaults with one seed, and to test them."""
        return sum(self._whole)

    @property
    def reserve(self) -> float:
        """Seconds for what follows the search: with all seeds, or with as many as take half of the budget."""
        if self.budget.seconds is None:
            return 0.0
        room = _SHARE * self.budget.seconds - self.export
        seeds = min(self.seeds, int(room / self.pair)) if self.pair else 1
        return self.export + max(seeds, 1) * self.pair

    def learn_from_reading(self, seconds: float, sizes: Mapping[str, int]) -> None:
        """Take the time of reading train and validation for that of reading test, for two settings.

        Args:
            seconds: that it took.
            sizes: of the splits.
        """
        # The vocabulary is counted again, which is about half of the work.
        read = sizes["train"] + sizes["validation"]
        self._export += 2 * seconds * (0.5 * sizes["train"] + sizes["test"]) / read
        self._tests = 1 + sizes["test"] / sizes["validation"]

    def learn(self, best: Mapping[str, Any], defaults: Mapping[str, Any], recent: Sequence[Mapping[str, Any]]) -> None:
        """Take over what was measured.

        Args:
            best: record of the best trial so far.
            defaults: record of the trial of the defaults, or of what comes nearest.
            recent: records of the latest trials.
        """
        self._whole = [
            seconds_of_whole(record) + (1 + self._tests) * record["judged_in"] for record in (best, defaults)
        ]
        self._epoch = max(record["seconds"] / max(record["trained_epochs"], 1) for record in recent)

    def learn_from_epoch(self, seconds: float, epochs: int) -> None:
        """Take the first trial's epoch for what each of the others will take, until one has ended.

        Args:
            seconds: of one epoch.
            epochs: of a whole training.
        """
        self._epoch = seconds
        if not self.pair:
            self._whole = [seconds * epochs] * 2

    def time_for_a_trial(self) -> bool:
        """Whether an epoch more can be trained before what follows has to begin."""
        return self.budget.left - self.reserve > self._epoch

    def time_for_an_epoch(self, seconds: float) -> bool:
        """Whether one more epoch of some seconds can be."""
        return self.budget.left - self.reserve > seconds

    def time_for_a_pair(self) -> bool:
        """Whether one more seed can be retrained before the export has to begin."""
        return self.budget.left - self.export > self.pair


def seconds_of_whole(record: Mapping[str, Any]) -> float:
    """Estimate how long all epochs of a trial take, of which it may have trained some."""
    epochs = record["epochs"] if record["finished"] else record["options"]["epochs"]
    return record["seconds"] / max(record["trained_epochs"], 1) * epochs
