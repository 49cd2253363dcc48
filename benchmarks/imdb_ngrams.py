"""Measure the n-gram model on IMDB, on the very split that `kseq run imdb` trains and tests on.

    python benchmarks/imdb_ngrams.py

Writes `benchmarks/imdb_ngrams.md`.
"""

import time
from pathlib import Path

from ngram_models import NAIVE_BAYES, linear_models, texts_and_labels

from kseq.scoring import wilson_interval
from pipelines import imdb

TABLE = Path(__file__).parent / "imdb_ngrams.md"


def main() -> None:
    """Train, test once, and write the result."""
    data = imdb.load()
    train, validation, test = (texts_and_labels(split) for split in (data.train, data.validation, data.test))
    start = time.perf_counter()
    ((_, predict),) = linear_models(train, validation, (NAIVE_BAYES,))
    seconds = time.perf_counter() - start
    right = int((predict(test[0]) == test[1]).sum())
    low, high = wilson_interval(right, len(test[1]))
    TABLE.write_text(
        "# The n-gram model on IMDB\n\nCommand: `python benchmarks/imdb_ngrams.py`. Naive-Bayes-weighted logistic "
        "regression on binary word 1-3-grams (Wang & Manning 2012), scikit-learn, three strengths of regularisation "
        f"tried on validation: test accuracy {right / len(test[1]):.2%} ({low:.2%} to {high:.2%}), {seconds:.0f} s of "
        "training.\n",
        encoding="utf-8",
    )
    print(TABLE.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
