"""keras-tuner's oracles, by name, whose state lasts: what they would try next after a crash, they try.

What keras-tuner 1.4.8 leaves open is closed here. Its files can be left half written, by a crash or a full disk: the
state is kept whole, in one file. A grid forgets where it was, and the Bayesian oracle's random numbers begin anew:
both go on. A seed of 0 means a random one there. Hyperband ends as soon as a space has no new settings, before it has
trained any for longer.
"""

import contextlib
import io
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras_tuner
import numpy as np
from keras_tuner.engine.trial import Trial, TrialStatus
from keras_tuner.oracles import BayesianOptimizationOracle, GridSearchOracle, HyperbandOracle, RandomSearchOracle

from kseq.errors import UsageError
from kseq.tuning.snapshots import keep_snapshot, last_snapshot, read_json, write_json

# A trial whose process dies each time is not the system's bad day.
_MOST_DEATHS = 3
# Draws that meet settings which were tried before it is said that there are no others.
_MOST_COLLISIONS = 200
_RETRIES = 1


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Hide what keras-tuner prints, and its warnings: of deprecated calls, and of fits to few points."""
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


class LastingOracle(keras_tuner.Oracle):
    """An oracle whose state is whole in one file at any moment.

    The first settings that it tries are the defaults: a search shall not end below them for want of trying.

    Attributes:
        notes: what was wrong with the files when they were last read, in sentences.
    """

    def __init__(self, *arguments: Any, seed: int, **more: Any):
        super().__init__(
            *arguments,
            # keras-tuner takes 0 for none.
            seed=seed + 1,
            max_retries_per_trial=_RETRIES,
            # A search goes on; what ends it is decided elsewhere.
            max_consecutive_failed_trials=2**31,
            **more,
        )
        self.verbose = 0
        self.notes: list[str] = []
        self._max_collisions = _MOST_COLLISIONS
        self._deaths: dict[str, int] = {}
        self.ongoing_trials: dict[str, Trial] = {}

    @property
    def ended(self) -> list[Trial]:
        """The trials that are completed or failed, in the order of their ends."""
        return [self.trials[trial_id] for trial_id in self.end_order]

    def get_state(self) -> dict[str, Any]:
        """Give the state; a trial that has ended counts as running there until after it was saved."""
        running = {tuner: each for tuner, each in self.ongoing_trials.items() if each.status == TrialStatus.RUNNING}
        return super().get_state() | {"ongoing_trials": {tuner: each.trial_id for tuner, each in running.items()}}

    def save(self) -> None:
        """Write the whole state to one file, and keras-tuner's own to its own."""
        folder = Path(self._project_dir)
        trials = [self.trials[trial_id].get_state() for trial_id in self.start_order]
        state = self.get_state()
        keep_snapshot(folder, {"oracle": state, "trials": trials, "deaths": self._deaths})
        write_json(Path(self._get_oracle_fname()), state)

    def reload(self) -> None:
        """Go on from the last state that is whole; a trial that was running is run again.

        Raises:
            UsageError: no state can be read.
        """
        folder = Path(self._project_dir)
        state, broken = last_snapshot(folder)
        files = [folder / "oracle.json", *sorted(folder.glob("trial_*/trial.json"))]
        broken += [str(path.relative_to(folder)) for path in files if path.exists() and read_json(path) is None]
        if state is None:
            if broken or any(path.exists() for path in files):
                raise UsageError(
                    f"the state of the search in {folder} cannot be read, and there is no earlier one. --overwrite "
                    "starts it anew."
                )
            return
        self.trials = {each["trial_id"]: Trial.from_state(each) for each in state["trials"]}
        self.set_state(state["oracle"])
        self._deaths = state["deaths"]
        if broken:
            self.notes.append(f"{', '.join(broken)} cannot be read; the last good snapshot is used")
        for trial in self.ongoing_trials.values():
            self._died(trial)
        self.ongoing_trials = {}
        for trial in self.trials.values():
            self._save_trial(trial)
        self.save()

    def give_up(self, trial: Trial) -> None:
        """Take back a trial that was stopped in the middle; it is the next one to be run."""
        self.ongoing_trials = {tuner: each for tuner, each in self.ongoing_trials.items() if each is not trial}
        self._retry_queue.append(trial.trial_id)
        self.save()

    def _save_trial(self, trial: Trial) -> None:
        write_json(Path(self._get_trial_dir(trial.trial_id)) / "trial.json", trial.get_state())

    def _died(self, trial: Trial) -> None:
        """Run a trial again whose process was killed, unless that was not the first time."""
        self._deaths[trial.trial_id] = self._deaths.get(trial.trial_id, 0) + 1
        # keras-tuner would not take a second value.
        trial.metrics = type(trial.metrics)()
        if self._deaths[trial.trial_id] < _MOST_DEATHS:
            self._retry_queue.append(trial.trial_id)
            return
        trial.status = TrialStatus.FAILED
        trial.message = f"its process was killed {_MOST_DEATHS} times while it ran, as the system does for memory."
        self.end_order.append(trial.trial_id)

    def _random_values(self) -> dict[str, Any] | None:
        if self.start_order:
            return super()._random_values()
        space = self.get_space()
        return {each.name: each.default for each in space.space if space.is_active(each)}


