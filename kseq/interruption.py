"""Ctrl-C as a wish: work in hand is brought to its end, and a second Ctrl-C stops at once."""

import signal
from collections.abc import Callable
from types import FrameType
from typing import Any


class Interruption:
    """A context in which the first SIGINT only sets a flag, and the second is an ordinary KeyboardInterrupt.

    Contexts nest: within another one, the outer one's handler stays, and its flag is this one's.

    Args:
        on_first: called, once, within the signal handler, to tell the user what happens next.
    """

    def __init__(self, on_first: Callable[[], None] | None = None):
        self._on_first = on_first
        self._asked = False
        self._outer: Interruption | None = None
        self._previous: Any = None
        self._installed = False

    def asked(self) -> bool:
        """Tell whether there was a SIGINT."""
        return self._outer.asked() if self._outer is not None else self._asked

    def __enter__(self) -> "Interruption":
        current = signal.getsignal(signal.SIGINT)
        outer = getattr(current, "__self__", None)
        if isinstance(outer, Interruption):
            self._outer = outer
            return self
        # Only the main thread can set handlers; elsewhere the caller's own way of stopping holds.
        try:
            self._previous = signal.signal(signal.SIGINT, self._handle)
            self._installed = True
        except ValueError:
            self._installed = False
        return self

    def __exit__(self, *error: object) -> None:
        if self._installed:
            signal.signal(signal.SIGINT, self._previous)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True
        if self._on_first is not None:
            self._on_first()
