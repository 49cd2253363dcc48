"""The README of an exported model: what it is, how good, how to load it, and where not to trust it."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kseq import baseline_card, descriptions, labels_card, pretraining_card, search_card
from kseq.encoders import ENCODERS
from kseq.inputs import INPUTS, Input
from kseq.markdown import code as _code
from kseq.markdown import fenced as _fenced
from kseq.markdown import table as _table
from kseq.markdown import text as _text

# What a card cannot be written without; options that only some models have are not here.
_REQUIRED: dict[str, Sequence[str]] = {
    "options": (
        "cell", "bidirectional", "num_layers", "units", "head", "sequence_length",
        "truncation", "optimizer", "learning_rate", "batch_size", "seed", "split_seed",
    ),
    "versions": ("tensorflow",),
    "machine": ("processor", "cores"),
    "data": ("name", "class_names", "sizes", "fingerprints", "warnings"),
    "model": ("parameters", "megabytes"),
    "seconds": ("train", "total"),
    **dict.fromkeys(
        ("validation", "test"), ("count", "accuracy", "accuracy_interval", "macro_f1", "classes", "nll", "brier", "ece")
    ),
    **dict.fromkeys(
        ("name", "command", "created", "kseq", "padding_share", "best_epoch", "epochs", "interrupted", "test_parts"), ()
    ),
}  # fmt: skip
_SHOWN_CLASSES = 50
_ANSWER = """\
answer["label"]          # string[n]: {label}
answer["confidence"]     # float[n]: its probability
answer["label_id"]       # int64[n]: its number
answer["probabilities"]  # float[n, {width}]: one column a class, in the order of labels.txt"""


def model_card(record: Mapping[str, Any]) -> str:
    """Write the model card of a run in Markdown.

    Whatever comes from a user (names, labels, paths, the command) is escaped, so that it shows as it is and cannot
    become markup.

    Args:
        record: the run record, as in `run.json`; keys that the card does not know are left out of it. `version` is the
            number of the version folder, where it is known already.

    Raises:
        ValueError: the record lacks a key.
    """
    several = record.get("data", {}).get("target_kind", "class") == "classes"
    _check(record, labels_card.REQUIRED_SCORES if several else _REQUIRED["test"])
    paragraphs = [
        f"# {_text(record['name'])}",
        labels_card.headline(record) if several else _headline(record),
        *_interruption(record),
        "## Use",
        *_use(record, labels_card.ANSWER if several else _ANSWER),
        "## Scores",
        *(labels_card.scores(record, _SHOWN_CLASSES) if several else _scores(record)),
        *baseline_card.comparison(record),
        *search_card.search(record),
        *_hints(record),
        "## Confidence",
        *(labels_card.confidence(record) if several else _confidence(record)),
        "## Data",
        *_data(record),
        "## Model and training",
        *_model(record, several),
        "## Limits",
        *_limits(record, several),
    ]
    return "\n\n".join(paragraphs) + "\n"


def _check(record: Mapping[str, Any], scores: Sequence[str]) -> None:
    required = _REQUIRED | dict.fromkeys(("validation", "test"), scores)
    required["options"] = (*required["options"], *_input(record).card.REQUIRED_OPTIONS)
    for section, names in required.items():
        if section not in record:
            raise ValueError(f"the run record lacks {section!r}; it has {', '.join(map(repr, record))}.")
        for name in names:
            if name not in record[section]:
                has = ", ".join(map(repr, record[section]))
                raise ValueError(f"the run record lacks {name!r} in {section!r}, which has {has}.")


def _input(record: Mapping[str, Any]) -> Input:
    """Give what the model takes; records of earlier versions say nothing of it."""
    return INPUTS[record.get("data", {}).get("input_kind", "text")]


def _headline(record: Mapping[str, Any]) -> str:
    test, names = record["test"], record["data"]["class_names"]
    shown = ", ".join(map(_text, names[:8])) + (", …" if len(names) > 8 else "")
    low, high = test["accuracy_interval"]
    kind = _input(record)
    return (
        f"Puts a {kind.noun} into one of {len(names)} classes ({shown}). On the {test['count']:,} test {kind.noun}s of "
        "the dataset "
        f"{_text(record['data']['name'])} it is right in **{test['accuracy']:.2%}** (95% interval {low:.2%} to "
        f"{high:.2%}). It takes {kind.card.TAKES}, needs TensorFlow alone, and weighs "
        f"{record['model']['megabytes']:g} MB."
    )


