"""What a part of a model is, and how an unknown name is answered. No TensorFlow here."""

import dataclasses
import difflib
import inspect
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any


@dataclasses.dataclass(frozen=True)
class Part:
    """One entry of a registry: what builds it, and what is true of it.

    The keyword-only parameters of `build` that have no default are the options that the part reads. Which flags apply
    to a choice of parts follows from them, so that no list of flags stands beside the code. A part that chooses another
    one, as the recurrent encoder does a cell, also has the parameter `options`, which is all of them.

    Attributes:
        build: makes the part; what it takes and gives is said where its registry stands.
        summary: one line for listings.
        source: the paper, where there is one.
        made_of: other parts that `build` calls; what they read, this part reads.
        check: takes some of the options, by their names, and raises `UsageError` where they do not fit one another.
        order_sensitive: whether swapping two tokens can change the answer.
        streamable: whether text can arrive in pieces, with a carry of fixed size between them.
    """

    build: Callable[..., Any]
    summary: str
    source: str = ""
    made_of: tuple["Part", ...] = ()
    check: Callable[..., None] | None = None
    order_sensitive: bool = True
    streamable: bool = True

    @property
    def reads(self) -> tuple[str, ...]:
        """Names of the options that the part reads, `options` itself apart."""
        return tuple(
            dict.fromkeys([*options_read(self.build), *(name for part in self.made_of for name in part.reads)])
        )

    def __call__(self, *inputs: Any, options: Any, **more: Any) -> Any:
        """Build the part, with the options that it reads taken from the attributes of `options`."""
        return with_options(self.build, *inputs, options=options, **more)

    def check_fit(self, options: Any) -> None:
        """Refuse options that do not fit the part.

        Raises:
            UsageError: what was chosen, what is expected, and how to mend it.
        """
        for part in self.made_of:
            part.check_fit(options)
        if self.check is not None:
            with_options(self.check, options=options)


def options_read(function: Callable[..., Any]) -> tuple[str, ...]:
    """Name the options that a function reads: its keyword-only parameters without a default, `options` itself apart."""
    parameters = inspect.signature(function).parameters.values()
    needed = [each.name for each in parameters if each.kind is each.KEYWORD_ONLY and each.default is each.empty]
    return tuple(name for name in needed if name != "options")


def with_options(function: Callable[..., Any], *inputs: Any, options: Any, **more: Any) -> Any:
    """Call a function with the options that it reads, taken from the attributes of `options`."""
    values = {name: getattr(options, name) for name in options_read(function)}
    if "options" in inspect.signature(function).parameters:
        values["options"] = options
    return function(*inputs, **values, **more)


def unknown(what: str, value: object, choices: Iterable[str]) -> str:
    """Say that a name is none of the choices, and which one may have been meant."""
    names = sorted(choices)
    meant = _nearest(str(value), names)
    hint = f" Did you mean {meant!r}?" if meant else ""
    return f"{what} is {value!r}; expected one of {', '.join(map(repr, names))}.{hint}"


def _nearest(typed: str, names: Sequence[str]) -> str | None:
    """Find the name that was meant: one that looks much alike, or is a part of the typed word, or has it as a part."""
    # Case, dashes and underscores are not what makes a name.
    plain = {re.sub(r"[\W_]+", "", name.lower()): name for name in names}
    word = re.sub(r"[\W_]+", "", typed.lower())
    much_alike = difflib.get_close_matches(word, plain, n=1, cutoff=0.8)
    # `imdb_reviews` begins with imdb, and so is that more than reviews.
    within = [name for name in plain if len(word) > 2 and (name in word or word in name)]
    within.sort(key=lambda name: (not word.startswith(name), len(name)))
    alike = difflib.get_close_matches(word, plain, n=1)
    return next((plain[name] for name in [*much_alike, *within, *alike]), None)
