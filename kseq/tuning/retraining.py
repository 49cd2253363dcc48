"""What a search ends with: its best settings and the defaults, with the same seeds, tested once and together."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from kseq import experiment, report
from kseq.adapted_data import AdaptedData
from kseq.console import Console, shown_time
from kseq.experiment import Evaluation, Prepared
from kseq.options import Options
from kseq.paired_tests import McNemar, mcnemar
from kseq.pretraining import Pretrained
from kseq.training import TrainingResult
from kseq.tuning.objective import Objective
from kseq.tuning.planning import TimePlan
from kseq.tuning.trials import last_epoch_of, train_settings


@dataclasses.dataclass(frozen=True)
class Retrained:
    """Some settings, trained with one seed.

    Attributes:
        prepared: the data as they read it.
        options: with the seed, and with what the data settles filled in.
        pretrained: what was learned before the labels; None where nothing was.
        result: of the training.
        value: of the objective.
        weights: of its best epoch.
        cut: whether the budget ended it before its last epoch.
    """

    prepared: Prepared
    options: Options
    pretrained: Pretrained | None
    result: TrainingResult
    value: float
    weights: Sequence[np.ndarray]
    cut: bool


@dataclasses.dataclass(frozen=True)
class Tested:
    """What the one use of the test split gave.

    Attributes:
        chosen: the training of the best settings that was the best on validation.
        evaluation: of it.
        best: scores of validation and test of all trainings of the best settings, by seed.
        defaults: the same of the defaults; empty where no time was left to train them.
        comparison: of the best settings, the first, with the defaults; None where there is nothing to compare.
    """

    chosen: Retrained
    evaluation: Evaluation
    best: dict[int, dict[str, Any]]
    defaults: dict[int, dict[str, Any]]
    comparison: McNemar | None


def retrain(
    console: Console,
    adapted: AdaptedData,
    settings: dict[str, Options],
    seeds: Sequence[int],
    objective: Objective,
    plan: TimePlan,
    asked: Callable[[], bool],
) -> dict[str, list[Retrained]]:
    """Train each of some settings with each seed, as far as the time allows: at least the first with the first seed.

    Args:
        console: where it is told.
        adapted: the data, with its test split.
        settings: by what they are called, the most important first.
        seeds: to train each with.
        objective: what they are judged by.
        plan: of the time.
        asked: whether the user wants to stop; what is in hand is then given up.

    Returns:
        By what they are called, the trainings; with the same seeds but for the last one.

    Raises:
        KeyboardInterrupt: the user stopped the first of all.
        TrainingError: the loss is not a number any more.
    """
    done: dict[str, list[Retrained]] = {name: [] for name in settings}
    first = next(iter(settings))
    for seed in seeds:
        for name, options in settings.items():
            begun = any(done.values())
            needed = plan.pair if name == first else plan.pair / 2
            if begun and (asked() or plan.budget.left - plan.export < needed):
                return done
            trained = _train(console, name, adapted.prepare(options), seed, objective, plan)
            if trained is None and not begun:
                raise KeyboardInterrupt
            if trained is None:
                return done
            done[name].append(trained)
    return done


def test_once(done: dict[str, list[Retrained]], objective: Objective) -> Tested:
    """Choose the best training of the first settings by validation, and test all of them.

    Args:
        done: as `retrain` gives it.
        objective: what is chosen by.
    """
    best, defaults = done.values()
    chosen = best[0]
    for each in best[1:]:
        if objective.better(each.value, chosen.value):
            chosen = each
    # One model after the other: only the chosen one is kept whole.
    scores: dict[int, dict[str, Any]] = {}
    rights: dict[int, np.ndarray] = {}
    for each in [*best, *defaults]:
        evaluation = _evaluate(each)
        scores[id(each)], rights[id(each)] = dict(evaluation.scores), _right(each, evaluation)
        if each is chosen:
            kept = evaluation
    both = min(len(best), len(defaults))
    sides = [np.sum([rights[id(each)] for each in side[:both]], axis=0) for side in (best, defaults)]
    return Tested(
        chosen,
        kept,
        {each.options.seed: scores[id(each)] for each in best},
        {each.options.seed: scores[id(each)] for each in defaults},
        mcnemar(*sides) if both else None,
    )


def _train(
    console: Console, name: str, prepared: Prepared, seed: int, objective: Objective, plan: TimePlan
) -> Retrained | None:
    """Train some settings with a seed; None where the user stopped it."""
    options = prepared.options.replace(seed=seed)
    cut = False

    def on_epoch(number: int, logs: Mapping[str, float]) -> None:
        nonlocal cut
        # Without an export, all was for nothing.
        cut = number < last_epoch_of(options) and plan.budget.left - plan.export < logs["seconds"]

    outcome = train_settings(prepared, options, objective, on_epoch, enough=lambda: cut)
    if outcome is None:
        return None
    if cut:
        options = options.replace(last_epoch=len(outcome.result.history["loss"]))
    words = f"{name}, seed {seed}: {objective.name} {outcome.value:.4f}  ({shown_time(outcome.seconds)})"
    console.say("retrained", f"{words}{', cut short by the budget' if cut else ''}")
    return Retrained(
        prepared, options, outcome.pretrained, outcome.result, outcome.value, outcome.model.get_weights(), cut
    )


def _evaluate(trained: Retrained) -> Evaluation:
    """Test a training."""
    model = experiment.new_model(trained.prepared, trained.options)
    model.set_weights(trained.weights)
    return experiment.evaluate(model, trained.prepared, trained.options)


def _right(trained: Retrained, evaluation: Evaluation) -> np.ndarray:
    """Tell which test texts a training got right, bool (N,)."""
    targets = trained.prepared.splits["test"].targets
    return trained.prepared.output.right(evaluation.answers["test"], targets, evaluation.decision.thresholds)


def summaries(scores: dict[int, dict[str, Any]]) -> list[dict[str, Any]]:
    """Give what JSON knows of scores by seed."""
    return [
        {"seed": seed, **{split: report.summary(found) for split, found in splits.items()}}
        for seed, splits in scores.items()
    ]
