"""Where data and models meet: the steps from a `TextData` or a `SequenceData` to a trained and scored model.

Every command that trains calls these, so that a run, a trial of a search and a row of a comparison are the same thing.
"""

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from kseq.applies import check_needs, inputs_reading, needed_tensors
from kseq.class_weights import check_weights
from kseq.errors import UsageError
from kseq.inputs import INPUTS, Input
from kseq.learning_rate_sweep import Sweep, sweep_learning_rates
from kseq.losses import LabelWeights
from kseq.model import build_model, serving_model
from kseq.optimizers import LEARNING_RATES
from kseq.options import Options
from kseq.outputs import OUTPUTS, Output
from kseq.pretraining import Pretrained, copy_weights, pretrain
from kseq.pretrainings import NONE
from kseq.registry import options_read, with_options
from kseq.thresholds import Decision
from kseq.training import TrainingResult, train
from kseq.training_state import TrainingState
from pipelines.batching import epoch_order, evaluation_batches, padding_share, training_batches
from pipelines.sampling import sample_train
from pipelines.sequence_data import SequenceData
from pipelines.text_data import TextData
from pipelines.unlabeled import UNLABELED, read_unlabeled
from pipelines.vectorized_split import Split

SPLITS = ("train", "validation", "test")
_EVALUATION_BATCH = 256
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
        data: the texts or sequences.
        options: with whatever the dataset was to decide filled in.
        preprocessor: adapted on the training split; makes the named tensors of a model.
        splits: train, validation and, where it was asked for, test, as these tensors; and the unlabeled texts, where
            something learns from them.
        padding_share: fraction of the first training epoch's time steps that is padding.
        label_weights: of absence and presence of each label for the loss, where a text can have several and they do
            not all weigh 1.
    """

    data: TextData | SequenceData
    options: Options
    preprocessor: Any
    splits: Mapping[str, Split]
    padding_share: float
    label_weights: LabelWeights | None = None

    @property
    def input(self) -> Input:
        """What the model takes, by the kind of the data."""
        return INPUTS[self.data.input_kind]

    @property
    def output(self) -> Output:
        """What the model gives, by the kind of the data's targets."""
        return OUTPUTS[self.data.target_kind]


@dataclasses.dataclass(frozen=True)
class Adapted:
    """Data as tensors, which several models can read.

    Attributes:
        data: the texts or sequences that are left to train on, and those held out.
        preprocessor: adapted on the training split.
        splits: as `Prepared` has them.
        settled: options that are settled by it.
    """

    data: TextData | SequenceData
    preprocessor: Any
    splits: Mapping[str, Split]
    settled: Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """What a trained model answers to what was held out, and how good that is.

    Attributes:
        server: the portable model, from the preprocessor's tensors to probabilities.
        answers: probabilities (N, C) of the splits, by name.
        decision: the thresholds.
        scores: of these splits.
    """

    server: keras.Model
    answers: Mapping[str, np.ndarray]
    decision: Decision
    scores: Mapping[str, Any]


def prepare(data: TextData | SequenceData, options: Options, *, with_test: bool = True) -> Prepared:
    """Adapt the preprocessor on train, make the named tensors of every split, and settle what is left to the data.

    Args:
        data: the texts or sequences.
        options: as the user set them.
        with_test: whether the test split is read at all.

    Raises:
        UsageError: an option that does not fit the data.
    """
    check_fits(data, options)
    return fill_in(adapt(data, options, SPLITS if with_test else SPLITS[:2]), options)


def check_fits(data: TextData | SequenceData, options: Options) -> None:
    """Raise `UsageError` for options that do not fit the data: its classes, and what its kind gives to read."""
    check_needs(options, INPUTS[data.input_kind].gives)
    check_weights(options.class_weight, data.class_names)
    if options.tune_threshold and not OUTPUTS[data.target_kind].can_tune(len(data.class_names)):
        raise UsageError(
            f"--tune-threshold needs two classes, or texts with several labels; {data.name!r} has "
            f"{len(data.class_names)} classes, of which the most probable one is given. Leave it out; against uneven "
            "classes there is --class-weight balanced."
        )


def data_facts(data: TextData | SequenceData) -> dict[str, Any]:
    """Say which data it was, so that it can be known again."""
    return {
        "name": data.name,
        "input_kind": data.input_kind,
        "target_kind": data.target_kind,
        "class_names": list(data.class_names),
        "sizes": dict(data.sizes),
        "fingerprints": dict(data.fingerprints),
    }


def adapt_settings(data: TextData | SequenceData, options: Options) -> tuple[object, ...]:
    """Give what `adapt` depends on beside the data: models of equal settings read the same tensors."""
    read = options_read(INPUTS[data.input_kind].adapt)
    settings = (*(getattr(options, name) for name in read), options.max_train_samples, needed_tensors(options))
    return (*settings, _learned_from(data, options))


def _learned_from(data: TextData | SequenceData, options: Options) -> tuple[str, ...]:
    """Name the splits that a model learns from beside train."""
    return with_options(INPUTS[data.input_kind].learned_from, data, options=options)


def adapt(data: TextData | SequenceData, options: Options, splits: Sequence[str] = SPLITS) -> Adapted:
    """Adapt the preprocessor on train, and make the named tensors of some splits."""
    if options.max_train_samples is not None:
        # Before anything is counted: what is left out shall not be known.
        data = sample_train(data, options.max_train_samples, options.split_seed)
    # With train comes what is learned from beside it.
    more = _learned_from(data, options) if "train" in splits else ()
    if UNLABELED in more and isinstance(data, TextData):
        data = read_unlabeled(data, options.max_train_samples)
    kind = INPUTS[data.input_kind]
    preprocessor, found, settled = with_options(
        kind.adapt, data, (*splits, *more), needed_tensors(options), options=options
    )
    return Adapted(data, preprocessor, found, settled)


