"""The bar of every run: a linear model on word n-grams, trained on the same texts, and how the model compares with it.

It reads words whatever the model reads, so that one dataset has one bar.
"""

import dataclasses
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from kseq.experiment import Prepared, decide, score_split
from kseq.options import Options
from kseq.paired_tests import McNemar, mcnemar
from kseq.text_options import WORD
from kseq.text_tokens import token_batches
from kseq.word_ngrams import frequent_ngrams, ngram_matrix
from kseq.word_rules import RULES_VERSION
from pipelines.array_cache import ArrayCache
from pipelines.text_data import TextData

LONGEST = 3
_SPLITS = ("train", "validation", "test")
# Any change of the model or of what is kept must change this number: what is kept is keyed by it.
_VERSION = 1
# Of all splits: some GiB at the peak, and a minute or two.
_MOST_WORDS = 40_000_000
# Of words times regressions, of which there is one a label: some minutes.
_MOST_WORK = 400_000_000


@dataclasses.dataclass(frozen=True)
class Baseline:
    """The scores of the n-gram model, and the model beside it.

    Attributes:
        scores: of validation and test.
        comparisons: of the model, the first, with the n-gram model, by split.
        seconds: that it took.
        reused: whether an earlier run had left its answers.
    """

    scores: Mapping[str, Any]
    comparisons: Mapping[str, McNemar]
    seconds: float
    reused: bool

    def to_dict(self) -> dict[str, Any]:
        """Give what JSON knows of it."""
        return {
            "name": f"naive-Bayes-weighted logistic regression on word 1-{LONGEST}-grams",
            **{split: found.to_dict() for split, found in self.scores.items()},
            "comparisons": {split: dataclasses.asdict(found) for split, found in self.comparisons.items()},
            "model_is": self.comparisons["test"].verdict,
            "seconds": round(self.seconds, 2),
            "reused": self.reused,
        }


@dataclasses.dataclass(frozen=True)
class LeftOut:
    """Why there is no n-gram model.

    Attributes:
        reason: a sentence without its full stop.
    """

    reason: str

    def to_dict(self) -> dict[str, Any]:
        """Give what JSON knows of it."""
        return {"left_out": self.reason}


class _CannotMeasure(Exception):
    """Raised where it turns out that there will be no n-gram model; it says why."""


def measure_baseline(
    prepared: Prepared, answers: Mapping[str, np.ndarray], decision: Any, interrupted: Callable[[], bool]
) -> Baseline | LeftOut:
    """Train the n-gram model on train, or find what an earlier run left of it, and compare the model with it.

    It has what the model has: the class weights, and thresholds that are chosen on validation where those of the model
    are.

    Args:
        prepared: the data and the resolved options.
        answers: probabilities of the model, (N, C), of validation and test.
        decision: the thresholds of the model.
        interrupted: asked now and then; once it says yes, the n-gram model is left out.
    """
    start = time.perf_counter()
    try:
        found, reused = _kept_or_computed(prepared, interrupted)
    except _CannotMeasure as reason:
        return LeftOut(str(reason))
    its_decision, output = decide(found["validation"], prepared), prepared.output
    comparisons = {}
    for split in found:
        targets = prepared.splits[split].targets
        comparisons[split] = mcnemar(
            output.right(answers[split], targets, decision.thresholds),
            output.right(found[split], targets, its_decision.thresholds),
        )
    scores = {split: score_split(found[split], prepared, split, its_decision) for split in found}
    return Baseline(scores, comparisons, time.perf_counter() - start, reused)


def advice(found: Baseline | LeftOut | None, options: Options) -> tuple[str, ...]:
    """Say what to try where validation shows the model to be worse: what test shows shall choose nothing."""
    if not isinstance(found, Baseline) or found.comparisons["validation"].verdict != "worse":
        return ()
    step = "more --epochs or more texts"
    if options.ngrams < LONGEST:
        step = f"--ngrams {options.ngrams + 1}, which adds up such runs beside the recurrence, or {step}"
    return (
        f"on validation, the n-grams are better: short runs of words tell more here than the model has learned. Try "
        f"{step}; where nothing helps, take a linear model.",
    )


