"""Measure a training step of every model; of Keras' cells with Keras' loop over the steps as well.

    python benchmarks/training_steps.py [--batch 64] [--length 230] [--rounds 8]

Made-up tokens of one length, 20,000 words, the default options but for the flags. Each row has a process, in which the
two loops take turns. Writes `benchmarks/training_steps.json` and `training_steps.md`.
"""

import argparse
import json
import os
import platform
import shlex
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from kseq.console import quiet_start

with quiet_start():
    import keras
    import numpy as np
    import tensorflow as tf

    from kseq.applies import needed_tensors
    from kseq.attentions import ATTENTIONS
    from kseq.cells import CELLS
    from kseq.command_line import Parser, add_options
    from kseq.encoders import ENCODERS, PORTABLE
    from kseq.heads import HEADS
    from kseq.model import build_model
    from kseq.options import FIELDS, Options
    from kseq.training import compile_model

HERE = Path(__file__).parent
VOCABULARY = 20_000
STEPS_OF_A_ROUND = 4
KERAS, OWN = "Keras' loop", "kseq's loop"
WAYS = {KERAS: PORTABLE, OWN: "auto"}
# Cells that have both loops.
BOTH = ["--cell lstm", "--cell gru", "--cell simple_rnn", "--cell lstm --bidirectional", "--cell gru --bidirectional"]
OTHERS = [
    *(f"--cell {name}" for name in CELLS if f"--cell {name}" not in BOTH),
    *(f"--encoder {name}" for name in ENCODERS if name != "recurrent"),
    *(f"--head {name}" for name in HEADS if name not in ("max_mean", "attention")),
    *(f"--head attention --attention {name}" for name in ATTENTIONS),
    "--num-layers 2",
    "--ngrams 2",
]


def choices_of(flags: str) -> dict:
    """Read flags of models as options."""
    parser = Parser(prog="training_steps", allow_abbrev=False, add_help=False)
    add_options(parser, groups=("text", "model"))
    given = vars(parser.parse_all(shlex.split(flags)))
    return {name: value for name, value in given.items() if name in FIELDS}


def inputs_of(options: Options, batch_size: int, length: int) -> dict[str, np.ndarray]:
    """Make up the named tensors that a model reads: real tokens alone, as often as words are."""
    random = np.random.default_rng(0)

    def numbers(most: int, *shape: int) -> np.ndarray:
        # The first ids are padding and the unknown word.
        return np.minimum(random.zipf(1.3, (batch_size, *shape)) + 1, most - 1).astype(np.int32)

    made = {"token_ids": numbers(VOCABULARY, length)}
    if options.ngrams > 1:
        made["ngram_ids"] = numbers(options.ngram_buckets, 2 * length)
    if "sentence_ids" in needed_tensors(options):
        made["sentence_ids"] = np.tile(np.arange(length, dtype=np.int32) // 20 + 1, (batch_size, 1))
    return made


def training_step(flags: str, use_cudnn: bool | str, batch_size: int, length: int) -> Callable[[], None]:
    """Make a function that trains a new model for some steps on one batch."""
    options = Options(
        "made-up",
        vocabulary_size=VOCABULARY,
        dropout=0.3,
        embedding_dropout=0.3,
        learning_rate=0.003,
        **choices_of(flags),
    )
    keras.utils.set_random_seed(0)
    inputs = inputs_of(options, batch_size, length)
    spec = {name: tf.TensorSpec((None, None), tf.int32) for name in inputs}
    model = build_model(options, spec, 2, use_cudnn=use_cudnn)
    compile_model(model, options.learning_rate, options)
    model.make_train_function()
    labels = np.arange(batch_size, dtype=np.int32) % 2
    batches = iter(tf.data.Dataset.from_tensors((inputs, labels, np.ones(batch_size, np.float32))).repeat())

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


def measure_row(flags: str, batch_size: int, length: int, rounds: int) -> dict:
    """Measure the medians of a step in seconds, by the loop, and of the roof of matrix products, in turns."""
    ways = WAYS if flags in BOTH else {OWN: WAYS[OWN]}
    steps = {way: training_step(flags, use_cudnn, batch_size, length) for way, use_cudnn in ways.items()}
    for train in steps.values():
        train()
    roof = products_per_second()
    seconds, roofs = {way: [] for way in steps}, []
    for _ in range(rounds):
        roofs.append(roof())
        for way, train in steps.items():
            start = time.perf_counter()
            train()
            seconds[way].append((time.perf_counter() - start) / STEPS_OF_A_ROUND)
    medians = {way: statistics.median(found) for way, found in seconds.items()}
    return {"flags": flags, "roof": statistics.median(roofs), "seconds": medians}


def in_a_process(flags: str, arguments: argparse.Namespace) -> dict:
    """Measure a row where nothing else is in memory: what other models leave there makes a step slower."""
    given = [f"--{name}={getattr(arguments, name)}" for name in ("batch", "length", "rounds")]
    command = [sys.executable, __file__, *given, f"--row={flags}"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def table(found: dict) -> str:
    """Write what was measured as Markdown."""
    versions = f"TensorFlow {tf.__version__}, Keras {keras.__version__}, Python {platform.python_version()}"
    rows = {row["flags"]: row["seconds"] for row in found["rows"]}
    roof = statistics.median(row["roof"] for row in found["rows"])
    tokens = found["batch"] * found["length"]
    lines = [
        "# A training step of every model",
        "",
        f"Command: `python benchmarks/training_steps.py`. {found['batch']} texts of {found['length']} tokens, a "
        f"process for each row, medians of {found['rounds']} rounds. {os.cpu_count()} cores, {versions}. Load before "
        f"the start: {found['load']:.1f}. Matrix products of 2048 × 2048 float32 numbers in the same processes: "
        f"{roof / 1e9:.0f} GFLOP/s.",
        "",
        "Embedding, model, loss, gradients, clipping and Adam, for default options but for the flags. The SavedModel, "
        f"and training on a GPU, keep Keras' loop; what stands under *{KERAS}* is the same model trained with it.",
        "",
        f"| flags | a step | tokens a second | times the default's | {KERAS} | times as fast as it |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for flags, seconds in rows.items():
        own, keras_loop = seconds[OWN], seconds.get(KERAS)
        beside = f"{keras_loop * 1e3:.0f} ms | {keras_loop / own:.2f}" if keras_loop else "– | –"
        times = own / rows["--cell gru"][OWN]
        lines.append(f"| `{flags}` | {own * 1e3:.0f} ms | {tokens / own:,.0f} | {times:.2f} | {beside} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--length", type=int, default=230)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--row", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.row is not None:
        print(json.dumps(measure_row(arguments.row, arguments.batch, arguments.length, arguments.rounds)))
        return
    found = {name: getattr(arguments, name) for name in ("batch", "length", "rounds")} | {"load": os.getloadavg()[0]}
    found["rows"] = [in_a_process(flags, arguments) for flags in [*BOTH, *OTHERS]]
    (HERE / "training_steps.json").write_text(json.dumps(found, indent=1) + "\n")
    (HERE / "training_steps.md").write_text(table(found))
    print(table(found))


if __name__ == "__main__":
    main()
