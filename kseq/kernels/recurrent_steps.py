r"""Steps of Keras' recurrent cells and their gradients, apart from the products with matrices.

A step reads what the matrices have made of its input and of its state: \(p = W x + b\) and \(r = U h'\), both (B, G ·
units) for G gates in Keras' order, with \(h'\) the state before. Its gradient is written out: derived by TensorFlow it
would compute the step again, and be some times as many small operations.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class Step:
    """A step of a recurrence, on tensors of TensorFlow.

    Attributes:
        gates: G.
        states: how many there are; h comes first and is what the layer gives.
        saved: how many tensors (B, units) the gradient reads.
        forward: `(p, r, *states before)` → the states, and what the gradient reads.
        backward: `(what it reads, gradient of h, *gradients of the other states)` → the gradient of r; that of p, or
            None where it is the same; that of h', but for what goes through r, or None where that is all; those of the
            other states before.
    """

    gates: int
    states: int
    saved: int
    forward: Callable[..., tuple[tuple[Any, ...], tuple[Any, ...]]]
    backward: Callable[..., tuple[Any, Any, Any, tuple[Any, ...]]]


def _of_sigmoid(value: Any, gradient: Any) -> Any:
    """Give the gradient of x from that of the logistic function's value at x."""
    return tf.raw_ops.SigmoidGrad(y=value, dy=gradient)


def _of_tanh(value: Any, gradient: Any) -> Any:
    return tf.raw_ops.TanhGrad(y=value, dy=gradient)


def _of_relu(value: Any, gradient: Any) -> Any:
    return tf.raw_ops.ReluGrad(features=value, gradients=gradient)


def _of_leaky_relu(value: Any, gradient: Any) -> Any:
    # Keras' slope.
    return tf.raw_ops.LeakyReluGrad(features=value, gradients=gradient, alpha=0.2)


def _lstm_forward(projected: Any, recurrent: Any, _: Any, before: Any) -> tuple:
    sums = tf.split(projected + recurrent, 4, axis=1)
    entry, forget, candidate, exit_gate = (
        tf.sigmoid(sums[0]),
        tf.sigmoid(sums[1]),
        tf.tanh(sums[2]),
        tf.sigmoid(sums[3]),
    )
    memory = forget * before + entry * candidate  # (B, units)
    shown = tf.tanh(memory)
    return (exit_gate * shown, memory), (entry, forget, candidate, exit_gate, shown, before)


def _lstm_backward(saved: Sequence[Any], of_output: Any, of_memory: Any) -> tuple:
    entry, forget, candidate, exit_gate, shown, before = saved
    of_memory += _of_tanh(shown, of_output * exit_gate)
    of_sums = tf.concat(
        [
            _of_sigmoid(entry, of_memory * candidate),
            _of_sigmoid(forget, of_memory * before),
            _of_tanh(candidate, of_memory * entry),
            _of_sigmoid(exit_gate, of_output * shown),
        ],
        axis=1,
    )  # (B, 4 * units)
    return of_sums, None, None, (of_memory * forget,)


LSTM = Step(4, 2, 6, _lstm_forward, _lstm_backward)


def _gru_forward(projected: Any, recurrent: Any, before: Any) -> tuple:
    of_input, of_state = tf.split(projected, 3, axis=1), tf.split(recurrent, 3, axis=1)
    update = tf.sigmoid(of_input[0] + of_state[0])
    reset = tf.sigmoid(of_input[1] + of_state[1])
    candidate = tf.tanh(of_input[2] + reset * of_state[2])
    difference = before - candidate
    return (candidate + update * difference,), (update, reset, candidate, of_state[2], difference)


def _gru_backward(saved: Sequence[Any], of_output: Any) -> tuple:
    update, reset, candidate, of_state, difference = saved
    kept = of_output * update
    of_candidate = _of_tanh(candidate, of_output - kept)
    gates = [_of_sigmoid(update, of_output * difference), _of_sigmoid(reset, of_candidate * of_state)]
    of_recurrent = tf.concat([*gates, of_candidate * reset], axis=1)  # (B, 3 * units)
    return of_recurrent, tf.concat([*gates, of_candidate], axis=1), kept, ()


GRU = Step(3, 1, 5, _gru_forward, _gru_backward)

# By the activation, of Keras, each of whose gradients follows from its value.
_ACTIVATIONS = {
    keras.activations.tanh: _of_tanh,
    keras.activations.relu: _of_relu,
    keras.activations.leaky_relu: _of_leaky_relu,
}


def simple_rnn_step(activation: Callable) -> Step | None:
    """Make the step of a plain recurrence, or None where the activation is none whose gradient is known here."""
    gradient = _ACTIVATIONS.get(activation)
    if gradient is None:
        return None

    def forward(projected: Any, recurrent: Any, _: Any) -> tuple:
        state = activation(projected + recurrent)
        return (state,), (state,)

    def backward(saved: Sequence[Any], of_output: Any) -> tuple:
        return gradient(saved[0], of_output), None, None, ()

    return Step(1, 1, 1, forward, backward)
