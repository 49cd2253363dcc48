"""What verification says of answers that do not follow from their probabilities, and what the card shows of labels."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kseq.errors import VerificationError
from kseq.figures import draw_label_scores
from kseq.label_scoring import score_labels
from kseq.model_card import model_card
from kseq.outputs import OUTPUTS
from kseq.saved_model_check import _fault, verify
from kseq.saved_model_writer import write_saved_model
from tests.test_model_card import NASTY, PLAIN_TAGS, Page, record, shown
from tests.test_saved_model import WORDS, TinyVectorizer

NAMES = ["a, b", "", "网络"]
PROBABILITIES = np.array([[0.9, 0.2, 0.95], [0.1, 0.2, 0.3], [0.5, 0.5, 0.5]], np.float32)


def answered(kind, probabilities, names, thresholds):
    answer = OUTPUTS[kind].answer(tf.constant(probabilities), tf.constant(names), thresholds)
    return {name: values.numpy() for name, values in answer.items()}


def fault(kind, answer, names, thresholds):
    job = {"target_kind": kind, "class_names": names, "thresholds": thresholds}
    return _fault(answer, len(answer["probabilities"]), job)


def test_labels_come_by_probability_and_from_their_thresholds_on():
    answer = answered("classes", PROBABILITIES, NAMES, (0.5, 0.15, 0.96))
    assert answer["labels"].tolist() == [[b"a, b", b"", b""], [b"", b"", b""], [b"a, b", b"", b""]]
    assert answer["label_count"].tolist() == [2, 1, 2]
    assert answer["label_ids"].tolist() == [[0, 1, -1], [1, -1, -1], [0, 1, -1]]
    np.testing.assert_array_equal(
        answer["confidences"], np.array([[0.9, 0.2, 0], [0.2, 0, 0], [0.5, 0.5, 0]], np.float32)
    )
    assert fault("classes", answer, NAMES, [0.5, 0.15, 0.96]) == ""
    assert fault("classes", answered("classes", PROBABILITIES[:0], NAMES, (0.5,) * 3), NAMES, None) == ""


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("label_count", np.array([3, 0, 3]), "label_count are 3; by probabilities and thresholds 2"),
        ("label_ids", np.array([[0, 2, -1], [-1] * 3, [0, 1, 2]]), r"label_ids are [0, 2, -1]; by"),
        ("confidences", np.array([[0.95, 0.9, 0.2], [0] * 3, [0.5] * 3], np.float32), "confidences are"),
        ("labels", np.array([["a, b", "网络", ""], [""] * 3, ["a, b", "", "网络"]], object), "labels are"),
        ("probabilities", PROBABILITIES * 2, "probabilities do not lie between 0 and 1"),
        ("probabilities", PROBABILITIES * np.nan, "probabilities do not lie between 0 and 1"),
        ("label_count", np.array([[2], [0], [3]]), "the outputs are"),
    ],
)
def test_answers_that_do_not_follow_are_faults(name, value, said):
    answer = answered("classes", PROBABILITIES, NAMES, (0.5,) * 3)
    assert fault("classes", answer, NAMES, None) == fault("classes", answer, NAMES, [0.5] * 3) == ""
    if value.dtype == object:
        value = np.array([[label.encode() for label in row] for row in value], object)
    answer[name] = value
    assert said in fault("classes", answer, NAMES, None)


def test_a_label_of_two_classes_must_follow_the_threshold():
    probabilities = np.array([[0.7, 0.3], [0.9, 0.1]], np.float32)
    answer = answered("class", probabilities, ["a", "b"], (float(np.float32(0.3)),))
    assert answer["label"].tolist() == [b"b", b"a"]
    np.testing.assert_array_equal(answer["confidence"], np.array([0.3, 0.9], np.float32))
    assert fault("class", answer, ["a", "b"], [float(np.float32(0.3))]) == ""
    assert fault("class", answer, ["a", "b"], None) == "label_id is not the place of the greatest probability"
    assert "does not follow the threshold 0.5" in fault("class", answer, ["a", "b"], [0.5])
    answer["confidence"] = probabilities.max(axis=1)
    assert "confidence is not the probability of the label" in fault("class", answer, ["a", "b"], [0.3])


def test_a_fresh_process_finds_other_thresholds(tmp_path):
    keras.utils.set_random_seed(5)
    ids = keras.Input((None,), dtype="int32", name="token_ids")
    vectors = keras.layers.Embedding(len(WORDS) + 2, 4, mask_zero=True)(ids)
    model = keras.Model(
        {"token_ids": ids}, keras.layers.Dense(3, activation="sigmoid")(keras.layers.SimpleRNN(4)(vectors))
    )
    vectorizer, texts = TinyVectorizer(), ["good film", "bad", "die die", "film"]
    expected = np.asarray(model(vectorizer(tf.constant(texts))))
    parts = {"preprocessor": vectorizer, "model": model, "class_names": NAMES}
    write_saved_model(tmp_path / "1", **parts, target_kind="classes", thresholds=(0.25, 0.5, 0.75))
    with pytest.raises(VerificationError, match=r"tf\.saved_model\.load: .*by probabilities.*session loader: "):
        verify(tmp_path / "1", texts, expected, target_kind="classes")


# The card and the picture


def labels_record(names, **changes):
    random = np.random.default_rng(0)
    targets = random.integers(0, 2, (60, len(names)))
    scores = score_labels(np.clip(targets * 0.4 + 0.6 * random.random(targets.shape), 0, 1), targets, names, None)
    content = record(names, test_parts={})
    content |= {"validation": scores.to_dict(), "test": scores.to_dict(), "hints": ["on validation, '<b>' was …"]}
    content["data"]["target_kind"] = "classes"
    content["decision"] = {"thresholds": dict.fromkeys(names, 0.5), "tuned": False}
    return content | changes


@pytest.mark.parametrize("name", NASTY, ids=ascii)
def test_names_of_labels_show_as_they_are(name):
    page = Page(model_card(labels_record((name, "other"))))
    assert set(page.tags) <= PLAIN_TAGS
    assert any(row[0] == shown(name) and row[1] == "0.5000" for row in page.rows)
    assert {len(row) for row in page.rows} == {7, 3}
    assert "Mind: on validation, '<b>' was" in page.text


def test_the_card_of_labels_tells_what_was_chosen():
    content = labels_record(("a", "b"))
    assert "A label is given from a probability of 0.5 on." in model_card(content)
    before = content["validation"] | {"macro_f1": 0.1234}
    content["decision"] = {"thresholds": {"a": 0.25, "b": 0.75}, "tuned": True, "validation_before": before}
    content["options"] |= {"class_weight": 'a=2,"b|c"=3', "loss": "focal", "focal_gamma": 2.0, "predictions_text": True}
    text = Page(model_card(content)).text
    for part in (
        "was 0.1234 with 0.5 for every label", "and the thresholds", 'with the class weights a=2,"b|c"=3',
        "the focal loss (gamma 2)", "a sigmoid for each label", "labels.png", "beginnings of the test texts",
        "more likely than it is",
    ):  # fmt: skip
        assert part in text


def test_a_record_of_labels_wants_the_scores_of_labels():
    content = labels_record(("a", "b"))
    del content["test"]["hamming_loss"]
    with pytest.raises(ValueError, match="lacks 'hamming_loss' in 'test'"):
        model_card(content)


@pytest.mark.parametrize("number", [1, 16, 120])
def test_scores_of_any_number_of_labels_are_drawn(tmp_path, number):
    names = [*NASTY, *(f"label {place}" for place in range(number))][:number]
    scores = score_labels(np.full((4, number), 0.7), np.tile([[1], [0]], (2, number)), names, None)
    draw_label_scores(scores.classes, tmp_path / "labels.png")
    content = (tmp_path / "labels.png").read_bytes()
    assert content.startswith(b"\x89PNG")
    draw_label_scores(scores.classes, tmp_path / "again.png")
    assert (tmp_path / "again.png").read_bytes() == content
