"""What scores say of uneven classes, in words: classes that are never given, and a mean F1 that common classes hide."""

from collections.abc import Mapping
from typing import Any

from kseq.class_weights import BALANCED, NONE
from kseq.options import Options

_NAMED = 3
# Of equal classes the two are close together. A tenth apart, some class is much worse than the others.
_GAP = 0.1
# How many times as common as another a class must be to have hidden it.
_UNEVEN = 1.5


def weak_classes(scores: Any, options: Options, noun: str = "text") -> tuple[str, ...]:
    """Say which classes a model leaves out, and which option may help.

    Args:
        scores: of the validation split: what is chosen by advice shall not be chosen by the test split.
        options: of the run, so that nothing is advised that it did.
        noun: what has a label.

    Returns:
        Sentences; none where there is nothing to say.
    """
    found = scores.to_dict()
    never = [entry for entry in found["classes"] if entry["support"] and not entry["predictions"]]
    sentences = []
    if never:
        names = ", ".join(f"{entry['name']!r} ({_has_it(entry['support'], noun)})" for entry in never[:_NAMED])
        more = f" and {len(never) - _NAMED} more" if len(never) > _NAMED else ""
        verb = "was" if len(never) == 1 else "were"
        advice = _advice(found, options, max(entry["support"] for entry in never))
        sentences.append(f"on validation, {names}{more} {verb} never predicted{advice}.")
    what, whole = ("accuracy", found["accuracy"]) if "accuracy" in found else ("micro-F1", found["micro_f1"])
    if not never and found["macro_f1"] < whole - _GAP:
        worst = min((entry for entry in found["classes"] if entry["support"]), key=lambda entry: entry["f1"])
        sentences.append(
            f"validation's macro-F1 of {found['macro_f1']:.4f} lies far below its {what} of {whole:.4f}: some classes "
            f"do much better than others; {worst['name']!r} is the worst, with an F1 of {worst['f1']:.4f}"
            f"{_advice(found, options, worst['support'])}."
        )
    return tuple(sentences)


def _has_it(count: int, noun: str) -> str:
    return f"1 {noun} has it" if count == 1 else f"{count:,} {noun}s have it"


def _advice(found: Mapping[str, Any], options: Options, support: int) -> str:
    """Name what was not tried yet for a class of so many texts."""
    if max(entry["support"] for entry in found["classes"]) < _UNEVEN * support:
        # Where the others are no more common, weights change nothing: it has not been learned yet, or cannot be.
        return "; it is as common as the others, so train longer (--epochs), or give it more texts"
    has_thresholds = "micro_f1" in found or len(found["classes"]) == 2
    untried = {
        f"--class-weight {BALANCED}": options.class_weight == NONE,
        "--tune-threshold": has_thresholds and not options.tune_threshold,
        "--monitor val_macro_f1": options.monitor != "val_macro_f1",
    }
    flags = [flag for flag, is_untried in untried.items() if is_untried]
    return f"; try {flags[0]}" if flags else "; it may need more texts"
