"""One door to all data: named datasets, the user's files, datasets of TensorFlow Datasets, the user's own modules.

Nothing here imports TensorFlow, or loads a module of the user's, before `Source.load`: commands answer at once.
"""

import ast
import contextlib
import functools
import importlib
import importlib.util
import inspect
import logging
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from importlib.machinery import PathFinder
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pipelines.availability import check_available
from pipelines.errors import DataError

if TYPE_CHECKING:
    from pipelines.sequence_data import SequenceData
    from pipelines.text_data import TextData

    Data = TextData | SequenceData

logger = logging.getLogger("pipelines")

TFDS_PREFIX = "tfds:"
_FILES = "pipelines.files."
# What reads a path: texts; the rows of a table as time steps, where the user names the column of the sequence; arrays.
_TEXTS, _TABLES, _ARRAYS = "text_files", "sequence_tables", "sequence_arrays"
# Of modules that import their `load` from one another.
_DEEPEST = 5
_HERE = Path(__file__).parent


class Source(NamedTuple):
    """Where texts or sequences and their labels come from.

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

    @property
    def is_path(self) -> bool:
        """Whether it lies at a path."""
        return self.module.startswith(_FILES)

    @property
    def input_kind(self) -> str | None:
        """Name of what it holds in `kseq.inputs`; None of a module of the user's, of which only loading it tells."""
        if not self.module.startswith("pipelines."):
            return None
        return "numeric" if self.module in (_FILES + _TABLES, _FILES + _ARRAYS) else "text"

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

    def load(self, **given: Any) -> "Data":
        """Load the texts or sequences.

        Args:
            given: any of `parameters`.

        Raises:
            DataError: the data is not there, or no classifier can be made of it.
        """
        if self.broken:
            raise DataError(self.broken)
        if self.name in datasets() and os.path.exists(self.name):
            logger.info("%s is the dataset of that name; what lies here under it is ./%s", self.name, self.name)
        function = self._function(given)
        try:
            data = function(*self.of, **given)
        except DataError:
            raise
        except Exception as error:
            if self.module.startswith("pipelines."):
                raise
            # The trace within our own code would tell the author of a module nothing.
            place = traceback.extract_tb(error.__traceback__)[-1]
            raise DataError(
                f"{self.module}.load() failed: {type(error).__name__}: {error} ({place.filename} line {place.lineno})."
            ) from error
        if not hasattr(data, "class_names"):
            raise DataError(
                f"{self.module}.load() returned {type(data).__name__}; expected a TextData, such as "
                "pipelines.text_data.from_splits makes, or a SequenceData."
            )
        return data

    def _function(self, given: Mapping[str, Any]) -> Callable[..., "Data"]:
        """Import the module; raise `DataError` where it cannot be, or where its `load` needs what nobody gives it."""
        if self.module.startswith("pipelines."):
            return importlib.import_module(self.module).load
        try:
            function = importlib.import_module(self.module).load
        # A module may also leave the program, as a script does that was never meant to be imported.
        except (Exception, SystemExit) as error:
            raise DataError(
                f"the module {self.module} cannot be imported ({type(error).__name__}: {error}). Mend it, or name "
                "another one."
            ) from error
        try:
            inspect.signature(function).bind(*self.of, **given)
        except (TypeError, ValueError) as error:
            shown = ", ".join(f"{name}={value!r}" for name, value in given.items())
            raise DataError(f"{self.module}.load({shown}) cannot be called ({error}). {_LIKE_THIS}") from error
        return function


_LIKE_THIS = (
    "A dataset module has `def load(*, split_seed=0, …)`, with whatever keyword arguments it reads, each with a "
    "default, which returns a TextData; pipelines/imdb.py is an example."
)


@functools.cache
def datasets() -> dict[str, Source]:
    """Name every dataset module of this package: each file here that defines a `load` of keyword arguments alone."""
    found = {}
    for path in sorted(_HERE.glob("*.py")):
        source = _module_source(path.stem, f"pipelines.{path.stem}", path)
        if source is not None and not source.of:
            found[path.stem] = source
    return found


