"""How long one text takes through a model, as a service sees it: one at a time."""

import dataclasses
import time

import keras
import numpy as np
import tensorflow as tf

from kseq.experiment import Prepared

_WARMING_CALLS = 10
_CALLS = 100


@dataclasses.dataclass(frozen=True)
class Latency:
    """Milliseconds from a text to its probabilities, in this process, with all of TensorFlow's threads.

    Attributes:
        p50: half of the calls took no longer.
        p95: of 100 calls, 95 took no longer.
        tokens: of the text.
        calls: that were measured, after some that were not.
    """

    p50: float
    p95: float
    tokens: int
    calls: int


def measure_latency(server: keras.Model, prepared: Prepared) -> Latency:
    """Time the test text of median length, alone in its batch, through vectorizer and model in one graph.

    Args:
        server: from the vectorizer's tensors to probabilities.
        prepared: the data it reads.
    """
    lengths = prepared.splits["test"].lengths
    place = int(np.argsort(lengths, kind="stable")[len(lengths) // 2])
    text = next(iter(prepared.data.test.skip(place).take(1)))[0][tf.newaxis]

    @tf.function(input_signature=[tf.TensorSpec((None, *text.shape[1:]), text.dtype)])
    def answer(texts: tf.Tensor) -> tf.Tensor:
        return server(prepared.vectorizer(texts), training=False)

    seconds = []
    for _ in range(_WARMING_CALLS + _CALLS):
        start = time.perf_counter()
        # The numbers are waited for: on a GPU, a call returns before they are there.
        answer(text).numpy()
        seconds.append(time.perf_counter() - start)
    p50, p95 = np.quantile(seconds[_WARMING_CALLS:], [0.5, 0.95]) * 1000
    return Latency(float(p50), float(p95), int(lengths[place]), _CALLS)
