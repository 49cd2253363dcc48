"""The step before training: learn from the texts alone, or find what an earlier run has learned from the same ones."""

import dataclasses
import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from kseq.errors import UsageError
from kseq.inputs import INPUTS
from kseq.model import build_encoder
from kseq.options import REGISTRIES, Options
from kseq.pretrainings import PRETRAININGS, Corpus, Learned
from kseq.registry import options_read
from pipelines.array_cache import ArrayCache
from pipelines.batching import evaluation_batches, training_batches
from pipelines.split_view import SplitView
from pipelines.vectorized_split import Split

# Any change of what is learned or kept must change this number: what is kept is keyed by it.
_VERSION = 1
# Enough words for a perplexity to two digits, and a few seconds over a vocabulary of 20,000.
_HELD_OUT_FRACTION, _MOST_HELD_OUT = 0.05, 500
# The same texts are held out whatever the seeds, so that perplexities can be compared.
_HELD_OUT_SEED = 0
# A word and the one after it.
_FEWEST_TOKENS = 2


@dataclasses.dataclass(frozen=True)
class Pretrained:
    """What was learned before the labels.

    Attributes:
        name: of the pretraining.
        weights: the arrays of a layer by its name.
        texts: number of texts that were learned from.
        tokens: number of their tokens.
        held_out: number of texts that told how good it is.
        history: one number an epoch by name: `loss`, `val_loss` in nats a word, `seconds`.
        best_epoch: the epoch that was kept; 0 where there are none.
        seconds: that it took when it was done.
        reused: whether an earlier run had left it.
        interrupted: whether the user stopped it.
    """

    name: str
    weights: Mapping[str, Sequence[np.ndarray]]
    texts: int
    tokens: int
    held_out: int
    history: Mapping[str, list[float]]
    best_epoch: int
    seconds: float
    reused: bool
    interrupted: bool

    @property
    def perplexity(self) -> float | None:
        """Of the held-out texts, in the epoch that was kept; None where nothing was predicted."""
        return math.exp(self.history["val_loss"][self.best_epoch - 1]) if self.best_epoch else None

    def to_dict(self) -> dict[str, Any]:
        """Give what JSON knows of it."""
        return {
            **{field.name: getattr(self, field.name) for field in dataclasses.fields(self) if field.name != "weights"},
            "seconds": round(self.seconds, 2),
            "layers": list(self.weights),
            "perplexity": self.perplexity,
        }


def pretrain(
    options: Options,
    spec: Mapping[str, tf.TensorSpec],
    splits: Sequence[Split],
    key: Sequence[str],
    *,
    on_epoch: Callable[[int, Mapping[str, float]], None] | None = None,
    verbose: int = 0,
) -> Pretrained:
    """Learn from texts what the options ask for, unless an earlier run has left it.

    Nothing is dropped while a pretraining goes on: held-out texts choose its epoch. So it does not depend on the
    options of dropout, nor on the seed of the run.

    Args:
        options: with `vocabulary_size` and `sequence_length` set.
        spec: the preprocessor's named tensors.
        splits: that are learned from, without a look at their targets.
        key: fingerprints of the splits, and what the preprocessor depends on.
        on_epoch: called after each epoch with its number, from 1, and its metrics.
        verbose: 1 for Keras' progress bar.

    Raises:
        TrainingError: the loss is not a number any more.
        UsageError: no text has two tokens.
    """
    part = PRETRAININGS[options.pretraining]
    options = _without_dropout(options)
    learned_from, held_out = _views(splits)
    sizes = {
        "texts": len(learned_from),
        "tokens": int(learned_from.lengths.sum(dtype=np.int64)),
        "held_out": len(held_out) if part.of_encoder else 0,
    }
    cache, whole_key = ArrayCache("pretraining", options.cache_dir), _key(options, key)
    found = cache.find(whole_key)
    if found is not None:
        learned, seconds = _from_arrays(found)
        return _pretrained(options, learned, sizes, seconds, reused=True)
    corpus = Corpus(
        encoder=lambda: build_encoder(options, spec, "auto"),
        size=len(learned_from),
        batches=lambda batch_size, seed, epochs: training_batches(learned_from, batch_size, seed, epochs=epochs),
        held_out=lambda batch_size: evaluation_batches(held_out, batch_size)[0],
        on_epoch=on_epoch,
        verbose=verbose,
    )
    start = time.perf_counter()
    learned = part(corpus, options=options)
    seconds = time.perf_counter() - start
    if not learned.interrupted:
        cache.keep(whole_key, _to_arrays(learned, seconds))
    return _pretrained(options, learned, sizes, seconds, reused=False)


