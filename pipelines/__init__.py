"""Everything tf.data: named datasets become text and labels, text and labels become batches. No Keras here.

Importing this package imports no TensorFlow: commands list the datasets before they load any.
"""

import ast
import functools
import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from pipelines.errors import DataError

__all__ = ["DataError", "Dataset", "datasets", "loader"]


class Dataset(NamedTuple):
    """What a dataset module says of itself: its summary line and the keyword arguments of its `load`."""

    summary: str
    parameters: tuple[str, ...]


@functools.cache
def datasets() -> dict[str, Dataset]:
    """Name every dataset module of this package: each file here that defines `load`. Nothing is imported."""
    found = {}
    for path in sorted(Path(__file__).parent.glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and node.name == "load":
                summary = (ast.get_docstring(tree) or "").partition("\n")[0]
                parameters = tuple(argument.arg for argument in node.args.args + node.args.kwonlyargs)
                found[path.stem] = Dataset(summary, parameters)
    return found


def loader(name: str) -> Callable[..., Any]:
    """Import a dataset module and return its `load`.

    Raises:
        KeyError: no module of this package is a dataset of that name.
    """
    if name not in datasets():
        raise KeyError(name)
    return importlib.import_module(f"pipelines.{name}").load
