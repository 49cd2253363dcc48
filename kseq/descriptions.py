"""What each encoder does and what the head is, in words, for the console and the model card.

`describe(options, text, code)` makes a clause that begins in lower case and has no full stop: `options` is a mapping of
all options, `text` what is read, such as "the first 400 words of a text", and `code` shows a name of ours.
"""

from collections.abc import Callable, Mapping
from typing import Any

from kseq.kernel_sizes import read_kernel_sizes

Options = Mapping[str, Any]
Code = Callable[[object], str]
Describe = Callable[[Options, str, Code], str]


def recurrent(options: Options, text: str, code: Code) -> str:
    """Say how many layers of which cell read, and in which direction."""
    layers = f"one layer of {options['units']} {code(options['cell'])} units reads"
    if options["num_layers"] > 1:
        layers = f"{options['num_layers']} layers of {options['units']} {code(options['cell'])} units each read"
    return f"{layers} {text} {'in both directions' if options['bidirectional'] else 'from left to right'}"


def convolution(options: Options, text: str, code: Code) -> str:
    """Say how many filters of which widths there are."""
    *others, last = map(str, read_kernel_sizes(options["kernel_sizes"]))
    widths = f"{', '.join(others)} and {last}" if others else last
    return f"{options['filters']} filters for each run of {widths} steps slide over {text}"


def convolution_recurrent(options: Options, text: str, code: Code) -> str:
    """Say what slides, and what reads the result."""
    return f"{convolution(options, text, code)}, and {recurrent(options, 'what they find', code)}"


def transformer(options: Options, text: str, code: Code) -> str:
    """Say how many layers of which width and heads there are, and how they know positions."""
    number, heads = options["num_layers"], options["num_heads"]
    layers = "one Transformer layer lets" if number == 1 else f"{number} Transformer layers let"
    return (
        f"{layers} every step of {text} look at all others, with {options['units']} units in "
        f"{heads} {'head' if heads == 1 else 'heads'} and {code(options['position'])} positions"
    )


def bag(options: Options, text: str, code: Code) -> str:
    """Say that nothing reads the order."""
    return f"no layer reads {text}: the vectors go to the head as they are, whatever their order"


def head(options: Options, code: Code) -> str:
    """Name the head, and of attention its kind, which records of earlier versions lack."""
    kind = f" ({code(options['attention'])})" if options["head"] == "attention" and "attention" in options else ""
    return code(options["head"]) + kind
