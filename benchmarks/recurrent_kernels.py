"""Measure a training step of whole models: with Keras' loop over the steps, and with the one that kseq trains with.

    python benchmarks/recurrent_kernels.py [--batch 64] [--length 230] [--rounds 12]

Made-up tokens of one length, 20,000 words, the default options but for the cell: embedding, recurrence, head, loss,
gradients, clipping and Adam. The ways take turns in one process, so that what else the machine does falls on all of
them alike. Writes `benchmarks/recurrent_kernels.json` and `recurrent_kernels.md`.
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

    from kseq.encoders import PORTABLE
    from kseq.model import build_model
    from kseq.options import Options
    from kseq.training import compile_model

HERE = Path(__file__).parent
VOCABULARY = 20_000
STEPS_OF_A_ROUND = 4
MODELS = {
    "--cell lstm": {"cell": "lstm"},
    "--cell gru": {"cell": "gru"},
    "--cell simple_rnn": {"cell": "simple_rnn"},
    "--cell lstm --bidirectional": {"cell": "lstm", "bidirectional": True},
    "--cell gru --bidirectional": {"cell": "gru", "bidirectional": True},
}
WAYS = {"Keras' loop": PORTABLE, "kseq's loop": "auto"}


def training_step(choices: dict, use_cudnn: bool | str, batch: tuple) -> Callable[[], None]:
    """Make a function that trains a new model for some steps on one batch."""
    options = Options(
        "made-up", vocabulary_size=VOCABULARY, dropout=0.3, embedding_dropout=0.3, learning_rate=0.003, **choices
    )
    keras.utils.set_random_seed(0)
    spec = {"token_ids": tf.TensorSpec((None, None), tf.int32)}
    model = build_model(options, spec, 2, use_cudnn=use_cudnn)
    compile_model(model, options.learning_rate, options)
    model.make_train_function()
    batches = iter(tf.data.Dataset.from_tensors(batch).repeat())

    def train() -> None:
        for _ in range(STEPS_OF_A_ROUND):
            model.train_function(batches)

    return train


def products_per_second(size: int = 2048) -> Callable[[], float]:
    """Make a function that measures float32 matrix products, in operations a second."""
    matrix = tf.random.normal((size, size))
    multiply = tf.function(lambda: tf.matmul(matrix, matrix))
    multiply()

    def measure() -> float:
        start = time.perf_counter()
        multiply().numpy()
        return 2 * size**3 / (time.perf_counter() - start)

    return measure


def measure(batch_size: int, length: int, rounds: int) -> dict:
    """Let the ways take turns; seconds of a step, and the roof of matrix products, are medians."""
    random = np.random.default_rng(0)
    # Real tokens alone, as often as words are: the first ids are padding and the unknown word.
    ids = np.minimum(random.zipf(1.3, (batch_size, length)) + 1, VOCABULARY - 1).astype(np.int32)
    batch = ({"token_ids": ids}, random.integers(0, 2, batch_size).astype(np.int32), np.ones(batch_size, np.float32))
    steps = {(model, way): training_step(MODELS[model], WAYS[way], batch) for model in MODELS for way in WAYS}
    first, seconds = {}, {key: [] for key in steps}
    for key, train in steps.items():
        start = time.perf_counter()
        train()
        first[key] = time.perf_counter() - start
    roof, roofs = products_per_second(), []
    for _ in range(rounds):
        roofs.append(roof())
        for key, train in steps.items():
            start = time.perf_counter()
            train()
            seconds[key].append((time.perf_counter() - start) / STEPS_OF_A_ROUND)
    return {
        "batch_size": batch_size,
        "length": length,
        "rounds": rounds,
        "roof": statistics.median(roofs),
        "rows": [
            {"model": model, "way": way, "first": first[model, way], "seconds": statistics.median(seconds[model, way])}
            for model, way in steps
        ],
    }


def table(found: dict) -> str:
    """Write what was measured as Markdown."""
    versions = f"TensorFlow {tf.__version__}, Keras {keras.__version__}, Python {platform.python_version()}"
    lines = [
        "# A training step, with Keras' loop and with kseq's",
        "",
        f"Command: `python benchmarks/recurrent_kernels.py`. {found['batch_size']} texts of {found['length']} tokens, "
        f"medians of {found['rounds']} rounds in turns. {os.cpu_count()} cores, {versions}. Load before the start: "
        f"{found['load']:.1f}. Matrix products of 2048 × 2048 float32 numbers in the same run: "
        f"{found['roof'] / 1e9:.0f} GFLOP/s.",
        "",
        "| model | Keras' loop | kseq's loop | times as fast | tokens a second | first step, Keras' | first, kseq's |",
        "|---|---|---|---|---|---|---|",
    ]
    tokens = found["batch_size"] * found["length"]
    for keras_row, own_row in zip(found["rows"][::2], found["rows"][1::2], strict=True):
        lines.append(
            f"| `{own_row['model']}` | {keras_row['seconds'] * 1e3:.0f} ms | {own_row['seconds'] * 1e3:.0f} ms "
            f"| {keras_row['seconds'] / own_row['seconds']:.2f} | {tokens / own_row['seconds']:,.0f} "
            f"| {keras_row['first']:.1f} s | {own_row['first']:.1f} s |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--length", type=int, default=230)
    parser.add_argument("--rounds", type=int, default=12)
    arguments = parser.parse_args()
    load = os.getloadavg()[0]
    found = {"load": load, **measure(arguments.batch, arguments.length, arguments.rounds)}
    (HERE / "recurrent_kernels.json").write_text(json.dumps(found, indent=1) + "\n")
    (HERE / "recurrent_kernels.md").write_text(table(found))
    print(table(found))


if __name__ == "__main__":
    main()
