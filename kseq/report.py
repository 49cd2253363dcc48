"""What commands that train tell: their lines on the console, and their JSON object."""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kseq import descriptions
from kseq.baseline import Baseline, LeftOut
from kseq.class_weights import NONE
from kseq.console import Console
from kseq.encoders import ENCODERS
from kseq.experiment import Prepared
from kseq.options import Options
from kseq.outputs import OUTPUTS
from kseq.thresholds import FEWEST_TEXTS, Decision
from kseq.training import TrainingResult
from pipelines.free_memory import gibibytes
from pipelines.sequence_data import SequenceData
from pipelines.text_data import TextData
from pipelines.unlabeled import UNLABELED
from pipelines.vectorized_split import StreamedSplit, VectorizedSplit

_SHOWN_CLASSES = 8
_WORDS = {
    "micro_f1": "micro-F1",
    "macro_f1": "macro-F1",
    "subset_accuracy": "all labels right",
    "hamming_loss": "hamming",
}
_FRACTIONS_OF_TEXTS = ("accuracy", "subset_accuracy")


def took(start: float) -> str:
    """Say how long something took that began at `time.perf_counter()` = start."""
    return f"({time.perf_counter() - start:.1f} s)"


def show_data(console: Console, data: TextData | SequenceData, start: float) -> None:
    """Say what was loaded, and what is to be minded about it."""
    sizes = ", ".join(f"{size:,} {split}" for split, size in data.sizes.items())
    more = ", …" if len(data.class_names) > _SHOWN_CLASSES else ""
    names = ", ".join(data.class_names[:_SHOWN_CLASSES]) + more
    noun = OUTPUTS[data.target_kind].noun
    console.say("data", f"{data.name}: {sizes}; {len(data.class_names)} {noun}: {names}  {took(start)}")
    for note in data.notes:
        console.say("", note)
    for warning in data.warnings:
        console.say("warning", warning)


def show_changed(console: Console, recorded: Mapping[str, str], data: TextData | SequenceData) -> None:
    """Warn where the data is not that of a recorded run.

    Args:
        recorded: fingerprints of the splits of the run that is run again; none where there is no such run.
        data: as it was loaded now.
    """
    changed = [split for split, found in recorded.items() if data.fingerprints.get(split) != found]
    if changed:
        console.say(
            "warning",
            f"the texts or labels of {' and '.join(changed)} are not those of the recorded run: its scores and these "
            "are not of the same data.",
        )


def show_prepared(console: Console, prepared: Prepared, start: float) -> None:
    """Say what the model will read."""
    options = prepared.options
    if options.max_train_samples is not None:
        console.say("sample", f"of {prepared.data.sizes['train']:,} training {prepared.input.noun}s, for a smoke run")
    if UNLABELED in prepared.splits:
        left_out = prepared.data.reading.get("unlabeled_left_out")
        others = f"; {left_out:,} more stand in validation or test, and are left out" if left_out else ""
        console.say(UNLABELED, f"{prepared.data.sizes[UNLABELED]:,} texts without labels are learned from{others}")
    topic, line = prepared.input.tell(prepared)
    console.say(topic, f"{line}; padding {prepared.padding_share:.1%}  {took(start)}")
    if options.class_weight != NONE:
        console.say("weights", f"{_weights(prepared)}  ({options.class_weight})")
    show_cache(console, prepared)


def show_cache(console: Console, prepared: Prepared) -> None:
    """Say where the tokens are, unless they are in memory."""
    train = prepared.splits["train"]
    if isinstance(train, StreamedSplit):
        times = "once" if train.passes == 1 else f"about {train.passes} times"
        console.say("cache", f"none: train is read and vectorized while it is trained on, {times} an epoch")
    elif train.folder is not None:
        size = gibibytes(sum(split.nbytes for split in prepared.splits.values() if isinstance(split, VectorizedSplit)))
        found = "found there from an earlier run" if train.reused else "written now"
        console.say("cache", f"disk: {size} of tokens in {train.folder}, {found}; the folder may be deleted")


def show_model(console: Console, prepared: Prepared, parameters: int) -> None:
    """Say what is trained."""
    options = prepared.options
    encoded = ENCODERS[options.encoder].describe(options.to_dict(), f"a {prepared.input.noun}", str)
    console.say("model", f"{encoded}; head {descriptions.head(options.to_dict(), str)}: {parameters:,} parameters")


def epoch_line(console: Console, prepared: Prepared) -> Callable[[int, Mapping[str, float]], None]:
    """Make the function that writes a line after each epoch."""
    options = prepared.options
    width = len(str(options.epochs))
    shown = prepared.output.shown
    # What the epoch is chosen by is always among them.
    names = dict.fromkeys([*shown, *(f"val_{name}" for name in shown), options.monitor])

    def show(number: int, logs: Mapping[str, float]) -> None:
        metrics = "  ".join(f"{name} {logs[name]:.4f}" for name in names if name)
        console.say(f"epoch {number:>{width}}/{options.epochs}", f"{metrics}  {logs['seconds']:.1f} s")

    return show


def show_kept(console: Console, options: Options, result: TrainingResult) -> None:
    """Say which epoch's weights the model has."""
    trained = len(result.history.get("loss", ()))
    early = ""
    if trained < min(options.epochs or 0, options.last_epoch or trained + 1) and not result.interrupted:
        early = f"; stopped early, since no epoch was better for {options.patience} (--patience)"
    console.say("kept", f"epoch {result.best_epoch} of {trained}, best {options.monitor}{early}")


