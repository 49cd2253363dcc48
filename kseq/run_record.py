"""What `run.json` says of a run."""

import datetime
import importlib.metadata
import os
import platform
import shlex
import time
from collections.abc import Mapping, Sequence
from typing import Any

from kseq import __version__
from kseq.baseline import Baseline, LeftOut
from kseq.experiment import Prepared, data_facts
from kseq.pretraining import Pretrained
from kseq.thresholds import Decision
from kseq.training import TrainingResult

_PACKAGES = ("tensorflow", "keras", "numpy", "tensorflow-datasets")
# They change the bits of a result.
_FLAGS = ("TF_ENABLE_ONEDNN_OPTS", "TF_DETERMINISTIC_OPS", "OMP_NUM_THREADS")


def environment() -> dict[str, Any]:
    """Say with which versions, and on which machine, something is done."""
    return {
        "created": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "kseq": __version__,
        "versions": {
            "python": platform.python_version(),
            **{name: importlib.metadata.version(name) for name in _PACKAGES},
        },
        "flags": {name: os.environ[name] for name in _FLAGS if name in os.environ},
        "machine": {"processor": platform.processor() or platform.machine(), "cores": os.cpu_count()},
    }


def run_record(
    prepared: Prepared,
    parameters: int,
    pretrained: Pretrained | None,
    result: TrainingResult,
    decision: Decision,
    scores: Mapping[str, Any],
    test_parts: Mapping[str, Any],
    baseline: Baseline | LeftOut | None,
    hints: Sequence[str],
    command: Sequence[str],
    started: float,
) -> dict[str, Any]:
    """Put together everything that is needed to understand a run and to run it again.

    Args:
        prepared: the data and the resolved options.
        parameters: number of trained numbers.
        pretrained: what was learned before the labels, or None where nothing was.
        result: of the training.
        decision: the thresholds.
        scores: of validation and test.
        test_parts: of named parts of the test split.
        baseline: the n-gram model beside it, or None where none was asked for.
        hints: what the scores tell of uneven classes.
        command: what stood on the command line after `python -m kseq.`.
        started: when, as `time.perf_counter()` told it.
    """
    data, options = prepared.data, prepared.options
    verb, *arguments = command
    return {
        "name": options.export_name(data.name),
        "command": shlex.join(["python", "-m", f"kseq.{verb}", *arguments]),
        **environment(),
        "options": options.to_dict(),
        "data": {
            **data_facts(data),
            "reading": dict(data.reading),
            "notes": list(data.notes),
            "warnings": list(data.warnings),
            **prepared.input.facts(prepared.preprocessor),
        },
        "model": {
            "parameters": parameters,
            "vocabulary_size": options.vocabulary_size,
            "megabytes": round(parameters * 4 / 1e6, 2),
        },
        "pretraining": None if pretrained is None else pretrained.to_dict(),
        "seconds": {"train": round(result.seconds, 2), "total": round(time.perf_counter() - started, 2)},
        "padding_share": round(prepared.padding_share, 4),
        "best_epoch": result.best_epoch,
        "epochs": len(result.history.get("loss", ())),
        "interrupted": result.interrupted,
        "decision": {
            "thresholds": decision.named(data.class_names),
            "tuned": decision.tuned,
            **({"validation_before": decision.validation_before.to_dict()} if decision.tuned else {}),
        },
        **{split: found.to_dict() for split, found in scores.items()},
        "test_parts": {name: found.to_dict() for name, found in test_parts.items()},
        "baseline": None if baseline is None else baseline.to_dict(),
        "hints": list(hints),
    }
