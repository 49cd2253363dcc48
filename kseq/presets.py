"""Named sets of options; a typed flag wins over its preset."""

from collections.abc import Mapping
from typing import Any

PRESETS: Mapping[str, Mapping[str, Any]] = {
    # What a run without flags does.
    "default": {},
}