def show_decision(console: Console, prepared: Prepared, decision: Decision, validation: Any) -> None:
    """Say which thresholds were chosen, where some were, and what that gained.

    Args:
        validation: scores of validation with these thresholds.
    """
    if not decision.tuned or decision.thresholds is None:
        return
    named = decision.named(prepared.data.class_names)
    shown = ", ".join(f"{name} {threshold:.4f}" for name, threshold in list(named.items())[:_SHOWN_CLASSES])
    more = ", …" if len(named) > _SHOWN_CLASSES else ""
    if any(found.support < FEWEST_TEXTS for found in validation.classes):
        more += f" (0.5 where fewer than {FEWEST_TEXTS} {prepared.input.noun}s of validation would choose)"
    console.say(
        "threshold",
        f"{shown}{more}: chosen on validation, whose macro-F1 is {validation.macro_f1:.4f} with it and was "
        f"{decision.validation_before.macro_f1:.4f} without",
    )


def show_baseline(console: Console, found: Baseline | LeftOut) -> None:
    """Say how good the n-gram model is, and whether the model is better than it."""
    if isinstance(found, LeftOut):
        console.say("baseline", f"n-grams: left out, since {found.reason}")
        return
    test, compared = found.scores["test"], found.comparisons["test"]
    measure = next(name for name in test.MAIN if name in _FRACTIONS_OF_TEXTS)
    time_taken = "kept by an earlier run" if found.reused else f"{found.seconds:.1f} s"
    console.say(
        "baseline",
        f"n-grams, test: {_score(test, measure)}  ({time_taken})\n"
        f"the model is {compared.verdict}: it alone is right in b = {compared.b:,} texts, the n-grams alone in "
        f"c = {compared.c:,} (McNemar's test, {compared.shown_p})",
    )


def show_hints(console: Console, hints: Sequence[str]) -> None:
    """Say what the scores tell of uneven classes."""
    for hint in hints:
        console.say("hint", hint)


def show_scores(console: Console, scores: Mapping[str, Any]) -> None:
    """Write a line of scores for each split or part."""
    width = max(map(len, scores))
    topic = "scores"
    for name, found in scores.items():
        console.say(topic, f"{name:<{width}}  " + "  ".join(_score(found, measure) for measure in found.MAIN))
        topic = ""


def show_saved_model(console: Console, folder: Path, sample: Sequence[str]) -> None:
    """Write where the SavedModel lies, and the lines that load it elsewhere.

    Args:
        folder: of the version.
        sample: lines of Python that call its signature, `classify`.
    """
    console.say("saved", f"{folder}  (verified in a fresh process, without Keras and kseq)")
    console.line("\nLoad it anywhere that has TensorFlow:\n")
    console.line("    import tensorflow as tf")
    console.line(f'    classify = tf.saved_model.load({str(folder)!r}).signatures["serving_default"]')
    for line in sample:
        console.line(f"    {line}")


def run_object(
    folder: Path,
    prepared: Prepared,
    result: TrainingResult,
    decision: Decision,
    scores: Mapping[str, Any],
    test_parts: Mapping[str, Any],
    baseline: Baseline | LeftOut | None,
    started: float,
) -> dict[str, Any]:
    """Make the JSON object of a run."""
    return {
        "saved_model": str(folder),
        **{split: summary(scores[split]) for split in ("test", "validation")},
        "seconds": {"train": round(result.seconds, 2), "total": round(time.perf_counter() - started, 2)},
        "options": prepared.options.to_dict(),
        "thresholds": decision.named(prepared.data.class_names),
        "padding_share": prepared.padding_share,
        "test_parts": {name: summary(part) for name, part in test_parts.items()},
        "baseline": _baseline_summary(baseline),
    }


def summary(scores: Any) -> dict[str, Any]:
    """Give the scores that a run tells in short, with their intervals."""
    found = scores.to_dict()
    wanted = [name for measure in scores.MAIN for name in (measure, f"{measure}_interval")]
    return {name: found[name] for name in wanted if name in found}


def _baseline_summary(found: Baseline | LeftOut | None) -> dict[str, Any] | None:
    """Give the baseline's scores as shortly as those of the model."""
    if not isinstance(found, Baseline):
        return None if found is None else found.to_dict()
    return {**found.to_dict(), **{split: summary(scores) for split, scores in found.scores.items()}}


def _weights(prepared: Prepared) -> str:
    """Show the weights of the first classes."""
    names, train = prepared.data.class_names[:_SHOWN_CLASSES], prepared.splits["train"]
    if prepared.label_weights is not None:
        weights = prepared.label_weights[1]
    else:
        weights = [float(train.sample_weights[np.argmax(train.targets == label)]) for label in range(len(names))]
    more = ", …" if len(prepared.data.class_names) > _SHOWN_CLASSES else ""
    return ", ".join(f"{name} {weight:.2f}" for name, weight in zip(names, weights, strict=False)) + more


def _score(scores: Any, measure: str) -> str:
    """Show one score, with its interval where it has one."""
    value, name = getattr(scores, measure), _WORDS.get(measure, measure)
    if not hasattr(scores, f"{measure}_interval"):
        return f"{name} {value:.4f}"
    low, high = getattr(scores, f"{measure}_interval")
    form = ".2%" if measure in _FRACTIONS_OF_TEXTS else ".4f"
    return f"{name} {value:{form}} ({low:{form}} to {high:{form}})"
