"""Where text data and models meet: the steps from a `TextData` to a trained and scored model.

Every command that trains calls these, so that a run, a trial of a search and a row of a comparison are the same thing.
"""

import dataclasses
import math
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from kseq.applies import needed_tensors
from kseq.class_weights import check_weights
from kseq.errors import UsageError
from kseq.learning_rate_sweep import Sweep, sweep_learning_rates
from kseq.losses import LabelWeights
from kseq.model import build_model, serving_model
from kseq.options import FIELDS, Options
from kseq.outputs import OUTPUTS, Output
from kseq.text_options import CHARACTER
from kseq.thresholds import Decision
from kseq.training import TrainingResult, train
from kseq.vectorizer import Vectorizer, split_tokens
from kseq.vocabulary import UNKNOWN_ID, count_tokens, frequent_tokens
from pipelines.batching import epoch_order, evaluation_batches, padding_share, training_batches
from pipelines.streams import untuned
from pipelines.text_data import TextData, sample_train
from pipelines.vectorized_split import Split, vectorize_split

_COUNTING_BATCH = 256
_EVALUATION_BATCH = 256
# With the blank after it. A step a character makes long texts slow, and recurrent networks forget over a thousand.
_CHARACTERS_PER_WORD = 5
_MOST_CHARACTERS = 1000
# Few texts are soon learned by heart. On validation, 0.5 was better on TREC (4,900 texts) and much worse on `reviews`
# (18,000), where every word counts.
_FEW_TEXTS = 10_000
_DROPOUT_OF_FEW, _DROPOUT = 0.5, 0.3
# A large text collection is learned in a few passes; a small one needs as many optimizer steps, not as few passes.
_FEWEST_EPOCHS = 2
_FEWEST_STEPS = 1000
# Some hundred texts would be learned by heart long before.
_MOST_EPOCHS = 20


@dataclasses.dataclass(frozen=True)
class Prepared:
    """Data as a model reads it.

    Attributes:
        data: the texts.
        options: with whatever the dataset was to decide filled in.
        vectorizer: adapted on the training split.
        splits: train, validation and, where it was asked for, test, vectorized.
        padding_share: fraction of the first training epoch's time steps that is padding.
        unknown_share: fraction of the validation tokens that are out of vocabulary.
        label_weights: of absence and presence of each label for the loss, where a text can have several and they do
            not all weigh 1.
    """

    data: TextData
    options: Options
    vectorizer: Vectorizer
    splits: Mapping[str, Split]
    padding_share: float
    unknown_share: float
    label_weights: LabelWeights | None = None

    @property
    def output(self) -> Output:
        """What the model gives, by the kind of the data's targets."""
        return OUTPUTS[self.data.target_kind]


@dataclasses.dataclass(frozen=True)
class Vectorized:
    """Data as tensors, which several models can read.

    Attributes:
        data: the texts.
        vectorizer: adapted on the training split.
        splits: train, validation and test, vectorized.
    """

    data: TextData
    vectorizer: Vectorizer
    splits: Mapping[str, Split]


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """What a trained model answers to the held-out texts, and how good that is.

    Attributes:
        server: the portable model, from the vectorizer's tensors to probabilities.
        answers: probabilities (N, C) of validation and test.
        decision: the thresholds.
        scores: of validation and test.
    """

    server: keras.Model
    answers: Mapping[str, np.ndarray]
    decision: Decision
    scores: Mapping[str, Any]


def prepare(data: TextData, options: Options, *, with_test: bool = True) -> Prepared:
    """Adapt the vectorizer on train, vectorize every split once, and fill in what the options leave to the data.

    Args:
        data: the texts.
        options: as the user set them.
        with_test: whether the test split is read at all.

    Raises:
        UsageError: an option that does not fit the classes of the data.
    """
    check_fits(data, options)
    return fill_in(vectorize(data, options, with_test=with_test), options)


def check_fits(data: TextData, options: Options) -> None:
    """Raise `UsageError` for options that do not fit the classes of the data."""
    check_weights(options.class_weight, data.class_names)
    if options.tune_threshold and not OUTPUTS[data.target_kind].can_tune(len(data.class_names)):
        raise UsageError(
            f"--tune-threshold needs two classes, or texts with several labels; {data.name!r} has "
            f"{len(data.class_names)} classes, of which the most probable one is given. Leave it out; against uneven "
            "classes there is --class-weight balanced."
        )


