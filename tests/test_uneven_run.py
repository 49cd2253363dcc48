"""Whole runs on uneven classes and on texts with several labels, through the SavedModel and both of its loaders."""

import contextlib
import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from sklearn import metrics
from sklearn.utils.class_weight import compute_sample_weight

import kseq
from kseq import errors, experiment
from kseq.errors import UsageError
from kseq.options import Options
from kseq.report import _weights
from kseq.run import main
from kseq.saved_model import Answer, LabelsAnswer
from tests import several_labels, uneven

SMALL = ["--units", "6", "--embedding-dim", "6", "--cell", "simple_rnn", "--head", "max", "--batch-size", "32"]


def run(dataset, *more, folder):
    """Run the command; give the folder it left and what it wrote."""
    written, told = io.StringIO(), io.StringIO()
    arguments = [dataset, *SMALL, "--epochs", "4", "--lr", "0.03", "--output-dir", str(folder), *more]
    with contextlib.redirect_stdout(written), contextlib.redirect_stderr(told):
        code = main(arguments)
    assert code == errors.DONE, told.getvalue()
    (saved_model,) = Path(folder).glob("*/1")
    return saved_model, written.getvalue(), told.getvalue()


def record_of(saved_model):
    return json.loads((saved_model / "assets.extra" / "run.json").read_text(encoding="utf-8"))


