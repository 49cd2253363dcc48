"""Inputs: what is classified and how it becomes the tensors of a model, by the kind of the data.

Nothing slow is imported until a part is used, so that the registry can be listed without TensorFlow.
"""

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kseq import numeric_card, numeric_input, text_card, text_input
from kseq.registry import options_read

if TYPE_CHECKING:
    import numpy as np


@dataclasses.dataclass(frozen=True)
class Input:
    """One kind of what is classified, and all that depends on it.

    A text or a sequence is an example here; n is a number of them. The preprocessor turns examples into the named
    tensors of a model: one object, adapted on train, that serves training and export. Functions read options as parts
    do, by naming them as keyword-only parameters without a default.

    Attributes:
        noun: what an example is called.
        summary: what it is, in a line.
        gives: names of all tensors that its preprocessor can make, on demand or always; parts that need others have
            nothing to read.
        adapt: `(data, names of splits, names of tensors that parts need, *, options it reads)` → the preprocessor,
            which has the `spec` of its named tensors; these splits as batches read them, by name; and the options that
            are settled now.
        learned_from: `(data, *, options it reads)` → names of the splits that a model learns from beside train.
        embed: `(named tensors, *, options it reads)` → vectors (B, T, E) and their mask, bool (B, T).
        beside: `(named tensors, *, options it reads)` → vectors (B, ·) to join to what the head gives.
        signature: preprocessor → what a client sends, in the order that the preprocessor takes it: specs by name.
        tensors: n examples → these tensors.
        assets: preprocessor → names, one a line, by the name of a file beside the SavedModel.
        facts: preprocessor → what the run record says of it, beside the options.
        examples: `(split of the data, positions, int (n,))` → n examples.
        cells: `(split of the data, *, options it reads)` → what shows each example in a table, or None for nothing.
        tell: what was prepared → a topic of the console, and a line on what the model reads.
        sample: preprocessor → lines of Python that call the signature `classify`.
        report: `(data, options)` → what a look at the data finds.
        report_lines: that → topics and lines.
        suggestions: that → flags.
        shown: `(split of the data, chosen, bool (N,))` → some examples for a line each.
        card: what the model card says of examples, as functions.
    """

    noun: str
    summary: str
    gives: tuple[str, ...]
    adapt: Callable[..., tuple[Any, dict[str, Any], dict[str, Any]]]
    learned_from: Callable[..., tuple[str, ...]]
    embed: Callable[..., tuple[Any, Any]]
    beside: Callable[..., list[Any]]
    signature: Callable[[Any], dict[str, Any]]
    tensors: Callable[[Sequence[Any]], dict[str, Any]]
    assets: Callable[[Any], dict[str, Sequence[str]]]
    facts: Callable[[Any], dict[str, Any]]
    examples: Callable[[Any, "np.ndarray"], list[Any]]
    cells: Callable[..., Iterator[str] | None]
    tell: Callable[[Any], tuple[str, str]]
    sample: Callable[[Any], list[str]]
    report: Callable[[Any, Any], dict[str, Any]]
    report_lines: Callable[[Mapping[str, Any]], Iterable[tuple[str, str]]]
    suggestions: Callable[[Mapping[str, Any]], str]
    shown: Callable[[Any, "np.ndarray"], list[str]]
    card: Any

    @property
    def reads(self) -> frozenset[str]:
        """Names of the options that do anything for such examples, and nothing for others."""
        functions = (self.adapt, self.learned_from, self.embed, self.beside, self.cells)
        return frozenset(name for function in functions for name in options_read(function))


INPUTS: dict[str, Input] = {
    "text": Input(
        noun="text",
        summary="texts, split into words or characters",
        gives=("token_ids", "character_ids", "ngram_ids", "sentence_ids"),
        adapt=text_input.adapt,
        learned_from=text_input.learned_from,
        embed=text_input.embed,
        beside=text_input.beside,
        signature=text_input.signature,
        tensors=text_input.tensors,
        assets=text_input.assets,
        facts=text_input.facts,
        examples=text_input.examples,
        cells=text_input.cells,
        tell=text_input.tell,
        sample=text_input.sample,
        report=text_input.report,
        report_lines=text_input.report_lines,
        suggestions=text_input.suggestions,
        shown=text_input.shown,
        card=text_card,
    ),
    "numeric": Input(
        noun="sequence",
        summary="numeric sequences, standardised by channel",
        gives=("values", "lengths"),
        adapt=numeric_input.adapt,
        learned_from=numeric_input.learned_from,
        embed=numeric_input.embed,
        beside=numeric_input.beside,
        signature=numeric_input.signature,
        tensors=numeric_input.tensors,
        assets=numeric_input.assets,
        facts=numeric_input.facts,
        examples=numeric_input.examples,
        cells=numeric_input.cells,
        tell=numeric_input.tell,
        sample=numeric_input.sample,
        report=numeric_input.report,
        report_lines=numeric_input.report_lines,
        suggestions=numeric_input.suggestions,
        shown=numeric_input.shown,
        card=numeric_card,
    ),
}