def _kept_or_computed(prepared: Prepared, interrupted: Callable[[], bool]) -> tuple[dict[str, np.ndarray], bool]:
    """Give the probabilities (N, C) of validation and test, and whether they were kept."""
    data = prepared.data
    if not isinstance(data, TextData):
        raise _CannotMeasure("n-grams are of words, and these are no texts")
    if interrupted():
        raise _CannotMeasure("the run was interrupted")
    cache, key = ArrayCache("baseline"), _key(data, prepared.options)
    shapes = {split: (len(prepared.splits[split]), len(data.class_names)) for split in ("validation", "test")}
    found = cache.find(key)
    if found is not None and {split: array.shape for split, array in found.items()} == shapes:
        return found, True
    found = _probabilities(data, prepared, interrupted)
    cache.keep(key, found)
    return found, False


def _key(data: TextData, options: Options) -> str:
    """Name everything that the probabilities follow from."""
    import sklearn

    splits = {split: data.fingerprints[split] for split in _SPLITS}
    settings = [_VERSION, LONGEST, RULES_VERSION, data.target_kind, data.class_names, options.class_weight]
    return json.dumps([splits, settings, sklearn.__version__, tf.__version__])


def _probabilities(data: TextData, prepared: Prepared, interrupted: Callable[[], bool]) -> dict[str, np.ndarray]:
    """Train one regression a label, and compute the probabilities (N, C) of validation and test, float32."""
    from kseq import naive_bayes_regression

    present, weights = _labels(prepared)
    words = _read_words(data, min(_MOST_WORDS, _MOST_WORK // present.shape[1]), interrupted)
    tables = frequent_ngrams(*words["train"], LONGEST)
    if not sum(map(len, tables)):
        raise _CannotMeasure("no word stands in train twice")
    matrices = {split: ngram_matrix(*words.pop(split), tables) for split in _SPLITS}
    train = matrices.pop("train")
    columns: dict[str, list[np.ndarray]] = {split: [] for split in matrices}
    for label in range(present.shape[1]):
        if interrupted():
            raise _CannotMeasure("the run was interrupted")
        flags = present[:, label]
        if flags.all() or not flags.any():
            # A label of all texts, or of none: nothing can be learned about it.
            for split, ngrams in matrices.items():
                columns[split].append(np.full(ngrams.shape[0], float(flags[0])))
            continue
        regression = naive_bayes_regression.fit(train, flags, None if weights is None else weights[:, label])
        for split, ngrams in matrices.items():
            columns[split].append(regression.probabilities(ngrams))
    return {split: _joined(found, data.target_kind).astype(np.float32) for split, found in columns.items()}


def _labels(prepared: Prepared) -> tuple[np.ndarray, np.ndarray | None]:
    """Give bool (N, labels): whether each text of train has each label that needs a regression; and their weights."""
    split, number = prepared.splits["train"], len(prepared.data.class_names)
    if prepared.data.target_kind == "classes":
        present = split.targets.astype(bool)
        if prepared.label_weights is None:
            return present, None
        absence, presence = (np.array(side) for side in prepared.label_weights)
        return present, np.where(present, presence, absence)
    # Of two classes, one is what the other is not.
    labels = np.arange(number) if number > 2 else np.array([1])
    present = split.targets[:, np.newaxis] == labels
    return present, np.repeat(split.sample_weights[:, np.newaxis], len(labels), axis=1)


def _joined(columns: list[np.ndarray], target_kind: str) -> np.ndarray:
    """Make probabilities (N, C) of those of single labels, which of one-of-C classes sum to 1."""
    found = np.stack(columns, axis=1)
    if target_kind == "classes":
        return found
    if found.shape[1] == 1:
        return np.concatenate([1 - found, found], axis=1)
    # Or the sum of a text that no class claims could be 0.
    found = np.maximum(found, np.finfo(np.float32).tiny)
    return found / found.sum(axis=1, keepdims=True)


def _read_words(data: TextData, most: int, interrupted: Callable[[], bool]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Read the words of each split as numbers, int64 (W,), and how many each text has, int64 (N,)."""
    words, lengths, count = [], [], 0
    # In one go: to make a pipeline takes longer than to read some hundred texts.
    whole = data.train.concatenate(data.validation).concatenate(data.test)
    for found, of_texts in token_batches(whole, WORD, hashed=True):
        words.append(found)
        lengths.append(of_texts)
        count += len(found)
        if interrupted():
            raise _CannotMeasure("the run was interrupted")
        if count > most:
            raise _CannotMeasure(f"the texts have more than {most:,} words; it would take much memory and time")
    ends = np.cumsum([data.sizes[split] for split in _SPLITS])[:-1]
    of_splits = np.split(np.concatenate(lengths), ends)
    words_of_splits = np.split(np.concatenate(words), np.cumsum([part.sum() for part in of_splits])[:-1])
    return dict(zip(_SPLITS, zip(words_of_splits, of_splits, strict=True), strict=True))
