"""What follows a search: retraining, the one use of the test split, and an export like that of any run."""

import dataclasses
from typing import Any

from kseq import errors, experiment, report
from kseq.artifact import write_artifact
from kseq.baseline import LeftOut, advice, measure_baseline
from kseq.console import Console
from kseq.errors import TrainingError
from kseq.interruption import Interruption
from kseq.options import Options
from kseq.run_record import run_record
from kseq.tuning.planning import TimePlan
from kseq.tuning.request import Request
from kseq.tuning.retraining import Tested, retrain, summaries, test_once
from kseq.tuning.search import Search
from kseq.tuning.writing import write_trials
from kseq.weak_classes import weak_classes

BEST, DEFAULTS = "best", "defaults"


def end_search(console: Console, request: Request, search: Search, started: float) -> tuple[int, dict[str, Any]]:
    """Train the best settings and the defaults with the same seeds, test them once, and export the best.

    Returns:
        The exit code, and what `--json` tells.

    Raises:
        TrainingError: no trial was completed.
        ExportError: the export or a file of the search cannot be written.
    """
    found = _found(request, search)
    write_trials(search.folder, search.results, search.objective, search.space, request.command, found)
    if search.best is None:
        raise KeyboardInterrupt if search.interrupted else TrainingError(_nothing(search))
    found["best"] = _best(search, search.best)
    label = found["best"]["settings"] or "the defaults"
    console.say("best", f"trial {found['best']['trial']}, {search.objective.name} {search.best['value']:.4f}: {label}")
    best = Options(**search.best["asked"]).replace(last_epoch=None, seed=request.options.seed)
    seeds = [request.options.seed + place for place in range(1 if search.interrupted else request.seeds)]
    search.adapted.read_also("test")
    with Interruption(lambda: _say_what_follows(console)) as interruption:
        done = retrain(
            console,
            search.adapted,
            {BEST: best, DEFAULTS: request.options},
            seeds,
            search.objective,
            search.plan,
            interruption.asked,
        )
        tested, value = test_once(done, search.objective), search.best["value"]
        found |= {"retrained": _retrained(search, tested, value), "verdict": _verdict(search, tested, value)}
        for sentence in found["verdict"]:
            console.say("verdict", sentence)
        code, run = _export(console, request, tested, found, search.plan, interruption, started)
    write_trials(search.folder, search.results, search.objective, search.space, request.command, found)
    console.say("trials", str((search.folder.path / "search.html").resolve()))
    if search.interrupted:
        code = errors.INTERRUPTED
    return code, {**run, "search": found}


def _found(request: Request, search: Search) -> dict[str, Any]:
    """Tell what the search was and how it went, as JSON knows it."""
    completed = sum(row.status == "COMPLETED" for row in search.results)
    return {
        "folder": str(search.folder.path.resolve()),
        "tuner": request.tuner,
        "objective": search.objective.name,
        "direction": search.objective.direction,
        "space": dict(search.folder.terms["space"]),
        "pinned": request.pinned,
        "seed": request.options.seed,
        "trials": {
            "tried": len(search.results),
            "completed": completed,
            "failed": len(search.results) - completed,
            "seconds": sum(row.seconds or 0.0 for row in search.results),
        },
        "stopped": search.stopped,
    }


def _nothing(search: Search) -> str:
    """Say why no trial was completed."""
    reasons = dict.fromkeys(row.reason or "" for row in search.results)
    return f"no trial of {len(search.results)} was completed. {' '.join(reasons)} See {search.folder.path}."


def _best(search: Search, record: dict[str, Any]) -> dict[str, Any]:
    """Tell which trial was the best."""
    row = next(row for row in search.results if row.number == int(record["trial"]))
    return {"trial": row.number, "value": row.value, "settings": row.label, "command": row.command}


