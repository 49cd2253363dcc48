"""Classify scikit-learn's bundled digits, 8 by 8 pixels, read row by row: 8 time steps of 8 channels.

    python benchmarks/digits.py [--write digits.npz]

The test split, a fifth, is carved with its own seed and scored once a run; three seeds. Nothing was chosen by it: all
options are the defaults. Writes `benchmarks/digits.json` after every run and `digits.md`. With `--write`, it writes the
file for `python -m kseq.run digits.npz` and runs nothing.
"""

import argparse
import os
import platform
import statistics
import tempfile
from pathlib import Path

import numpy as np
from measured_runs import measure_missing
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

HERE = Path(__file__).parent
RESULTS = HERE / "digits.json"
TABLE = HERE / "digits.md"
SEEDS = 3
CELLS = ("gru", "lstm", "simple_rnn")


def write(path: str | Path) -> None:
    """Write the digits as sequences: x (1797, 8, 8), rows of pixels from 0 to 16, and y (1797,)."""
    digits = load_digits()
    np.savez(path, x=digits.images.astype(np.float32), y=digits.target)


def linear_accuracy() -> float:
    """Score a logistic regression on all 64 pixels at once, on a fifth of the digits."""
    digits = load_digits()
    train, test, labels, expected = train_test_split(
        digits.data, digits.target, test_size=0.2, random_state=0, stratify=digits.target
    )
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    return model.fit(train, labels).score(test, expected)


def table(results: dict) -> str:
    """Write the results as Markdown."""
    lines = [
        "# Digits, row by row",
        "",
        f"Command: `python benchmarks/digits.py`. Machine: {os.cpu_count()} cores, {platform.machine()}, Python "
        f"{platform.python_version()}. scikit-learn's 1,797 digits, each a sequence of 8 rows of 8 pixels; a fifth is "
        f"carved for the test (split seed 0), default options, {SEEDS} seeds. For scale: a logistic regression on all "
        f"64 pixels at once has {linear_accuracy():.1%} on a fifth of them.",
        "",
        "| `kseq run digits.npz …` | test accuracy | seeds | validation |",
        "|---|---|---|---|",
    ]
    for cell in CELLS:
        rows = results.get(cell, [])
        if rows:
            accuracies = [row["accuracy"] for row in rows]
            lines.append(
                f"| `--cell {cell}` | {statistics.mean(accuracies):.2%} "
                f"| {', '.join(f'{accuracy:.1%}' for accuracy in accuracies)} "
                f"| {statistics.mean(row['validation_accuracy'] for row in rows):.2%} |"
            )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run what is missing, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", metavar="PATH", help="write the file and run nothing")
    parser.add_argument("--only", help="the name of one run", choices=CELLS)
    parser.add_argument("--again", action="store_true", help="forget the results there are")
    given = parser.parse_args()
    if given.write:
        write(given.write)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "digits.npz")
        write(path)
        runs = [(cell, [str(path), "--cell", cell], SEEDS) for cell in CELLS]
        results = measure_missing(RESULTS, runs, given.again, given.only)
    TABLE.write_text(table(results))
    print(table(results))


if __name__ == "__main__":
    main()