def text_settings(options: Options) -> tuple[object, ...]:
    """Give what decides, beside the data, how texts become tensors; equal settings make equal tensors."""
    of_text = [getattr(options, name) for name, field in FIELDS.items() if field.metadata.get("group") == "text"]
    return (*of_text, needed_tensors(options))


def vectorize(data: TextData, options: Options, *, with_test: bool = True) -> Vectorized:
    """Adapt the vectorizer on train, and vectorize every split once, as `text_settings` say."""
    if options.max_train_samples is not None:
        # Before anything is counted: what is left out shall not be known.
        data = sample_train(data, options.max_train_samples, options.split_seed)
    vocabulary = frequent_tokens(
        count_tokens(tokens for tokens, _ in token_batches(data.train, options.tokens)),
        options.vocabulary_size or data.suggested_vocabulary_size,
        options.min_count,
    )
    vectorizer = Vectorizer(
        vocabulary,
        options.sequence_length or suggested_length(data, options.tokens),
        options.truncation,
        options.tokens,
        character_buckets=options.character_buckets,
        ngrams=options.ngrams,
        ngram_buckets=options.ngram_buckets,
        needs=needed_tensors(options),
    )
    read = ("train", "validation", "test") if with_test else ("train", "validation")
    splits = {
        name: vectorize_split(
            getattr(data, name),
            vectorizer,
            options.cache,
            size=data.sizes[name],
            key=f"{data.fingerprints[name]} {vectorizer.key}",
            cache_dir=options.cache_dir,
        )
        for name in read
    }
    return Vectorized(data, vectorizer, splits)


def fill_in(vectorized: Vectorized, options: Options) -> Prepared:
    """Fill in what the options leave to the data, and weigh the texts of train as they say."""
    data, vectorizer, splits = vectorized.data, vectorized.vectorizer, dict(vectorized.splits)
    output = OUTPUTS[data.target_kind]
    # Validation and test stay as they are: what counts is how the model does on texts as they come.
    sample_weights, label_weights = output.weights(options.class_weight, splits["train"].targets, data.class_names)
    if sample_weights is not None:
        splits["train"] = dataclasses.replace(splits["train"], sample_weights=sample_weights)
    enough = math.ceil(_FEWEST_STEPS / steps_per_epoch(splits["train"], options))
    dropout = _DROPOUT_OF_FEW if data.sizes["train"] < _FEW_TEXTS else _DROPOUT
    options = options.replace(
        embedding_dropout=dropout if options.embedding_dropout is None else options.embedding_dropout,
        dropout=dropout if options.dropout is None else options.dropout,
        vocabulary_size=len(vectorizer.vocabulary),
        sequence_length=vectorizer.sequence_length,
        epochs=options.epochs or min(max(enough, _FEWEST_EPOCHS), _MOST_EPOCHS),
        monitor=options.monitor or output.monitor,
        learning_rate=options.peak_learning_rate,
    )
    lengths = splits["train"].lengths
    return Prepared(
        data=data,
        options=options,
        vectorizer=vectorizer,
        splits=splits,
        padding_share=padding_share(lengths, epoch_order(lengths, options.batch_size, options.seed, 0)),
        unknown_share=splits["validation"].share_of(UNKNOWN_ID),
        label_weights=label_weights,
    )


