"""The pretraining as commands do it: with lines on the console, and with Ctrl-C to cut it short."""

import math
from collections.abc import Mapping

from kseq import experiment
from kseq.console import Console
from kseq.experiment import Prepared
from kseq.interruption import Interruption
from kseq.options import Options
from kseq.pretraining import Pretrained


def pretrain_and_tell(console: Console, prepared: Prepared, options: Options) -> Pretrained | None:
    """Learn from the texts what the options ask for, and say how it goes; None where that is nothing.

    The first Ctrl-C ends the pretraining alone: what it has learned so far is kept for the training, and not for later
    runs. Where a command has its own way with Ctrl-C around this, that holds.
    """
    with Interruption(lambda: _say_what_follows(console)):
        pretrained = experiment.pretrain_model(
            prepared,
            options,
            on_epoch=None if console.interactive else lambda number, logs: _show_epoch(console, number, logs),
            verbose=int(console.interactive),
        )
    if pretrained is not None:
        _show_pretrained(console, pretrained)
    return pretrained


def _show_epoch(console: Console, number: int, logs: Mapping[str, float]) -> None:
    """Write a line after an epoch of the pretraining."""
    console.say(f"pretrain {number}", f"held-out perplexity {math.exp(logs['val_loss']):.1f}  {logs['seconds']:.1f} s")


def _show_pretrained(console: Console, pretrained: Pretrained) -> None:
    """Say what was learned, from how much, and how well."""
    how_well = ""
    if pretrained.perplexity is not None:
        how_well = (
            f"; epoch {pretrained.best_epoch} of {len(pretrained.history['loss'])}, perplexity "
            f"{pretrained.perplexity:.1f} on {pretrained.held_out:,} texts held out"
        )
    took = f"{pretrained.seconds:.1f} s"
    if pretrained.reused:
        took = f"kept by an earlier run, which took {took}"
    console.say(
        "pretrained",
        f"{pretrained.name} of {pretrained.tokens:,} tokens in {pretrained.texts:,} texts{how_well}  ({took})",
    )


def _say_what_follows(console: Console) -> None:
    console.line()
    console.say(
        "stopping",
        "the pretraining ends here, and training goes on with what it has learned; Ctrl-C again leaves at once.",
    )
