"""`python -m kseq.run DATASET`: train on a dataset, test once, and leave a verified SavedModel."""

import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pipelines
from kseq import errors
from kseq.command_line import Parser, add_options, read_options
from kseq.console import Console, end, quiet_start
from kseq.options import Options, check_applies
from kseq.registry import unknown
from pipelines.errors import DataError

if TYPE_CHECKING:
    from kseq.experiment import Prepared
    from kseq.scoring import Scores
    from kseq.training import TrainingResult
    from pipelines.text_data import TextData


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    return end(lambda: _run(sys.argv[1:] if arguments is None else arguments))


def _parser() -> Parser:
    parser = Parser(
        prog="kseq run",
        description="Train a recurrent text classifier, test it once, and leave a SavedModel that loads anywhere.",
        epilog="Exit codes: 0 done, 1 failure, 2 usage, 3 data, 4 export not verified, 130 interrupted.",
        allow_abbrev=False,
    )
    add_options(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output, the rest on error")
    return parser


def _run(arguments: Sequence[str]) -> int:
    started = time.perf_counter()
    namespace = _parser().parse_all(arguments)
    options, typed = read_options(namespace)
    check_dataset(options.dataset)
    check_applies(options, typed, pipelines.datasets()[options.dataset].parameters)
    console = Console(namespace.json)
    with console.owning_output():
        with quiet_start():
            # The slow imports: TensorFlow, Keras, and what stands on them.
            from kseq import experiment
            from kseq.artifact import write_artifact
            from kseq.model import serving_model
            from kseq.run_record import run_record
            from kseq.saved_model_writer import check_writable
            from kseq.scoring import score
        check_writable(options.output_dir, options.export_name)
        data = load_data(options, console)
        start = time.perf_counter()
        prepared = experiment.prepare(data, options)
        show_prepared(console, prepared, start)
        model = experiment.new_model(prepared, prepared.options)
        result = train(model, prepared, console)

        spec = prepared.vectorizer.spec
        server = serving_model(model, prepared.options, spec, len(data.class_names), data.target_kind)
        answers = {split: experiment.probabilities(server, prepared.splits[split]) for split in ("validation", "test")}
        scores = {split: score(answers[split], prepared.splits[split].targets, data.class_names) for split in answers}
        parts = experiment.score_parts(answers["test"], prepared)
        show_scores(console, {**scores, **parts})

        record = run_record(prepared, model.count_params(), result, scores, parts, ["run", *arguments], started)
        folder = write_artifact(prepared, server, result, record, answers["test"], scores["test"], started)
        show_saved_model(console, folder)
    console.json(
        {
            "saved_model": str(folder),
            "test": _summary(scores["test"]),
            "validation": _summary(scores["validation"]),
            "seconds": {"train": round(result.seconds, 2), "total": round(time.perf_counter() - started, 2)},
            "options": prepared.options.to_dict(),
            "padding_share": prepared.padding_share,
            "test_parts": {name: _summary(part) for name, part in parts.items()},
        }
    )
    return errors.INTERRUPTED if result.interrupted else errors.DONE


def check_dataset(name: str) -> None:
    """Refuse a name that is no dataset.

    Raises:
        DataError: it looks like a path, and nothing is there.
        UsageError: it is none of the datasets.
    """
    if name in pipelines.datasets():
        return
    if os.sep in name or "." in name:
        if not Path(name).exists():
            raise DataError(f"{name} does not exist. Check the path, or name a dataset: {_dataset_names()}.")
        raise errors.UsageError(
            f"{name} is a file of yours, which this version cannot read; expected one of {_dataset_names()}."
        )
    raise errors.UsageError(unknown("dataset", name, pipelines.datasets()))


def load_data(options: Options, console: Console) -> "TextData":
    """Load the dataset with the options that its `load` takes."""
    start = time.perf_counter()
    wanted = pipelines.datasets()[options.dataset].parameters
    given = {name: getattr(options, name) for name in wanted if hasattr(options, name)}
    data = pipelines.loader(options.dataset)(**{name: value for name, value in given.items() if value is not None})
    sizes = ", ".join(f"{size:,} {split}" for split, size in data.sizes.items())
    names = ", ".join(data.class_names[:8]) + (", …" if len(data.class_names) > 8 else "")
    console.say("data", f"{data.name}: {sizes}; {len(data.class_names)} classes: {names}  {_took(start)}")
    for warning in data.warnings:
        console.say("warning", warning)
    return data


def show_prepared(console: Console, prepared: "Prepared", start: float) -> None:
    """Say what the model will read."""
    settings = prepared.options
    kept = {"head": "first", "tail": "last", "head_tail": "first and last"}[settings.truncation]
    console.say(
        "text",
        f"{settings.vocabulary_size:,} words; {prepared.unknown_share:.1%} of validation's are unknown; of a text, the "
        f"{kept} {settings.sequence_length} words are read; padding {prepared.padding_share:.1%}  {_took(start)}",
    )


def train(model: Any, prepared: "Prepared", console: Console) -> "TrainingResult":
    """Train with Keras' progress bar where a person watches, and a line an epoch where nobody does."""
    from kseq import experiment

    options = prepared.options
    direction = "bidirectional " if options.bidirectional else ""
    console.say(
        "model",
        f"{direction}{options.cell} of {options.units} units, head {options.head}: {model.count_params():,} parameters",
    )
    width = len(str(options.epochs))

    def show_epoch(number: int, logs: Mapping[str, float]) -> None:
        console.say(
            f"epoch {number:>{width}}/{options.epochs}",
            f"loss {logs['loss']:.4f}  accuracy {logs['accuracy']:.4f}  val_loss {logs['val_loss']:.4f}  "
            f"val_accuracy {logs['val_accuracy']:.4f}  {logs['seconds']:.1f} s",
        )

    watched = console.interactive
    result = experiment.train_model(
        model, prepared, options, verbose=1 if watched else 0, on_epoch=None if watched else show_epoch
    )
    if result.interrupted:
        console.say("stopped", "by Ctrl-C; the best weights so far are tested and exported. Again to leave at once.")
    console.say("kept", f"epoch {result.best_epoch} of {len(result.history.get('loss', ()))}, best {options.monitor}")
    return result


def show_scores(console: Console, scores: Mapping[str, "Scores"]) -> None:
    """Write a line of scores for each split or part."""
    width = max(map(len, scores))
    for name, found in scores.items():
        low, high = found.accuracy_interval
        console.say(
            "scores" if name == next(iter(scores)) else "",
            f"{name:<{width}}  accuracy {found.accuracy:.2%} ({low:.2%} to {high:.2%})  macro-F1 {found.macro_f1:.4f}  "
            f"nll {found.nll:.4f}  ece {found.ece:.4f}",
        )


def show_saved_model(console: Console, folder: Path) -> None:
    """Write where the SavedModel lies, and the lines that load it elsewhere."""
    console.say("saved", f"{folder}  (verified in a fresh process, without Keras and kseq)")
    console.line("\nLoad it anywhere that has TensorFlow:\n")
    console.line("    import tensorflow as tf")
    console.line(f'    classify = tf.saved_model.load("{folder}").signatures["serving_default"]')
    console.line('    print(classify(text=tf.constant(["a text of yours"])))')


def _summary(scores: "Scores") -> dict[str, Any]:
    """Pick what `--json` tells of a split."""
    wanted = ("accuracy", "accuracy_interval", "macro_f1", "nll", "ece")
    found = scores.to_dict()
    return {name: found[name] for name in wanted}


def _dataset_names() -> str:
    return ", ".join(pipelines.datasets())


def _took(start: float) -> str:
    return f"({time.perf_counter() - start:.1f} s)"


if __name__ == "__main__":
    sys.exit(main())
