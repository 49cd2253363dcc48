"""One trial: settings trained as `kseq run` trains them, and judged on validation."""

import dataclasses
import time
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np

from kseq import experiment
from kseq.experiment import Prepared
from kseq.many_trainings import of_many_models
from kseq.options import Options
from kseq.pretraining import Pretrained
from kseq.report import summary
from kseq.training import TrainingResult
from kseq.training_state import TrainingState
from kseq.tuning.objective import Objective


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What training some settings gave.

    Attributes:
        value: of the objective.
        validation: scores of the validation split.
        pretrained: what was learned before the labels; None where nothing was.
        result: of the training.
        seconds: of building and training, the pretraining included.
        judged_in: seconds of judging.
        model: trained; its weights are those of the best epoch.
    """

    value: float
    validation: Any
    pretrained: Pretrained | None
    result: TrainingResult
    seconds: float
    judged_in: float
    model: keras.Model

    def to_dict(self, options: Options) -> dict[str, Any]:
        """Give what JSON knows of it.

        Args:
            options: that were trained.
        """
        history = self.result.history
        return {
            "value": self.value,
            "validation": summary(self.validation),
            "options": options.to_dict(),
            "epochs": len(history["loss"]),
            "best_epoch": self.result.best_epoch,
            "history": dict(history),
            "seconds": self.seconds,
            "judged_in": self.judged_in,
        }


@of_many_models()
def train_settings(
    prepared: Prepared,
    options: Options,
    objective: Objective,
    on_epoch: Callable[[int, Mapping[str, float]], None],
    *,
    state: TrainingState | None = None,
    enough: Callable[[], bool] | None = None,
    keep_state: bool = False,
) -> Outcome | None:
    """Train some settings and judge them on validation; None where the user stopped it.

    Args:
        prepared: for these options.
        options: with what the data settles filled in, and with the seed.
        objective: what they are judged by.
        on_epoch, state, enough, keep_state: as `kseq.training.train` takes them.

    Raises:
        TrainingError: the loss is not a number any more.
    """
    started = time.perf_counter()
    # What Keras keeps of the model before would stay in memory.
    keras.utils.clear_session()
    # A training that goes on has learned from it already.
    pretrained = experiment.pretrain_model(prepared, options) if state is None else None
    if pretrained is not None and pretrained.interrupted:
        return None
    model = experiment.new_model(prepared, options, pretrained)
    result = experiment.train_model(
        model, prepared, options, on_epoch=on_epoch, state=state, enough=enough, keep_state=keep_state
    )
    if result.interrupted:
        return None
    trained = time.perf_counter()
    validation = experiment.evaluate(model, prepared, options, ("validation",)).scores["validation"]
    value = float(getattr(validation, objective.measure))
    return Outcome(value, validation, pretrained, result, trained - started, time.perf_counter() - trained, model)


def last_epoch_of(options: Options) -> int:
    """Give the epoch that a training ends with, where nothing ends it earlier."""
    epochs = options.epochs or 0
    return min(options.last_epoch or epochs, epochs)


def trial_seed(seed: int, trial_id: str) -> int:
    """Give the seed of a trial: of weights, dropout and order, from the seed of the search and the trial's number."""
    return int(np.random.SeedSequence([seed, int(trial_id)]).generate_state(1)[0])