def copy_weights(pretrained: Pretrained, model: keras.Model) -> None:
    """Put what was learned into the layers of the same names."""
    for name, weights in pretrained.weights.items():
        model.get_layer(name).set_weights(weights)


def _without_dropout(options: Options) -> Options:
    """Set to 0 what drops or replaces in the lower half of a model."""
    dropped = [name for name in options.to_dict() if name.endswith("_dropout")]
    return options.replace(**dict.fromkeys([*dropped, "weight_drop"], 0.0))


def _views(splits: Sequence[Split]) -> tuple[SplitView, SplitView]:
    """Divide the texts of some splits into those to learn from, and those that tell how good that is."""
    lengths = np.concatenate([split.lengths for split in splits])
    # A text of one token has no word to predict.
    usable = np.flatnonzero(lengths >= _FEWEST_TOKENS)
    if len(usable) < 2:
        raise UsageError(
            f"{len(usable)} of {len(lengths)} texts have two tokens or more; a pretraining needs at least two such "
            "texts. Leave --pretraining out."
        )
    shuffled = np.random.default_rng(_HELD_OUT_SEED).permutation(usable)
    count = min(max(round(_HELD_OUT_FRACTION * len(usable)), 1), _MOST_HELD_OUT)
    return SplitView(splits, np.sort(shuffled[count:])), SplitView(splits, np.sort(shuffled[:count]))


def _key(options: Options, key: Sequence[str]) -> str:
    """Name everything that is learned follows from."""
    part = PRETRAININGS[options.pretraining]
    names = [*part.reads, "pretraining", "vocabulary_size", "embedding_dim"]
    if part.of_encoder:
        names += ["batch_size", *_of_encoder(options)]
    settings = {name: getattr(options, name) for name in sorted(set(names))}
    return json.dumps([_VERSION, list(key), settings, tf.__version__, keras.__version__])


def _of_encoder(options: Options) -> list[str]:
    """Name the options that the lower half of a model depends on: what it reads, and what the parts read it chooses."""
    found, waiting = [], ["encoder", *options_read(INPUTS["text"].embed)]
    while waiting:
        name = waiting.pop()
        found.append(name)
        if name in REGISTRIES:
            waiting += REGISTRIES[name][getattr(options, name)].reads
    return found


def _pretrained(
    options: Options, learned: Learned, sizes: Mapping[str, int], seconds: float, *, reused: bool
) -> Pretrained:
    return Pretrained(
        name=options.pretraining,
        weights=learned.weights,
        **sizes,
        history=learned.history,
        best_epoch=learned.best_epoch,
        seconds=seconds,
        reused=reused,
        interrupted=learned.interrupted,
    )


def _to_arrays(learned: Learned, seconds: float) -> dict[str, np.ndarray]:
    """Name what was learned as the cache keeps it."""
    weights = {
        f"weights/{name}/{place}": array
        for name, arrays in learned.weights.items()
        for place, array in enumerate(arrays)
    }
    history = {f"history/{name}": np.array(values) for name, values in learned.history.items()}
    return {**weights, **history, "best_epoch": np.array(learned.best_epoch), "seconds": np.array(seconds)}


def _from_arrays(arrays: Mapping[str, np.ndarray]) -> tuple[Learned, float]:
    """Read what `_to_arrays` has named."""
    weights: dict[str, list[np.ndarray]] = {}
    history: dict[str, list[float]] = {}
    for whole, array in arrays.items():
        kind, _, rest = whole.partition("/")
        if kind == "weights":
            # In the order that they were written in.
            weights.setdefault(rest.rpartition("/")[0], []).append(array)
        elif kind == "history":
            history[rest] = array.tolist()
    return Learned(weights, history, int(arrays["best_epoch"])), float(arrays["seconds"])
