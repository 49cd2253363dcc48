"""Scaled dot-product attention, its heads, and the softmax that leaves padding out."""

import math

from keras import KerasTensor, ops


def masked_softmax(scores: KerasTensor, mask: KerasTensor) -> KerasTensor:
    """Compute the softmax over the last axis where the mask is True, and 0 elsewhere.

    Args:
        scores: float (..., T).
        mask: bool, of a shape that broadcasts to that of the scores. Each row needs one True.

    Returns:
        float (..., T), 1 in sum over the last axis.
    """
    scores = ops.where(mask, scores, ops.cast(-1e9, scores.dtype))
    # Not ops.softmax, which warns of every text of one token.
    return ops.exp(ops.log_softmax(scores))


def scaled_dot_product(queries: KerasTensor, keys: KerasTensor, values: KerasTensor, mask: KerasTensor) -> KerasTensor:
    r"""Attend by the dot products of queries and keys.

    \(y_s = \sum_{t: m_t} \mathrm{softmax}_t(q_s^\top k_t / \sqrt{d}) \, v_t\)

    Source: Vaswani et al. 2017, equation 1.

    Args:
        queries: (..., S, d).
        keys: (..., T, d).
        values: (..., T, v).
        mask: bool (..., S, T) or what broadcasts to it. Each row needs one True.

    Returns:
        (..., S, v).
    """
    # Smaller than the scores by far, and so the cheaper ones to scale.
    queries = queries / math.sqrt(queries.shape[-1])
    scores = ops.matmul(queries, ops.swapaxes(keys, -1, -2))  # (..., S, T)
    return ops.matmul(masked_softmax(scores, mask), values)  # (..., S, v)


def split_heads(vectors: KerasTensor, num_heads: int) -> KerasTensor:
    """Deal the numbers of each vector out to H heads: (B, T, D) to (B, H, T, D / H)."""
    batch, length = ops.shape(vectors)[:2]
    heads = ops.reshape(vectors, (batch, length, num_heads, vectors.shape[-1] // num_heads))
    return ops.swapaxes(heads, 1, 2)


def join_heads(heads: KerasTensor) -> KerasTensor:
    """Undo `split_heads`: (B, H, T, D / H) to (B, T, D)."""
    batch, length = ops.shape(heads)[0], ops.shape(heads)[2]
    return ops.reshape(ops.swapaxes(heads, 1, 2), (batch, length, heads.shape[1] * heads.shape[3]))
