"""Training: compile, fit, keep the best weights by validation."""

import dataclasses
import time
from collections.abc import Callable, Mapping
from typing import Any

import keras
import tensorflow as tf

from kseq.best_epoch import BestEpoch
from kseq.interruption import Interruption
from kseq.losses import LOSSES, LabelWeights
from kseq.optimizers import OPTIMIZERS
from kseq.options import Options
from kseq.outputs import OUTPUTS
from kseq.schedules import SCHEDULES
from kseq.training_state import GoOn, TrainingState, read_state, set_callbacks, set_variables
from kseq.training_watch import TrainingWatch
from kseq.weight_average import WeightAverage


@dataclasses.dataclass(frozen=True)
class TrainingResult:
    """What training leaves beside the trained weights.

    Attributes:
        history: one list a metric, one number an epoch, by Keras' names, with `learning_rate` and `seconds`.
        best_epoch: the epoch whose weights were kept, from 1; an epoch that the user cut short counts as it stands.
        seconds: of training and validating.
        interrupted: whether the user stopped it.
        state: to go on from, where it was asked for and the last epoch is a whole one.
    """

    history: Mapping[str, list[float]]
    best_epoch: int
    seconds: float
    interrupted: bool
    state: TrainingState | None = None


def train(
    model: keras.Model,
    batches: tf.data.Dataset,
    steps_per_epoch: int,
    validation_batches: tf.data.Dataset,
    options: Options,
    *,
    target_kind: str = "class",
    label_weights: LabelWeights | None = None,
    verbose: int = 0,
    on_epoch: Callable[[int, Mapping[str, float]], None] | None = None,
    state: TrainingState | None = None,
    enough: Callable[[], bool] | None = None,
    keep_state: bool = False,
) -> TrainingResult:
    """Train a model in place; its weights are then those of its best epoch.

    A training that stops at `last_epoch` and goes on from its state is, number for number, the one that never stopped.

    SIGINT ends training after the step in flight and keeps the best weights so far; a second one is an ordinary
    KeyboardInterrupt.

    Args:
        model: from the batches' inputs to what the loss of `target_kind` reads.
        batches: `tf.data` of `(inputs, target, sample_weight)` for all epochs that are left, in the order they are to
            be seen.
        steps_per_epoch: batches in one pass over the texts.
        validation_batches: every validation text once.
        options: the group "training", with `epochs` set.
        target_kind: name in `OUTPUTS`.
        label_weights: of absence and presence of each label, C each, where a text can have several; 1 where None.
        verbose: 1 for Keras' progress bar.
        on_epoch: called after each epoch with its number, from 1, and its metrics.
        state: of an earlier training of the same model, data and options, `last_epoch` apart; it goes on from there.
        enough: asked after each epoch; once it says yes, training ends there.
        keep_state: whether the result has the state to go on from.

    Raises:
        TrainingError: the loss is not a number any more.
        ValueError: `options.epochs` is None.
    """
    if options.epochs is None:
        raise ValueError("epochs is None; expected a number. kseq.experiment.prepare fills it in.")
    monitor = options.monitor or OUTPUTS[target_kind].monitor
    steps = steps_per_epoch * options.epochs
    schedule = SCHEDULES[options.schedule](options.learning_rate, steps, monitor, options=options)
    compile_model(model, schedule.learning_rate, options, target_kind=target_kind, label_weights=label_weights)
    keeper = BestEpoch(monitor, options.patience)
    average = [WeightAverage(options.ema_momentum)] if options.ema_momentum else []
    first, last = state.epochs if state else 0, min(options.last_epoch or options.epochs, options.epochs)
    start = time.perf_counter()
    with Interruption() as interruption:
        watch = TrainingWatch(on_epoch, interruption.asked, enough=enough)
        # The watch first: what is no number must not be kept as the best, and the history has the rate of an epoch
        # before the schedule lowers it. The average last: it takes the averaged weights out of the model.
        callbacks = [watch, keeper, *schedule.callbacks, *average]
        if state is not None:
            set_variables(model, state)
        if state is not None and (state.finished or first >= last):
            set_callbacks([watch, keeper], state)
        else:
            model.fit(
                batches,
                steps_per_epoch=steps_per_epoch,
                initial_epoch=first,
                epochs=last,
                validation_data=validation_batches,
                verbose=verbose,
                # The batches come in their order; Keras cannot shuffle tf.data and would say so.
                shuffle=False,
                callbacks=[*callbacks, *([GoOn(callbacks, state)] if state else [])],
            )
            if keep_state:
                state = read_state(model, callbacks, len(watch.history["loss"]), keeper.out_of_patience)
        interrupted = interruption.asked()
    keeper.restore(model)
    seconds = time.perf_counter() - start
    return TrainingResult(
        watch.history, keeper.best_epoch, seconds, interrupted, state if keep_state and not interrupted else None
    )


def compile_model(
    model: keras.Model,
    learning_rate: Any,
    options: Options,
    *,
    target_kind: str = "class",
    label_weights: LabelWeights | None = None,
) -> None:
    """Compile a model with the optimizer and the loss of some options.

    Args:
        model: as `train` takes it.
        learning_rate: what a Keras optimizer takes.
        options: the group "training".
        target_kind: name in `OUTPUTS`.
        label_weights: as `train` takes them.
    """
    output = OUTPUTS[target_kind]
    model.compile(
        optimizer=OPTIMIZERS[options.optimizer](learning_rate, options=options),
        loss=LOSSES[options.loss](output.log_probabilities, label_weights, options=options),
        weighted_metrics=output.metrics(model.output_shape[-1]),
    )
