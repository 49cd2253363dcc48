"""A search from the data to its trials."""

import dataclasses
import importlib.metadata
import math
import shlex
import time
from collections.abc import Callable
from typing import Any

import pipelines
from kseq import experiment, report
from kseq.adapted_data import AdaptedData
from kseq.command_line import typed_flags
from kseq.console import Console
from kseq.errors import UsageError
from kseq.experiment import SPLITS
from kseq.interruption import Interruption
from kseq.options import Options
from kseq.run_record import environment
from kseq.saved_model_writer import check_writable
from kseq.terms import Terms, learned_from
from kseq.tuning.budget import Budget
from kseq.tuning.conditions import conditions_of
from kseq.tuning.folder import SearchFolder, open_search
from kseq.tuning.hyperparameters import hyperparameters
from kseq.tuning.objective import Objective, objective_of
from kseq.tuning.oracles import new_oracle
from kseq.tuning.planning import TimePlan
from kseq.tuning.progress import LiveProgress, Progress
from kseq.tuning.request import Request
from kseq.tuning.results import TrialResult, trial_results
from kseq.tuning.space import Space, as_grid, resolve, to_dict
from kseq.tuning.tuner import SearchTuner, keras_tuner_objective
from pipelines.sequence_data import SequenceData
from pipelines.text_data import TextData

_GRID_POINTS = 5
# Sets of tensors that are kept in memory: those of the latest trials.
_KEPT_TENSORS = 3


@dataclasses.dataclass(frozen=True)
class Search:
    """What a search found.

    Attributes:
        folder: where it is kept.
        adapted: the data.
        objective: what trials were judged by.
        space: that was searched, resolved.
        results: of the trials, in the order of their ends.
        best: record of the best trial; None where none was completed.
        plan: of the time that is left.
        stopped: why the search ended.
        interrupted: whether the user ended it.
    """

    folder: SearchFolder
    adapted: AdaptedData
    objective: Objective
    space: Space
    results: list[TrialResult]
    best: dict[str, Any] | None
    plan: TimePlan
    stopped: str
    interrupted: bool


def run_search(
    console: Console, source: pipelines.Source, data: TextData | SequenceData, request: Request, budget: Budget
) -> Search:
    """Run trials until something ends the search.

    Raises:
        UsageError: nothing can be searched so.
        ExportError: the folder cannot be written to.
    """
    options = request.options
    objective = objective_of(request.objective, data.target_kind, options.monitor)
    name = request.export_name(data.name)
    check_writable(options.output_dir, name)
    experiment.check_fits(data, options)
    plan = TimePlan(budget, budget.spent, request.seeds)
    start = time.perf_counter()
    # The test split is read when the search is over.
    adapted = AdaptedData(data, splits=SPLITS[:2], most=_KEPT_TENSORS)
    prepared = adapted.prepare(options)
    plan.learn_from_reading(time.perf_counter() - start, data.sizes)
    report.show_prepared(console, prepared, start)
    settled = prepared.options
    space, conditions = _space(request, settled, source, data)
    terms: Terms = {
        "data": dict(data.fingerprints),
        "search": {"tuner": request.tuner, "objective": objective.name, "--seed": options.seed},
        "space": to_dict(space),
        "options": learned_from(options),
        "versions": _versions(),
    }
    folder = open_search(request.root / name, terms, request.overwrite)
    _show_space(console, request, space, objective)
    oracle = new_oracle(
        request.tuner,
        hyperparameters(space, conditions, settled),
        keras_tuner_objective(objective),
        options.seed,
        settled.epochs or 1,
    )
    base = options.replace(epochs=settled.epochs) if request.tuner == "hyperband" else options
    progress = (LiveProgress if console.interactive else Progress)(console, objective, base, budget)
    tuner = SearchTuner(oracle, folder, adapted, base, space, objective, tuple(source.parameters), progress)
    for note in oracle.notes:
        console.say("warning", note)
    if oracle.start_order:
        console.say("found", f"{len(oracle.ended)} trials in {folder.path}, done earlier; the search goes on")
    with Interruption(lambda: _say_what_follows(console)) as interruption, progress:
        stopped = tuner.search(plan, _stop(request, plan, objective, interruption.asked))
    results = trial_results(oracle, folder, base, source.parameters, data.input_kind, tuner.options_of)
    console.say("search", f"ended after {len(results)} trials, since {stopped}")
    return Search(folder, adapted, objective, space, results, tuner.best(), plan, stopped, interruption.asked())


def _space(
    request: Request, settled: Options, source: pipelines.Source, data: TextData | SequenceData
) -> tuple[Space, dict[str, dict[str, tuple[Any, ...]]]]:
    """Settle what is searched, and beside what."""
    space: Space = resolve(request.space, settled, data.input_kind)
    for name in request.named - set(space):
        raise UsageError(f"--search {name} does not apply to {data.name!r}. Leave it out.")
    conditions = conditions_of(space, request.options, request.named, source.parameters, data.input_kind)
    if not conditions:
        raise UsageError("there is nothing to search: every option of the space was typed. Leave some out.")
    if request.tuner == "grid":
        space = as_grid(space, _GRID_POINTS)
    return {name: space[name] for name in conditions}, conditions


def _stop(
    request: Request, plan: TimePlan, objective: Objective, asked: Callable[[], bool]
) -> Callable[[SearchTuner], str | None]:
    """Make the function that says before each trial why there shall be none."""

    def stop(tuner: SearchTuner) -> str | None:
        ended = len(tuner.oracle.ended)
        if asked():
            return "it was interrupted"
        if request.trials is not None and ended >= request.trials:
            return f"there were to be {request.trials} (--trials)"
        if request.patience_trials is not None and _without_better(tuner, objective) >= request.patience_trials:
            return f"the last {request.patience_trials} were no better (--patience-trials)"
        if not plan.time_for_a_trial() and ended:
            return "what follows takes the rest of the budget"
        return None

    return stop


def _without_better(tuner: SearchTuner, objective: Objective) -> int:
    """Count the trials since the best one, or since the beginning."""
    best, count = None, 0
    values = {record["trial"]: record["value"] for record in tuner.records()}
    for trial in tuner.oracle.ended:
        value = values.get(trial.trial_id)
        if value is not None and objective.better(value, best):
            best, count = value, 0
        else:
            count += 1
    return count


def _show_space(console: Console, request: Request, space: Space, objective: Objective) -> None:
    """Say what is searched, how, and what is held."""
    end = math.inf if request.trials is None else request.trials
    limit = "" if end == math.inf else f", {end} trials at most"
    goal = {"max": "greatest", "min": "least"}[objective.direction]
    console.say("search", f"{request.tuner}, for the {goal} {objective.name}{limit}")
    console.say("", "\n".join(f"{name} {values}" for name, values in space.items()))
    if request.pinned:
        console.say("pinned", shlex.join(typed_flags(request.options, list(request.pinned))))


def _versions() -> dict[str, str]:
    here = environment()
    found = {name: here["versions"][name] for name in ("tensorflow", "keras")}
    return {**found, "keras-tuner": importlib.metadata.version("keras-tuner"), "kseq": here["kseq"]}


def _say_what_follows(console: Console) -> None:
    console.line()
    console.say(
        "stopping",
        "the trial in hand is given up; the best settings so far are trained once more, tested and exported. Ctrl-C "
        "again leaves at once.",
    )
