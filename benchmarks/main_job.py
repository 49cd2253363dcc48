"""Measure the runs of the README's results table: scores, wall clock and memory, each run in a process of its own.

    python benchmarks/main_job.py [--only imdb-gru] [--seeds 3]

Writes `benchmarks/main_job.json` after every run, so that an interrupted measurement goes on where it stopped, and
`benchmarks/main_job.md`. It reads datasets where `kseq run` does: KSEQ_DATA_DIR or TensorFlow Datasets' default.
"""

import argparse
import os
import platform
import statistics
from pathlib import Path

from measured_runs import measure_missing

HERE = Path(__file__).parent
RESULTS = HERE / "main_job.json"
TABLE = HERE / "main_job.md"

# Name, arguments, seeds, test accuracy to reach, seconds to stay within.
RUNS = [
    ("reviews-gru", "reviews --cell gru", 1, 0.95, 90),
    ("imdb-gru", "imdb --cell gru", 1, 0.88, 240),
    ("imdb-lstm", "imdb --cell lstm", 1, 0.875, 300),
    ("imdb-simple_rnn", "imdb --cell simple_rnn", 1, 0.83, 240),
    ("imdb-gru-bi-attention", "imdb --cell gru --bidirectional --head attention", 1, 0.885, 360),
    ("trec-gru-bi", "trec --cell gru --bidirectional", 3, 0.86, 60),
]


def table(results: dict) -> str:
    """Write the results as Markdown."""
    lines = [
        "# The main job, measured",
        "",
        f"Command: `python benchmarks/main_job.py`. Machine: {os.cpu_count()} cores, {platform.machine()}, Python "
        f"{platform.python_version()}. Wall clock is the whole command, from start-up to the verified SavedModel.",
        "",
        "| run | test accuracy (95% interval) | asked | wall clock | asked | training | memory | padding |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, arguments, _, asked, limit in RUNS:
        rows = results.get(name, [])
        if not rows:
            continue
        accuracies = [row["accuracy"] for row in rows]
        shown = f"{statistics.mean(accuracies):.2%}"
        if len(rows) > 1:
            shown += f" (mean of {len(rows)} seeds: {', '.join(f'{accuracy:.1%}' for accuracy in accuracies)})"
        else:
            low, high = rows[0]["interval"]
            shown += f" ({low:.2%} to {high:.2%})"
        shown += "".join(f"; {part}: {value:.2%}" for part, value in rows[0]["test_parts"].items())
        lines.append(
            f"| `kseq run {arguments}` | {shown} | ≥ {asked:.1%} | {max(row['seconds'] for row in rows):.0f} s "
            f"| ≤ {limit} s | {max(row['train_seconds'] for row in rows):.0f} s "
            f"| {max(row['gibibytes'] for row in rows):.2f} GiB | {rows[0]['padding_share']:.1%} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run what is missing, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help="the name of one run")
    parser.add_argument("--seeds", type=int, help="seeds of every run")
    parser.add_argument("--again", action="store_true", help="forget the results there are")
    given = parser.parse_args()
    runs = [(name, arguments.split(), given.seeds or seeds) for name, arguments, seeds, _, _ in RUNS]
    results = measure_missing(RESULTS, runs, given.again, given.only)
    TABLE.write_text(table(results))
    print(table(results))


if __name__ == "__main__":
    main()
