"""The time that a command may take, from its start to its exit. No TensorFlow here."""

import math
import re
import time

from kseq.errors import UsageError

_SECONDS = {"s": 1, "m": 60, "h": 3600}


def read_budget(text: str) -> float:
    """Read a time such as "90s", "30m" or "1h30m", in seconds.

    Raises:
        UsageError: it is none.
    """
    parts = re.findall(r"(\d+(?:\.\d+)?)([smh])", text)
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in parts)
    if "".join(number + unit for number, unit in parts) != text or not seconds:
        raise UsageError(f"--budget is {text!r}; expected a time such as 90s, 30m or 1h30m.")
    return seconds


class Budget:
    """A clock that runs down.

    Args:
        seconds: from the start of the command to its exit; None for no end.
        started: when it began, as `time.perf_counter()` told it.
    """

    def __init__(self, seconds: float | None, started: float):
        self.seconds = seconds
        self._started = started

    @property
    def spent(self) -> float:
        """Seconds since the command began."""
        return time.perf_counter() - self._started

    @property
    def left(self) -> float:
        """Seconds until its end; infinite where it has none."""
        return math.inf if self.seconds is None else self.seconds - self.spent
