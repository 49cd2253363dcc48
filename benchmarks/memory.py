"""Measure the memory of training on ten times the rows, by cache.

    python benchmarks/memory.py [--rows 100000,1000000] [--folder FOLDER]

Writes `benchmarks/memory.json` after every run, so that an interrupted measurement goes on where it stopped, then
`memory.md` and `memory.png`. Linux only: memory is read from /proc while the training
runs in a process of its own.
"""

import argparse
import csv
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
RESULTS = HERE / "memory.json"
CACHES = ("disk", "memory", "none")
# Of the built-in reviews: no neutral sentence between the two that decide, for short texts.
DISTANCE = 0
BLOCK = 1000
STEPS = 200
PERIOD = 0.2


def write_file(path: Path, rows: int) -> None:
    """Write a CSV of reviews, each of a seed of its own."""
    from pipelines.reviews import write_train

    partial = path.with_suffix(".partial")
    with partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        writer.writerows([review.text, review.label] for review in write_train(rows, DISTANCE, 0))
    partial.rename(path)


def train(path: Path, cache: str, cache_dir: str) -> None:
    """Train on a file, in the process that is watched; tell each phase as it begins, and at the end what was found."""
    from kseq.console import quiet_start
    from kseq.options import Options

    with quiet_start():
        from kseq import experiment
    import numpy as np
    import tensorflow as tf

    from kseq.training import train as fit
    from pipelines.batching import evaluation_batches, training_batches
    from pipelines.reviews import CLASS_NAMES, write_test
    from pipelines.text_data import from_splits
    from pipelines.vectorized_split import VectorizedSplit

    def blocks() -> Iterator[tuple[list[str], list[int]]]:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.reader(file)
            next(reader)
            while block := [row for row, _ in zip(reader, range(BLOCK), strict=False)]:
                yield [text for text, _ in block], [int(label) for _, label in block]

    spec = (tf.TensorSpec((None,), tf.string), tf.TensorSpec((None,), tf.int32))
    test = list(write_test(DISTANCE))
    print("phase load", flush=True)
    data = from_splits(
        "reviews",
        tf.data.Dataset.from_generator(blocks, output_signature=spec).unbatch(),
        tf.data.Dataset.from_tensor_slices(
            ([one.text for one in test], np.array([one.label for one in test], np.int32))
        ),
        CLASS_NAMES,
        validation_fraction=0.01,
        suggested_sequence_length=100,
        suggested_vocabulary_size=2000,
    )
    options = Options("reviews", cache=cache, cache_dir=cache_dir if cache == "disk" else None, epochs=1, units=16)
    print("phase prepare", flush=True)
    prepared = experiment.prepare(data, options)
    split = prepared.splits["train"]
    print("phase epoch", flush=True)
    texts = sum(len(target) for _, target, _ in training_batches(split, 64, 1, epochs=1))
    print("phase fit", flush=True)
    validation, _ = evaluation_batches(prepared.splits["validation"], 256)
    model = experiment.new_model(prepared, prepared.options)
    fit(model, training_batches(split, 64, 0, epochs=1), STEPS, validation, prepared.options)
    found = {
        "texts": texts,
        "tokens": int(split.lengths.sum(dtype=np.int64)),
        "bytes": split.nbytes if isinstance(split, VectorizedSplit) else 0,
    }
    print("found " + json.dumps(found), flush=True)


def memory_of(process: int) -> dict[str, float]:
    """MiB of a process: all of its pages that lie in memory, and those that are no file's."""
    lines = Path(f"/proc/{process}/status").read_text("ascii").splitlines()
    fields = dict(line.split(":", 1) for line in lines)
    return {name: int(fields[name].split()[0]) / 1024 for name in ("VmRSS", "RssAnon")}


def measure(path: Path, cache: str) -> dict:
    """Train in a process of its own and watch it."""
    command = [sys.executable, __file__, "--train", str(path), "--cache", cache]
    environment = {**os.environ, "PYTHONPATH": str(HERE.parent)}
    phases: list[list] = []
    samples: list[list[float]] = []
    found = None
    with tempfile.TemporaryDirectory() as cache_dir:
        process = subprocess.Popen(
            [*command, "--folder", cache_dir], stdout=subprocess.PIPE, env=environment, text=True, bufsize=1
        )
        os.set_blocking(process.stdout.fileno(), False)
        start = time.perf_counter()
        while process.poll() is None:
            now = round(time.perf_counter() - start, 2)
            while line := process.stdout.readline():
                topic, _, rest = line.partition(" ")
                if topic == "phase":
                    phases.append([rest.strip(), now])
                elif topic == "found":
                    found = json.loads(rest)
            try:
                memory = memory_of(process.pid)
            except (OSError, KeyError):
                break
            samples.append([now, round(memory["VmRSS"]), round(memory["RssAnon"])])
            time.sleep(PERIOD)
    if process.wait() or found is None:
        raise SystemExit(f"{' '.join(command)} failed with {process.returncode}.")
    return {**found, "phases": phases, "samples": samples, "seconds": samples[-1][0]}


