"""Numeric sequences as input: a standardiser, values as vectors, and a signature that takes numbers and lengths.

Nothing slow is imported until a function is called. What the functions take and give, `kseq.inputs.Input` says.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kseq.text_options import READ_FROM

if TYPE_CHECKING:
    import numpy as np
    import tensorflow as tf

    from kseq.standardizer import Standardizer
    from pipelines.sequence_data import SequenceData, Sequences

# A recurrent network forgets over a thousand steps, and each takes its time.
_MOST_STEPS = 1000
_SHOWN = 8


def adapt(
    data: "SequenceData", read: Sequence[str], needs: Collection[str], *, sequence_length: int | None, truncation: str
) -> tuple["Standardizer", dict[str, Any], dict[str, Any]]:
    """Take means and deviations from train, and standardise every split once."""
    from kseq.standardizer import Standardizer, channel_statistics
    from pipelines.numeric_split import numeric_split

    length = sequence_length or suggested_length(data)
    standardizer = Standardizer(*channel_statistics(data.train.values), data.channel_names, length, truncation)
    splits = {name: numeric_split(getattr(data, name), standardizer) for name in read}
    return standardizer, splits, {"sequence_length": length}


def suggested_length(data: "SequenceData") -> int:
    """Suggest the time steps of the longest sequence of train, up to a thousand; two at least, as the option has it."""
    return min(max(int(data.train.lengths.max()), 2), _MOST_STEPS)


def learned_from(data: "SequenceData") -> tuple[str, ...]:
    """Name nothing: there are no unlabeled sequences."""
    return ()


def embed(inputs: Mapping[str, Any]) -> tuple[Any, Any]:
    """Take the values as they are, and the mask from the lengths."""
    from kseq.layers.length_mask import LengthMask

    return inputs["values"], LengthMask(name="mask")(inputs["values"], inputs["lengths"])  # (B, T, F), (B, T)


def beside(inputs: Mapping[str, Any]) -> list[Any]:
    """Join nothing to what the head gives."""
    return []


def signature(standardizer: "Standardizer") -> dict[str, "tf.TensorSpec"]:
    """Take numbers and lengths."""
    return standardizer.spec


def tensors(sequences: "Sequence[np.ndarray]") -> dict[str, Any]:
    """Pad sequences on the right."""
    import numpy as np

    lengths = np.array([len(sequence) for sequence in sequences], np.int32)
    values = np.zeros((len(sequences), lengths.max(initial=0), sequences[0].shape[1]), np.float32)
    for row, sequence in zip(values, sequences, strict=True):
        row[: len(sequence)] = sequence
    return {"values": values, "lengths": lengths}


def assets(standardizer: "Standardizer") -> dict[str, Sequence[str]]:
    """Give the names of the channels, in the order that they are sent in."""
    return {"channels.txt": standardizer.channel_names}


def facts(standardizer: "Standardizer") -> dict[str, Any]:
    """Say how each channel is standardised."""
    columns = zip(standardizer.channel_names, standardizer.means, standardizer.deviations, strict=True)
    return {
        "channels": [
            {
                "name": name,
                "mean": float(mean),
                "deviation": float(deviation),
                "constant": name in standardizer.constant,
            }
            for name, mean, deviation in columns
        ]
    }


def examples(split: "Sequences", positions: "np.ndarray") -> "list[np.ndarray]":
    """Give some sequences of a split."""
    return [split[position] for position in positions.tolist()]


def cells(split: "Sequences") -> Iterator[str] | None:
    """Give the id of every sequence, where the data has ids."""
    return iter(split.ids) if split.ids else None


def tell(prepared: Any) -> tuple[str, str]:
    """Say which channels are read, and how much of a sequence."""
    options, standardizer = prepared.options, prepared.preprocessor
    names, constant = standardizer.channel_names, standardizer.constant
    longer = float((prepared.data.train.lengths > options.sequence_length).mean())
    left_out = f" ({longer:.1%} of train's are longer)" if longer else ""
    still = f"; constant in train, and so divided by 1: {_listed(constant)}" if constant else ""
    return "values", (
        f"{len(names)} {'channel' if len(names) == 1 else 'channels'}, standardised by their mean and deviation in "
        f"train{still}; at most {options.sequence_length} time steps of a sequence are read, from "
        f"{READ_FROM[options.truncation]}{left_out}"
    )


def sample(standardizer: "Standardizer") -> list[str]:
    """Classify a sequence."""
    steps, channels = standardizer.sequence_length, len(standardizer.channel_names)
    return [
        f"values = tf.zeros((1, {steps}, {channels}))  # sequences, time steps, channels",
        f"print(classify(values=values, lengths=tf.constant([{steps}])))",
    ]


def report(data: "SequenceData", options: Any) -> dict[str, Any]:
    """Look at the lengths, and at every channel of train."""
    from kseq.numeric_report import numeric_report

    return numeric_report(data, options.sequence_length or suggested_length(data))


def report_lines(found: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Say what the report found, a topic and a line each."""
    from kseq.numeric_report import numeric_report_lines

    return numeric_report_lines(found)


def suggestions(found: Mapping[str, Any]) -> str:
    """Write the options that the report suggests as flags."""
    suggested = found["suggested"]
    return (
        f"--sequence-length {suggested['sequence_length']} ({suggested['longer_share']:.1%} of train sequences are "
        "longer)"
    )


def shown(split: "Sequences", chosen: "np.ndarray") -> list[str]:
    """Name some sequences by their id, or by their number from 0."""
    return [split.ids[place] if split.ids else f"number {place}" for place in chosen.nonzero()[0].tolist()]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
