"""The one error that data can cause, and how it is found again behind the errors of TensorFlow."""

import contextlib
from collections import deque
from collections.abc import Iterator

# Their words alone: errors hold on to whatever their frames held.
_recent: deque[str] = deque(maxlen=16)


class DataError(Exception):
    """Data that cannot be used; commands answer with exit code 3.

    The message says what arrived, what is allowed and how to mend it.
    """

    def __init__(self, message: str):
        super().__init__(message)
        _recent.append(message)


def data_error_behind(error: BaseException) -> DataError | None:
    """Find the `DataError` that another error comes from.

    One that is raised within tf.data, where files are read again and again, arrives as an error of TensorFlow, which
    has nothing of it but its words among the lines of a traceback.
    """
    if isinstance(error, DataError):
        return error
    told = str(error)
    return next((DataError(message) for message in reversed(_recent) if f"DataError: {message}" in told), None)


@contextlib.contextmanager
def errors_of_data() -> Iterator[None]:
    """Raise the `DataError` that an error of TensorFlow raised inside the `with` comes from."""
    try:
        yield
    except Exception as error:
        found = data_error_behind(error)
        if found is None or found is error:
            raise
        raise found from error
