"""The folder of a comparison: a file for every training that is finished, so that an interrupted one goes on.

A training is found again by the data, the versions, its options and its seed. A folder holds trainings of one dataset
under one first row; which rows and seeds there are beside it may differ from call to call.
"""

import contextlib
import dataclasses
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from kseq.comparison.trainings import Training
from kseq.options import Options
from kseq.replacing import replacing
from kseq.terms import Terms, check_terms, learned_from, writing

TERMS = "terms.json"
TRAININGS = "trainings"
WHAT = "comparison"


@dataclasses.dataclass(frozen=True)
class Folder:
    """Where the trainings of one comparison are kept.

    Attributes:
        path: of the folder.
        terms: what all trainings in it share: `data`, the fingerprints of the splits; `versions`; and `first_row`, its
            options.
    """

    path: Path
    terms: Terms

    def find(self, options: Options, seed: int) -> Training | None:
        """Read the training of a row with a seed, where it is there and whole."""
        with contextlib.suppress(FileNotFoundError, ValueError):
            return load_training(self._file(options, seed))
        return None

    def keep(self, training: Training, options: Options, seed: int) -> None:
        """Write the training of a row with a seed, whole or not at all.

        Args:
            training: what is left of it.
            options: of the row, before the data settles what they leave to it.
            seed: of the training.

        Raises:
            ExportError: it cannot be written.
        """
        record = np.frombuffer(json.dumps(training.record).encode(), np.uint8)
        arrays = {name: getattr(training, name) for name in ("probabilities", "targets", "right")}
        with writing(self.path, WHAT), replacing(self._file(options, seed)) as path, open(path, "wb") as file:
            np.savez_compressed(file, record=record, **arrays)
            file.flush()
            os.fsync(file.fileno())

    def _file(self, options: Options, seed: int) -> Path:
        content = {"terms": self.terms, "options": learned_from(options), "seed": seed}
        digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
        return self.path / TRAININGS / f"{digest}.npz"


def open_folder(path: Path, terms: Terms, overwrite: bool = False) -> Folder:
    """Make the folder of a comparison, or find the one that was interrupted.

    Args:
        path: of the folder.
        terms: as `Folder` has them.
        overwrite: delete the trainings that are there.

    Raises:
        UsageError: it holds trainings of other terms.
        ExportError: it cannot be made or written to.
    """
    with writing(path, WHAT):
        (path / TRAININGS).mkdir(parents=True, exist_ok=True)
        if overwrite:
            for file in (path / TRAININGS).glob("*.npz"):
                file.unlink()
        if any((path / TRAININGS).glob("*.npz")):
            check_terms(path, WHAT, _read_terms(path), terms, _difference, TERMS)
        with replacing(path / TERMS) as file:
            file.write_text(json.dumps(terms, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return Folder(path, terms)


def load_training(path: Path) -> Training:
    """Read a training from its file.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is none of ours.
    """
    try:
        # NumPy leaves a file open that it cannot read.
        with open(path, "rb") as stream, np.load(stream, allow_pickle=False) as file:
            record = json.loads(file["record"].tobytes())
            return Training(record, file["probabilities"], file["targets"], file["right"])
    except FileNotFoundError:
        raise
    except Exception as error:  # Of zip files, NumPy and JSON, each of its own kind.
        raise ValueError(f"{path} cannot be read as a training ({error})") from error


def _read_terms(path: Path) -> Any:
    """Read the terms of the trainings in a folder; None where they cannot be read."""
    with contextlib.suppress(OSError, ValueError):
        return json.loads((path / TERMS).read_text(encoding="utf-8"))
    return None


def _difference(group: str, name: str, there: Any, here: Any) -> str:
    if group == "data":
        return f"the texts or labels of {name} are others"
    what = f"--{name.replace('_', '-')} of the first row" if group == "first_row" else name
    return f"{what} is {there} there and {here} here"