def rows_of(saved_model, name="predictions.csv"):
    with open(saved_model / "assets.extra" / name, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def in_a_session(saved_model, texts):
    """Ask through the loader of TensorFlow Serving, Java, Go and C."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        loaded = tf.compat.v1.saved_model.load(session, ["serve"], str(saved_model))
        signature = loaded.signature_def["serving_default"]
        outputs = {name: output.name for name, output in signature.outputs.items()}
        return session.run(outputs, {signature.inputs["text"].name: np.array(texts, object)})


def texts_and_targets(data):
    pairs = list(data.test.as_numpy_iterator())
    return [text.decode() for text, _ in pairs], np.stack([target for _, target in pairs])


# Two classes, one of them rare


@pytest.fixture(scope="module")
def uneven_run(tmp_path_factory):
    return run(
        "tests.uneven", "--tune-threshold", "--monitor", "val_macro_f1", folder=tmp_path_factory.mktemp("uneven")
    )


def test_the_threshold_is_chosen_on_validation_and_followed(uneven_run):
    saved_model, written, _ = uneven_run
    record = record_of(saved_model)
    (name, threshold), *rest = record["decision"]["thresholds"].items()
    assert (name, rest, record["decision"]["tuned"]) == ("=spam ", [], True)
    # Half of the texts with the telling word are spam, so that hardly any is more probably spam than not.
    assert 0 < threshold < 0.5
    before, after = record["decision"]["validation_before"]["macro_f1"], record["validation"]["macro_f1"]
    assert after > before + 0.1
    assert f"=spam  {threshold:.4f}: chosen on validation, whose macro-F1 is {after:.4f} with it" in written

    texts, labels = texts_and_targets(uneven.load())
    answer = kseq.load(saved_model)(texts)
    assert isinstance(answer, Answer)
    expected = answer.probabilities[:, 1] >= np.float32(threshold)
    np.testing.assert_array_equal(answer.label_ids, expected)
    assert 0 < expected.sum() < len(texts)
    assert answer.labels == [uneven.CLASS_NAMES[label] for label in answer.label_ids]
    np.testing.assert_array_equal(answer.confidences, answer.probabilities[np.arange(len(texts)), answer.label_ids])
    # What the threshold decides against the more probable class has a confidence below a half.
    assert (answer.confidences < 0.5).any()
    assert record["test"]["macro_f1"] == pytest.approx(metrics.f1_score(labels, expected, average="macro"), abs=1e-9)

    outputs = in_a_session(saved_model, texts[:50])
    np.testing.assert_array_equal(outputs["label_id"], answer.label_ids[:50])
    assert [label.decode() for label in outputs["label"]] == answer.labels[:50]


def test_the_card_and_the_tables_tell_the_same(uneven_run):
    saved_model, written, _ = uneven_run
    record = record_of(saved_model)
    card = (saved_model / "assets.extra" / "README.md").read_text(encoding="utf-8")
    threshold = record["decision"]["thresholds"]["=spam "]
    assert f"is given from a probability of **{threshold:.4f}** on" in card
    assert "Validation chose the epoch and the threshold" in card
    history = rows_of(saved_model, "history.csv")
    of_validation = [float(row["val_macro_f1"]) for row in history]
    losses = [float(row["val_loss"]) for row in history]
    # Of epochs with the same macro-F1, the one of the least loss.
    assert record["best_epoch"] == 1 + max(range(4), key=lambda epoch: (of_validation[epoch], -losses[epoch]))
    assert f"val_macro_f1 {of_validation[0]:.4f}" in written
    assert "best val_macro_f1" in written


def test_predictions_hold_the_texts(uneven_run):
    saved_model, _, _ = uneven_run
    texts, labels = texts_and_targets(uneven.load())
    rows = rows_of(saved_model)
    assert [row["text"] for row in rows] == texts
    # A spreadsheet would take the name for a formula.
    assert [row["label"] for row in rows] == [("ham, or not", "'=spam ")[label] for label in labels]
    threshold = record_of(saved_model)["decision"]["thresholds"]["=spam "]
    for row in rows:
        probability = float(row["probability of =spam "])
        if abs(probability - threshold) > 1e-6:
            assert (row["predicted"] == "'=spam ") == (probability > threshold)


# Several labels


@pytest.fixture(scope="module")
def labels_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("labels")
    arguments = ["--tune-threshold", "--class-weight", "balanced", "--no-predictions-text", "--json", "--epochs", "8"]
    return run("tests.several_labels", *arguments, folder=folder)


def test_all_labels_come_with_their_probabilities(labels_run):
    saved_model, _, _ = labels_run
    thresholds = record_of(saved_model)["decision"]["thresholds"]
    assert tuple(thresholds) == several_labels.CLASS_NAMES
    limits = np.array(list(thresholds.values()), np.float32)
    assert len(set(thresholds.values())) > 1
    texts, targets = texts_and_targets(several_labels.load())
    classify = kseq.load(saved_model)
    answer = classify(texts)
    assert isinstance(answer, LabelsAnswer)
    assert classify.several
    assert answer.probabilities.shape == (len(texts), 4)
    for place, row in enumerate(answer.probabilities):
        given = sorted(np.flatnonzero(row >= limits), key=lambda label: -row[label])
        assert answer.labels[place] == [several_labels.CLASS_NAMES[label] for label in given]
        assert answer.label_ids[place].tolist() == given
        np.testing.assert_array_equal(answer.confidences[place], row[given])
    assert {len(labels) for labels in answer.labels} >= {0, 1, 2}
    # All labels for every text would score 0.4.
    assert metrics.f1_score(targets, answer.probabilities >= limits, average="micro") > 0.7
    assert repr(answer).startswith("LabelsAnswer({")
    nothing = classify([])
    assert (nothing.labels, nothing.probabilities.shape, repr(nothing)) == ([], (0, 4), "LabelsAnswer()")


def test_every_output_has_the_batch_dimension_in_both_loaders(labels_run):
    saved_model, _, _ = labels_run
    texts, _ = texts_and_targets(several_labels.load())
    module = tf.saved_model.load(str(saved_model))
    found = module.signatures["serving_default"](text=tf.constant(texts[:20]))
    again = in_a_session(saved_model, texts[:20])
    shapes = {"probabilities": (20, 4), "labels": (20, 4), "label_ids": (20, 4), "confidences": (20, 4)}
    shapes["label_count"] = (20,)
    assert {name: tuple(output.shape) for name, output in found.items()} == shapes
    assert {name: output.shape for name, output in again.items()} == shapes
    np.testing.assert_allclose(again["probabilities"], found["probabilities"].numpy(), atol=1e-6)
    np.testing.assert_array_equal(again["labels"], found["labels"].numpy())
    for row, count in enumerate(again["label_count"]):
        assert (again["labels"][row] != b"").sum() == count
        assert again["label_ids"][row, count:].tolist() == [-1] * (4 - count)
        assert again["confidences"][row, count:].tolist() == [0] * (4 - count)


def test_scores_and_predictions_of_labels_agree(labels_run):
    saved_model, written, told = labels_run
    record = record_of(saved_model)
    rows = rows_of(saved_model)
    assert "text" not in rows[0]
    names = several_labels.CLASS_NAMES

    def present(cells):
        given = [next(csv.reader([cell]), []) for cell in cells]
        return np.array([[name in labels for name in names] for labels in given])

    targets, given = present([row["labels"] for row in rows]), present([row["predicted"] for row in rows])
    np.testing.assert_array_equal(targets, texts_and_targets(several_labels.load())[1] == 1)
    test = record["test"]
    assert test["micro_f1"] == pytest.approx(metrics.f1_score(targets, given, average="micro"), abs=1e-9)
    assert test["macro_f1"] == pytest.approx(metrics.f1_score(targets, given, average="macro"), abs=1e-9)
    assert test["subset_accuracy"] == pytest.approx(metrics.accuracy_score(targets, given), abs=1e-9)
    assert record["data"]["target_kind"] == "classes"
    assert record["validation"]["macro_f1"] >= record["decision"]["validation_before"]["macro_f1"]
    found = json.loads(written)
    assert found["thresholds"] == record["decision"]["thresholds"]
    for split in ("test", "validation"):
        assert found[split] == {name: record[split][name] for name in found[split]}
        assert {"micro_f1", "micro_f1_interval", "macro_f1", "subset_accuracy"} <= set(found[split])
    assert found["options"]["monitor"] == "val_loss"
    assert "4 labels: billing, cards, error=5xx, 网络, praise" in told
    assert f"micro-F1 {test['micro_f1']:.4f}" in told


def test_the_card_and_pictures_of_labels(labels_run):
    saved_model, _, _ = labels_run
    extra = saved_model / "assets.extra"
    card = (extra / "README.md").read_text(encoding="utf-8")
    test = record_of(saved_model)["test"]
    assert f"**{test['micro_f1']:.4f}**" in card
    assert 'answer["label_count"]' in card
    assert "softmax" not in card
    assert "beginnings of the test texts" not in card
    assert (extra / "labels.png").read_bytes().startswith(b"\x89PNG")
    assert not (extra / "confusion_matrix.png").exists()


# Weights and what does not fit


def test_weights_reach_the_texts_of_train_alone():
    options = Options("uneven", class_weight="balanced")
    prepared = experiment.prepare(uneven.load(), options)
    splits, train = prepared.splits, prepared.splits["train"]
    # 1200 texts, of which a quarter is validation; a tenth is spam.
    assert _weights(prepared) == f"ham, or not {900 / (2 * 810):.2f}, =spam  {900 / (2 * 90):.2f}"
    np.testing.assert_allclose(train.sample_weights, compute_sample_weight("balanced", train.targets), rtol=1e-6)
    for split in ("validation", "test"):
        assert set(splits[split].sample_weights.tolist()) == {1.0}


def three_classes():
    from pipelines.text_data import from_splits

    splits = [
        tf.data.Dataset.from_tensor_slices(([f"{split} text {number}" for number in range(12)], [0, 1, 2] * 4))
        for split in ("train", "test")
    ]
    return from_splits("three", *splits, tuple("abc"), suggested_sequence_length=4, suggested_vocabulary_size=9)


def test_a_threshold_needs_two_classes_or_several_labels():
    with pytest.raises(UsageError, match=r"--tune-threshold needs two classes.*'three' has 3 classes.*--class-weight"):
        experiment.prepare(three_classes(), Options("three", tune_threshold=True))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--class-weight", "ham=2"], "a label in class_weight is 'ham'; expected one of '=spam ', 'ham, or not'"),
        (["--class-weight", "ham, or not=2"], "'ham' is no LABEL=WEIGHT"),
        (["--focal-gamma", "1"], "--focal-gamma does not apply to --loss cross_entropy; it is read by --loss focal"),
        (["--loss", "focal", "--label-smoothing", "0.1"], "--label-smoothing does not apply to --loss focal"),
        (
            ["--loss", "focla"],
            "loss is 'focla'; expected one of 'cross_entropy', 'focal', 'squared'. Did you mean 'focal'?",
        ),
        (["--monitor", "val_f1"], "monitor is 'val_f1'"),
    ],
)
def test_what_does_not_fit_is_a_usage_error(arguments, said, capsys, tmp_path):
    assert main(["tests.uneven", *arguments, "--output-dir", str(tmp_path)]) == errors.USAGE
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