def peak(run: dict, column: int) -> float:
    """Most MiB of a run; column 1 is all memory, 2 that which is no file's."""
    return max(sample[column] for sample in run["samples"])


def draw(results: dict, rows: list[int]) -> None:
    """Draw memory over time, a panel for each number of rows."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(rows), figsize=(5 * len(rows), 3.6), sharey=True, layout="constrained")
    for axis, count in zip(axes, rows, strict=True):
        for cache in CACHES:
            if f"{count} {cache}" not in results:
                continue
            run = results[f"{count} {cache}"]
            times, rss, _ = zip(*run["samples"], strict=True)
            axis.plot(times, rss, label=f"--cache {cache}", linewidth=1.5)
        axis.set_title(f"{count:,} rows")
        axis.set_xlabel("seconds")
        axis.grid(alpha=0.3)
        axis.set_ylim(0, 1.1 * max(peak(run, 1) for run in results.values()))
        axis.set_xlim(left=0)
    axes[0].set_ylabel("memory of the process (RSS), MiB")
    axes[0].legend(loc="lower right")
    figure.savefig(HERE / "memory.png", dpi=120)


def table(results: dict, rows: list[int]) -> str:
    """Write the results as Markdown."""
    few, many = rows[0], rows[-1]
    lines = [
        "# Memory by number of rows and cache",
        "",
        f"Command: `python benchmarks/memory.py` ({platform.machine()}, {os.cpu_count()} cores). CSV files of the "
        f"built-in reviews at distance {DISTANCE}, read as a stream: the texts are checked, counted and vectorized, "
        f"one epoch of batches is read, and a GRU of 16 units is trained for {STEPS} steps. Peaks in MiB: all memory "
        "of the process, and in parentheses the part that is no file's. Once TensorFlow and Keras are imported it is "
        f"{_start(results):.0f}.",
        "",
        "| `--cache` | " + " | ".join(f"{count:,} rows" for count in rows) + " | growth, bytes a row | tokens kept |",
        "|---|" + "---|" * (len(rows) + 2),
    ]
    for cache in CACHES:
        if not all(f"{count} {cache}" in results for count in rows):
            continue
        runs = [results[f"{count} {cache}"] for count in rows]
        cells = [f"{peak(run, 1):.0f} ({peak(run, 2):.0f})" for run in runs]
        growth = (peak(runs[-1], 1) - peak(runs[0], 1)) * 2**20 / (many - few)
        kept = f"{runs[-1]['bytes'] / 2**20:.0f} MiB" if runs[-1]["bytes"] else "none"
        lines.append(f"| {cache} | " + " | ".join(cells) + f" | {growth:.0f} | {kept} |")
    lines += ["", "![memory over time](memory.png)", ""]
    return "\n".join(lines)


def _start(results: dict) -> float:
    """MiB when the first phase begins."""
    run = next(iter(results.values()))
    begin = run["phases"][0][1]
    return next(sample[1] for sample in run["samples"] if sample[0] >= begin)


def main() -> None:
    """Measure, and write table and figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default="100000,1000000")
    parser.add_argument("--folder", default=str(Path(tempfile.gettempdir()) / "kseq-memory"))
    parser.add_argument("--train", help=argparse.SUPPRESS)
    parser.add_argument("--cache", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.train:
        train(Path(given.train), given.cache, given.folder)
        return
    rows = [int(count) for count in given.rows.split(",")]
    folder = Path(given.folder)
    folder.mkdir(parents=True, exist_ok=True)
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for cache in CACHES:
        for count in rows:
            if f"{count} {cache}" in results:
                continue
            path = folder / f"reviews-{count}.csv"
            if not path.exists():
                write_file(path, count)
            results[f"{count} {cache}"] = run = measure(path, cache)
            RESULTS.write_text(json.dumps(results) + "\n")
            found = f"{peak(run, 1):.0f} MiB, {peak(run, 2):.0f} anonymous, {run['seconds']:.0f} s"
            print(count, cache, found, flush=True)
    (HERE / "memory.md").write_text(table(results, rows))
    draw(results, rows)
    print((HERE / "memory.md").read_text())


if __name__ == "__main__":
    main()
