"""One door to all text data: named datasets, the user's files, datasets of TensorFlow Datasets, the user's own modules.

Nothing here imports TensorFlow, or loads a module of the user's, before `Source.load`: commands answer at once.
"""

import ast
import functools
import importlib
import importlib.util
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pipelines.availability import check_available
from pipelines.errors import DataError

if TYPE_CHECKING:
    from pipelines.text_data import TextData

TFDS_PREFIX = "tfds:"
_HERE = Path(__file__).parent


class Source(NamedTuple):
    """Where texts and labels come from.

    Attributes:
        name: as the user wrote it.
        summary: one line for listings.
        module: the module that loads it, with its function `load`.
        parameters: keyword arguments of that function.
        of: what the function takes before them, such as a path; empty where it takes nothing.
        download: name in TensorFlow Datasets and addresses of the archives, where preparing it downloads some.
        broken: why the module cannot be imported, where it cannot.
    """

    name: str
    summary: str
    module: str
    parameters: tuple[str, ...]
    of: tuple[str, ...] = ()
    download: tuple[str, tuple[str, ...]] | None = None
    broken: str = ""

    def given(self, options: Any) -> dict[str, Any]:
        """Take those parameters from the attributes of `options` that are set."""
        return {name: getattr(options, name) for name in self.parameters if getattr(options, name, None) is not None}

    def check(self, given: Mapping[str, Any]) -> None:
        """Find out without TensorFlow whether loading has a chance.

        Args:
            given: keyword arguments of `load`.

        Raises:
            DataError: it has none; the message tells how to get the data.
        """
        if self.broken:
            raise DataError(self.broken)
        if self.download is not None:
            check_available(*self.download, data_dir=given.get("data_dir"), manual_dir=given.get("manual_dir"))

    def load(self, **given: Any) -> "TextData":
        """Load the texts.

        Args:
            given: any of `parameters`.

        Raises:
            DataError: the data is not there, or no classifier can be made of it.
        """
        if self.broken:
            raise DataError(self.broken)
        try:
            module = importlib.import_module(self.module)
        except Exception as error:
            if self.module.startswith("pipelines."):
                raise
            raise DataError(
                f"the module {self.module} cannot be imported ({type(error).__name__}: {error})."
            ) from error
        data = module.load(*self.of, **given)
        if not hasattr(data, "class_names"):
            raise DataError(
                f"{self.module}.load() returned {type(data).__name__}; expected a TextData, such as "
                "pipelines.text_data.from_splits makes."
            )
        return data


@functools.cache
def datasets() -> dict[str, Source]:
    """Name every dataset module of this package: each file here that defines a `load` of keyword arguments alone."""
    found = {}
    for path in sorted(_HERE.glob("*.py")):
        source = _module_source(path.stem, f"pipelines.{path.stem}", path)
        if source is not None and not source.of:
            found[path.stem] = source
    return found


def find(name: str) -> Source | None:
    """Find what a name on the command line means.

    Args:
        name: a dataset's name; `tfds:` and a name of TensorFlow Datasets; a path; or a module with a function `load`,
            such as `mycompany.tickets`.

    Returns:
        None where it means nothing.

    Raises:
        DataError: the module has no `load`.
    """
    if name in datasets():
        return datasets()[name]
    if name.startswith(TFDS_PREFIX):
        source = _module_source(name, "pipelines.any_tfds", _HERE / "any_tfds.py")
        return source and source._replace(of=(name.removeprefix(TFDS_PREFIX),))
    if os.path.exists(name):
        path = _HERE / "files" / "text_files.py"
        source = _module_source(name, "pipelines.files.text_files", path)
        return source and source._replace(of=(name,))
    return _users_module(name)


def _users_module(name: str) -> Source | None:
    """Find a module of the user's by its dotted name, in the working folder too."""
    if not all(part.isidentifier() for part in name.split(".")) or name.split(".")[0] in ("kseq", "pipelines"):
        return None
    # As `python -m` has it; the console script does not.
    if "" not in sys.path and os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError, AttributeError):
        return None
    except Exception as error:  # A parent package of the user's is imported, whatever that raises.
        raise DataError(f"the module {name} cannot be imported ({type(error).__name__}: {error}).") from error
    if spec is None or not spec.origin or not spec.origin.endswith(".py"):
        return None
    path = Path(spec.origin)
    # One word is rather a mistyped dataset than a module of Python's own.
    if "." not in name and not path.is_relative_to(os.getcwd()):
        return None
    source = _module_source(name, name, path)
    if source is None:
        raise DataError(
            f"the module {name} ({path}) defines no function `load`. A dataset module has `def load(*, split_seed=0, "
            "…)`, with whatever keyword arguments it reads, which returns a TextData; pipelines/imdb.py is an example."
        )
    return source


def _module_source(name: str, module: str, path: Path) -> Source | None:
    """Read from a module's text what its `load` takes; None where it has none."""
    try:
        tree = ast.parse(path.read_bytes(), filename=str(path))
    except (SyntaxError, ValueError) as error:
        line = f" line {error.lineno}:" if isinstance(error, SyntaxError) else ""
        return Source(name, "cannot be read", module, (), broken=f"{path}{line} is no Python: {error}.")
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == "load":
            summary = (ast.get_docstring(tree) or "").partition("\n")[0]
            first, more = (tuple(argument.arg for argument in each) for each in _arguments(node.args))
            return Source(name, summary, module, more, first, _download(tree))
    return None


def _download(tree: ast.Module) -> tuple[str, tuple[str, ...]] | None:
    """Read the literals TFDS_NAME and ARCHIVES of a module."""
    values = {
        target.id: ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name) and target.id in ("TFDS_NAME", "ARCHIVES")
    }
    return (values["TFDS_NAME"], tuple(values["ARCHIVES"])) if len(values) == 2 else None


def _arguments(arguments: ast.arguments) -> tuple[list[ast.arg], list[ast.arg]]:
    """Part the arguments of a function into those without a keyword and the others."""
    return arguments.posonlyargs, arguments.args + arguments.kwonlyargs