def _retrained(search: Search, tested: Tested, value: float) -> dict[str, Any]:
    """Tell what the best settings and the defaults gave, and how far validation was from test."""
    measure = search.objective.measure
    means = {name: _means(scores, measure) for name, scores in ((BEST, tested.best), (DEFAULTS, tested.defaults))}
    return {
        BEST: summaries(tested.best),
        DEFAULTS: summaries(tested.defaults),
        "means": means,
        # Of one measure: what the search saw, what new seeds gave on validation, and what test gave.
        "gap": value - means[BEST]["test"],
        "gap_of_validation": means[BEST]["validation"] - means[BEST]["test"],
    }


def _means(scores: dict[int, dict[str, Any]], measure: str) -> dict[str, float]:
    """Give the means of a measure over the seeds, by split."""
    if not scores:
        return {}
    return {
        split: sum(getattr(of_seed[split], measure) for of_seed in scores.values()) / len(scores)
        for split in ("validation", "test")
    }


def _verdict(search: Search, tested: Tested, value: float) -> list[str]:
    """Say what the search was worth."""
    measure, seeds = search.objective.measure, len(tested.best)
    best, defaults = (_means(scores, measure) for scores in (tested.best, tested.defaults))
    over = f"over {seeds} seeds" if seeds > 1 else "with one seed"
    said = [
        f"test {measure} of the best settings, {over}: {best['test']:.4f}; on validation {best['validation']:.4f}, and "
        f"{value:.4f} in the search, as the best of {len(search.results)} trials."
    ]
    if tested.comparison is None:
        return [*said, "No time was left to train the defaults beside them."]
    better = tested.comparison.verdict
    same = "the same seeds" if len(tested.defaults) == seeds else f"{len(tested.defaults)} of these seeds"
    said.append(f"test {measure} of the defaults, with {same}: {defaults['test']:.4f}.")
    counts = f"b = {tested.comparison.b:,}, c = {tested.comparison.c:,}, {tested.comparison.shown_p}"
    words = {
        "better": "The search helped: the best settings get more texts right than the defaults",
        "worse": "The search did not help: the defaults get more texts right than the best settings",
    }
    helped = words.get(better, "The search did not help: best settings and defaults are not distinguishable")
    return [*said, f"{helped} ({counts})."]


def _export(
    console: Console,
    request: Request,
    tested: Tested,
    found: dict[str, Any],
    plan: TimePlan,
    interruption: Interruption,
    started: float,
) -> tuple[int, dict[str, Any]]:
    """Export the chosen model with its record, as a run does."""
    chosen, evaluation = tested.chosen, tested.evaluation
    options = chosen.options.replace(name=request.export_name(chosen.prepared.data.name))
    prepared = dataclasses.replace(chosen.prepared, options=options)
    answers, decision, scores = evaluation.answers, evaluation.decision, evaluation.scores
    parts = experiment.score_parts(answers["test"], prepared, decision)
    report.show_scores(console, {**scores, **parts})
    baseline = None
    if options.baseline:
        baseline = measure_baseline(
            prepared, answers, decision, lambda: interruption.asked() or plan.budget.left < plan.export
        )
        if isinstance(baseline, LeftOut) and plan.budget.left < plan.export:
            baseline = LeftOut("the budget leaves no time for it")
        report.show_baseline(console, baseline)
    hints = (*weak_classes(scores["validation"], options, prepared.input.noun), *advice(baseline, options))
    report.show_hints(console, hints)
    parameters = evaluation.server.count_params()
    command = ["tune", *request.arguments]
    record = run_record(
        prepared,
        parameters,
        chosen.pretrained,
        chosen.result,
        decision,
        scores,
        parts,
        baseline,
        hints,
        command,
        started,
    )
    record["search"] = found
    folder = write_artifact(prepared, evaluation, chosen.result, record, started)
    report.show_saved_model(console, folder, prepared.input.sample(prepared.preprocessor))
    code = errors.INTERRUPTED if interruption.asked() else errors.DONE
    return code, report.run_object(folder, prepared, chosen.result, decision, scores, parts, baseline, started)


def _say_what_follows(console: Console) -> None:
    console.line()
    console.say("stopping", "the training in hand is given up; what is trained will be tested and exported.")
