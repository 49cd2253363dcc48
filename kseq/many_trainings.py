"""What training many models in one process needs: no noise, and failures that are no reason to give up the others."""

import contextlib
import logging
from collections.abc import Iterator

import tensorflow as tf

from kseq.errors import TrainingError, UsageError

FAILURES = (TrainingError, UsageError, MemoryError, tf.errors.ResourceExhaustedError)


def failure_reason(error: BaseException) -> str:
    """Say in a sentence or two why a training failed, and what to try.

    Args:
        error: one of `FAILURES`.
    """
    if isinstance(error, (TrainingError, UsageError)):
        return str(error)
    first = str(error).partition("\n")[0].rstrip(".")
    return f"out of memory{f' ({first})' if first else ''}. Try a smaller --batch-size."


@contextlib.contextmanager
def of_many_models() -> Iterator[None]:
    """Silence TensorFlow's warning that one function is traced again and again: each model traces its own."""
    logger = logging.getLogger("tensorflow")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
