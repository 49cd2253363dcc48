"""Measure ways to compute a linear recurrence, and the layers that hold one beside Keras' LSTM and GRU.

    python benchmarks/linear_recurrence.py [--batch 64] [--length 200] [--units 128] [--rounds 30]

The ways take turns in one process, so that what else the machine does falls on all of them alike. Writes
`benchmarks/linear_recurrence.json` and `linear_recurrence.md`.
"""

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from kseq.console import quiet_start

with quiet_start():
    import keras
    import numpy as np
    import tensorflow as tf
    from keras import ops

    from kseq.cells import CELLS
    from kseq.layers.linear_recurrence import linear_recurrence
    from kseq.options import Options

HERE = Path(__file__).parent
CHUNK = 16
NORMALIZED = ("simple_rnn", "lstm", "gru")


def step_loop(gate: tf.Tensor, candidate: tf.Tensor, initial: tf.Tensor) -> tf.Tensor:
    """One step a turn, through arrays of steps; TensorFlow derives the gradient."""
    length = tf.shape(gate)[0]
    gates = tf.TensorArray(tf.float32, length).unstack(gate)
    candidates = tf.TensorArray(tf.float32, length).unstack(candidate)
    states = tf.TensorArray(tf.float32, length, element_shape=initial.shape)

    def body(step, state, states):
        state += gates.read(step) * (candidates.read(step) - state)
        return step + 1, state, states.write(step, state)

    return tf.while_loop(lambda step, *_: step < length, body, (0, initial, states))[2].stack()


def chunked_scan(gate: tf.Tensor, candidate: tf.Tensor, initial: tf.Tensor) -> tf.Tensor:
    """All chunks of 16 steps at once for their ends, a loop over the ends, then all chunks from their beginnings."""
    length, batch, units = tf.shape(gate)[0], tf.shape(gate)[1], gate.shape[2]
    missing = -length % CHUNK
    padding = [[0, missing], [0, 0], [0, 0]]
    by_chunk = (-1, CHUNK, batch, units)
    gates = tf.unstack(tf.reshape(tf.pad(gate, padding), by_chunk), axis=1)
    candidates = tf.unstack(tf.reshape(tf.pad(candidate, padding), by_chunk), axis=1)
    kept, ends = tf.ones_like(gates[0]), tf.zeros_like(gates[0])
    for z, c in zip(gates, candidates, strict=True):
        kept, ends = (1 - z) * kept, ends + z * (c - ends)
    # The end of a chunk is kept * start + ends, with a candidate of 0 where nothing is kept away.
    taken = 1 - kept
    ends = step_loop(taken, tf.math.divide_no_nan(ends, taken), initial)
    state, states = tf.concat([initial[None], ends[:-1]], 0), []
    for z, c in zip(gates, candidates, strict=True):
        state += z * (c - state)
        states.append(state)
    return tf.reshape(tf.stack(states, 1), (-1, batch, units))[:length]


def doubling_scan(gate: tf.Tensor, candidate: tf.Tensor, initial: tf.Tensor) -> tf.Tensor:
    """Hillis and Steele 1986: every step joined with the one 1, 2, 4, … before it."""
    length = tf.shape(gate)[0]
    first = tf.concat([initial[None], tf.zeros_like(gate[1:])], 0)

    def body(distance, kept, state):
        padding = [[distance, 0], [0, 0], [0, 0]]
        state += kept * tf.pad(state[:-distance], padding)
        return 2 * distance, kept * tf.pad(kept[:-distance], padding, constant_values=1.0), state

    start = (1, 1 - gate, (1 - gate) * first + gate * candidate)
    return tf.while_loop(lambda distance, *_: distance < length, body, start, maximum_iterations=30)[2]


def associative_scan(gate: tf.Tensor, candidate: tf.Tensor, initial: tf.Tensor) -> tf.Tensor:
    """`keras.ops.associative_scan`."""
    kept = ops.concatenate([ops.ones_like(initial)[None], 1 - gate])
    added = ops.concatenate([initial[None], gate * candidate])
    return ops.associative_scan(lambda a, b: (a[0] * b[0], b[0] * a[1] + b[1]), (kept, added), axis=0)[1][1:]


def cumulative_sums(gate: tf.Tensor, candidate: tf.Tensor, initial: tf.Tensor) -> tf.Tensor:
    """Divide by the running product of what is kept, add up, multiply again."""
    logarithm = tf.cumsum(tf.math.log1p(-gate), 0)
    return tf.exp(logarithm) * (initial + tf.cumsum(gate * candidate * tf.exp(-logarithm), 0))


def with_gradient(recurrence: Callable) -> Callable:
    """Make the gradient of a recurrence: forward and backward."""

    def gradient(*inputs):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            total = tf.reduce_sum(recurrence(*inputs) ** 2)
        return tape.gradient(total, inputs)

    return gradient


def layer_gradient(cell: str, normalization: bool, units: int) -> Callable:
    """Make one direction of a recurrent layer, maximum over time, and the gradient to weights and input."""
    options = Options("none", cell=cell, layer_normalization=normalization)
    layer = CELLS[cell](units, options=options, return_sequences=True, use_cudnn=False)
    layer.build((None, None, units))

    def gradient(vectors):
        with tf.GradientTape() as tape:
            tape.watch(vectors)
            mask = tf.ones(tf.shape(vectors)[:2], tf.bool)
            total = tf.reduce_sum(tf.reduce_max(layer(vectors, mask=mask), 1))
        return tape.gradient(total, [vectors, *(weight.value for weight in layer.trainable_weights)])

    return gradient


