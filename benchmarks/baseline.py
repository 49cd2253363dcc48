"""Measure the n-gram model that every run is held against (`kseq/baseline.py`), as `kseq run` trains it.

    KSEQ_FILES_DIR=… python benchmarks/baseline.py [--only imdb] [--again]

The folder holds the files that `benchmarks/own_files.py` names. Writes `benchmarks/baseline.json` after every dataset,
goes on where it stopped, and writes `baseline.md`.
"""

import argparse
import json
import os
import platform
import tempfile
import time
from pathlib import Path

import numpy as np
import sklearn

import pipelines
from kseq.baseline import measure_baseline
from kseq.experiment import prepare
from kseq.options import Options
from kseq.thresholds import Decision

HERE = Path(__file__).parent
RESULTS = HERE / "baseline.json"
TABLE = HERE / "baseline.md"
# Name, options beside the dataset, test accuracy to reach.
RUNS = [
    ("imdb", {"dataset": "imdb"}, 0.915),
    ("imdb, nearly all of train", {"dataset": "imdb", "validation_fraction": 0.001}, None),
    ("trec", {"dataset": "trec"}, 0.886),
    (
        "sst2",
        {"dataset": "{}/sst2_train.tsv", "validation_file": "{}/sst2_dev.tsv", "test_file": "{}/sst2_test.tsv"},
        0.827,
    ),
    ("20news", {"dataset": "{}/20news-bydate.tar.gz", "encoding": "latin-1"}, 0.848),
    ("chnsenticorp", {"dataset": "{}/chnsenticorp_hotel.csv"}, 0.887),
    ("reviews", {"dataset": "reviews"}, None),
]


def measure(options: Options) -> dict:
    """Train the n-gram model of a run's data, and score it."""
    source = pipelines.find(options.dataset)
    prepared = prepare(source.load(**source.given(options)), options)
    nothing = {
        split: np.full((len(prepared.splits[split]), len(prepared.data.class_names)), 0.5)
        for split in ("validation", "test")
    }
    start = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = folder
        found = measure_baseline(prepared, nothing, Decision(None), lambda: False)
    return {
        "texts": dict(prepared.data.sizes),
        "classes": len(prepared.data.class_names),
        "validation": found.scores["validation"].accuracy,
        "test": found.scores["test"].accuracy,
        "test_interval": found.scores["test"].accuracy_interval,
        "seconds": found.seconds,
        "processor_seconds": time.process_time() - start,
    }


def table(results: dict) -> str:
    """Write the results as Markdown."""
    lines = [
        "# The n-gram model of every run, measured",
        "",
        "Command: `KSEQ_FILES_DIR=… python benchmarks/baseline.py`. Naive-Bayes-weighted logistic regression on binary "
        "word 1-3-grams (Wang & Manning 2012), as `kseq run` trains it beside the model. Machine: "
        f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, scikit-learn "
        f"{sklearn.__version__}; it was busy with other work, so that the seconds of the processor, of both cores "
        "together, tell more than those of the clock. They include reading the texts and splitting them into words.",
        "",
        "| data | train | classes | validation | test (95% interval) | asked | clock | processor |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, _, asked in RUNS:
        if name in results:
            row = results[name]
            low, high = row["test_interval"]
            lines.append(
                f"| {name} | {row['texts']['train']:,} | {row['classes']} | {row['validation']:.2%} "
                f"| {row['test']:.2%} ({low:.2%} to {high:.2%}) | {f'≥ {asked:.1%}' if asked else ''} "
                f"| {row['seconds']:.0f} s | {row['processor_seconds']:.0f} s |"
            )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure what is missing, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help="the name of one dataset")
    parser.add_argument("--again", action="store_true", help="forget the results there are")
    given = parser.parse_args()
    folder = os.environ.get("KSEQ_FILES_DIR")
    if not folder:
        raise SystemExit("KSEQ_FILES_DIR is not set; it names the folder of the files.")
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() and not given.again else {}
    for name, fields, _ in RUNS:
        if name in results or given.only not in (None, name):
            continue
        options = Options(
            **{key: value.replace("{}", folder) if isinstance(value, str) else value for key, value in fields.items()}
        )
        results[name] = measure(options)
        print(f"{name}: {results[name]}", flush=True)
        RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    TABLE.write_text(table(results), encoding="utf-8")
    print(table(results))


if __name__ == "__main__":
    main()
