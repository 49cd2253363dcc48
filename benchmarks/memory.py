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
from pathlib import Path

HERE = Path(__file__).parent
RESULTS = HERE / "memory.json"
CACHES = ("disk", "memory", "none")
# Of the built-in reviews: no neutral sentence between the two that decide, for short texts.
DISTANCE = 0
# Small held-out splits and a small model: what is measured is what grows with the rows.
ARGUMENTS = "--epochs 1 --units 8 --embedding-dim 8 --batch-size 1024 --validation-fraction 0.01 --test-fraction 0.01"
# The topics that end a phase: read and checked, vectorized, trained, exported.
PHASES = ("data", "text", "kept", "saved")
PERIOD = 0.5


def write_file(path: Path, rows: int) -> None:
    """Write a CSV of reviews, each of a seed of its own."""
    from pipelines.reviews import write_train

    partial = path.with_suffix(".partial")
    with partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        writer.writerows([review.text, review.label] for review in write_train(rows, DISTANCE, 0))
    partial.rename(path)


def memory_of(process: int) -> dict[str, float]:
    """MiB of a process: all of its pages that lie in memory, and those that are no file's."""
    lines = Path(f"/proc/{process}/status").read_text("ascii").splitlines()
    fields = dict(line.split(":", 1) for line in lines)
    return {name: int(fields[name].split()[0]) / 1024 for name in ("VmRSS", "RssAnon")}


def measure(path: Path, cache: str) -> dict:
    """Run `kseq run` on a file in a process of its own and watch it."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "kseq.run", str(path), *ARGUMENTS.split(), "--cache", cache]
        command += ["--output-dir", f"{folder}/saved_models"]
        command += ["--cache-dir", f"{folder}/cache"] if cache == "disk" else []
        phases: list[list] = []
        samples: list[list[float]] = []
        environment = {**os.environ, "PYTHONPATH": str(HERE.parent)}
        process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True, bufsize=1)
        os.set_blocking(process.stdout.fileno(), False)
        start = time.perf_counter()
        while process.poll() is None:
            now = round(time.perf_counter() - start, 2)
            while line := process.stdout.readline():
                topic = line.partition(" ")[0]
                if topic in PHASES:
                    phases.append([topic, now])
            try:
                memory = memory_of(process.pid)
            except (OSError, KeyError):
                break
            samples.append([now, round(memory["VmRSS"]), round(memory["RssAnon"])])
            time.sleep(PERIOD)
        if process.wait():
            raise SystemExit(f"{' '.join(command)} failed with {process.returncode}.")
        files = (each for each in Path(folder, "cache").rglob("*") if each.is_file())
        return {"bytes": sum(each.stat().st_size for each in files), "phases": phases, "samples": samples}


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
        f"Command: `python benchmarks/memory.py` ({platform.machine()}, {os.cpu_count()} cores). Each run is "
        f"`kseq run reviews.csv {ARGUMENTS} --cache …` on a CSV file of the built-in reviews at distance "
        f"{DISTANCE}: read, checked, split, vectorized, trained for an epoch, tested and exported. Peaks in MiB: all "
        "memory of the process, and in parentheses the part that is no file's. (Importing TensorFlow and Keras takes "
        "some 650 of it.)",
        "",
        "| `--cache` | "
        + " | ".join(f"{count:,} rows" for count in rows)
        + " | growth, bytes a row | tokens on disk |",
        "|---|" + "---|" * (len(rows) + 2),
    ]
    for cache in CACHES:
        runs = [results.get(f"{count} {cache}") for count in rows]
        cells = [f"{peak(run, 1):.0f} ({peak(run, 2):.0f})" if run else "not measured" for run in runs]
        growth = kept = ""
        if runs[0] and runs[-1]:
            growth = f"{(peak(runs[-1], 1) - peak(runs[0], 1)) * 2**20 / (many - few):.0f}"
            kept = f"{runs[-1]['bytes'] / 2**20:.0f} MiB" if runs[-1]["bytes"] else "none"
        lines.append(f"| {cache} | " + " | ".join(cells) + f" | {growth} | {kept} |")
    lines += ["", "![memory over time](memory.png)", ""]
    return "\n".join(lines)


def main() -> None:
    """Measure, and write table and figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default="100000,1000000")
    parser.add_argument("--folder", default=str(Path(tempfile.gettempdir()) / "kseq-memory"))
    given = parser.parse_args()
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
            found = f"{peak(run, 1):.0f} MiB, {peak(run, 2):.0f} anonymous, {run['samples'][-1][0]:.0f} s"
            print(count, cache, found, flush=True)
    (HERE / "memory.md").write_text(table(results, rows))
    draw(results, rows)
    print((HERE / "memory.md").read_text())


if __name__ == "__main__":
    main()
