"""The folder of a search: keras-tuner's project, a record of each trial, and what the search is of."""

import dataclasses
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kseq.terms import Terms, check_terms, writing
from kseq.tuning.snapshots import read_json, write_json

SEARCH = "search.json"
PROJECT = "project"
WHAT = "search"
FLAG = "--tuning-dir"


@dataclasses.dataclass(frozen=True)
class SearchFolder:
    """Where all that a search finds is kept.

    Attributes:
        path: of the folder.
        terms: what it is of: `data`, the fingerprints of the splits; `search`, how it is done; `space`; `options`,
            those that are not searched; and `versions`.
    """

    path: Path
    terms: Terms

    @property
    def project(self) -> Path:
        """The folder of keras-tuner."""
        return self.path / PROJECT

    def state_of(self, trial_id: str) -> Path:
        """The file from which the training of a trial goes on."""
        return self.project / f"trial_{trial_id}" / "training.npz"

    def record(self, trial_id: str) -> dict[str, Any] | None:
        """Read what came of a trial; None where nothing did yet."""
        return read_json(self._record(trial_id))

    def keep_record(self, trial_id: str, record: Mapping[str, Any]) -> None:
        """Write what came of a trial.

        Raises:
            ExportError: it cannot be written.
        """
        with writing(self.path, WHAT, FLAG):
            self._record(trial_id).parent.mkdir(parents=True, exist_ok=True)
            write_json(self._record(trial_id), record)

    def keep_search(self, content: Mapping[str, Any]) -> None:
        """Write what the search is of, and what has come of it.

        Raises:
            ExportError: it cannot be written.
        """
        with writing(self.path, WHAT, FLAG):
            write_json(self.path / SEARCH, {"terms": self.terms, **content})

    def _record(self, trial_id: str) -> Path:
        return self.project / f"trial_{trial_id}" / "record.json"


def open_search(path: Path, terms: Terms, overwrite: bool) -> SearchFolder:
    """Make the folder of a search, or find the one that is to go on.

    Args:
        path: of the folder.
        terms: as `SearchFolder` has them.
        overwrite: delete the trials that are there.

    Raises:
        UsageError: it holds a search of other terms.
        ExportError: it cannot be made or written to.
    """
    folder = SearchFolder(path, terms)
    with writing(path, WHAT, FLAG):
        if overwrite and folder.project.exists():
            shutil.rmtree(folder.project)
        if folder.project.exists():
            there = read_json(path / SEARCH) or {}
            check_terms(path, WHAT, there.get("terms"), terms, _difference, SEARCH)
        folder.project.mkdir(parents=True, exist_ok=True)
    folder.keep_search({})
    return folder


def _difference(group: str, name: str, there: Any, here: Any) -> str:
    if group == "data":
        return f"the texts or labels of {name} are others"
    if group == "space":
        return f"what is searched of {name} is {there or 'nothing'} there and {here or 'nothing'} here"
    what = f"--{name.replace('_', '-')}" if group == "options" else name
    return f"{what} is {there} there and {here} here"
