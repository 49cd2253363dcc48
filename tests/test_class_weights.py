"""Class weights: how the flag is read, against scikit-learn's numbers, and whom they reach."""

import csv
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.utils.class_weight import compute_class_weight, compute_sample_weight

from kseq import class_output, labels_output
from kseq.class_weights import check_weights, class_weights, label_weights, read_weights
from kseq.errors import UsageError
from kseq.options import Options


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("balanced", {}),
        ("none", {}),
        ("spam=5", {"spam": 5.0}),
        ("spam=5,ham=0.5", {"spam": 5.0, "ham": 0.5}),
        ("spam=5, ham=0.5", {"spam": 5.0, "ham": 0.5}),
        ("balanced=2,none=3", {"balanced": 2.0, "none": 3.0}),
        ("a=b=2", {"a=b": 2.0}),
        ('"a, b"=2,c=1', {"a, b": 2.0, "c": 1.0}),
        ('"a, b=2",c=1', {"a, b": 2.0, "c": 1.0}),
        ('"say ""no""=2"', {'say "no"': 2.0}),
        ('" blank =2"', {" blank ": 2.0}),
        ('"two\nlines=2"', {"two\nlines": 2.0}),
        ("=2", {"": 2.0}),
        ("体育=1e-3", {"体育": 0.001}),
    ],
)
def test_a_setting_is_read_as_a_row_of_csv(setting, expected):
    assert read_weights(setting) == expected


@given(
    st.dictionaries(
        st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), st.floats(1e-3, 1e3), min_size=1
    )
)
def test_whatever_a_csv_writer_writes_is_read(weights):
    row = io.StringIO()
    csv.writer(row, quoting=csv.QUOTE_ALL, lineterminator="").writerow(
        [f"{label}={w!r}" for label, w in weights.items()]
    )
    assert read_weights(row.getvalue()) == weights


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("", "class_weight is ''; expected balanced, none, or LABEL=WEIGHT"),
        ("balancd", "in which 'balancd' is no LABEL=WEIGHT; expected balanced, none"),
        ("spam", "'spam' is no LABEL=WEIGHT"),
        ("a, b=2", "'a' is no LABEL=WEIGHT; .*quoted as in CSV"),
        ("spam=5,", "'' is no LABEL=WEIGHT"),
        ("spam=", "gives 'spam' the weight ''; expected a number above 0"),
        ("spam=much", "gives 'spam' the weight 'much'"),
        ("spam=0", "gives 'spam' the weight '0'"),
        ("spam=-1", "gives 'spam' the weight '-1'"),
        ("spam=nan", "gives 'spam' the weight 'nan'"),
        ("spam=inf", "gives 'spam' the weight 'inf'"),
        ("spam=1,spam=2", "names 'spam' twice"),
        ("spam=1\nham=2", "expected balanced, none"),
    ],
)
def test_what_is_no_setting_is_refused_before_anything_is_read(setting, said):
    with pytest.raises(UsageError, match=said):
        Options("toy", class_weight=setting)


def test_a_label_that_the_data_lacks_names_the_nearest():
    with pytest.raises(
        UsageError, match=r"a label in class_weight is 'Spam'; expected one of 'ham', 'spam'\. Did you"
    ) as error:
        check_weights("ham=1,Spam=2", ("ham", "spam"))
    assert str(error.value).endswith("Did you mean 'spam'?")
    check_weights("ham=1,spam=2", ("ham", "spam"))
    check_weights("balanced", ("ham", "spam"))


@pytest.mark.parametrize("counts", [[5, 5], [1, 99], [7, 2, 91], [1000, 1, 1, 37]])
def test_balanced_is_scikit_learns(counts):
    labels = np.repeat(np.arange(len(counts)), counts)
    names = [f"class {place}" for place in range(len(counts))]
    expected = compute_class_weight("balanced", classes=np.arange(len(counts)), y=labels)
    assert class_weights("balanced", names, counts) == pytest.approx(expected, rel=1e-12)
    of_texts, of_labels = class_output.weights("balanced", labels, names)
    assert of_labels is None
    assert of_texts.dtype == np.float32
    np.testing.assert_allclose(of_texts, compute_sample_weight("balanced", labels), rtol=1e-6)
    assert of_texts.mean() == pytest.approx(1, rel=1e-5)


def test_named_weights_go_to_their_texts_and_the_rest_weighs_1():
    labels = np.array([2, 0, 1, 2, 0])
    of_texts, _ = class_output.weights('"b, c"=3,a=0.5', labels, ("a", "b", "b, c"))
    assert of_texts.tolist() == [3, 0.5, 1, 3, 0.5]
    assert class_output.weights("none", labels, ("a", "b", "b, c")) == (None, None)


def test_balanced_labels_are_two_classes_each():
    random = np.random.default_rng(0)
    targets = (random.random((500, 3)) < [0.5, 0.1, 0.02]).astype(np.int8)
    of_texts, (absent, present) = labels_output.weights("balanced", targets, ("a", "b", "c"))
    assert of_texts is None
    for place in range(3):
        expected = compute_class_weight("balanced", classes=np.array([0, 1]), y=targets[:, place])
        assert (absent[place], present[place]) == pytest.approx(tuple(expected), rel=1e-12)


def test_no_label_weighs_more_than_fifty():
    absent, present = label_weights("balanced", ("common", "rare", "everywhere"), (5_000, 1, 10_000), 10_000)
    assert present == [1, 50, 0.5]
    assert absent == pytest.approx([1, 10_000 / (2 * 9_999), 1])


def test_named_labels_weigh_where_they_are_present():
    targets = np.array([[1, 0], [0, 1]], np.int8)
    assert labels_output.weights("b=4", targets, ("a", "b")) == (None, ([1.0, 1.0], [1.0, 4.0]))
    assert labels_output.weights("none", targets, ("a", "b")) == (None, None)