def fill_in(adapted: Adapted, options: Options) -> Prepared:
    """Settle what the options leave to the data, and weigh the examples of train as they say."""
    data, splits, settled = adapted.data, dict(adapted.splits), dict(adapted.settled)
    kind, output = INPUTS[data.input_kind], OUTPUTS[data.target_kind]
    # Validation and test stay as they are: what counts is how the model does on texts as they come.
    sample_weights, label_weights = output.weights(options.class_weight, splits["train"].targets, data.class_names)
    if sample_weights is not None:
        splits["train"] = dataclasses.replace(splits["train"], sample_weights=sample_weights)
    enough = math.ceil(_FEWEST_STEPS / steps_per_epoch(splits["train"], options))
    dropout = _DROPOUT_OF_FEW if data.sizes["train"] < _FEW_TEXTS else _DROPOUT
    for name in ("dropout", "embedding_dropout"):
        if getattr(options, name) is None and (name in kind.reads or not inputs_reading(name)):
            settled[name] = dropout
    options = options.replace(
        **settled,
        epochs=options.epochs or min(max(enough, _FEWEST_EPOCHS), _MOST_EPOCHS),
        monitor=options.monitor or output.monitor,
        learning_rate=LEARNING_RATES[options.optimizer] if options.learning_rate is None else options.learning_rate,
    )
    lengths = splits["train"].lengths
    return Prepared(
        data=data,
        options=options,
        preprocessor=adapted.preprocessor,
        splits=splits,
        padding_share=padding_share(lengths, epoch_order(lengths, options.batch_size, options.seed, 0)),
        label_weights=label_weights,
    )


def steps_per_epoch(split: Split, options: Options) -> int:
    """Count the batches of one pass over a split."""
    return math.ceil(len(split) / options.batch_size)


def pretrain_model(
    prepared: Prepared,
    options: Options,
    *,
    on_epoch: Callable[[int, Mapping[str, float]], None] | None = None,
    verbose: int = 0,
) -> Pretrained | None:
    """Learn from the texts of train, and the unlabeled ones, what the options ask for; None where that is nothing.

    It comes before `new_model`, which sets the seed: whether it was done now or by an earlier run changes nothing.
    """
    if options.pretraining == NONE or "pretraining" not in prepared.input.reads:
        return None
    read = [name for name in ("train", UNLABELED) if name in prepared.splits]
    return pretrain(
        options,
        prepared.preprocessor.spec,
        [prepared.splits[name] for name in read],
        [*(prepared.data.fingerprints[name] for name in read), prepared.preprocessor.key],
        on_epoch=on_epoch,
        verbose=verbose,
    )


def new_model(prepared: Prepared, options: Options, pretrained: Pretrained | None = None) -> keras.Model:
    """Build the untrained model of some options, seeded by them, with what was learned before in its place."""
    keras.utils.set_random_seed(options.seed)
    data = prepared.data
    model = build_model(
        options, prepared.preprocessor.spec, len(data.class_names), data.target_kind, "auto", data.input_kind
    )
    if pretrained is not None:
        copy_weights(pretrained, model)
    return model


def new_server(trained: keras.Model, prepared: Prepared, options: Options) -> keras.Model:
    """Build the portable twin of a trained model that answers with probabilities (B, C)."""
    data = prepared.data
    return serving_model(
        trained, options, prepared.preprocessor.spec, len(data.class_names), data.target_kind, data.input_kind
    )


def train_model(
    model: keras.Model,
    prepared: Prepared,
    options: Options,
    verbose: int = 0,
    on_epoch: Callable[[int, Mapping[str, float]], None] | None = None,
    *,
    state: TrainingState | None = None,
    enough: Callable[[], bool] | None = None,
    keep_state: bool = False,
) -> TrainingResult:
    """Train a model in place on train, choosing its epoch by validation.

    Args:
        model: of `new_model`.
        prepared: for these options.
        options: with what the data settles filled in.
        verbose, on_epoch, state, enough, keep_state: as `kseq.training.train` takes them.
    """
    split = prepared.splits["train"]
    first = state.epochs if state else 0
    left = None if options.epochs is None else options.epochs - first
    validation_batches, _ = evaluation_batches(prepared.splits["validation"], _EVALUATION_BATCH)
    return train(
        model,
        training_batches(split, options.batch_size, options.seed, first, left),
        steps_per_epoch(split, options),
        validation_batches,
        options,
        target_kind=prepared.data.target_kind,
        label_weights=prepared.label_weights,
        verbose=verbose,
        on_epoch=on_epoch,
        state=state,
        enough=enough,
        keep_state=keep_state,
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


def evaluate(
    trained: keras.Model, prepared: Prepared, options: Options, splits: Sequence[str] = ("validation", "test")
) -> Evaluation:
    """Score a trained model on validation and, once, on test.

    Args:
        trained: of these options.
        prepared: for them.
        options: with what the data settles filled in.
        splits: validation, by which thresholds are chosen, and what else is to be scored.
    """
    server = new_server(trained, prepared, options)
    answers = {split: probabilities(server, prepared.splits[split]) for split in splits}
    decision = decide(answers["validation"], prepared)
    scores = {split: score_split(answers[split], prepared, split, decision) for split in answers}
    return Evaluation(server, answers, decision, scores)


def probabilities(server: keras.Model, split: Split) -> np.ndarray:
    """Compute the probabilities (N, C) of every text or sequence of a split, in its order."""
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
