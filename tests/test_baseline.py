"""The n-gram model of a run, against one that scikit-learn builds from the texts, and when there is none."""

import dataclasses
import functools
import logging

import numpy as np
import pytest
import tensorflow as tf
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import normalize
from sklearn.utils.class_weight import compute_sample_weight

from kseq import baseline
from kseq.baseline import Baseline, LeftOut, advice, measure_baseline
from kseq.experiment import prepare
from kseq.options import Options
from kseq.paired_tests import McNemar
from kseq.thresholds import Decision
from pipelines.text_data import from_splits
from tests import several_labels, uneven


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def three_classes():
    """Texts of three classes, told by a word, a pair of words, and nothing; some texts say the wrong thing."""
    random = np.random.default_rng(2)
    splits = {}
    for split, size in {"train": 240, "validation": 60, "test": 90}.items():
        labels = np.arange(size) % 3
        told = np.where(random.random(size) < 0.2, random.integers(0, 3, size), labels)
        telling = ("cold wet sunny", "wet cold sunny", "sunny")
        texts = [f"{telling[kind]} {' '.join(random.choice(list('abcdef'), 4))} n{n}" for n, kind in enumerate(told)]
        splits[split] = tf.data.Dataset.from_tensor_slices(([f"{split} {text}" for text in texts], labels))
    return from_splits(
        "weather", splits["train"], splits["test"], ("rain", "snow", "sun"), validation=splits["validation"],
        suggested_sequence_length=8, suggested_vocabulary_size=50,
    )  # fmt: skip


DATA = {"uneven": uneven.load, "weather": three_classes, "several": several_labels.load}


@functools.cache
def prepared_of(name, **options):
    return prepare(DATA[name](), Options(name, **options))


def with_options(prepared, **options):
    return dataclasses.replace(prepared, options=prepared.options.replace(**options))


def uniform(prepared):
    """Answers of a model that has learned nothing."""
    classes = len(prepared.data.class_names)
    return {split: np.full((len(prepared.splits[split]), classes), 1 / classes) for split in ("validation", "test")}


def measured(prepared, answers=None, interrupted=lambda: False):
    thresholds = prepared.output.thresholds(len(prepared.data.class_names))
    return measure_baseline(prepared, answers or uniform(prepared), Decision(thresholds), interrupted)


def kept_probabilities(tmp_path):
    (path,) = (tmp_path / "kseq" / "baseline").iterdir()
    with open(path, "rb") as raw, np.load(raw) as file:
        return {name: file[name] for name in file.files}


def texts_of(split):
    return [text.decode() for text, _ in split.as_numpy_iterator()]


def expected_probabilities(data, targets, weight_of):
    """The same model from scikit-learn's parts, on dense matrices, one label after the other."""
    counter = CountVectorizer(ngram_range=(1, 3), token_pattern=r"\w+")
    counts = counter.fit_transform(texts_of(data.train)).toarray()
    frequent = counts.sum(axis=0) >= 2
    train = (counts[:, frequent] > 0).astype(float)
    test = (counter.transform(texts_of(data.test)).toarray()[:, frequent] > 0).astype(float)
    columns = []
    for label in range(targets.shape[1]):
        present = targets[:, label]
        p, q = 1 + train[present].sum(axis=0), 1 + train[~present].sum(axis=0)
        r = np.log((p / p.sum()) / (q / q.sum()))
        rows = [np.hstack([normalize(matrix * r), np.ones((len(matrix), 1))]) for matrix in (train, test)]
        model = LogisticRegression(C=10, fit_intercept=False, max_iter=1000)
        columns.append(model.fit(rows[0], present, sample_weight=weight_of(present)).predict_proba(rows[1])[:, 1])
    return np.stack(columns, axis=1)


@pytest.mark.parametrize(
    ("name", "class_weight"),
    [("uneven", "none"), ("uneven", "balanced"), ("weather", "none"), ("several", "none"), ("several", "balanced")],
)
def test_probabilities_are_those_of_scikit_learns_parts(name, class_weight, tmp_path):
    prepared = prepared_of(name) if class_weight == "none" else prepared_of(name, class_weight=class_weight)
    assert isinstance(measured(prepared), Baseline)
    found = kept_probabilities(tmp_path)["test"]
    targets, classes = prepared.splits["train"].targets, len(prepared.data.class_names)
    present = targets.astype(bool) if name == "several" else targets[:, np.newaxis] == np.arange(classes)

    def weight_of(flags):
        if class_weight == "none":
            return None
        return compute_sample_weight("balanced", flags if name == "several" else targets)

    expected = expected_probabilities(prepared.data, present, weight_of)
    if name == "weather":
        expected = expected / expected.sum(axis=1, keepdims=True)
    assert found.dtype == np.float32
    # The solver stops early.
    np.testing.assert_allclose(found, expected, atol=0.03)
    assert np.ptp(expected, axis=0).min() > 0.3


def test_the_comparison_counts_who_alone_is_right(tmp_path):
    prepared = prepared_of("weather")
    targets = {split: prepared.splits[split].targets for split in ("validation", "test")}
    # Right in every second text.
    answers = {}
    for split, labels in targets.items():
        guesses = np.where(np.arange(len(labels)) % 2, labels, (labels + 1) % 3)
        answers[split] = np.eye(3, dtype=np.float32)[guesses]
    found = measured(prepared, answers)
    kept = kept_probabilities(tmp_path)
    for split, labels in targets.items():
        b = c = right = 0
        for row, probabilities, label in zip(answers[split], kept[split], labels, strict=True):
            model_is, linear_is = row.argmax() == label, probabilities.argmax() == label
            b, c, right = b + (model_is and not linear_is), c + (linear_is and not model_is), right + linear_is
        assert (found.comparisons[split].b, found.comparisons[split].c) == (b, c)
        assert found.scores[split].accuracy == pytest.approx(right / len(labels))
    assert min(b, c) > 0
    told = found.to_dict()
    assert told["comparisons"]["test"]["b"] == b
    assert told["model_is"] == found.comparisons["test"].verdict


