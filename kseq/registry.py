"""What a part of a model is, and how an unknown name is answered. No TensorFlow here."""

import dataclasses
import difflib
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any


@dataclasses.dataclass(frozen=True)
class Part:
    """One entry of a registry: what builds it, and what is true of it.

    The keyword-only parameters of `build` that have no default are the options that the part reads. Which flags apply
    to a choice of parts follows from them, so that no list of flags stands beside the code.

    Attributes:
        build: makes the part; what it takes and gives is said where its registry stands.
        summary: one line for listings.
        source: the paper, where there is one.
        order_sensitive: whether swapping two tokens can change the answer.
        streamable: whether text can arrive in pieces, with a carry of fixed size between them.
    """

    build: Callable[..., Any]
    summary: str
    source: str = ""
    order_sensitive: bool = True
    streamable: bool = True

    @property
    def reads(self) -> tuple[str, ...]:
        """Names of the options that the part reads."""
        parameters = inspect.signature(self.build).parameters.values()
        return tuple(
            parameter.name
            for parameter in parameters
            if parameter.kind is parameter.KEYWORD_ONLY and parameter.default is parameter.empty
        )

    def __call__(self, *inputs: Any, options: Any, **more: Any) -> Any:
        """Build the part, with the options that it reads taken from the attributes of `options`."""
        return self.build(*inputs, **{name: getattr(options, name) for name in self.reads}, **more)


def unknown(what: str, value: object, choices: Iterable[str]) -> str:
    """Say that a name is none of the choices, and which one may have been meant."""
    names = sorted(choices)
    close = difflib.get_close_matches(str(value), names, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return f"{what} is {value!r}; expected one of {', '.join(map(repr, names))}.{hint}"


def listing(parts: Mapping[str, Part]) -> str:
    """List parts, a line each."""
    return "\n".join(f"{name:<12} {part.summary}" for name, part in parts.items())
