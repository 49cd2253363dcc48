"""What the model card says of a model whose texts can have several labels."""

from collections.abc import Iterable, Mapping
from typing import Any

from kseq.markdown import table as _table
from kseq.markdown import text as _text

# What the card cannot be written without, of either split.
REQUIRED_SCORES = (
    "count", "micro_f1", "micro_f1_interval", "macro_f1", "subset_accuracy", "subset_accuracy_interval", "hamming_loss",
    "mean_average_precision", "classes", "nll", "brier", "ece",
)  # fmt: skip
ANSWER = """\
answer["labels"]         # string[n, {width}]: the labels given, the most probable first, then ""
answer["confidences"]    # float[n, {width}]: their probabilities, then 0
answer["label_ids"]      # int64[n, {width}]: their numbers, then -1
answer["label_count"]    # int64[n]: how many labels are given, 0 where none is
answer["probabilities"]  # float[n, {width}]: of every label, in the order of labels.txt"""


def headline(record: Mapping[str, Any]) -> str:
    """Say in one paragraph what the model does and how well."""
    test, names = record["test"], record["data"]["class_names"]
    shown = ", ".join(map(_text, names[:8])) + (", …" if len(names) > 8 else "")
    low, high = test["micro_f1_interval"]
    return (
        f"Gives a text any number of {len(names)} labels ({shown}). On the {test['count']:,} test texts of the dataset "
        f"{_text(record['data']['name'])} its micro-F1 is **{test['micro_f1']:.4f}** (95% interval {low:.4f} to "
        f"{high:.4f}). It takes raw text, needs TensorFlow alone, and weighs {record['model']['megabytes']:g} MB."
    )


def scores(record: Mapping[str, Any], most_shown: int) -> Iterable[str]:
    """Give the tables of scores, and how to read them."""
    rows = [("validation", record["validation"]), ("**test**", record["test"])]
    rows += [(f"test: {_text(name)}", found) for name, found in record["test_parts"].items()]
    yield _table(
        ("split", "texts", "micro-F1", "95% interval", "macro-F1", "all labels right", "Hamming loss"),
        [
            (
                name,
                f"{found['count']:,}",
                f"{found['micro_f1']:.4f}",
                "{:.4f} to {:.4f}".format(*found["micro_f1_interval"]),
                f"{found['macro_f1']:.4f}",
                f"{found['subset_accuracy']:.2%}",
                f"{found['hamming_loss']:.4f}",
            )
            for name, found in rows
        ],
    )
    low, high = record["test"]["subset_accuracy_interval"]
    chosen = "Validation chose the epoch"
    if record.get("decision", {}).get("tuned"):
        chosen += " and the thresholds"
    yield (
        f"Quote the test row. {chosen}, so its scores are a little flattered. Micro-F1 counts all decisions together, "
        "macro-F1 is the mean over the labels; all labels are right where none is missing and none too many (95% "
        f"interval on test {low:.2%} to {high:.2%}); the Hamming loss is the fraction of wrong decisions. Intervals "
        "(of micro-F1 from resampled texts, the other one Wilson's) tell what another sample of such texts would "
        "change; another seed moves the scores as well."
    )
    labels = record["test"]["classes"]
    yield _table(
        ("label, on test", "from", "precision", "recall", "F1", "average precision", "texts"),
        [
            (
                _text(found["name"]),
                *(f"{found[key]:.4f}" for key in ("threshold", "precision", "recall", "f1", "average_precision")),
                f"{found['support']:,}",
            )
            for found in labels[:most_shown]
        ],
    )
    if len(labels) > most_shown:
        yield f"These are the first {most_shown} of {len(labels)} labels; `run.json` has all."


def confidence(record: Mapping[str, Any]) -> Iterable[str]:
    """Say what the probabilities are worth, and from which on a label is given."""
    test, decision = record["test"], record.get("decision", {})
    if decision.get("tuned"):
        before, after = decision["validation_before"]["macro_f1"], record["validation"]["macro_f1"]
        yield (
            "A label is given from the probability in the column *from* on. These thresholds are constants of the "
            f"graph; they were chosen on validation, whose macro-F1 is {after:.4f} with them and was {before:.4f} with "
            "0.5 for every label. A label that fewer than 10 texts of validation have keeps 0.5."
        )
    else:
        yield "A label is given from a probability of 0.5 on."
    yield (
        "Every label has a probability of its own, as training left it; it was not calibrated afterwards"
        f"{weighted(record)}. On test, probabilities and frequencies lie {100 * test['ece']:.1f} percentage points "
        f"apart on average (ECE, 15 bins). The mean negative log-likelihood of a decision is {test['nll']:.4f} nats, "
        f"the mean squared error (Brier) {test['brier']:.4f}; the mean average precision, which depends on no "
        f"threshold, is {test['mean_average_precision']:.4f}."
    )


def weighted(record: Mapping[str, Any]) -> str:
    """Say what weights do to probabilities, where training had some."""
    has_weights = record["options"].get("class_weight", "none") != "none"
    return ", and the weights of training make what they favour look more likely than it is" if has_weights else ""
