"""Errors that commands answer with an exit code of their own, and the codes.

Data errors are `pipelines.DataError`.
"""

# It lives where nothing of ours is imported, so that a loaded model needs no second module.
from kseq.saved_model import LoadError as LoadError

DONE = 0
FAILURE = 1
USAGE = 2
DATA = 3
NOT_VERIFIED = 4
INTERRUPTED = 130
MEANINGS = {
    DONE: "done",
    FAILURE: "failure",
    USAGE: "usage",
    DATA: "data",
    NOT_VERIFIED: "export not verified",
    INTERRUPTED: "interrupted",
}


class UsageError(ValueError):
    """Options that are wrong or do not fit together."""


class TrainingError(Exception):
    """Training that cannot go on, such as a loss that is not a number."""


class ExportError(Exception):
    """A SavedModel, or what else a command leaves, that could not be written."""


class VerificationError(ExportError):
    """A SavedModel that was written and does not answer as the trained model does."""