def _interruption(record: Mapping[str, Any]) -> Iterable[str]:
    if record["interrupted"]:
        yield (
            f"**Training was interrupted** in epoch {record['epochs']}: this is the best model until then, not "
            "what its options can give."
        )


def _use(record: Mapping[str, Any], answer: str) -> Iterable[str]:
    folder = f"{record['options'].get('output_dir', 'saved_models')}/{record['name']}"
    width = len(record["data"]["class_names"])
    before, sent, given = _input(record).card.call(record)
    imports = "import numpy as np\n" if before else ""
    label = "the class, by the threshold below" if _thresholds(record) else "the most probable class"
    yield "With TensorFlow and nothing else; the path is that of the folder with `saved_model.pb`, wherever it lies:"
    yield _fenced(
        "python",
        f"""\
{imports}import tensorflow as tf

{before}model = tf.saved_model.load({f"{folder}/{record.get('version', 1)}"!r})
answer = model.signatures["serving_default"]({sent})
{answer.format(width=width, label=label)}""",
    )
    yield "With kseq, which takes the newest version and checks that its files are the ones that were written:"
    yield _fenced(
        "python",
        f"""\
{imports}import kseq

{before}classify = kseq.load({folder!r})
classify({given}).labels""",
    )


def _scores(record: Mapping[str, Any]) -> Iterable[str]:
    nouns = f"{_input(record).noun}s"
    rows = [("validation", record["validation"]), ("**test**", record["test"])]
    rows += [(f"test: {_text(name)}", scores) for name, scores in record["test_parts"].items()]
    yield _table(
        ("split", nouns, "accuracy", "95% interval", "macro-F1", "NLL", "Brier", "ECE"),
        [
            (
                name,
                f"{scores['count']:,}",
                f"{scores['accuracy']:.2%}",
                "{:.2%} to {:.2%}".format(*scores["accuracy_interval"]),
                *(f"{scores[key]:.4f}" for key in ("macro_f1", "nll", "brier", "ece")),
            )
            for name, scores in rows
        ],
    )
    chosen = "Validation chose the epoch" + (" and the threshold" if _thresholds(record) else "")
    parts = " A row below it is a part of test, scored apart." if record["test_parts"] else ""
    yield (
        f"Quote the test row.{parts} {chosen}, so its scores are a little flattered. The interval "
        f"(Wilson) tells what another sample of such {nouns} would change; another seed moves the scores as well."
    )
    classes = record["test"]["classes"]
    yield _table(
        ("class, on test", "precision", "recall", "F1", nouns),
        [
            (
                _text(scores["name"]),
                *(f"{scores[key]:.4f}" for key in ("precision", "recall", "f1")),
                f"{scores['support']:,}",
            )
            for scores in classes[:_SHOWN_CLASSES]
        ],
    )
    if len(classes) > _SHOWN_CLASSES:
        yield f"These are the first {_SHOWN_CLASSES} of {len(classes)} classes; `run.json` has all."


def _hints(record: Mapping[str, Any]) -> Iterable[str]:
    for hint in record.get("hints", ()):
        yield f"Mind: {_text(hint)}"


def _thresholds(record: Mapping[str, Any]) -> Mapping[str, float]:
    return record.get("decision", {}).get("thresholds", {})


def _confidence(record: Mapping[str, Any]) -> Iterable[str]:
    test, width, noun = record["test"], len(record["data"]["class_names"]), _input(record).noun
    for name, threshold in _thresholds(record).items():
        before, after = record["decision"]["validation_before"]["macro_f1"], record["validation"]["macro_f1"]
        yield (
            f"The label {_text(name)} is given from a probability of **{threshold:.4f}** on. This threshold is a "
            f"constant of the graph; it was chosen on validation, whose macro-F1 is {after:.4f} with it and was "
            f"{before:.4f} without."
        )
    yield (
        "The confidence is the probability of the label given, as training left it; it was not calibrated "
        f"afterwards{labels_card.weighted(record)}. "
        f"On test, confidence and accuracy lie {100 * test['ece']:.1f} percentage points apart on average (ECE, 15 "
        f"bins): read a confidence of 90% as right nine times in ten, give or take that. On other kinds of {noun}, "
        "expect it to be too sure."
    )
    yield (
        f"NLL is the mean negative log-likelihood in nats (equal probabilities would score {math.log(width):.4f}). "
        "Brier is the squared error summed over the classes, from 0 to 2 (equal probabilities: "
        f"{1 - 1 / width:.4f}). Of NLL, Brier and ECE, less is better."
    )


