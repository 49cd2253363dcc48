"""A recurrence over all steps of a sequence, with as many products as possible outside of its loop."""

import os
from typing import Any

import tensorflow as tf

from kseq.kernels.recurrent_steps import Step
from kseq.kernels.step_loop import for_each_step

# From 4 on, more gain nothing.
_STEPS_OF_A_TURN = 4
# With small parts, the products of a step get slow: a batch of 64 was slower in four parts than in two.
_MOST_PARTS = 2


def parts_at_once() -> int:
    """Choose in how many parts this machine computes a batch at once; 0 where there is a GPU, which does better."""
    if tf.config.list_physical_devices("GPU"):
        return 0
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(_MOST_PARTS, cores)


def gated_recurrence(
    step: Step,
    vectors: Any,
    kernel: Any,
    recurrent_kernel: Any,
    bias: Any,
    recurrent_bias: Any = None,
    *,
    mask: Any = None,
    go_backwards: bool = False,
    parts: int,
) -> Any:
    r"""Compute the outputs of a recurrent layer whose states begin at 0, with a gradient of its own.

    \(h_t = f(W x_t + b,\; U h_{t-1} + d,\; \ldots)\). Keras computes \(W x_t\) within the step, and the gradients of W
    and U there as well: small products, of which \(W x_t\), \(\partial L / \partial x\), \(\partial L / \partial W =
    \sum_t x_t \otimes \partial L / \partial p_t\) and \(\partial L / \partial U = \sum_t h_{t-1} \otimes \partial L /
    \partial r_t\) are one large product each for all steps. The two that are left are too small to be shared by cores,
    so the texts are: each part of the batch has a loop of its own, and the loops run at once.
    `benchmarks/training_steps.py` measures it beside Keras.

    Args:
        step: f and its gradient.
        vectors: x, float32 (B, T, E).
        kernel: W, (E, G · units).
        recurrent_kernel: U, (units, G · units).
        bias: b, (G · units,).
        recurrent_bias: d, (G · units,); None for none.
        mask: bool (B, T), True at tokens, which stand before padding; None where there is no padding. The loop goes on
            over the padding, and what it gives there means nothing.
        go_backwards: read each text from its last token to its first.
        parts: of the batch, at least 1.

    Returns:
        \(h_1, …, h_T\), float32 (B, T, units); backwards \(h_T, …, h_1\), with the padding first, as Keras does.
    """
    weights = (kernel, recurrent_kernel, bias, *([] if recurrent_bias is None else [recurrent_bias]))
    weights = tuple(tf.convert_to_tensor(weight) for weight in weights)
    if go_backwards:
        vectors = _reverse(vectors, mask)
    if parts == 1:
        outputs = _outputs(step, vectors, weights)
    else:
        rows = tf.shape(vectors)[0]
        smaller = rows // parts
        pieces = tf.split(vectors, [rows - (parts - 1) * smaller, *[smaller] * (parts - 1)], num=parts)
        outputs = tf.concat([_outputs(step, piece, weights) for piece in pieces], axis=0)
    return tf.reverse(_reverse(outputs, mask), axis=[1]) if go_backwards else outputs  # (B, T, units)


def _reverse(sequence: Any, mask: Any) -> Any:
    """Reverse the real steps of (B, T, ·); padding stays at the end."""
    if mask is None:
        return tf.reverse(sequence, axis=[1])
    return tf.reverse_sequence(sequence, tf.reduce_sum(tf.cast(mask, tf.int32), axis=1), seq_axis=1)


def _outputs(step: Step, vectors: Any, weights: tuple[Any, ...]) -> Any:
    """Compute (B, T, units) of one part of the batch."""

    @tf.custom_gradient
    def recurrence(vectors: Any, kernel: Any, recurrent_kernel: Any, bias: Any, *recurrent_bias: Any) -> tuple:
        width, units = vectors.shape[-1], recurrent_kernel.shape[0]
        steps = tf.transpose(vectors, [1, 0, 2])  # (T, B, E)
        length, rows = tf.unstack(tf.shape(steps))[:2]
        flat = tf.reshape(steps, [-1, width])  # (T * B, E)
        projected = tf.nn.bias_add(tf.matmul(flat, kernel), bias)  # (T * B, G * units)
        projected = tf.reshape(projected, [length, rows, step.gates * units])  # (T, B, G * units)
        zeros = tf.zeros([rows, units], vectors.dtype)

        def array(size: Any, width: int) -> Any:
            return tf.TensorArray(vectors.dtype, size, clear_after_read=False, element_shape=[None, width])

        def forward(number: Any, *values: Any) -> tuple:
            states, outputs, saved = values[: step.states], values[step.states], values[step.states + 1 :]
            recurrent = tf.matmul(states[0], recurrent_kernel)  # (B, G * units)
            if recurrent_bias:
                recurrent = tf.nn.bias_add(recurrent, recurrent_bias[0])
            states, kept = step.forward(projected[number], recurrent, *states)
            arrays = [each.write(number, value) for each, value in zip(saved, kept, strict=True)]
            return *states, outputs.write(number + 1, states[0]), *arrays

        before = array(length + 1, units).write(0, zeros)
        empty = [array(length, units) for _ in range(step.saved)]
        ended = for_each_step(length, forward, *[zeros] * step.states, before, *empty, steps_of_a_turn=_STEPS_OF_A_TURN)
        outputs = ended[step.states].stack()  # (1 + T, B, units)
        saved = ended[step.states + 1 :]

        def gradient(upstream: Any) -> tuple:
            of_outputs = tf.transpose(upstream, [1, 0, 2])  # (T, B, units)

            def backward(number: Any, *values: Any) -> tuple:
                place = length - 1 - number
                of_states, arrays = values[: step.states], values[step.states :]
                read = [each.read(place) for each in saved]
                of_output = of_states[0] + of_outputs[place]
                of_recurrent, of_projected, direct, others = step.backward(read, of_output, *of_states[1:])
                of_before = tf.matmul(of_recurrent, recurrent_kernel, transpose_b=True)  # (B, units)
                if direct is not None:
                    of_before += direct
                found = [of_recurrent] if of_projected is None else [of_recurrent, of_projected]
                written = [each.write(place, value) for each, value in zip(arrays, found, strict=True)]
                return of_before, *others, *written

            arrays = [array(length, step.gates * units) for _ in range(1 + len(recurrent_bias))]
            ended = for_each_step(length, backward, *[zeros] * step.states, *arrays, steps_of_a_turn=_STEPS_OF_A_TURN)
            stacked = [tf.reshape(each.stack(), [-1, step.gates * units]) for each in ended[step.states :]]
            of_recurrent, of_projected = stacked[0], stacked[-1]  # (T * B, G * units)
            of_vectors = tf.reshape(tf.matmul(of_projected, kernel, transpose_b=True), [length, rows, width])
            return (
                tf.transpose(of_vectors, [1, 0, 2]),  # (B, T, E)
                tf.matmul(flat, of_projected, transpose_a=True),  # (E, G * units)
                tf.matmul(tf.reshape(outputs[:-1], [-1, units]), of_recurrent, transpose_a=True),
                tf.raw_ops.BiasAddGrad(out_backprop=of_projected),
                *[tf.raw_ops.BiasAddGrad(out_backprop=of_recurrent) for _ in recurrent_bias],
            )

        return tf.transpose(outputs[1:], [1, 0, 2]), gradient

    return recurrence(vectors, *weights)
