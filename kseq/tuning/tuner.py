"""keras-tuner's loop over trials, each of which is a training of ours."""

import datetime
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras_tuner
from keras_tuner.engine.base_tuner import BaseTuner
from keras_tuner.engine.trial import Trial, TrialStatus

from kseq.adapted_data import AdaptedData
from kseq.errors import ExportError, UsageError
from kseq.many_trainings import FAILURES, failure_reason
from kseq.options import Options
from kseq.terms import writing
from kseq.training_state import TrainingState, load_state
from kseq.tuning.conditions import effective
from kseq.tuning.folder import FLAG, PROJECT, WHAT, SearchFolder
from kseq.tuning.hyperparameters import chosen_values
from kseq.tuning.objective import Objective
from kseq.tuning.oracles import LastingOracle, quietly
from kseq.tuning.planning import TimePlan
from kseq.tuning.progress import Progress
from kseq.tuning.snapshots import write_json
from kseq.tuning.space import Space
from kseq.tuning.trials import Outcome, last_epoch_of, train_settings, trial_seed

_PARENT, _EPOCHS = "tuner/trial_id", "tuner/epochs"


class _GivenUp(Exception):
    """Raised where the user stops a trial in the middle."""


class SearchTuner(BaseTuner):
    """Asks an oracle for settings, trains them as `kseq run` does, and keeps a record of each trial.

    Args:
        oracle: what is to be tried.
        folder: where all is kept.
        adapted: the data.
        base: the options that are not searched.
        space: resolved.
        objective: what trials are judged by.
        dataset_reads: names of the arguments of the dataset's `load`.
        progress: what shows how the search goes.
    """

    def __init__(
        self,
        oracle: LastingOracle,
        folder: SearchFolder,
        adapted: AdaptedData,
        base: Options,
        space: Space,
        objective: Objective,
        dataset_reads: tuple[str, ...],
        progress: Progress,
    ):
        self._folder, self._adapted, self._base, self._space = folder, adapted, base, space
        self._objective, self._dataset_reads, self._progress = objective, dataset_reads, progress
        self._plan: TimePlan | None = None
        with quietly(), writing(folder.path, WHAT, FLAG):
            super().__init__(oracle, directory=str(folder.path), project_name=PROJECT)
            self.oracle.reload()

    def save(self) -> None:
        """Write the oracle's state, and the file by which keras-tuner knows a search again."""
        self.oracle.save()
        write_json(Path(self._get_tuner_fname()), self.get_state())

    def reload(self) -> None:
        """Leave the state to the oracle, which is told when to read it."""

    def records(self) -> list[dict[str, Any]]:
        """Read the records of all trials that are completed, in the order of their ends."""
        ended = (trial for trial in self.oracle.ended if trial.status == TrialStatus.COMPLETED)
        found = (self._folder.record(trial.trial_id) for trial in ended)
        return [record for record in found if record is not None]

    def best(self) -> dict[str, Any] | None:
        """Read the record of the best trial that is completed; of equal ones, the first."""
        best = None
        for record in self.records():
            if best is None or self._objective.better(record["value"], best["value"]):
                best = record
        return best

    def search(self, plan: TimePlan, stop: Callable[["SearchTuner"], str | None]) -> str:  # type: ignore[override]
        """Run trials until something ends the search.

        Args:
            plan: of the time.
            stop: asked before each trial; says why there shall be none.

        Returns:
            Why it ended, in words.

        Raises:
            ExportError: nothing can be written any more.
        """
        self._plan = plan
        self._learn()
        while (reason := stop(self)) is None:
            with quietly(), writing(self._folder.path, WHAT, FLAG):
                trial = self.oracle.create_trial(self.tuner_id)
            if trial.status == TrialStatus.STOPPED:
                return "the space has no other settings"
            try:
                self._try_run_and_update_trial(trial)
            except _GivenUp:
                with writing(self._folder.path, WHAT, FLAG):
                    self.oracle.give_up(trial)
                continue
            with quietly(), writing(self._folder.path, WHAT, FLAG):
                self.on_trial_end(trial)
            self._tell_end(trial)
        return reason

    def run_trial(self, trial: Trial) -> dict[str, float]:  # type: ignore[override]
        """Train the settings of a trial, or find what came of them.

        Raises:
            UsageError: they cannot be put together.
            TrainingError: the loss is not a number any more.
        """
        record = self._folder.record(trial.trial_id)
        if record is None:
            record = self._trained(trial)
            self._folder.keep_record(trial.trial_id, record)
        self._drop_states(trial)
        return {self._objective.name: record["value"]}

    def options_of(self, trial: Trial) -> Options:
        """Put the options of a trial together.

        Raises:
            UsageError: they do not fit one another.
        """
        values = trial.hyperparameters.values
        chosen = chosen_values(values, self._space)
        options = self._base.replace(
            **chosen, monitor=self._objective.monitor, seed=trial_seed(self._base.seed, self._first(trial).trial_id)
        )
        if _EPOCHS in values and values[_EPOCHS] < self.oracle.max_epochs:
            options = options.replace(last_epoch=values[_EPOCHS])
        return effective(options, list(chosen), self._base, self._dataset_reads, self._adapted.data.input_kind)

    def _try_run_and_update_trial(self, trial: Trial, *unused: Any, **unused_too: Any) -> None:
        """Run a trial; what goes wrong with it is its reason, and no reason to end the search."""
        try:
            metrics = self.run_trial(trial)
            with quietly(), writing(self._folder.path, WHAT, FLAG):
                self.oracle.update_trial(trial.trial_id, metrics)
            trial.status = TrialStatus.COMPLETED
        except (_GivenUp, ExportError):
            raise
        except UsageError as error:
            # As often as it is tried.
            trial.status, trial.message = TrialStatus.FAILED, str(error)
        except FAILURES as error:
            trial.status, trial.message = TrialStatus.INVALID, failure_reason(error)
        except Exception as error:
            first = str(error).strip().partition("\n")[0]
            trial.status, trial.message = TrialStatus.INVALID, f"{type(error).__name__}: {first}"

    def _trained(self, trial: Trial) -> dict[str, Any]:
        """Train the settings of a trial, from where the one before it in its bracket ended."""
        asked = self.options_of(trial)
        prepared = self._adapted.prepare(asked)
        options, state = prepared.options, self._state_before(trial)
        self._progress.begin(trial.trial_id, asked, options)
        cut = False

        def on_epoch(number: int, logs: Mapping[str, float]) -> None:
            self._progress.epoch(number, logs)
            if self._plan is not None:
                self._plan.learn_from_epoch(logs["seconds"], options.epochs or 1)
            nonlocal cut
            more = number < last_epoch_of(options)
            cut = more and self._plan is not None and not self._plan.time_for_an_epoch(logs["seconds"])

        rungs = _EPOCHS in trial.hyperparameters.values
        outcome = train_settings(
            prepared, options, self._objective, on_epoch, state=state, enough=lambda: cut, keep_state=rungs
        )
        if outcome is None:
            raise _GivenUp
        if outcome.result.state is not None:
            with writing(self._folder.path, WHAT, FLAG):
                outcome.result.state.save(self._folder.state_of(trial.trial_id))
        return self._record(trial, asked, options, state, outcome, cut)

    def _record(
        self,
        trial: Trial,
        asked: Options,
        options: Options,
        state: TrainingState | None,
        outcome: Outcome,
        cut: bool,
    ) -> dict[str, Any]:
        """Put together what came of a trial."""
        epochs = len(outcome.result.history["loss"])
        if cut:
            asked, options = (each.replace(last_epoch=epochs) for each in (asked, options))
        return {
            "trial": trial.trial_id,
            "asked": asked.to_dict(),
            **outcome.to_dict(options),
            "values": chosen_values(trial.hyperparameters.values, self._space),
            "trained_epochs": epochs - (state.epochs if state else 0),
            # Whether more epochs would change nothing.
            "finished": epochs < last_epoch_of(options) or epochs == options.epochs,
            "cut": cut,
            "goes_on_from": trial.hyperparameters.values.get(_PARENT),
            "ended": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        }

    def _state_before(self, trial: Trial) -> TrainingState | None:
        """Read where the training of a trial goes on; from the beginning where that is lost, to the same end."""
        parent = trial.hyperparameters.values.get(_PARENT)
        if parent is None:
            return None
        try:
            return load_state(self._folder.state_of(parent))
        except (FileNotFoundError, ValueError):
            return None

    def _first(self, trial: Trial) -> Trial:
        """Find the trial with which a training began."""
        while (parent := trial.hyperparameters.values.get(_PARENT)) is not None:
            trial = self.oracle.get_trial(parent)
        return trial

    def _drop_states(self, trial: Trial) -> None:
        """Remove the state that a trial has gone on from."""
        parent = trial.hyperparameters.values.get(_PARENT)
        if parent is not None:
            self._folder.state_of(parent).unlink(missing_ok=True)

    def _learn(self) -> None:
        """Learn from the trials how long others will take."""
        best, records = self.best(), self.records()
        if best is not None and self._plan is not None:
            self._plan.learn(best, records[0], records[-3:])

    def _tell_end(self, trial: Trial) -> None:
        """Show how a trial came out, and learn from it."""
        self._learn()
        record = self._folder.record(trial.trial_id) if trial.status == TrialStatus.COMPLETED else None
        again = trial.status == TrialStatus.INVALID
        self._progress.end(trial.trial_id, record, trial.message, again, self.best())


def keras_tuner_objective(objective: Objective) -> keras_tuner.Objective:
    """Give keras-tuner the direction, which it would guess."""
    return keras_tuner.Objective(objective.name, objective.direction)
