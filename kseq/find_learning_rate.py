"""`python -m kseq.find_learning_rate DATASET`: try rising learning rates on train, and suggest one."""

import argparse
import math
import shlex
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kseq.command_line import find_source, read_options, typed_flags
from kseq.commands import command_parser, load_data
from kseq.console import Console, end
from kseq.errors import DONE, ExportError, UsageError
from kseq.options import Options

_LOWEST, _HIGHEST, _STEPS = 1e-5, 10.0, 300
_FOLDER = "learning_rates"
_TABLE, _PICTURE = "learning_rates.csv", "learning_rates.png"
# What a sweep has none of: a schedule, epochs, validation.
_WITHOUT = (
    "learning_rate", "schedule", "warmup_fraction", "plateau_factor", "plateau_patience", "ema_momentum", "epochs",
    "last_epoch", "patience", "monitor", "tune_threshold",
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    return end(_run, arguments)


def _run(arguments: Sequence[str]) -> int:
    parser = command_parser(
        "find_learning_rate",
        "Train on train alone for some steps, at a learning rate that rises from step to step, and suggest a tenth of "
        "the rate at which the loss is lowest.",
        groups=("data", "text", "model", "training"),
        without=_WITHOUT,
    )
    _add_flags(parser)
    namespace = parser.parse_all(arguments)
    options, typed = read_options(namespace)
    lowest, highest, steps = namespace.lowest_rate, namespace.highest_rate, namespace.steps
    _check_range(lowest, highest, steps)
    source = find_source(options, typed)
    console = Console(namespace.json)
    with console.owning_output():
        data = load_data(console, source, options, typed)

        from kseq import experiment
        from kseq.pretraining_report import pretrain_and_tell
        from kseq.report import show_model, show_prepared

        folder = _made(Path(namespace.folder or Path(_FOLDER, options.export_name(data.name))))
        start = time.perf_counter()
        prepared = experiment.prepare(data, options, with_test=False)
        options = prepared.options
        show_prepared(console, prepared, start)
        model = experiment.new_model(prepared, options, pretrain_and_tell(console, prepared, options))
        show_model(console, prepared, model.count_params())
        start = time.perf_counter()
        sweep = experiment.sweep_model(model, prepared, options, lowest=lowest, highest=highest, steps=steps)
        seconds = round(time.perf_counter() - start, 2)
        found = {
            "learning_rate": sweep.suggested,
            "lowest": {"learning_rate": sweep.rates[sweep.lowest], "smoothed_loss": sweep.smoothed[sweep.lowest]},
            "steps": len(sweep.rates),
            "diverged": sweep.diverged,
            "seconds": seconds,
            "command": None if sweep.suggested is None else _run_command(options, typed, sweep.suggested),
            "files": [str(path) for path in _write(sweep, options, folder)],
            "options": options.to_dict(),
        }
        _show(console, found, highest)
    console.json(found)
    return DONE


def _add_flags(parser: argparse.ArgumentParser) -> None:
    """Add what is the command's own."""
    sweep = parser.add_argument_group("sweep")
    rate: dict[str, Any] = {"type": float, "metavar": "X"}
    sweep.add_argument("--lowest-rate", default=_LOWEST, help=f"the first learning rate (default: {_LOWEST:g})", **rate)
    sweep.add_argument("--highest-rate", default=_HIGHEST, help=f"the last one (default: {_HIGHEST:g})", **rate)
    sweep.add_argument("--steps", type=int, metavar="N", default=_STEPS, help=f"optimizer steps (default: {_STEPS})")
    sweep.add_argument(
        "--output-dir", dest="folder", metavar="FOLDER", help=f"where table and picture go (default: {_FOLDER}/<name>)"
    )


def _check_range(lowest: float, highest: float, steps: int) -> None:
    """Raise `UsageError` for a range that no sweep can go through."""
    if not (0 < lowest < highest and math.isfinite(highest)):
        raise UsageError(
            f"--lowest-rate is {lowest:g} and --highest-rate is {highest:g}; expected two numbers above 0, the second "
            "the greater one."
        )
    if steps < 2:
        raise UsageError(f"--steps is {steps}; expected a whole number of at least 2.")


def _made(folder: Path) -> Path:
    """Make the folder of the results before anything slow is done.

    Raises:
        ExportError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ExportError(
            f"Cannot write into {folder}: {error.strerror or error}. Choose another folder with --output-dir."
        ) from error
    return folder.resolve()


def _write(sweep: Any, options: Options, folder: Path) -> list[Path]:
    """Write table and picture, and give their paths."""
    from kseq.csv_files import write_csv
    from kseq.learning_rate_figure import draw_learning_rates

    paths = [folder / _TABLE, folder / _PICTURE]
    rows = zip(sweep.rates, sweep.losses, sweep.smoothed, strict=True)
    try:
        write_csv(
            paths[0], ("step", "learning_rate", "loss", "smoothed_loss"), [(n, *row) for n, row in enumerate(rows)]
        )
        draw_learning_rates(sweep, options.optimizer, options.loss, paths[1])
    except OSError as error:
        raise ExportError(
            f"Cannot write into {folder}: {error.strerror or error}. Choose another folder with --output-dir."
        ) from error
    return paths


def _run_command(options: Options, typed: Sequence[str], learning_rate: float) -> str:
    """Write the command that trains with what was typed and the rate that was found."""
    flags = [*typed_flags(options, typed), "--learning-rate", f"{learning_rate:g}"]
    return shlex.join(["python", "-m", "kseq.run", options.dataset, *flags])


def _show(console: Console, found: Mapping[str, Any], highest: float) -> None:
    """Say what the sweep found."""
    lowest = found["lowest"]
    ended = f"ended at step {found['steps']}, where the loss diverged" if found["diverged"] else "went to its last step"
    console.say("sweep", f"{ended}  ({found['seconds']:.1f} s)")
    console.say("lowest", f"smoothed loss {lowest['smoothed_loss']:.4f} at learning rate {lowest['learning_rate']:.2g}")
    if found["learning_rate"] is None:
        console.say(
            "suggested", "nothing: the loss fell at no learning rate. Try a lower --lowest-rate, or more --steps."
        )
    else:
        if not found["diverged"] and lowest["learning_rate"] > highest / 2:
            console.say("warning", "the loss still fell at the end of the sweep. Try a higher --highest-rate.")
        console.say("suggested", f"--learning-rate {found['learning_rate']:g}, a tenth of that")
    console.say("saved", "\n".join(found["files"]))
    if found["command"] is not None:
        console.line(f"\nTrain with it:\n\n    {found['command']}")


if __name__ == "__main__":
    sys.exit(main())
