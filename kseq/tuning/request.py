"""What is asked of a search. No TensorFlow here."""

import dataclasses
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kseq.applies import choosing
from kseq.errors import UsageError
from kseq.options import FIELDS, REGISTRIES, Options
from kseq.registry import unknown
from kseq.tuning.space import SEARCHED_GROUPS, Choices, Space

TUNERS = ("hyperband", "bayesian", "random", "grid")


@dataclasses.dataclass(frozen=True)
class Request:
    """What stood on the command line.

    Attributes:
        options: those that are not searched, and the defaults of those that are.
        typed: names of the options that stood there.
        space: what is searched, before the data is known.
        named: the fields in it that were asked for one by one.
        tuner: name in `TUNERS`.
        objective: None for what suits the data.
        trials: most of them, or None.
        patience_trials: trials without a better one before the search stops, or None.
        seeds: to retrain with.
        root: folder of all searches.
        name: of this one.
        overwrite: whether what is there is deleted.
        arguments: the whole line.

    Raises:
        UsageError: something of it cannot be.
    """

    options: Options
    typed: Sequence[str]
    space: Space
    named: frozenset[str]
    tuner: str
    objective: str | None
    trials: int | None
    patience_trials: int | None
    seeds: int
    root: Path
    name: str
    overwrite: bool
    arguments: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.tuner not in TUNERS:
            raise UsageError(unknown("tuner", self.tuner, TUNERS))
        if self.tuner == "hyperband" and "epochs" in self.space:
            raise UsageError(
                "--search epochs does not go with --tuner hyperband, which trains for few epochs first and for all of "
                "--epochs later. Leave it out, or choose another --tuner."
            )

    @property
    def pinned(self) -> dict[str, Any]:
        """The options that were typed and could have been searched."""
        named = [name for name in self.typed if FIELDS[name].metadata.get("group") in SEARCHED_GROUPS]
        return {name: getattr(self.options, name) for name in named}

    @property
    def command(self) -> str:
        """The command that does all this again."""
        return shlex.join(["python", "-m", "kseq.tune", *self.arguments])

    def export_name(self, data_name: str) -> str:
        """Name the folder of the search, and the export."""
        # Or a try on some texts would become the newest version of a model that is in use.
        sample = "-sample" if self.options.max_train_samples is not None else ""
        return self.options.replace(name=f"{data_name}-{self.name}{sample}").export_name(data_name)


def variants(space: Space, options: Options) -> list[Options]:
    """Make the options of models that flags may be for, since the search may choose their parts.

    Args:
        space: what is searched.
        options: those that are not.
    """
    found = []
    for name, values in space.items():
        if not isinstance(values, Choices) or values.relative:
            continue
        for value in values.values:
            try:
                found.append(choosing(options, name, value) if name in REGISTRIES else options.replace(**{name: value}))
            except UsageError:
                continue
    return found
