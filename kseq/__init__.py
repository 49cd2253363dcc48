"""kseq trains, measures and ships recurrent text classifiers.

Importing this package imports nothing else: `kseq.load` brings in TensorFlow when it is first used.
"""

from typing import Any

__version__ = "0.1.0"
__all__ = ["__version__", "load"]


def __getattr__(name: str) -> Any:
    if name == "load":
        from kseq.saved_model import load

        return load
    raise AttributeError(f"module 'kseq' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
