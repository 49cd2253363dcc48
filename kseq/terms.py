"""What all that is kept in a folder was made from, so that nothing made from anything else joins it. No TensorFlow."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from kseq.errors import ExportError, UsageError
from kseq.options import FIELDS, Options

_NOT_LEARNED_FROM = ("seed", "cache", "cache_dir")

# Groups of names and values.
Terms = Mapping[str, Mapping[str, Any]]


def learned_from(options: Options) -> dict[str, Any]:
    """Give the options that a training depends on, those of the data and the seed apart."""
    groups = ("text", "model", "training")
    return {
        name: getattr(options, name)
        for name, field in FIELDS.items()
        if field.metadata.get("group") in groups and name not in _NOT_LEARNED_FROM
    }


def check_terms(
    path: Path, what: str, there: Any, here: Terms, difference: Callable[[str, str, Any, Any], str], file: str
) -> None:
    """Refuse a folder whose content is of other terms.

    Args:
        path: of the folder.
        what: it holds, such as "comparison".
        there: what is written in it; anything, where it is broken.
        here: what is asked for.
        difference: `(group, name, value there, value here)` → how the two differ, in words.
        file: that holds what is there.

    Raises:
        UsageError: naming what differs.
    """
    try:
        differences = [
            difference(group, name, there[group].get(name), here[group].get(name))
            for group in here
            for name in {**there[group], **here[group]}
            if there[group].get(name) != here[group].get(name)
        ]
    except (KeyError, TypeError, AttributeError):
        differences = [f"its {file} cannot be read"]
    if differences:
        raise UsageError(
            f"{path} holds another {what}: {'; '.join(differences)}. Choose another --name, or --overwrite what is "
            "there."
        )


@contextlib.contextmanager
def writing(path: Path, what: str, flag: str = "--output-dir") -> Iterator[None]:
    """Turn whatever keeps files from being written into one sentence.

    Args:
        path: of the folder.
        what: is written, such as "comparison".
        flag: that chooses another folder.

    Raises:
        ExportError: naming the folder.
    """
    try:
        yield
    except OSError as error:
        raise ExportError(
            f"Cannot write a {what} into {path}: {error.strerror or error}. Mend that, or choose another {flag}."
        ) from error
