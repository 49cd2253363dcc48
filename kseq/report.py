"""What commands that train tell: their lines on the console, and their JSON object."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from kseq.console import Console
from kseq.experiment import Prepared
from kseq.options import Options
from kseq.scoring import Scores
from kseq.text_options import BOTH, CHARACTER
from kseq.training import TrainingResult
from pipelines.free_memory import gibibytes
from pipelines.text_data import TextData
from pipelines.vectorized_split import StreamedSplit, VectorizedSplit

_SHOWN_CLASSES = 8
_READ_FROM = {"head": "its beginning", "tail": "its end", "head_tail": "both ends"}
_JSON_SCORES = ("accuracy", "accuracy_interval", "macro_f1", "nll", "ece")


def took(start: float) -> str:
    """Say how long something took that began at `time.perf_counter()` = start."""
    return f"({time.perf_counter() - start:.1f} s)"


def show_data(console: Console, data: TextData, start: float) -> None:
    """Say what was loaded, and what is to be minded about it."""
    sizes = ", ".join(f"{size:,} {split}" for split, size in data.sizes.items())
    more = ", …" if len(data.class_names) > _SHOWN_CLASSES else ""
    names = ", ".join(data.class_names[:_SHOWN_CLASSES]) + more
    console.say("data", f"{data.name}: {sizes}; {len(data.class_names)} classes: {names}  {took(start)}")
    for note in data.notes:
        console.say("", note)
    for warning in data.warnings:
        console.say("warning", warning)


def show_prepared(console: Console, prepared: Prepared, start: float) -> None:
    """Say what the model will read."""
    options = prepared.options
    if options.max_train_samples is not None:
        console.say("sample", f"of {prepared.data.sizes['train']:,} training texts, for a smoke run")
    what = "characters" if options.tokens == CHARACTER else "words"
    beside = f"; word n-grams up to {options.ngrams} are added up" if options.ngrams > 1 else ""
    unknown = "unknown" + (", and read by their characters" if options.tokens == BOTH else "")
    console.say(
        "text",
        f"{options.vocabulary_size:,} {what}; {prepared.unknown_share:.1%} of validation's are {unknown}; at most "
        f"{options.sequence_length} {what} of a text are read, from {_READ_FROM[options.truncation]}{beside}; padding "
        f"{prepared.padding_share:.1%}  {took(start)}",
    )
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


def show_model(console: Console, options: Options, parameters: int) -> None:
    """Say what is trained."""
    layers = f"{options.num_layers} layers of " if options.num_layers > 1 else ""
    direction = "bidirectional " if options.bidirectional else ""
    console.say(
        "model",
        f"{layers}{direction}{options.cell} of {options.units} units, head {options.head}: {parameters:,} parameters",
    )


def epoch_line(console: Console, options: Options) -> Callable[[int, Mapping[str, float]], None]:
    """Make the function that writes a line after each epoch."""
    width = len(str(options.epochs))

    def show(number: int, logs: Mapping[str, float]) -> None:
        console.say(
            f"epoch {number:>{width}}/{options.epochs}",
            f"loss {logs['loss']:.4f}  accuracy {logs['accuracy']:.4f}  val_loss {logs['val_loss']:.4f}  "
            f"val_accuracy {logs['val_accuracy']:.4f}  {logs['seconds']:.1f} s",
        )

    return show


def show_kept(console: Console, options: Options, result: TrainingResult) -> None:
    """Say which epoch's weights the model has."""
    console.say("kept", f"epoch {result.best_epoch} of {len(result.history.get('loss', ()))}, best {options.monitor}")


def show_scores(console: Console, scores: Mapping[str, Scores]) -> None:
    """Write a line of scores for each split or part."""
    width = max(map(len, scores))
    topic = "scores"
    for name, found in scores.items():
        low, high = found.accuracy_interval
        console.say(
            topic,
            f"{name:<{width}}  accuracy {found.accuracy:.2%} ({low:.2%} to {high:.2%})  macro-F1 {found.macro_f1:.4f}  "
            f"nll {found.nll:.4f}  ece {found.ece:.4f}",
        )
        topic = ""


def show_saved_model(console: Console, folder: Path) -> None:
    """Write where the SavedModel lies, and the lines that load it elsewhere."""
    console.say("saved", f"{folder}  (verified in a fresh process, without Keras and kseq)")
    console.line("\nLoad it anywhere that has TensorFlow:\n")
    console.line("    import tensorflow as tf")
    console.line(f'    classify = tf.saved_model.load({str(folder)!r}).signatures["serving_default"]')
    console.line('    print(classify(text=tf.constant(["a text of yours"])))')


def run_object(
    folder: Path,
    prepared: Prepared,
    result: TrainingResult,
    scores: Mapping[str, Scores],
    test_parts: Mapping[str, Scores],
    started: float,
) -> dict[str, Any]:
    """Make the JSON object of a run."""
    return {
        "saved_model": str(folder),
        **{split: _summary(scores[split]) for split in ("test", "validation")},
        "seconds": {"train": round(result.seconds, 2), "total": round(time.perf_counter() - started, 2)},
        "options": prepared.options.to_dict(),
        "padding_share": prepared.padding_share,
        "test_parts": {name: _summary(part) for name, part in test_parts.items()},
    }


def _summary(scores: Scores) -> dict[str, Any]:
    found = scores.to_dict()
    return {name: found[name] for name in _JSON_SCORES}
