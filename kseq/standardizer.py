"""Numeric sequences to named tensors, standardised in the graph, the same object in training and in the SavedModel."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from kseq.text_options import TRUNCATIONS

# No value of train lies further from its mean than the square root of their number. Beyond stands only what no train
# value comes near, and what is far too large for the sums of a model.
_FURTHEST = 1e6
_BLOCK = 2**18


def channel_statistics(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Compute mean and standard deviation of each channel, float32 (F,), in double precision.

    Args:
        values: float32 (time steps of all sequences, F), at least one step.

    Returns:
        The means, and the deviations: of all steps, not of a sample of more; 0 of a channel that is constant.
    """
    blocks = [values[start : start + _BLOCK] for start in range(0, len(values), _BLOCK)]
    means = sum(block.sum(axis=0, dtype=np.float64) for block in blocks) / len(values)
    squares = sum(np.square(block - means).sum(axis=0) for block in blocks) / len(values)
    # By rounding, equal numbers have a mean that is another number.
    constant = values.min(axis=0) == values.max(axis=0)
    deviations = np.where(constant, 0, np.sqrt(squares))
    return means.astype(np.float32), deviations.astype(np.float32)


class Standardizer(tf.Module):
    """Turns numeric sequences into named tensors, with padding, 0, on the right.

    - `values`, float32 (B, T, F): \\((x - \\mu) / \\sigma\\) of each channel, \\(\\mu\\) and \\(\\sigma\\) those of
      train; a channel that is constant there is divided by 1. T is the longest row's, at most `sequence_length`. No
      number is further than a million from 0.
    - `lengths`, int32 (B,): the real time steps of each row. A value may be 0, so that values do not tell.

    Attributes:
        means, deviations: float32 (F,), of train.
        channel_names: F names.
        sequence_length: most time steps of a sequence.
        truncation: which steps of a longer sequence stay: "head", "tail", or "head_tail", half from each end.
        spec: shape and type of each named tensor.
    """

    def __init__(
        self,
        means: np.ndarray,
        deviations: np.ndarray,
        channel_names: Sequence[str],
        sequence_length: int,
        truncation: str = "head",
    ):
        super().__init__(name="standardizer")
        if truncation not in TRUNCATIONS:
            raise ValueError(f"truncation is {truncation!r}; expected one of {', '.join(map(repr, TRUNCATIONS))}.")
        if sequence_length < 1:
            raise ValueError(f"sequence_length is {sequence_length}; expected at least 1 time step.")
        shape = (len(channel_names),)
        if np.shape(means) != shape or np.shape(deviations) != shape:
            raise ValueError(
                f"there are {len(channel_names)} channel names, and means and deviations of the shapes "
                f"{np.shape(means)} and {np.shape(deviations)}; expected one of each for each channel."
            )
        # tf.Module wraps lists for tracking; a tuple stays what it is.
        self.channel_names = tuple(channel_names)
        self.means = np.asarray(means, np.float32)
        self.deviations = np.asarray(deviations, np.float32)
        self.sequence_length = sequence_length
        self.truncation = truncation
        self.spec = {
            "values": tf.TensorSpec((None, None, len(self.channel_names)), tf.float32),
            "lengths": tf.TensorSpec((None,), tf.int32),
        }

    @property
    def constant(self) -> tuple[str, ...]:
        """Names of the channels that are constant in train."""
        return tuple(name for name, each in zip(self.channel_names, self._still, strict=True) if each)

    def __call__(self, values: tf.Tensor, lengths: tf.Tensor) -> dict[str, tf.Tensor]:
        """Standardise sequences.

        Args:
            values: float32 (B, T, F), padded on the right with anything.
            lengths: int32 (B,), the real time steps of each row, from 1 to T.

        Raises:
            tf.errors.InvalidArgumentError: a length outside of that, or a real value that is not finite.
        """
        steps = tf.shape(values)[1]
        tf.debugging.Assert(
            tf.reduce_all((lengths >= 1) & (lengths <= steps)),
            ["lengths must lie between 1 and the time steps of values, which are", steps, "; they are", lengths],
        )
        real = tf.sequence_mask(lengths, steps)[:, :, tf.newaxis]  # (B, T, 1)
        tf.debugging.Assert(
            tf.reduce_all(tf.math.is_finite(values) | ~real),
            ["values must be finite numbers. Fill in what is missing. Finite are:", tf.math.is_finite(values)],
        )
        divisors = np.where(self._still, np.float32(1), self.deviations)  # (F,)
        kept = tf.minimum(lengths, self.sequence_length)  # (B,)
        width = tf.maximum(tf.reduce_max(kept), 1)
        chosen = tf.gather(values, self._places(lengths, width, steps), batch_dims=1)  # (B, T, F)
        standard = tf.clip_by_value((chosen - self.means) / divisors, -_FURTHEST, _FURTHEST)
        return {"values": tf.where(tf.sequence_mask(kept, width)[:, :, tf.newaxis], standard, 0.0), "lengths": kept}

    def _places(self, lengths: tf.Tensor, width: tf.Tensor, steps: tf.Tensor) -> tf.Tensor:
        """Choose the steps that stay, int32 (B, width); beyond a row's end, any."""
        most = self.sequence_length
        from_head = {"head": most, "tail": 0, "head_tail": most - most // 2}[self.truncation]
        left_out = tf.maximum(lengths - most, 0)[:, tf.newaxis]  # (B, 1)
        place = tf.range(width)[tf.newaxis]  # (1, width)
        return tf.minimum(tf.where(place < from_head, place, place + left_out), tf.maximum(steps - 1, 0))

    @property
    def _still(self) -> np.ndarray:
        """Whether a channel is constant, or so nearly that a division by its deviation would overflow, bool (F,)."""
        return self.deviations < np.finfo(np.float32).tiny
