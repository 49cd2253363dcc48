"""The part of a data report that is about numeric sequences: lengths and channels."""

from collections.abc import Iterable, Mapping
from typing import Any

from kseq.standardizer import channel_statistics
from kseq.text_statistics import percentiles
from pipelines.sequence_data import SequenceData

_SHOWN_CHANNELS = 20


def numeric_report(data: SequenceData, length: int) -> dict[str, Any]:
    """Look at the lengths, and at every channel of train.

    Args:
        data: the splits.
        length: most time steps that a model reads.

    Returns:
        What JSON knows: `lengths` in time steps, `channels`, each with its range, mean and deviation in train, and the
        `suggested` length.
    """
    lengths, values = data.train.lengths, data.train.values
    means, deviations = channel_statistics(values)
    columns = zip(data.channel_names, values.min(axis=0), values.max(axis=0), means, deviations, strict=True)
    return {
        "lengths": {
            "mean": round(float(lengths.mean()), 1),
            "percentiles": percentiles(lengths),
            "longest": int(lengths.max()),
        },
        "channels": [
            {
                "name": name,
                "least": float(least),
                "greatest": float(greatest),
                "mean": float(mean),
                "deviation": float(deviation),
                "constant": bool(least == greatest),
            }
            for name, least, greatest, mean, deviation in columns
        ],
        "suggested": {"sequence_length": length, "longer_share": float((lengths > length).mean())},
    }


def numeric_report_lines(found: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Say what the report found, a topic and a line each."""
    lengths, channels = found["lengths"], found["channels"]
    shares = ", ".join(f"{share}% up to {length:,}" for share, length in lengths["percentiles"].items())
    yield "lengths", f"time steps of a train sequence: {shares}; the longest {lengths['longest']:,}"
    width = max(len(channel["name"]) for channel in channels[:_SHOWN_CHANNELS])
    topic = "channels"
    for channel in channels[:_SHOWN_CHANNELS]:
        yield (
            topic,
            (
                f"{channel['name']:<{width}}  from {channel['least']:g} to {channel['greatest']:g}, mean "
                f"{channel['mean']:g}, deviation {channel['deviation']:g}"
            ),
        )
        topic = ""
    if len(channels) > _SHOWN_CHANNELS:
        yield "", f"and {len(channels) - _SHOWN_CHANNELS} more; --json has all"
    constant = [channel["name"] for channel in channels if channel["constant"]]
    if constant:
        yield "warning", f"constant in train, so that nothing can be learned from it: {', '.join(constant)}"
