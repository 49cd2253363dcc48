"""Measure encoders, cells and heads on validation, on equal terms: same texts, same batches, same options otherwise.

    python benchmarks/parts.py [--datasets reviews,trec,imdb] [--seeds 1]

The test splits are not read: defaults are chosen by what this prints. Writes `benchmarks/parts.json` after every
training, so that an interrupted measurement goes on where it stopped, and `benchmarks/parts.md`.
"""

import argparse
import json
import statistics
import time
from pathlib import Path

import pipelines
from kseq.console import quiet_start
from kseq.options import Options

with quiet_start():
    from kseq import experiment

HERE = Path(__file__).parent
RESULTS = HERE / "parts.json"
TABLE = HERE / "parts.md"

# What differs from the defaults; the defaults stand in the first row.
ROWS = [
    {},
    *({"head": head} for head in ("last", "max", "mean", "attention")),
    *({"cell": cell} for cell in ("simple_rnn", "lstm", "mingru", "minlstm", "sru", "indrnn")),
    *({"cell": cell, "layer_normalization": True} for cell in ("simple_rnn", "lstm", "gru")),
    *({"cell": cell, "num_layers": 2} for cell in ("mingru", "sru")),
    {"bidirectional": True},
    {"encoder": "convolution"},
    {"encoder": "convolution", "head": "max"},
    {"encoder": "convolution_recurrent"},
    *({"encoder": "transformer", "position": position} for position in ("sinusoidal", "rotary")),
    {"encoder": "transformer", "num_layers": 2},
    {"encoder": "bag", "head": "mean"},
]


def shown(changes: dict) -> str:
    """Write the changes as flags."""
    named = {name.replace("_", "-"): value for name, value in changes.items()}
    flags = [f"--{name}" if value is True else f"--{name} {value}" for name, value in named.items()]
    return " ".join(flags) or "defaults (`--cell gru --head max_mean`)"


def table(results: dict, datasets: list[str]) -> str:
    """Write the results as Markdown."""
    lines = [
        "# Encoders, cells and heads, measured on validation",
        "",
        "Command: `python benchmarks/parts.py`. Accuracy on the validation split, the best epoch of each run, one seed "
        "where not said otherwise. The 95% intervals are about ±0.6 points on reviews, ±2.8 on TREC and ±1.2 on IMDB: "
        "smaller differences are noise. What a run costs in seconds is in main_job.md.",
        "",
        "| flags | " + " | ".join(datasets) + " |",
        "|---|" + "---|" * len(datasets),
    ]
    for changes in ROWS:
        cells = []
        for dataset in datasets:
            runs = results.get(f"{dataset} {shown(changes)}", [])
            if runs:
                accuracy = statistics.mean(run["val_accuracy"] for run in runs)
                cells.append(f"{accuracy:.1%}" + (f" (mean of {len(runs)} seeds)" if len(runs) > 1 else ""))
            else:
                cells.append("")
        lines.append(f"| {shown(changes)} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Train what is missing, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--datasets", default="reviews,trec,imdb")
    parser.add_argument("--seeds", type=int, default=1)
    given = parser.parse_args()
    datasets = given.datasets.split(",")
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for dataset in datasets:
        prepared = experiment.prepare(pipelines.datasets()[dataset].load(), Options(dataset))
        for changes in ROWS:
            runs = results.setdefault(f"{dataset} {shown(changes)}", [])
            for seed in range(len(runs), given.seeds):
                options = prepared.options.replace(seed=seed, **changes)
                start = time.perf_counter()
                result = experiment.train_model(experiment.new_model(prepared, options), prepared, options)
                runs.append(
                    {
                        "val_accuracy": max(result.history["val_accuracy"]),
                        "val_loss": min(result.history["val_loss"]),
                        "best_epoch": result.best_epoch,
                        "seconds_per_epoch": statistics.median(result.history["seconds"]),
                        "seconds": time.perf_counter() - start,
                    }
                )
                print(dataset, shown(changes), runs[-1], flush=True)
                RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    found = [name for name in ("reviews", "trec", "imdb") if any(key.startswith(f"{name} ") for key in results)]
    TABLE.write_text(table(results, found))
    print(TABLE.read_text())


if __name__ == "__main__":
    main()