def in_turns(ways: dict[str, Callable], inputs: list, rounds: int) -> dict[str, dict]:
    """Call every way once, which traces and compiles it, and then in turns: seconds."""
    found: dict[str, dict] = {}
    for name, way in ways.items():
        start = time.perf_counter()
        way(*inputs)
        found[name] = {"first": time.perf_counter() - start, "seconds": []}
    for _ in range(rounds):
        for name, way in ways.items():
            start = time.perf_counter()
            way(*inputs)
            found[name]["seconds"].append(time.perf_counter() - start)
    return {
        name: {"first": times["first"], "median": statistics.median(times["seconds"]), "least": min(times["seconds"])}
        for name, times in found.items()
    }


def error_of(way: Callable, inputs: list[np.ndarray]) -> float:
    """Give the largest difference from a loop in NumPy, in float64."""
    gate, candidate, state = (array.astype(np.float64) for array in inputs)
    states = []
    for z, c in zip(gate, candidate, strict=True):
        state = (1 - z) * state + z * c
        states.append(state)
    return float(np.abs(np.array(way(*map(tf.constant, inputs))) - np.array(states)).max())


def table(result: dict) -> str:
    """Write the results as Markdown."""
    tokens = result["batch"] * result["length"]
    lines = [
        "# A linear recurrence, several ways",
        "",
        f"Command: `python benchmarks/linear_recurrence.py`. {result['batch']} texts of {result['length']} tokens, "
        f"{result['units']} units, float32, medians of {result['rounds']} rounds in turns. {result['machine']}. Load "
        f"before the start: {result['load']:.1f}; on a machine that does other work, only large ratios mean anything.",
        "",
        "| way | forward | forward and backward | first call, forward | largest error |",
        "|---|---|---|---|---|",
    ]
    for name, way in result["ways"].items():
        forward, both = (f"{1000 * way[part]['median']:.1f} ms" if part in way else "" for part in ("forward", "both"))
        lines.append(f"| {name} | {forward} | {both} | {way['forward']['first']:.2f} s | {way['error']:.0e} |")
    lines += [
        "",
        "The loop reads each step as a view and keeps its state in the cache; scans read and write the whole sequence "
        "several times. XLA compiles again for every new batch size and length, of which bucketed batches and servers "
        "have many. Cumulative sums divide by a product that underflows: shown for its error only.",
        "",
        "| layer, forward and backward | median | tokens a second | as a multiple of `lstm` |",
        "|---|---|---|---|",
    ]
    lstm = result["layers"]["lstm"]["median"]
    for name, times in result["layers"].items():
        seconds = times["median"]
        lines.append(f"| {name} | {1000 * seconds:.1f} ms | {tokens / seconds:,.0f} | {lstm / seconds:.1f} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in (("batch", 64), ("length", 200), ("units", 128), ("rounds", 30)):
        parser.add_argument(f"--{name}", type=int, default=value)
    given = parser.parse_args()
    load = os.getloadavg()[0]
    random = np.random.default_rng(0)
    shape = (given.length, given.batch, given.units)
    arrays = [random.uniform(0.01, 0.99, shape), random.normal(size=shape), random.normal(size=shape[1:])]
    inputs = [array.astype(np.float32) for array in arrays]
    signature = [tf.TensorSpec((None, None, given.units))] * 2 + [tf.TensorSpec((None, given.units))]
    recurrences = {
        "`kseq.layers.linear_recurrence`": linear_recurrence,
        "loop of steps, derived gradient": step_loop,
        f"chunks of {CHUNK}": chunked_scan,
        "doubling": doubling_scan,
        "cumulative sums": cumulative_sums,
        "one product and one sum, for scale": lambda gate, candidate, initial: gate * candidate + gate,
    }
    forward = {name: tf.function(way, input_signature=signature) for name, way in recurrences.items()}
    both = {name: tf.function(with_gradient(way), input_signature=signature) for name, way in recurrences.items()}
    # Compiled, or written, for one length.
    fixed = [tf.TensorSpec(array.shape) for array in inputs]
    forward["the first, compiled by XLA"] = tf.function(linear_recurrence, jit_compile=True)
    both["the first, compiled by XLA"] = tf.function(with_gradient(linear_recurrence), jit_compile=True)
    forward["`keras.ops.associative_scan`, of one length"] = tf.function(associative_scan, input_signature=fixed)
    both["`keras.ops.associative_scan`, of one length"] = tf.function(
        with_gradient(associative_scan), input_signature=fixed
    )
    tensors = list(map(tf.constant, inputs))
    forward_times, both_times = (in_turns(ways, tensors, given.rounds) for ways in (forward, both))
    variants = [*((cell, False) for cell in CELLS), *((cell, True) for cell in NORMALIZED)]
    vectors = tf.constant(random.normal(size=(given.batch, given.length, given.units)).astype(np.float32))
    layers = {
        cell + " --layer-normalization" * normalization: tf.function(
            layer_gradient(cell, normalization, given.units), input_signature=[tf.TensorSpec((None, None, given.units))]
        )
        for cell, normalization in variants
    }
    result = {
        **vars(given),
        "load": load,
        "machine": f"{os.cpu_count()} cores, TensorFlow {tf.__version__}, Keras {keras.__version__}, "
        f"Python {platform.python_version()}",
        "ways": {
            name: {"forward": forward_times[name], "both": both_times[name], "error": error_of(way, inputs)}
            for name, way in forward.items()
        },
        "layers": in_turns(layers, [vectors], max(3, given.rounds // 3)),
    }
    (HERE / "linear_recurrence.json").write_text(json.dumps(result, indent=1) + "\n")
    (HERE / "linear_recurrence.md").write_text(table(result))
    print(table(result))


if __name__ == "__main__":
    main()
