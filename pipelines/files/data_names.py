"""What data of the user's files is called, and what she is told of carved splits."""

import re
from pathlib import Path

_SUFFIXES = re.compile(
    r"(?<=.)\.(csv|tsv|tab|txt|jsonl?|ndjson|parquet|npz|ft|tar|tgz|tbz2|txz|zip|gz|bz2|xz)$", re.IGNORECASE
)
CARVED = (
    "No test was given: {share:.0%} of the {noun} are carved for it (split seed {seed}), the same ones whatever the "
    "seed of the run."
)


def data_name(path: str) -> str:
    """Name the data after its file or folder, without suffixes, as a folder can be named."""
    place = Path(path)
    name = place.name if place.name not in ("", ".", "..") else place.resolve().name
    while (shorter := _SUFFIXES.sub("", name)) != name:
        name = shorter
    return re.sub(r"[^\w.-]+", "-", name).strip("-.") or "texts"
