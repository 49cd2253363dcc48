"""What is said of uneven classes."""

import numpy as np

from kseq.label_scoring import score_labels
from kseq.options import Options
from kseq.scoring import score
from kseq.weak_classes import weak_classes


def certain(predicted, width):
    return np.eye(width, dtype=np.float32)[predicted]


def test_a_class_that_was_never_predicted_is_named():
    labels = np.array([0] * 30 + [1] * 3 + [2] * 9)
    found = score(certain([0] * 33 + [2] * 9, 3), labels, ["ham", "=spam", "other"])
    assert weak_classes(found, Options("toy")) == (
        "on validation, '=spam' (3 texts have it) was never predicted; try --class-weight balanced.",
    )
    (sentence,) = weak_classes(found, Options("toy", class_weight="balanced"))
    assert sentence.endswith("never predicted; try --monitor val_macro_f1.")
    (sentence,) = weak_classes(found, Options("toy", class_weight="ham=0.1", monitor="val_macro_f1"))
    assert sentence.endswith("never predicted; it may need more texts.")


def test_many_classes_are_counted():
    labels = np.arange(8)
    (sentence,) = weak_classes(score(certain([0] * 8, 8), labels, list("abcdefgh")), Options("toy"))
    assert "'b' (1 text has it), 'c' (1 text has it), 'd' (1 text has it) and 4 more were never predicted" in sentence


def test_two_classes_may_have_a_threshold():
    found = score(certain([0] * 9, 2), np.array([0] * 7 + [1] * 2), ["a", "b"])
    (sentence,) = weak_classes(found, Options("toy", class_weight="balanced"))
    assert sentence.endswith("try --tune-threshold.")


def test_a_mean_far_below_the_accuracy_is_told():
    labels = np.array([0] * 90 + [1] * 10)
    found = score(certain([0] * 90 + [0] * 9 + [1], 2), labels, ["a", "b"])
    (sentence,) = weak_classes(found, Options("toy"))
    assert f"macro-F1 of {found.macro_f1:.4f} lies far below its accuracy of 0.9100" in sentence
    assert "'b' is the worst" in sentence
    assert sentence.endswith("; try --class-weight balanced.")


def test_even_classes_are_nothing_to_talk_about():
    labels = np.repeat([0, 1], 50)
    predicted = labels.copy()
    predicted[::10] = 1 - predicted[::10]
    assert weak_classes(score(certain(predicted, 2), labels, ["a", "b"]), Options("toy")) == ()


def test_a_class_without_texts_is_not_missed():
    found = score(certain([0, 1] * 5, 3), np.array([0, 1] * 5), ["a", "b", "c"])
    assert not any("never" in sentence for sentence in weak_classes(found, Options("toy")))


def test_labels_of_which_a_text_can_have_several():
    targets = np.array([[1, 0]] * 20 + [[1, 1]] * 2)
    found = score_labels(np.tile([0.9, 0.1], (22, 1)), targets, ["a", "b"], None)
    assert weak_classes(found, Options("toy")) == (
        "on validation, 'b' (2 texts have it) was never predicted; try --class-weight balanced.",
    )
    (sentence,) = weak_classes(found, Options("toy", class_weight="balanced"))
    assert "try --tune-threshold" in sentence


def test_no_weights_are_advised_where_classes_are_equally_common():
    labels = np.array([0, 1] * 20)
    (sentence,) = weak_classes(score(certain([0] * 40, 2), labels, ["no", "yes"]), Options("toy"))
    assert "'yes' (20 texts have it) was never predicted; it is as common as the others, so train longer" in sentence
    # The common class is left out: that is no want of weight either.
    labels = np.array([0] * 90 + [1] * 10)
    (sentence,) = weak_classes(score(certain([1] * 100, 2), labels, ["no", "yes"]), Options("toy"))
    assert "'no' (90 texts have it) was never predicted; it is as common" in sentence