def find(name: str, sequences: bool = False) -> Source | None:
    """Find what a name on the command line means.

    Args:
        name: a dataset's name; `tfds:` and a name of TensorFlow Datasets; a path; or a module with a function `load`,
            such as `mycompany.tickets`.
        sequences: whether the rows of a table are time steps of sequences, rather than texts.

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
        reader = _ARRAYS if name.lower().endswith(".npz") else _TABLES if sequences else _TEXTS
        source = _module_source(name, _FILES + reader, _HERE / "files" / f"{reader}.py")
        return source and source._replace(of=(name,))
    return _users_module(name)


def _users_module(name: str) -> Source | None:
    """Find a module of the user's by its dotted name, in the working folder too; nothing of hers is imported."""
    if name.split(".")[0] in ("kseq", "pipelines"):
        return None
    # As `python -m` has it; the console script does not.
    if "" not in sys.path and os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    path = _module_path(name)
    # One word is rather a mistyped dataset than a module of Python's own.
    if path is None or ("." not in name and not path.is_relative_to(os.getcwd())):
        return None
    source = _module_source(name, name, path)
    if source is None:
        raise DataError(f"the module {name} ({path}) defines no function `load` at its top level. {_LIKE_THIS}")
    if source.of:
        raise DataError(
            f"`load` of the module {name} ({path}) takes {', '.join(source.of)} by place, and nobody gives it that. "
            f"{_LIKE_THIS}"
        )
    return source


def _module_path(name: str) -> Path | None:
    """Find the file of a module by its dotted name.

    `importlib.util.find_spec` would import the packages that it lies in: of a mistyped `train.csv` the user's train.py.
    """
    first, *others = name.split(".")
    if not all(part.isidentifier() for part in (first, *others)):
        return None
    try:
        # Of a name without dots it imports nothing, and asks the finders of editable installations too.
        spec = importlib.util.find_spec(first)
        for part in others:
            if spec is None or spec.submodule_search_locations is None:
                return None
            spec = PathFinder.find_spec(part, list(spec.submodule_search_locations))
    except (ImportError, ValueError):  # Of a module that is loaded without a spec, as __main__ is.
        return None
    return Path(spec.origin) if spec is not None and spec.origin and spec.origin.endswith(".py") else None


def _module_source(name: str, module: str, path: Path, depth: int = 0) -> Source | None:
    """Read from a module's text what its `load` takes; None where it has none."""
    try:
        tree = ast.parse(path.read_bytes(), filename=str(path))
    except (OSError, SyntaxError, ValueError) as error:
        line = f" line {error.lineno}:" if isinstance(error, SyntaxError) else ""
        wrong = "cannot be read" if isinstance(error, OSError) else "is no Python"
        return Source(name, "cannot be read", module, (), broken=f"{path}{line} {wrong}: {error}.")
    summary = (ast.get_docstring(tree) or "").partition("\n")[0]
    # What comes last holds.
    for node in reversed(tree.body):
        if isinstance(node, ast.FunctionDef) and node.name == "load":
            needed, named = _arguments(node.args)
            return Source(name, summary, module, named, needed, _download(tree))
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if (alias.asname or alias.name) == "load":
                    return _imported(name, summary, module, path, node, alias.name, depth)
    return None


def _imported(
    name: str, summary: str, module: str, path: Path, node: ast.ImportFrom, function: str, depth: int
) -> Source | None:
    """Read from the text of another module what a `load` takes that is imported from there."""
    package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    above = package[: len(package) + 1 - node.level] if node.level else []
    other = ".".join([*above, *([node.module] if node.module else [])])
    place = _module_path(other)
    found = None
    if function == "load" and place is not None and depth < _DEEPEST:
        found = _module_source(name, other, place, depth + 1)
    if found is None:
        broken = (
            f"the module {module} ({path}) imports its `load` from {other or '.'}, where no `def load` was found. "
            f"{_LIKE_THIS}"
        )
        return Source(name, summary, module, (), broken=broken)
    return found._replace(summary=summary or found.summary, module=module)


def _download(tree: ast.Module) -> tuple[str, tuple[str, ...]] | None:
    """Read TFDS_NAME and ARCHIVES of a module, where they are literals: a text, and several."""
    values: dict[str, Any] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name) and target.id in ("TFDS_NAME", "ARCHIVES"):
                    # A module of the user's may compute what it calls so; then loading tells what is missing.
                    with contextlib.suppress(ValueError, TypeError):
                        values[target.id] = ast.literal_eval(node.value)
    name, archives = values.get("TFDS_NAME"), values.get("ARCHIVES")
    texts = isinstance(archives, (tuple, list)) and all(isinstance(archive, str) for archive in archives)
    return (name, tuple(archives)) if isinstance(name, str) and archives and texts else None


def _arguments(arguments: ast.arguments) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Name the arguments of a function that can only be given by place and must be, and those with a keyword."""
    by_place = [argument.arg for argument in arguments.posonlyargs]
    with_default = max(len(arguments.defaults) - len(arguments.args), 0)
    named = tuple(argument.arg for argument in arguments.args + arguments.kwonlyargs)
    return tuple(by_place[: len(by_place) - with_default]), named