class RandomOracle(LastingOracle, RandomSearchOracle):
    """Draws each value for itself."""


class BayesianOracle(LastingOracle, BayesianOptimizationOracle):
    """Draws some settings, and then takes those that a Gaussian process expects most of."""

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        # A function of the seed and the trial, so that a search that was broken off takes the same ones.
        self._random_state = np.random.RandomState([self.seed, len(self.start_order)])
        response = super().populate_space(trial_id)
        values = response["values"]
        return self._random_populate_space() if values and self._duplicate(values) else response


class GridOracle(LastingOracle, GridSearchOracle):
    """Goes through all combinations."""

    def get_state(self) -> dict[str, Any]:
        ordered = self._ordered_ids
        # JSON has no numbers and no None for names.
        following = [[before, after] for before, after in ordered._next_index.items()]
        kept = {"memory": ordered._memory, "next": following, "last": ordered._last_index}
        return super().get_state() | {"ordered_ids": kept}

    def set_state(self, state: dict[str, Any]) -> None:
        super().set_state(state)
        kept, ordered = state["ordered_ids"], self._ordered_ids
        ordered._memory = kept["memory"]
        ordered._data_to_index = {trial_id: place for place, trial_id in enumerate(kept["memory"])}
        ordered._next_index.update(dict(kept["next"]))
        ordered._last_index = kept["last"]
        # Those whose next combination was tried are passed over.
        self._populate_next = list(self.start_order)


class RungsOracle(LastingOracle, HyperbandOracle):
    """Trains many settings for few epochs, and the best of them for more (Li et al. 2018)."""

    def __init__(self, *arguments: Any, **more: Any):
        super().__init__(*arguments, **more)
        # By bracket: how many settings it began with, where the space had no more.
        self._limits: dict[str, int] = {}

    def get_state(self) -> dict[str, Any]:
        return super().get_state() | {"limits": self._limits}

    def set_state(self, state: dict[str, Any]) -> None:
        super().set_state(state)
        self._limits = state["limits"]

    def _random_trial(self, trial_id: str, bracket: dict[str, Any]) -> dict[str, Any]:
        response = super()._random_trial(trial_id, bracket)
        number, begun = str(bracket["bracket_num"]), len(bracket["rounds"][0])
        if response["status"] != TrialStatus.STOPPED or not begun or number in self._limits:
            return response
        self._limits[number] = begun
        return self.populate_space(trial_id)

    def _get_size(self, bracket_num: int, round_num: int) -> int:
        size = super()._get_size(bracket_num, round_num)
        limit = self._limits.get(str(bracket_num))
        return size if limit is None else min(size, max(1, limit // self.factor**round_num))


def _bayesian(dimensions: int, epochs: int) -> dict[str, Any]:
    # keras-tuner draws three times as many at random, which is a whole search.
    return {"num_initial_points": max(4, dimensions)}


def _hyperband(dimensions: int, epochs: int) -> dict[str, Any]:
    # The command's own stops end it.
    return {"max_epochs": epochs, "factor": 3, "hyperband_iterations": 10**6}


# By name: the oracle, and `(dimensions of the space, epochs of a whole training)` → its own arguments.
ORACLES: dict[str, tuple[type[LastingOracle], Callable[[int, int], dict[str, Any]]]] = {
    "hyperband": (RungsOracle, _hyperband),
    "bayesian": (BayesianOracle, _bayesian),
    "random": (RandomOracle, lambda dimensions, epochs: {}),
    "grid": (GridOracle, lambda dimensions, epochs: {}),
}


def new_oracle(
    name: str, space: keras_tuner.HyperParameters, objective: keras_tuner.Objective, seed: int, epochs: int
) -> LastingOracle:
    """Make an oracle by its name.

    Args:
        name: in `ORACLES`.
        space: of the search.
        objective: with its direction.
        seed: of the search.
        epochs: of a whole training, for those that train in rungs.
    """
    kind, own = ORACLES[name]
    more = {"max_trials": None} if name != "hyperband" else {}
    return kind(
        objective=objective,
        hyperparameters=space,
        allow_new_entries=False,
        tune_new_entries=True,
        seed=seed,
        **more,
        **own(len(space.space), epochs),
    )
