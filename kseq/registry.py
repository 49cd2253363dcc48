"""What a part of a model is, and how an unknown name is answered. No TensorFlow here."""

import dataclasses
import difflib
import functools
import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

# What a part that chooses another one hands on to it.
_HANDED_ON = ("options", "tensors")


@dataclasses.dataclass(frozen=True)
class Part:
    """One entry of a registry: what builds it, and what is true of it.

    The keyword-only parameters of `build` that have no default are the options that the part reads. Which flags apply
    to a choice of parts follows from them, so that no list of flags stands beside the code. What the part needs of the
    vectorizer beside its inputs are keyword-only parameters, too. A part that chooses another one, as the recurrent
    encoder does a cell, also has the parameters `options`, which is all of them, and, if the other one may need some,
    `tensors`, which is all of these.

    Attributes:
        build: makes the part; what it takes and gives is said where its registry stands.
        summary: one line for listings.
        source: the paper, where there is one.
        made_of: other parts that `build` calls; what they read, this part reads.
        check: takes some of the options, by their names, and raises `UsageError` where they do not fit one another.
        order_sensitive: whether swapping two tokens can change the answer.
        streamable: whether text can arrive in pieces, with a carry of fixed size between them.
        needs: names of tensors that the vectorizer then makes, such as `sentence_ids`.
    """

    build: Callable[..., Any]
    summary: str
    source: str = ""
    made_of: tuple["Part", ...] = ()
    check: Callable[..., None] | None = None
    order_sensitive: bool = True
    streamable: bool = True
    needs: tuple[str, ...] = ()

    @functools.cached_property
    def reads(self) -> tuple[str, ...]:
        """Names of the options that the part reads; what it needs, and what it hands on whole, are none."""
        own = [name for name in options_read(self.build) if name not in self.needs]
        return tuple(dict.fromkeys([*own, *(name for part in self.made_of for name in part.reads)]))

    def __call__(self, *inputs: Any, options: Any, tensors: Mapping[str, Any] | None = None, **more: Any) -> Any:
        """Build the part.

        Args:
            inputs: of its registry.
            options: whose attributes it reads.
            tensors: of the preprocessor, by their names, those that it needs among them.
            more: of its registry, by name.
        """
        needed = {name: (tensors or {})[name] for name in self.needs}
        return with_options(self.build, *inputs, options=options, tensors=tensors, **needed, **more)

    def check_fit(self, options: Any) -> None:
        """Refuse options that do not fit the part.

        Raises:
            UsageError: what was chosen, what is expected, and how to mend it.
        """
        for part in self.made_of:
            part.check_fit(options)
        if self.check is not None:
            with_options(self.check, options=options)


@functools.cache
def options_read(function: Callable[..., Any]) -> tuple[str, ...]:
    """Name the options that a function reads: its keyword-only parameters without a default, what is whole apart."""
    parameters = inspect.signature(function).parameters.values()
    needed = [each.name for each in parameters if each.kind is each.KEYWORD_ONLY and each.default is each.empty]
    return tuple(name for name in needed if name not in _HANDED_ON)


def with_options(
    function: Callable[..., Any], *inputs: Any, options: Any, tensors: Mapping[str, Any] | None = None, **more: Any
) -> Any:
    """Call a function with the options that it reads, taken from the attributes of `options`.

    Args:
        function: it has all options and all tensors whole where it has parameters of these names.
        inputs: in their order.
        options: whose attributes are read.
        tensors: by their names.
        more: by name; an option among them is not read.
    """
    values = {name: getattr(options, name) for name in options_read(function) if name not in more}
    whole = {"options": options, "tensors": tensors}
    values |= {name: whole[name] for name in _HANDED_ON if name in inspect.signature(function).parameters}
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
