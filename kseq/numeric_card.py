"""What the model card says of numeric sequences: how to send one, what is read, where not to trust the answer."""

from collections.abc import Iterable, Mapping
from typing import Any

from kseq.markdown import code as _code

# What a card cannot be written without.
REQUIRED_OPTIONS = ()
TAKES = "raw numbers"
# It refuses one.
EMPTY = ""
KIN = "sensor"
LISTS = ("channels.txt",)
_KEPT = {
    "head": "the first {length} time steps",
    "tail": "the last {length} time steps",
    "head_tail": "the first {half} and the last {rest} time steps",
}
_SHOWN = 20


def call(record: Mapping[str, Any]) -> tuple[str, str, str]:
    """Write, in Python, what is to be made first, what the signature takes, and what `kseq.load` takes."""
    width, steps = len(record["data"]["channels"]), record["options"]["sequence_length"]
    made = f"values = np.zeros((2, {steps}, {width}), np.float32)  # sequences, time steps, channels\n\n"
    return made, f"values=tf.constant(values), lengths=tf.constant([{steps}, {steps}])", "list(values)"


def reading(found: Mapping[str, Any]) -> str:
    """Say which columns were read, where there were some."""
    if "sequence_column" not in found:
        return ""
    order = f", ordered by {_code(found['time_column'])}" if found["time_column"] else ""
    return (
        f" A sequence is the rows with one {_code(found['sequence_column'])}{order}; the label stands in "
        f"{_code(found['label_column'])}."
    )


def vectors(record: Mapping[str, Any]) -> str:
    """Say what stands at a time step, a sentence."""
    channels = record["data"]["channels"]
    names = ", ".join(_code(channel["name"]) for channel in channels[:_SHOWN])
    more = ", …" if len(channels) > _SHOWN else ""
    constant = [_code(channel["name"]) for channel in channels if channel["constant"]]
    left = f" Constant in train, and so divided by 1: {', '.join(constant[:_SHOWN])}." if constant else ""
    return (
        f"A time step is {len(channels)} numbers ({names}{more}), less the mean and divided by the standard deviation "
        f"that each has in train; the graph does that, and `run.json` has the numbers.{left}"
    )


def kept(options: Mapping[str, Any]) -> str:
    """Say how much of a sequence is read."""
    wording = _KEPT.get(options["truncation"], "at most {length} time steps")
    length = options["sequence_length"]
    return wording.format(length=length, half=length - length // 2, rest=length // 2)


def limits(record: Mapping[str, Any]) -> Iterable[str]:
    """Say, as limits, what of a sequence counts and what is refused."""
    yield f"- Of a sequence it reads {kept(record['options'])}; the rest changes nothing."
    yield (
        "- Channels come in the order of `channels.txt` and in the units of train. What is not finite, and a length "
        "below 1 or above the time steps sent, is refused with an error, and with it the whole batch."
    )


def within(options: Mapping[str, Any]) -> str:
    """Say what of the sequences the tables hold."""
    return ""
