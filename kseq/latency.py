"""How long one example takes through a model, as a service sees it: one at a time."""

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
    """Milliseconds from a text or sequence to its probabilities, in this process, with all of TensorFlow's threads.

    Attributes:
        p50: half of the calls took no longer.
        p95: of 100 calls, 95 took no longer.
        steps: length of the example.
        calls: that were measured, after some that were not.
    """

    p50: float
    p95: float
    steps: int
    calls: int


def measure_latency(server: keras.Model, prepared: Prepared) -> Latency:
    """Time the test example of median length, alone in its batch, through preprocessor and model in one graph.

    Args:
        server: from the preprocessor's tensors to probabilities.
        prepared: the data it reads.
    """
    lengths = prepared.splits["test"].lengths
    place = int(np.argsort(lengths, kind="stable")[len(lengths) // 2])
    kind = prepared.input
    sent = list(kind.tensors(kind.examples(prepared.data.test, np.array([place]))).values())

    @tf.function(input_signature=list(kind.signature(prepared.preprocessor).values()))
    def answer(*tensors: tf.Tensor) -> tf.Tensor:
        return server(prepared.preprocessor(*tensors), training=False)

    seconds = []
    for _ in range(_WARMING_CALLS + _CALLS):
        start = time.perf_counter()
        # The numbers are waited for: on a GPU, a call returns before they are there.
        answer(*sent).numpy()
        seconds.append(time.perf_counter() - start)
    p50, p95 = np.quantile(seconds[_WARMING_CALLS:], [0.5, 0.95]) * 1000
    return Latency(float(p50), float(p95), int(lengths[place]), _CALLS)
