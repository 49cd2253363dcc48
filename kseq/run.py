"""`python -m kseq.run DATASET`: train on a dataset, test once, and leave a verified SavedModel."""

import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pipelines
from kseq import errors
from kseq.command_line import find_source, read_options, recorded_fingerprints
from kseq.commands import CODES, command_parser, load_data
from kseq.console import Console, end
from kseq.interruption import Interruption
from kseq.options import Options


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    return end(_run, arguments)


def _run(arguments: Sequence[str]) -> int:
    started = time.perf_counter()
    parser = command_parser(
        "run",
        "Train a classifier of texts or numeric sequences, test it once, and leave a SavedModel that loads anywhere.",
        codes=sorted([*CODES, errors.NOT_VERIFIED]),
    )
    namespace = parser.parse_all(arguments)
    options, typed = read_options(namespace)
    recorded = recorded_fingerprints(Path(namespace.config)) if namespace.config is not None else {}
    # Before the slow imports: flags that do not apply and data that is not there are told at once.
    source = find_source(options, typed)
    console = Console(namespace.json)
    with console.owning_output():
        code, found = _train_and_export(options, typed, source, console, ["run", *arguments], started, recorded)
    console.json(found)
    return code


def _train_and_export(
    options: Options,
    typed: Sequence[str],
    source: pipelines.Source,
    console: Console,
    command: Sequence[str],
    started: float,
    recorded: Mapping[str, str],
) -> tuple[int, dict[str, Any]]:
    """Do the work; return the exit code and what `--json` tells.

    Args:
        typed: names of the options that stood on the command line.
        recorded: fingerprints of the splits of the run that is run again, where there is one.
    """
    data = load_data(console, source, options, typed)

    from kseq import experiment, report
    from kseq.artifact import write_artifact
    from kseq.baseline import advice, measure_baseline
    from kseq.pretraining_report import pretrain_and_tell
    from kseq.run_record import run_record
    from kseq.saved_model_writer import check_writable
    from kseq.weak_classes import weak_classes

    check_writable(options.output_dir, options.export_name(data.name))
    start = time.perf_counter()
    prepared = experiment.prepare(data, options)
    data, options = prepared.data, prepared.options
    report.show_prepared(console, prepared, start)
    report.show_changed(console, recorded, data)
    pretrained = pretrain_and_tell(console, prepared, options)
    model = experiment.new_model(prepared, options, pretrained)
    parameters = model.count_params()
    report.show_model(console, prepared, parameters)
    with Interruption(lambda: _say_what_follows(console)) as interruption:
        watched = console.interactive
        result = experiment.train_model(
            model, prepared, options, int(watched), None if watched else report.epoch_line(console, prepared)
        )
        report.show_kept(console, options, result)
        evaluation = experiment.evaluate(model, prepared, options)
        answers, decision, scores = evaluation.answers, evaluation.decision, evaluation.scores
        report.show_decision(console, prepared, decision, scores["validation"])
        parts = experiment.score_parts(answers["test"], prepared, decision)
        report.show_scores(console, {**scores, **parts})
        baseline = measure_baseline(prepared, answers, decision, interruption.asked) if options.baseline else None
        if baseline is not None:
            report.show_baseline(console, baseline)
        hints = (*weak_classes(scores["validation"], options, prepared.input.noun), *advice(baseline, options))
        report.show_hints(console, hints)
        record = run_record(
            prepared, parameters, pretrained, result, decision, scores, parts, baseline, hints, command, started
        )
        folder = write_artifact(prepared, evaluation, result, record, started)
    report.show_saved_model(console, folder, prepared.input.sample(prepared.preprocessor))
    code = errors.INTERRUPTED if interruption.asked() else errors.DONE
    return code, report.run_object(folder, prepared, result, decision, scores, parts, baseline, started)


def _say_what_follows(console: Console) -> None:
    console.line()
    console.say(
        "stopping", "the best weights so far will be tested and exported; Ctrl-C again leaves at once, without."
    )


if __name__ == "__main__":
    sys.exit(main())
