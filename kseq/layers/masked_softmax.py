"""The softmax of attention: over real time steps alone."""

from keras import KerasTensor, ops


def masked_softmax(scores: KerasTensor, mask: KerasTensor) -> KerasTensor:
    r"""Turn scores into weights over the last axis: \(a_t = m_t e^{s_t} / \sum_k m_k e^{s_k}\).

    Computed in float32 whatever the scores are. `keras.ops.softmax` knows no mask, and warns of every text of one
    token.

    Args:
        scores: float (..., T).
        mask: bool, True at real steps; broadcasts to the scores.

    Returns:
        float32 (..., T): 0 at padding, 1 in sum; all 0 where no step is real.
    """
    scores = ops.where(mask, ops.cast(scores, "float32"), -1e9)  # (..., T)
    # One operation for what would be four over tensors as large as T² a text.
    return ops.where(mask, ops.exp(ops.log_softmax(scores)), 0.0)  # (..., T)
