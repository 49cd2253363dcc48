"""A loop over the steps of a sequence, in TensorFlow."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf


def for_each_step(length: Any, advance: Callable, *values: Any, steps_of_a_turn: int) -> tuple:
    """Repeat `values = advance(number, *values)` for the numbers from 0 to `length - 1`.

    Args:
        length: T, int32.
        advance: one step.
        values: tensors and `tf.TensorArray`s to start with.
        steps_of_a_turn: how many steps a turn of the loop takes. A turn has a cost of its own; more steps make the
            graph larger.

    Returns:
        The values after the last step.
    """

    def turn(steps: int) -> Callable:
        def body(number: Any, *values: Any) -> tuple:
            for offset in range(steps):
                values = advance(number + offset, *values)
            return number + steps, *values

        return body

    whole = length - length % steps_of_a_turn
    start = (tf.zeros_like(length), *values)
    # One turn at a time: each waits for the one before anyway.
    ended = tf.while_loop(lambda number, *_: number < whole, turn(steps_of_a_turn), start, parallel_iterations=1)
    return tf.while_loop(lambda number, *_: number < length, turn(1), ended, parallel_iterations=1)[1:]
