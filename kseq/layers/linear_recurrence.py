"""A recurrence that is linear in its state, over all steps of a sequence."""

from collections.abc import Callable
from typing import Any

import keras
from keras import KerasTensor, ops

# Steps of one turn of the loop. A turn has a cost of its own; from 8 on, more steps in it gain nothing.
_STEPS_OF_A_TURN = 8


def linear_recurrence(gate: KerasTensor, candidate: KerasTensor, initial: KerasTensor) -> KerasTensor:
    r"""Compute every state of a linear recurrence whose coefficients are known for all steps.

    \(h_t = a_t \odot h_{t-1} + b_t\) with \(a_t = 1 - z_t\) and \(b_t = z_t \odot c_t\). Where the gate \(z_t\) is 0,
    the state stays; padding is given the gate 0. For gates from 0 to 1, a state lies between the initial state and the
    candidates so far, so that neither long sequences nor closed gates overflow.

    Source: Martin and Cundy 2018, section 2, for the parallel form; the gradient is the same recurrence backward:
    \(g_t = \partial L / \partial h_t + (1 - z_{t+1}) \odot g_{t+1}\), \(\partial L / \partial c_t = z_t \odot g_t\),
    \(\partial L / \partial z_t = (c_t - h_{t-1}) \odot g_t\).

    On TensorFlow this is a loop over the steps: `benchmarks/linear_recurrence.py` measures it beside parallel scans,
    which read and write the whole sequence several times. Other backends scan in parallel.

    Args:
        gate: \(z\), float (T, B, D). Time comes first, so that a step is one piece of memory.
        candidate: \(c\), float (T, B, D).
        initial: \(h_0\), float (B, D).

    Returns:
        \(h_1, …, h_T\), float (T, B, D).
    """
    if keras.backend.backend() == "tensorflow":
        return _loop(gate, candidate, initial)
    return _scan(gate, candidate, initial)


def _scan(gate: KerasTensor, candidate: KerasTensor, initial: KerasTensor) -> KerasTensor:
    """Join steps in pairs, pairs of pairs and so on."""

    def joined(earlier: tuple, later: tuple) -> tuple:
        return earlier[0] * later[0], later[0] * earlier[1] + later[1]

    decay = ops.concatenate([ops.ones_like(initial)[None], 1 - gate])  # (1 + T, B, D)
    added = ops.concatenate([initial[None], gate * candidate])  # (1 + T, B, D)
    return ops.associative_scan(joined, (decay, added), axis=0)[1][1:]  # (T, B, D)


def _loop(gate: Any, candidate: Any, initial: Any) -> Any:
    """Go step by step, forward and in the gradient.

    `keras.ops.scan` can do neither without copies of the whole sequence. Here a step is read as a view.
    """
    import tensorflow as tf

    length = tf.shape(gate)[0]

    def array(size: Any) -> Any:
        return tf.TensorArray(initial.dtype, size, element_shape=initial.shape)

    @tf.custom_gradient
    def recurrence(gate: Any, candidate: Any, initial: Any) -> tuple[Any, Callable]:
        def forward(step: Any, state: Any, states: Any) -> tuple[Any, Any]:
            state += gate[step] * (candidate[step] - state)  # (B, D)
            return state, states.write(step + 1, state)

        _, states = _for_each_step(length, forward, initial, array(length + 1).write(0, initial))
        states = states.stack()  # (1 + T, B, D)

        def gradient(upstream: Any) -> tuple[Any, Any, Any]:
            def backward(number: Any, later: Any, gradients: Any) -> tuple[Any, Any]:
                step = length - 1 - number
                found = upstream[step] + later  # (B, D)
                return found - found * gate[step], gradients.write(step, found)

            of_initial, gradients = _for_each_step(length, backward, tf.zeros_like(initial), array(length))
            of_states = gradients.stack()  # (T, B, D)
            return of_states * (candidate - states[:-1]), of_states * gate, of_initial

        return states[1:], gradient

    return recurrence(gate, candidate, initial)


def _for_each_step(length: Any, advance: Callable, *values: Any) -> tuple:
    """Repeat `values = advance(step, *values)` for the steps from 0 to `length - 1`."""
    import tensorflow as tf

    def turn(steps: int) -> Callable:
        def body(step: Any, *values: Any) -> tuple:
            for number in range(steps):
                values = advance(step + number, *values)
            return step + steps, *values

        return body

    whole_turns = length - length % _STEPS_OF_A_TURN
    start = (tf.zeros_like(length), *values)
    ended = tf.while_loop(lambda step, *_: step < whole_turns, turn(_STEPS_OF_A_TURN), start)
    return tf.while_loop(lambda step, *_: step < length, turn(1), ended)[1:]
