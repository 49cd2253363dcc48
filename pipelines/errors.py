"""The one error that data can cause."""


class DataError(Exception):
    """Data that cannot be used; commands answer with exit code 3.

    The message says what arrived, what is allowed and how to mend it.
    """
