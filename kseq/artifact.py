"""What a run leaves: the SavedModel, and beside it everything a person asks of it."""

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from kseq.csv_files import write_csv
from kseq.experiment import Evaluation, Prepared
from kseq.figures import draw_curves
from kseq.model_card import model_card
from kseq.registry import with_options
from kseq.saved_model_writer import export_saved_model
from kseq.training import TrainingResult

# Held-out texts or sequences that the SavedModel must answer as the trained model does before it is published.
_VERIFIED = 64


def write_artifact(
    prepared: Prepared,
    evaluation: Evaluation,
    result: TrainingResult,
    record: dict[str, Any],
    started: float,
) -> Path:
    """Export, verify and publish a trained model with its record, tables, figures and model card.

    Args:
        prepared: the data and the resolved options.
        evaluation: of the trained model.
        result: of the training.
        record: of the run; its total seconds are set here.
        started: when the run did, as `time.perf_counter()` told it.

    Returns:
        The absolute path of the version folder.
    """
    data, options, kind, output = prepared.data, prepared.options, prepared.input, prepared.output
    server, answers, decision = evaluation.server, evaluation.answers["test"], evaluation.decision
    targets = prepared.splits["test"].targets
    # Evenly over the split, which may be sorted by label.
    chosen = np.unique(np.linspace(0, len(targets) - 1, _VERIFIED).astype(int))
    examples = kind.examples(data.test, chosen)

    def write_extras(folder: Path, version: int) -> None:
        record["version"] = version
        record["seconds"]["total"] = round(time.perf_counter() - started, 2)
        (folder / "run.json").write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        (folder / "README.md").write_text(model_card(record), encoding="utf-8")
        _write_history(folder / "history.csv", result.history)
        header, rows = output.table(answers, targets, data.class_names, decision.thresholds)
        shown = with_options(kind.cells, data.test, options=options)
        _write_predictions(folder / "predictions.csv", kind.noun, shown, header, rows)
        if result.history:
            draw_curves(result.history, folder / "curves.png", result.best_epoch)
        output.draw(evaluation.scores["test"], data.class_names, folder)

    folder = export_saved_model(
        options.output_dir,
        options.export_name(data.name),
        preprocessor=prepared.preprocessor,
        model=server,
        class_names=data.class_names,
        target_kind=data.target_kind,
        thresholds=decision.thresholds,
        input_kind=data.input_kind,
        examples=examples,
        expected_probabilities=(
            _on_cpu(prepared, server, examples) if tf.config.list_physical_devices("GPU") else answers[chosen]
        ),
        write_extras=write_extras,
    )
    return folder.resolve()


def _on_cpu(prepared: Prepared, server: keras.Model, examples: Sequence[Any]) -> np.ndarray:
    """Compute probabilities (N, C) where the verification will: a GPU rounds otherwise than a CPU."""
    with tf.device("/CPU:0"):
        sent = prepared.input.tensors(examples).values()
        return np.array(server(prepared.preprocessor(*sent)))


def _write_history(path: Path, history: Mapping[str, list[float]]) -> None:
    rows = zip(*history.values(), strict=True)
    write_csv(path, ["epoch", *history], [[number, *row] for number, row in enumerate(rows, start=1)])


def _write_predictions(
    path: Path, noun: str, cells: Iterator[str] | None, header: Sequence[str], rows: Iterable[Sequence[object]]
) -> None:
    """Write a row for everything in the test split, numbered from 0, in its order, without holding more than one."""
    number_column = f"{noun}_number"
    if cells is None:
        write_csv(path, [number_column, *header], ([number, *row] for number, row in enumerate(rows)))
        return
    numbered = enumerate(zip(cells, rows, strict=True))
    write_csv(path, [number_column, noun, *header], ([number, cell, *row] for number, (cell, row) in numbered))
