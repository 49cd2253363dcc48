"""A recurrence that is linear in its state, over all steps of a sequence."""

import keras
from keras import KerasTensor, ops


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
        from kseq.kernels.linear_recurrence import linear_recurrence_loop

        return linear_recurrence_loop(gate, candidate, initial)
    return _scan(gate, candidate, initial)


def _scan(gate: KerasTensor, candidate: KerasTensor, initial: KerasTensor) -> KerasTensor:
    """Join steps in pairs, pairs of pairs and so on."""

    def joined(earlier: tuple, later: tuple) -> tuple:
        return earlier[0] * later[0], later[0] * earlier[1] + later[1]

    decay = ops.concatenate([ops.ones_like(initial)[None], 1 - gate])  # (1 + T, B, D)
    added = ops.concatenate([initial[None], gate * candidate])  # (1 + T, B, D)
    return ops.associative_scan(joined, (decay, added), axis=0)[1][1:]  # (T, B, D)
