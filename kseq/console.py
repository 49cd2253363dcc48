"""What commands write, and how they end."""

import contextlib
import json
import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TextIO

from kseq import errors
from pipelines.errors import DataError, data_error_behind

_EXIT_CODES: tuple[tuple[type[BaseException], int], ...] = (
    (errors.UsageError, errors.USAGE),
    (DataError, errors.DATA),
    (errors.VerificationError, errors.NOT_VERIFIED),
    (errors.TrainingError, errors.FAILURE),
    (errors.ExportError, errors.FAILURE),
    (errors.LoadError, errors.FAILURE),
)


class Console:
    """The one place that commands write to.

    With `as_json`, standard output gets one JSON object and everything else goes to standard error, what libraries
    print included.
    """

    def __init__(self, as_json: bool = False):
        self._json_stream = sys.stdout
        self.as_json = as_json
        self.stream: TextIO = sys.stderr if as_json else sys.stdout

    @property
    def interactive(self) -> bool:
        """Whether a person watches: a progress bar makes sense."""
        return self.stream.isatty()

    def say(self, topic: str, text: str) -> None:
        """Write a line under a topic, such as `data        imdb: 25,000 texts`; further lines are indented."""
        first, *rest = text.splitlines() or [""]
        self.line(f"{topic:<11} {first}")
        for line in rest:
            self.line(f"{'':<11} {line}")

    def line(self, text: str = "") -> None:
        """Write a line as it is."""
        self.stream.write(text + "\n")
        self.stream.flush()

    def json(self, value: Mapping[str, Any]) -> None:
        """Write the command's one JSON object, where it was asked for; not within `owning_output`."""
        if self.as_json:
            self._json_stream.write(json.dumps(value, ensure_ascii=False) + "\n")
            self._json_stream.flush()

    @contextlib.contextmanager
    def owning_output(self) -> Iterator[None]:
        """Send what libraries print, and what `pipelines` logs, to where this console writes."""
        with contextlib.redirect_stdout(self.stream), self._showing_log("pipelines"):
            if not self.as_json:
                yield
                return
            # What C libraries write does not pass through Python's streams.
            self._json_stream.flush()
            kept = os.dup(1)
            os.dup2(2, 1)
            try:
                yield
            finally:
                os.dup2(kept, 1)
                os.close(kept)

    @contextlib.contextmanager
    def _showing_log(self, name: str) -> Iterator[None]:
        """Show what a logger tells, from INFO on, as notes."""
        handler = logging.Handler()
        handler.emit = lambda record: self.say("note", record.getMessage())  # type: ignore[method-assign]
        logger = logging.getLogger(name)
        level = logger.level
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        try:
            yield
        finally:
            # A command called from Python must not write to its streams when it is over.
            logger.removeHandler(handler)
            logger.setLevel(level)


def end(command: Callable[[Sequence[str]], int], arguments: Sequence[str] | None) -> int:
    """Run a command and turn the errors that users can mend into one message and an exit code.

    Args:
        command: from its arguments to its exit code.
        arguments: None for those of this process.
    """
    try:
        return command(sys.argv[1:] if arguments is None else arguments)
    except KeyboardInterrupt:
        sys.stderr.write("kseq: interrupted. What was not announced as saved was not exported.\n")
        return errors.INTERRUPTED
    except BrokenPipeError:
        # The reader has gone, as `| head` does; Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return errors.FAILURE
    except tuple(kind for kind, _ in _EXIT_CODES) as error:
        sys.stderr.write(f"kseq: {error}\n")
        return next(code for kind, code in _EXIT_CODES if isinstance(error, kind))
    except Exception as error:
        # Files that change or break while they are read again, within tf.data.
        found = data_error_behind(error)
        if found is None:
            raise
        sys.stderr.write(f"kseq: {found}\n")
        return errors.DATA


def shown_time(seconds: float) -> str:
    """Show a time in words that fit it."""
    if seconds < 90:
        return f"{max(seconds, 0):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


@contextlib.contextmanager
def quiet_start() -> Iterator[None]:
    """Hide what TensorFlow's C++ side writes to standard error while it is imported.

    It greets with lines on oneDNN and CUDA that no log level silences, and later with "errors" that the machine has no
    GPU. What goes wrong for real is raised in Python and still shows; `TF_CPP_MIN_LOG_LEVEL=0` brings the rest back.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # Whatever ~/.keras says: tf.data feeds the models, and SavedModels are what we are here for.
    os.environ["KERAS_BACKEND"] = "tensorflow"
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
