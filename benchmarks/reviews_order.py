"""Why order matters: linear models on n-grams beside the quick-start GRU on the built-in reviews, by distance.

    python benchmarks/reviews_order.py

Trains on `reviews` at its default distance, tests at that one and at larger ones, and writes
`benchmarks/reviews_order.md`. The linear models choose their regularisation on validation, as the GRU does its epoch.
The GRU may read 800 words, so that no text is cut: cutting the middle out would bring evidence and verdict together.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from ngram_models import linear_models, texts_and_labels

import kseq
from pipelines import reviews

TABLE = Path(__file__).parent / "reviews_order.md"
DISTANCES = (2, 4, 8, 16, 32)
GRU = "reviews --cell gru --sequence-length 800"


def main() -> None:
    """Train, test at every distance, and write the table."""
    data = reviews.load()
    train, validation = texts_and_labels(data.train), texts_and_labels(data.validation)
    models = dict(linear_models(train, validation))
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "kseq.run", *GRU.split(), "--json", "--output-dir", folder]
        run = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout)
        classify = kseq.load(run["saved_model"])
    models[f"`kseq run {GRU}`"] = lambda texts: classify(texts).label_ids

    rows = {name: [] for name in models}
    for distance in DISTANCES:
        test = reviews.load(distance=distance, size=20)
        texts, labels = texts_and_labels(test.test)
        unseen = test.test_parts[reviews.UNSEEN_PART]
        for name, predict in models.items():
            right = predict(texts) == labels
            rows[name].append((right.mean(), right[unseen].mean()))
            print(
                f"{name} at distance {distance}: {right.mean():.2%}, unseen patterns {right[unseen].mean():.2%}",
                flush=True,
            )
    lines = [
        "# Why order matters, measured",
        "",
        "Command: `python benchmarks/reviews_order.py`. Test accuracy on the built-in `reviews` (3,000 texts a "
        "distance), and in brackets on its part of unseen patterns; every model is trained at the default "
        "distance, 2, on the same texts.",
        "",
        "| model | " + " | ".join(f"distance {distance}" for distance in DISTANCES) + " |",
        "|---|" + "---|" * len(DISTANCES),
        *(
            f"| {name} | " + " | ".join(f"{whole:.1%} ({unseen:.1%})" for whole, unseen in found) + " |"
            for name, found in rows.items()
        ),
    ]
    TABLE.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(TABLE.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
