"""The loop of a recurrence that is linear in its state."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from kseq.kernels.step_loop import for_each_step

# From 8 on, more gain nothing.
_STEPS_OF_A_TURN = 8


def linear_recurrence_loop(gate: Any, candidate: Any, initial: Any) -> Any:
    """Go step by step, forward and in the gradient.

    `keras.ops.scan` can do neither without copies of the whole sequence. Here a step is read as a view.
    """
    length = tf.shape(gate)[0]

    def array(size: Any) -> Any:
        return tf.TensorArray(initial.dtype, size, element_shape=initial.shape)

    @tf.custom_gradient
    def recurrence(gate: Any, candidate: Any, initial: Any) -> tuple[Any, Callable]:
        def forward(step: Any, state: Any, states: Any) -> tuple[Any, Any]:
            state += gate[step] * (candidate[step] - state)  # (B, D)
            return state, states.write(step + 1, state)

        _, states = for_each_step(
            length, forward, initial, array(length + 1).write(0, initial), steps_of_a_turn=_STEPS_OF_A_TURN
        )
        states = states.stack()  # (1 + T, B, D)

        def gradient(upstream: Any) -> tuple[Any, Any, Any]:
            def backward(number: Any, later: Any, gradients: Any) -> tuple[Any, Any]:
                step = length - 1 - number
                found = upstream[step] + later  # (B, D)
                return found - found * gate[step], gradients.write(step, found)

            of_initial, gradients = for_each_step(
                length, backward, tf.zeros_like(initial), array(length), steps_of_a_turn=_STEPS_OF_A_TURN
            )
            of_states = gradients.stack()  # (T, B, D)
            return of_states * (candidate - states[:-1]), of_states * gate, of_initial

        return states[1:], gradient

    return recurrence(gate, candidate, initial)