def test_of_several_labels_a_text_is_right_where_all_are(tmp_path):
    prepared = prepared_of("several")
    targets = prepared.splits["test"].targets
    found = measured(prepared, {split: prepared.splits[split].targets * 0.9 for split in ("validation", "test")})
    wrong = ((kept_probabilities(tmp_path)["test"] >= 0.5) != targets).any(axis=1).sum()
    assert (found.comparisons["test"].b, found.comparisons["test"].c) == (wrong, 0)
    assert found.scores["test"].subset_accuracy == pytest.approx(1 - wrong / len(targets))


def test_its_threshold_is_chosen_where_that_of_the_model_is():
    prepared = prepared_of("uneven")
    plain, tuned = measured(prepared), measured(with_options(prepared, tune_threshold=True))
    assert tuned.reused
    assert tuned.scores["validation"].macro_f1 > plain.scores["validation"].macro_f1 + 0.05


def never(*_):
    raise AssertionError("it was to be found in the cache")


def test_a_second_run_finds_the_answers(monkeypatch, tmp_path):
    prepared = prepared_of("weather")
    first = measured(prepared)
    monkeypatch.setattr(baseline, "_probabilities", never)
    # What the model reads, and how, is nothing to the n-grams.
    second = measured(with_options(prepared, tokens="character", seed=4, sequence_length=3))
    assert (first.reused, second.reused) == (False, True)
    assert (second.scores, second.comparisons) == (first.scores, first.comparisons)
    fingerprints = {**prepared.data.fingerprints, "train": "another"}
    other_texts = dataclasses.replace(prepared.data, fingerprints=fingerprints)
    others = with_options(prepared, class_weight="rain=2"), dataclasses.replace(prepared, data=other_texts)
    for other in others:
        with pytest.raises(AssertionError, match="in the cache"):
            measured(other)
    monkeypatch.setattr(baseline, "RULES_VERSION", -1)
    with pytest.raises(AssertionError, match="in the cache"):
        measured(prepared)


@pytest.mark.parametrize("content", [b"damaged", None])
def test_damaged_answers_are_computed_again(content, tmp_path, caplog):
    prepared = prepared_of("weather")
    first = measured(prepared)
    (path,) = (tmp_path / "kseq" / "baseline").iterdir()
    if content is None:
        # Whole, and of other texts.
        np.savez(path, validation=np.ones((1, 3)), test=np.ones((1, 3)))
    else:
        path.write_bytes(content)
    with caplog.at_level(logging.INFO):
        again = measured(prepared)
    assert ("is damaged" in caplog.text) == (content is not None)
    assert not again.reused
    assert again.scores == first.scores
    assert measured(prepared).reused


def test_an_interruption_leaves_it_out_at_any_time(tmp_path):
    prepared = prepared_of("weather")

    def interrupted_after(most):
        asked = 0

        def interrupted():
            nonlocal asked
            asked += 1
            return asked > most

        return interrupted

    # It asks before all, after each batch of texts, of which there are two, and before each of three regressions.
    for most in (0, 1, 2, 3, 5):
        assert measured(prepared, interrupted=interrupted_after(most)) == LeftOut("the run was interrupted")
        assert list(tmp_path.rglob("*.npz")) == []
    assert isinstance(measured(prepared, interrupted=interrupted_after(6)), Baseline)


def test_too_many_words_leave_it_out(monkeypatch):
    monkeypatch.setattr(baseline, "_MOST_WORDS", 1000)
    found = measured(prepared_of("weather"))
    assert found.reason.startswith("the texts have more than 1,000 words")
    monkeypatch.undo()
    # Three regressions.
    monkeypatch.setattr(baseline, "_MOST_WORK", 3000)
    assert measured(prepared_of("weather")) == found


def test_a_label_that_all_texts_have_is_no_question():
    prepared = prepared_of("several")
    train = prepared.splits["train"]
    targets = train.targets.copy()
    targets[:, 0], targets[:, 3] = 1, 0
    splits = {**prepared.splits, "train": dataclasses.replace(train, targets=targets)}
    found = measured(dataclasses.replace(prepared, splits=splits))
    always, never_given = found.scores["test"].classes[0], found.scores["test"].classes[3]
    assert (always.predictions, never_given.predictions) == (found.scores["test"].count, 0)


@pytest.mark.parametrize(
    ("validation", "options", "said"),
    [
        (McNemar(90, 10, 1e-9), {}, None),
        (McNemar(10, 12, 0.8), {}, None),
        (McNemar(10, 90, 1e-9), {}, "--ngrams 2, which"),
        (McNemar(10, 90, 1e-9), {"ngrams": 2}, "--ngrams 3, which"),
        (McNemar(10, 90, 1e-9), {"ngrams": 3}, "Try more --epochs"),
    ],
)
def test_advice_is_given_by_validation(validation, options, said):
    # Test says otherwise each time.
    test = McNemar(validation.c, validation.b, validation.p)
    found = advice(Baseline({}, {"validation": validation, "test": test}, 1.0, False), Options("toy", **options))
    assert (said is None) == (found == ())
    assert all(said in sentence for sentence in found)


def test_without_a_baseline_there_is_no_advice():
    assert advice(None, Options("toy")) == advice(LeftOut("of a reason"), Options("toy")) == ()
