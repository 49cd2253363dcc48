"""Where a training stands at the end of an epoch, so that it can go on from there as if it had never stopped."""

import copy
import dataclasses
import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from kseq.replacing import replacing


@dataclasses.dataclass(frozen=True)
class TrainingState:
    """Everything that the next epoch depends on beside the data, the options and the seed.

    Attributes:
        epochs: that are done.
        finished: whether training ended by itself, since no better epoch came for a while.
        variables: of the model and of its optimizer: weights, moments, step count and the states of random numbers.
        callbacks: by the name of its class, what each callback keeps from epoch to epoch.
    """

    epochs: int
    finished: bool
    variables: list[np.ndarray]
    callbacks: Mapping[str, Mapping[str, Any]]

    def save(self, path: Path) -> None:
        """Write it to a file, whole or not at all."""
        arrays: list[np.ndarray] = []

        def plain(value: Any) -> Any:
            """Put the number of an array in its place."""
            if isinstance(value, np.ndarray):
                arrays.append(value)
                return {"array": len(arrays) - 1}
            if isinstance(value, (list, tuple)):
                return [plain(each) for each in value]
            return {name: plain(each) for name, each in value.items()} if isinstance(value, Mapping) else value

        fields = {field.name: plain(getattr(self, field.name)) for field in dataclasses.fields(self)}
        kept: dict[str, Any] = {f"array_{number}": array for number, array in enumerate(arrays)}
        with replacing(path) as file, open(file, "wb") as stream:
            np.savez(stream, fields=np.frombuffer(json.dumps(fields).encode(), np.uint8), **kept)
            stream.flush()
            os.fsync(stream.fileno())


def load_state(path: Path) -> TrainingState:
    """Read a state from its file.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is none of ours, or not whole.
    """
    try:
        # NumPy leaves a file open that it cannot read.
        with open(path, "rb") as stream, np.load(stream, allow_pickle=False) as file:

            def whole(value: Any) -> Any:
                """Put an array in the place of its number."""
                if isinstance(value, list):
                    return [whole(each) for each in value]
                if isinstance(value, dict):
                    return file[f"array_{value['array']}"] if set(value) == {"array"} else _each(value, whole)
                return value

            return TrainingState(**_each(json.loads(file["fields"].tobytes()), whole))
    except FileNotFoundError:
        raise
    except Exception as error:  # Of zip files, NumPy and JSON, each of its own kind.
        raise ValueError(f"{path} cannot be read as the state of a training ({error})") from error


def read_state(
    model: keras.Model, callbacks: Iterable[keras.callbacks.Callback], epochs: int, finished: bool
) -> TrainingState:
    """Read the state of a training whose last epoch has just ended."""
    kept = {
        type(callback).__name__: {name: copy.deepcopy(getattr(callback, name)) for name in _kept_by(callback)}
        for callback in callbacks
        if _kept_by(callback)
    }
    return TrainingState(epochs, finished, [np.array(variable) for variable in _variables(model)], kept)


def set_variables(model: keras.Model, state: TrainingState) -> None:
    """Give a compiled model and its optimizer the variables of a state."""
    model.optimizer.build(model.trainable_variables)
    for variable, value in zip(_variables(model), state.variables, strict=True):
        variable.assign(value)


def set_callbacks(callbacks: Iterable[keras.callbacks.Callback], state: TrainingState) -> None:
    """Give callbacks what they had kept."""
    for callback in callbacks:
        for name in _kept_by(callback):
            # Lists grow; those of the state stay.
            setattr(callback, name, copy.deepcopy(state.callbacks[type(callback).__name__][name]))


class GoOn(keras.callbacks.Callback):
    """Gives the other callbacks what they had kept, once they have all begun anew.

    Args:
        callbacks: in front of this one.
        state: to go on from.
    """

    def __init__(self, callbacks: Iterable[keras.callbacks.Callback], state: TrainingState):
        super().__init__()
        self._callbacks = list(callbacks)
        self._state = state

    def on_train_begin(self, logs: Any = None) -> None:
        set_callbacks(self._callbacks, self._state)


def _variables(model: keras.Model) -> list[keras.Variable]:
    """List what a step of training changes; metrics begin anew in each epoch."""
    metrics = {id(variable) for variable in model.metrics_variables}
    return [variable for variable in model.variables if id(variable) not in metrics] + model.optimizer.variables


def _kept_by(callback: keras.callbacks.Callback) -> tuple[str, ...]:
    """Name the fields of a callback that the next epoch depends on."""
    return getattr(callback, "STATE", ())


def _each(values: Mapping[str, Any], change: Callable[[Any], Any]) -> dict[str, Any]:
    return {name: change(value) for name, value in values.items()}