def _data(record: Mapping[str, Any]) -> Iterable[str]:
    data, kind = record["data"], _input(record)
    yield (
        f"{_text(data['name'])}, split seed {record['options']['split_seed']}. A fingerprint changes when a "
        f"{kind.noun}, a label or their order does: equal fingerprints are equal data."
    )
    yield _table(
        ("split", f"{kind.noun}s", "fingerprint"),
        [
            (_text(split), f"{size:,}", _code(data["fingerprints"][split]) if split in data["fingerprints"] else "")
            for split, size in data["sizes"].items()
        ],
    )
    reading = data.get("reading", {})
    if "rows" in reading:
        # No paths: the card is published, and where the files lay is nobody's business.
        rows = reading["rows"]
        yield (
            f"Read from {_text(reading['format'])}, {_text(reading['encoding'])}: {rows['read']:,} of "
            f"{rows['present']:,} rows, {rows['skipped']:,} skipped.{kind.card.reading(reading)}"
        )
    if data["warnings"]:
        yield "Mind, when reading the scores:"
        yield "\n".join(f"- {_text(warning)}" for warning in data["warnings"])


def _model(record: Mapping[str, Any], several: bool) -> Iterable[str]:
    options, model, seconds = record["options"], record["model"], record["seconds"]
    # Records of earlier versions have no such option.
    kind = _input(record)
    read = f"{kind.card.kept(options)} of a {kind.noun}"
    encoded = ENCODERS[options.get("encoder", "recurrent")].describe(options, read, _code)
    yield (
        f"{kind.card.vectors(record)} {encoded[0].upper()}{encoded[1:]}; the head {descriptions.head(options, _code)} "
        f"makes one vector of what comes out, and {'a sigmoid for each label' if several else 'a softmax'} makes "
        f"probabilities of that. {model['parameters']:,} parameters."
    )
    yield from pretraining_card.before_the_labels(record)
    kept = f"epoch {record['best_epoch']} of {record['epochs']} was kept" if record["best_epoch"] else "no epoch ended"
    machine, versions = record["machine"], {"kseq": record["kseq"], **record["versions"]}
    yield (
        f"Trained with {_code(options['optimizer'])} at learning rate {options['learning_rate']:g} on batches of "
        f"{options['batch_size']} ({record['padding_share']:.1%} padding){_against_unevenness(options)}, "
        f"seed {options['seed']}; {kept}. Training "
        f"took {seconds['train']:,.0f} s and the whole run {seconds['total']:,.0f} s on {machine['cores']} cores "
        f"({_text(machine['processor'])}). Made {_text(record['created'])} with "
        f"{', '.join(f'{_text(name)} {_text(number)}' for name, number in versions.items())}, by:"
    )
    yield _fenced("sh", record["command"])
    lists = ", ".join(_code(name) for name in ("labels.txt", *kind.card.LISTS))
    curves = ", `history.csv` and `curves.png` (each epoch)" if record["epochs"] else ""
    yield (
        f"Beside this file: {lists}, `run.json` (every option and score){curves}, "
        f"`predictions.csv` and `{'labels' if several else 'confusion_matrix'}.png` (test), `verification.json`."
        f"{kind.card.within(options)}"
    )


def _against_unevenness(options: Mapping[str, Any]) -> str:
    """Name what training did to its loss, where it is not the plain one."""
    words = ""
    if options.get("class_weight", "none") != "none":
        words += f", with the class weights {_text(options['class_weight'])}"
    if options.get("loss") == "focal":
        words += f", with the focal loss (gamma {options['focal_gamma']:g})"
    elif options.get("label_smoothing"):
        words += f", with targets smoothed by {options['label_smoothing']:g}"
    return words


def _limits(record: Mapping[str, Any], several: bool) -> Iterable[str]:
    data, kind = record["data"], _input(record)
    answers = f"- It always answers with one of its {len(data['class_names'])} classes, also where none fits"
    if several:
        answers = f"- It knows its {len(data['class_names'])} labels and no others; no label is an answer too"
    if kind.card.EMPTY:
        answers += f", {'also' if several else 'and'} for {kind.card.EMPTY}"
    yield "\n".join(
        (
            f"- It learned from {_text(data['name'])} alone, with whatever slant its {kind.noun}s and labels have. On "
            f"{kind.noun}s of another source, time or {kind.card.KIN} expect less; nobody has measured how much less. "
            f"Score it on labelled {kind.noun}s of your own first.",
            f"{answers}.",
            *kind.card.limits(record),
            "- A SavedModel is a program: load it only from somebody you trust.",
        )
    )
