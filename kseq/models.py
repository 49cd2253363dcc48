"""`python -m kseq.models`: list every part that a model can be made of, with its parameters and its paper."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kseq.applies import choosing, needed_tensors
from kseq.command_line import read_options
from kseq.commands import command_parser
from kseq.console import Console, end, quiet_start
from kseq.errors import DONE, FAILURE, INTERRUPTED, USAGE, UsageError
from kseq.options import FIELDS, REGISTRIES, Options, chosen_parts

_GROUPS = ("text", "model")
# Of nobody's data: as many as the default of `imdb`, and the fewest classes.
_VOCABULARY = 20_000
_CLASSES = 2
_COLUMNS = ("", "parameters", "less vectors")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    return end(_run, arguments)


def _run(arguments: Sequence[str]) -> int:
    parser = command_parser(
        "models",
        "List the parts that a model can be made of: what each is, its trained numbers under the options, its paper.",
        groups=_GROUPS,
        codes=(DONE, FAILURE, USAGE, INTERRUPTED),
    )
    # No data is read, and so any name will do.
    parser.set_defaults(dataset="any")
    namespace = parser.parse_all(arguments)
    options, _ = read_options(namespace)
    options = options.replace(vocabulary_size=options.vocabulary_size or _VOCABULARY)
    console = Console(namespace.json)
    with console.owning_output():
        console.say(
            "counted",
            f"of {_CLASSES} classes and {options.vocabulary_size:,} tokens (--vocabulary-size): the parts that have a "
            "star, with one put in another's\nplace on each line; less vectors: without the tables of word vectors",
        )
        with quiet_start():
            import tensorflow as tf  # noqa: F401
        parts = [part for registry in REGISTRIES for part in parts_of(registry, options)]
        show_parts(console, parts)
    read = {name: value for name, value in options.to_dict().items() if FIELDS[name].metadata.get("group") in _GROUPS}
    console.json({"classes": _CLASSES, "options": read, "parts": parts})
    return DONE


def parts_of(registry: str, options: Options) -> Iterator[dict[str, Any]]:
    """Describe the parts of a registry, each beside the other choices of the options.

    Args:
        registry: name in `REGISTRIES`.
        options: with `vocabulary_size` set.

    Yields:
        What JSON knows: `registry`, `name`, `chosen`, `summary`, `source`, `reads`, `order_sensitive`, `streamable`;
        `parameters` and `parameters_without_vectors` of a whole model with the part, both null where it is none of a
        model's or does not fit the options, of which `misfit` then says why.
    """
    chosen = {(option, name) for option, name, _ in chosen_parts(options)}
    for name, part in REGISTRIES[registry].items():
        counts: tuple[int | None, int | None] = (None, None)
        misfit = None
        if FIELDS[registry].metadata["group"] == "model":
            try:
                counts = count_parameters(choosing(options, registry, name))
            except UsageError as error:
                misfit = str(error)
        yield {
            "registry": registry,
            "name": name,
            "chosen": (registry, name) in chosen,
            "summary": part.summary,
            "source": part.source,
            "reads": list(part.reads),
            "order_sensitive": part.order_sensitive,
            "streamable": part.streamable,
            "parameters": counts[0],
            "parameters_without_vectors": counts[1],
            "misfit": misfit,
        }


def count_parameters(options: Options) -> tuple[int, int]:
    """Count the trained numbers of the model of some options: all, and those outside the tables of vectors."""
    from kseq.model import build_model, count_weights
    from kseq.vectorizer import tensor_spec

    # What is dropped while training changes no count, and follows from the data where nothing is set.
    options = options.replace(dropout=0.0, embedding_dropout=0.0)
    return count_weights(
        build_model(options, tensor_spec(options.tokens, options.ngrams, needed_tensors(options)), _CLASSES)
    )


def show_parts(console: Console, parts: Sequence[Mapping[str, Any]]) -> None:
    """Write a line for each part, under the option that chooses it."""
    topics = max(len(part["registry"]) for part in parts)
    width = max(len(part["name"]) for part in parts) + 2
    console.line(f"{'':<{topics}} {_COLUMNS[0]:<{width}}{_COLUMNS[1]:>12}{_COLUMNS[2]:>14}")
    before = ""
    for part in parts:
        topic = part["registry"] if part["registry"] != before else ""
        name = part["name"] + (" *" if part["chosen"] else "")
        counts = [_shown(part["parameters"]), _shown(part["parameters_without_vectors"])]
        source = f" ({part['source']})" if part["source"] else ""
        console.line(f"{topic:<{topics}} {name:<{width}}{counts[0]:>12}{counts[1]:>14}  {part['summary']}{source}")
        if part["misfit"]:
            console.line(f"{'':<{topics}} {'':<{width}}{part['misfit']}")
        before = part["registry"]


def _shown(count: int | None) -> str:
    return "" if count is None else f"{count:,}"


if __name__ == "__main__":
    sys.exit(main())
