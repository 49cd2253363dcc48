"""What can go wrong with one training of many, and is no reason to give up the others."""

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