def token_batches(dataset: tf.data.Dataset, tokens: str) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Split the texts of a dataset of `(text, target)`: some texts' tokens at a time, and how many each text has."""

    def tokens_and_lengths(texts: tf.Tensor, _: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        found = split_tokens(texts, tokens)
        return found.flat_values, found.row_lengths()

    batches = dataset.batch(_COUNTING_BATCH).map(tokens_and_lengths, num_parallel_calls=os.cpu_count())
    return untuned(batches.prefetch(2)).as_numpy_iterator()


def suggested_length(data: TextData, tokens: str) -> int:
    """Take over the suggested number of words, or as many characters as such texts have, for whoever sets none."""
    if tokens != CHARACTER:
        return data.suggested_sequence_length
    return min(_CHARACTERS_PER_WORD * data.suggested_sequence_length, _MOST_CHARACTERS)


def steps_per_epoch(split: Split, options: Options) -> int:
    """Count the batches of one pass over a split."""
    return math.ceil(len(split) / options.batch_size)


def new_model(prepared: Prepared, options: Options) -> keras.Model:
    """Build the untrained model of some options, seeded by them."""
    keras.utils.set_random_seed(options.seed)
    return build_model(
        options, prepared.vectorizer.spec, len(prepared.data.class_names), prepared.data.target_kind, use_cudnn="auto"
    )


def train_model(
    model: keras.Model,
    prepared: Prepared,
    options: Options,
    verbose: int = 0,
    on_epoch: Callable[[int, Mapping[str, float]], None] | None = None,
) -> TrainingResult:
    """Train a model in place on train, choosing its epoch by validation."""
    split = prepared.splits["train"]
    validation_batches, _ = evaluation_batches(prepared.splits["validation"], _EVALUATION_BATCH)
    return train(
        model,
        training_batches(split, options.batch_size, options.seed, epochs=options.epochs),
        steps_per_epoch(split, options),
        validation_batches,
        options,
        target_kind=prepared.data.target_kind,
        label_weights=prepared.label_weights,
        verbose=verbose,
        on_epoch=on_epoch,
    )


def sweep_model(
    model: keras.Model, prepared: Prepared, options: Options, *, lowest: float, highest: float, steps: int
) -> Sweep:
    """Train an untrained model on train for some steps, from the lowest to the highest learning rate."""
    split = prepared.splits["train"]
    epochs = math.ceil(steps / steps_per_epoch(split, options))
    return sweep_learning_rates(
        model,
        training_batches(split, options.batch_size, options.seed, epochs=epochs),
        options,
        lowest=lowest,
        highest=highest,
        steps=steps,
        target_kind=prepared.data.target_kind,
        label_weights=prepared.label_weights,
    )


def evaluate(trained: keras.Model, prepared: Prepared, options: Options) -> Evaluation:
    """Score a trained model on validation and, once, on test."""
    data = prepared.data
    server = serving_model(trained, options, prepared.vectorizer.spec, len(data.class_names), data.target_kind)
    answers = {split: probabilities(server, prepared.splits[split]) for split in ("validation", "test")}
    decision = decide(answers["validation"], prepared)
    scores = {split: score_split(answers[split], prepared, split, decision) for split in answers}
    return Evaluation(server, answers, decision, scores)


def probabilities(server: keras.Model, split: Split) -> np.ndarray:
    """Compute the probabilities (N, C) of every text of a split, in its order."""
    batches, order = evaluation_batches(split, _EVALUATION_BATCH)
    answers = server.predict(batches, verbose=0)
    in_order = np.empty_like(answers)
    in_order[order] = answers
    return in_order


def decide(answers: np.ndarray, prepared: Prepared) -> Decision:
    """Settle from which probability on a label is given: as usual, or chosen on validation where that is asked for.

    Args:
        answers: probabilities of the validation split, (N, C).
    """
    output, names = prepared.output, prepared.data.class_names
    usual = Decision(output.thresholds(len(names)))
    if not prepared.options.tune_threshold:
        return usual
    before = score_split(answers, prepared, "validation", usual)
    return Decision(output.tune(answers, prepared.splits["validation"].targets), before)


def score_split(answers: np.ndarray, prepared: Prepared, split: str, decision: Decision) -> Any:
    """Score the probabilities (N, C) of a split."""
    targets = prepared.splits[split].targets
    return prepared.output.score(answers, targets, prepared.data.class_names, decision.thresholds)


def score_parts(answers: np.ndarray, prepared: Prepared, decision: Decision) -> dict[str, Any]:
    """Score the named parts of the test split apart."""
    targets = prepared.splits["test"].targets
    return {
        name: prepared.output.score(answers[chosen], targets[chosen], prepared.data.class_names, decision.thresholds)
        for name, chosen in prepared.data.test_parts.items()
    }
