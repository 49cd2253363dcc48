"""Measure runs on files, with default flags but for the names of the files: mean of three seeds.

    KSEQ_FILES_DIR=… python benchmarks/own_files.py [--only sst2]

The folder holds `sst2_train.tsv`, `sst2_dev.tsv`, `sst2_test.tsv` (Socher et al. 2013), `20news-bydate.tar.gz` and
`chnsenticorp_hotel.csv` (Tan Songbo). Writes `benchmarks/own_files.json` after every run and `own_files.md`.
"""

import argparse
import os
import platform
import statistics
from pathlib import Path

from measured_runs import measure_missing

HERE = Path(__file__).parent
RESULTS = HERE / "own_files.json"
TABLE = HERE / "own_files.md"
SEEDS = 3

# Name, arguments, accuracy and macro-F1 to reach, what a linear model on 1-3-grams has.
RUNS = [
    ("sst2", "{}/sst2_train.tsv --validation-file {}/sst2_dev.tsv --test-file {}/sst2_test.tsv", 0.825, None, 0.827),
    ("20news", "{}/20news-bydate.tar.gz --encoding latin-1", 0.80, None, 0.848),
    ("chnsenticorp", "{}/chnsenticorp_hotel.csv", 0.88, 0.86, 0.887),
]


def table(results: dict) -> str:
    """Write the results as Markdown."""
    lines = [
        "# Files of one's own, measured",
        "",
        f"Command: `KSEQ_FILES_DIR=… python benchmarks/own_files.py`. Machine: {os.cpu_count()} cores, "
        f"{platform.machine()}, Python {platform.python_version()}. Each row is the mean of {SEEDS} seeds on one "
        "split; seconds and memory are those of the slowest and the largest run, to the verified SavedModel.",
        "",
        "| `kseq run …` | test accuracy | macro-F1 | asked | linear 1-3-grams | wall clock (asked: 300 s) | memory |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, arguments, asked, asked_f1, linear in RUNS:
        rows = results.get(name, [])
        if not rows:
            continue
        accuracies = [row["accuracy"] for row in rows]
        shown = ", ".join(f"{accuracy:.1%}" for accuracy in accuracies)
        wanted = f"≥ {asked:.1%}" + (f", F1 ≥ {asked_f1}" if asked_f1 else "")
        lines.append(
            f"| `{arguments.replace('{}/', '')}` | {statistics.mean(accuracies):.2%} ({shown}) "
            f"| {statistics.mean(row['macro_f1'] for row in rows):.4f} | {wanted} | {linear:.1%} "
            f"| {max(row['seconds'] for row in rows):.0f} s | {max(row['gibibytes'] for row in rows):.2f} GiB |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run what is missing, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help="the name of one run")
    parser.add_argument("--again", action="store_true", help="forget the results there are")
    given = parser.parse_args()
    folder = os.environ.get("KSEQ_FILES_DIR")
    if not folder:
        raise SystemExit("KSEQ_FILES_DIR is not set; it names the folder of the files.")
    runs = [(name, arguments.replace("{}", folder).split(), SEEDS) for name, arguments, *_ in RUNS]
    results = measure_missing(RESULTS, runs, given.again, given.only)
    TABLE.write_text(table(results))
    print(table(results))


if __name__ == "__main__":
    main()
