"""How a search goes: a table that is drawn anew in a terminal, plain lines elsewhere."""

import shlex
from collections.abc import Mapping
from typing import Any

import rich.console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from kseq.command_line import typed_flags
from kseq.console import Console, shown_time
from kseq.options import FIELDS, Options
from kseq.tuning.budget import Budget
from kseq.tuning.objective import Objective

_SHOWN_TRIALS = 15


class Progress:
    """Tells of trials as plain lines.

    Args:
        console: where to.
        objective: what trials are judged by.
        base: the options that are not searched.
        budget: of the command.
    """

    def __init__(self, console: Console, objective: Objective, base: Options, budget: Budget):
        self.console = console
        self.objective = objective
        self.base = base
        self.budget = budget

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def label(self, options: Options) -> str:
        """Name settings by the flags that make them."""
        return settings_label(options, self.base)

    def begin(self, trial_id: str, asked: Options, options: Options) -> None:
        """Tell what is trained.

        Args:
            trial_id: of keras-tuner.
            asked: the options of the trial, before the data settles what they leave to it.
            options: with that.
        """
        self.console.say(f"trial {int(trial_id)}", self.label(asked) or "the defaults")

    def epoch(self, number: int, logs: Mapping[str, float]) -> None:
        """Tell that an epoch has ended."""

    def end(
        self,
        trial_id: str,
        record: Mapping[str, Any] | None,
        reason: str | None,
        again: bool,
        best: Mapping[str, Any] | None,
    ) -> None:
        """Tell how a trial came out.

        Args:
            trial_id: of keras-tuner.
            record: of the trial; None where it failed.
            reason: why it failed.
            again: whether it is tried once more.
            best: record of the best trial so far.
        """
        if record is None:
            self.console.say("again" if again else "failed", reason or "")
            return
        of = record["options"]["epochs"]
        cut = ", cut short by the budget" if record["cut"] else ""
        came = f"{self.objective.name} {record['value']:.4f} after {record['epochs']} of {of} epochs{cut}"
        self.console.say("", f"{came}  ({shown_time(record['seconds'])}); {self.so_far(best or record)}")

    def so_far(self, best: Mapping[str, Any]) -> str:
        """Say what is the best so far, and how much time is left."""
        rest = f"; {shown_time(self.budget.left)} left" if self.budget.seconds is not None else ""
        return f"best {best['value']:.4f}, trial {int(best['trial'])}{rest}"


class LiveProgress(Progress):
    """Draws a table of the trials, and draws it anew."""

    def __init__(self, console: Console, objective: Objective, base: Options, budget: Budget):
        super().__init__(console, objective, base, budget)
        self._rows: dict[str, list[str]] = {}
        self._epochs = 0
        self._running = ""
        self._best: Mapping[str, Any] | None = None
        self._live = Live(console=rich.console.Console(file=console.stream), auto_refresh=False)

    def __enter__(self) -> "Progress":
        self._live.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._live.__exit__(None, None, None)

    def begin(self, trial_id: str, asked: Options, options: Options) -> None:
        self._running, self._epochs = trial_id, options.epochs or 0
        self._rows[trial_id] = [str(int(trial_id)), self.label(asked) or "the defaults", "", "", "running"]
        self._draw()

    def epoch(self, number: int, logs: Mapping[str, float]) -> None:
        row = self._rows[self._running]
        row[2] = f"{number}/{self._epochs}"
        shown = logs.get(self.objective.name, logs["val_loss"])
        row[3] = f"{shown:.4f}"
        self._draw()

    def end(
        self,
        trial_id: str,
        record: Mapping[str, Any] | None,
        reason: str | None,
        again: bool,
        best: Mapping[str, Any] | None,
    ) -> None:
        row = self._rows.setdefault(trial_id, [str(int(trial_id)), "", "", "", ""])
        if record is None:
            row[4] = f"{'again' if again else 'failed'}: {reason}"
        else:
            cut = ", cut" if record["cut"] else ""
            row[2] = f"{record['epochs']}/{record['options']['epochs']}"
            row[3], row[4] = f"{record['value']:.4f}", f"{shown_time(record['seconds'])}{cut}"
        self._best = best
        self._draw()

    def _draw(self) -> None:
        caption = "" if self._best is None else f"{self.objective.name}: {self.so_far(self._best)}"
        table = Table("trial", "settings that differ", "epoch", self.objective.name, "", caption=caption)
        for row in list(self._rows.values())[-_SHOWN_TRIALS:]:
            # Not as strings, in which rich reads markup.
            table.add_row(*map(Text, row))
        self._live.update(table, refresh=True)


def settings_label(options: Options, base: Options) -> str:
    """Name settings by the flags that tell them from what is not searched."""
    quiet = ("seed", "monitor")
    told = [name for name in FIELDS if getattr(options, name) != getattr(base, name) and name not in quiet]
    return shlex.join(typed_flags(options, told))
