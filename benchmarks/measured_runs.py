"""Runs of `kseq run` in processes of their own: scores, wall clock and memory, resumable."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path


def measure(arguments: Sequence[str], seed: int) -> dict:
    """Run `kseq run` once and return its JSON with the wall clock and the most memory it held."""
    output_dir = tempfile.mkdtemp(prefix="kseq-benchmark-")
    command = [sys.executable, "-m", "kseq.run", *arguments, "--seed", str(seed), "--json"]
    start = time.perf_counter()
    process = subprocess.Popen([*command, "--output-dir", output_dir], stdout=subprocess.PIPE, text=True)
    answer = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    shutil.rmtree(output_dir)
    if status:
        raise SystemExit(f"{' '.join(command)} ended with {os.waitstatus_to_exitcode(status)}")
    found = json.loads(answer)
    return {
        "seed": seed,
        "accuracy": found["test"]["accuracy"],
        "interval": found["test"]["accuracy_interval"],
        "macro_f1": found["test"]["macro_f1"],
        "validation_accuracy": found["validation"]["accuracy"],
        "test_parts": {name: part["accuracy"] for name, part in found["test_parts"].items()},
        "padding_share": found["padding_share"],
        "train_seconds": found["seconds"]["train"],
        "seconds": seconds,
        # Of this process alone, in KiB on Linux.
        "gibibytes": usage.ru_maxrss / 2**20,
    }


def measure_missing(
    results_file: Path, runs: Sequence[tuple[str, Sequence[str], int]], again: bool, only: str | None
) -> dict[str, list[dict]]:
    """Measure what a file of results lacks, and write it after every run.

    Args:
        results_file: JSON; an interrupted measurement goes on where it stopped.
        runs: name, arguments of `kseq run`, number of seeds.
        again: forget the results there are.
        only: the name of one run.
    """
    results = json.loads(results_file.read_text()) if results_file.exists() and not again else {}
    for name, arguments, seeds in runs:
        if only not in (None, name):
            continue
        rows = results.setdefault(name, [])
        for seed in range(len(rows), seeds):
            rows.append(measure(arguments, seed))
            print(f"{name} seed {seed}: {rows[-1]}", flush=True)
            results_file.write_text(json.dumps(results, indent=1) + "\n")
    return results
