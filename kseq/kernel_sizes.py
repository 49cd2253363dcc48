"""Widths of a convolution's filters, as they are written in an option. No TensorFlow here."""

from kseq.errors import UsageError

# A filter of this width sees more than a sentence; each step of it costs as much as another filter.
_WIDEST = 64


def read_kernel_sizes(text: str) -> tuple[int, ...]:
    """Read widths such as "3,4,5", in steps.

    Raises:
        UsageError: something else stands there, a width twice, or one that is out of range.
    """
    sizes = [int(word) if word.strip().isascii() and word.strip().isdecimal() else 0 for word in text.split(",")]
    if len(set(sizes)) < len(sizes) or not all(1 <= size <= _WIDEST for size in sizes):
        raise UsageError(
            f"kernel_sizes is {text!r}; expected different whole numbers from 1 to {_WIDEST} with commas between, such "
            "as 3,4,5."
        )
    return tuple(sizes)
