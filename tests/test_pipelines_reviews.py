"""The built-in reviews: exact labels, disjoint splits, English, and no foothold for a bag of n-grams."""

import os
import re
import subprocess
import sys
from pathlib import Path
from random import Random

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from pipelines import datasets
from pipelines.errors import DataError
from pipelines.review_grammar import patterns as review_patterns
from pipelines.review_grammar import words as review_words
from pipelines.review_grammar.compose import FAMILIES, Review, compose
from pipelines.reviews import TEST_SIZE, UNSEEN_PART, load, write_test, write_train

_PURE_PYTHON = """
import sys
from random import Random
from pipelines.review_grammar.compose import compose
texts = [compose(Random(f"{i}"), i % 2, 3, held_out=False, unseen=i % 3 == 0).text for i in range(40)]
import hashlib
print(hashlib.sha256("\\n".join(texts).encode()).hexdigest(), "tensorflow" in sys.modules)
"""

# Words that turn the sense of a reference or of a scope round; two of them in one sentence restore it.
_TURNING = re.compile(
    r"\b(wrong|mistaken|false|misjudged|disagree|opposite|not|never|no|nobody|nothing|none|cannot|changed?|back|"
    r"different|round|deny|doubt|fool|unfair|anything but)\b"
)
_NOT_TURNING = re.compile(r"looking back|no doubt\b")
_LEAVES = ("agree", "keep", "same", "affirm", "plain")
_TURNS = ("disagree", "flip", "opposite", "negate", "plain_not")


@pytest.fixture(scope="module")
def train() -> list[Review]:
    return list(write_train(4000, 2, 0))


@pytest.fixture(scope="module")
def test() -> list[Review]:
    return list(write_test(2, 1800))


def polarity(word: str) -> int:
    (found,) = (label for label, words in enumerate(review_words.EVALUATIVE_WORDS) if word in words)
    return found


def interpret(review: Review) -> int:
    """Read the label off the two opinions by the rules of the reader, not by those of the grammar."""
    opinions = {opinion.role: opinion.words for opinion in review.opinions}
    for role in ("late", "this"):
        if role in opinions and not {"early", "other"}.isdisjoint(opinions):
            return polarity(opinions[role]["e"])
    if "two_voices" in opinions:
        return polarity(opinions["two_voices"]["f"])
    for role in ("plain", "affirm"):
        if role in opinions:
            return polarity(opinions[role]["e"])
    for role in ("plain_not", "negate"):
        if role in opinions:
            return 1 - polarity(opinions[role]["e"])
    first, second = review.opinions
    assert first.role in ("quote", "own", "other")
    return polarity(first.words["e"]) if second.role in ("agree", "keep", "same") else 1 - polarity(first.words["e"])


def sentences(text: str) -> list[str]:
    return re.split(r"(?<=\.) ", text)


def test_it_is_listed_with_its_options_and_its_parts_are_not():
    found = {name: dataset for name, dataset in datasets().items() if name.startswith("review")}
    assert list(found) == ["reviews"]
    assert found["reviews"].summary.endswith("decides.")
    assert found["reviews"].parameters == ("split_seed", "validation_fraction", "size", "distance")


def test_texts_are_the_same_in_every_process_and_need_no_tensorflow():
    answers = set()
    for hash_seed in ("1", "2"):
        environment = os.environ | {"PYTHONHASHSEED": hash_seed}
        command = [sys.executable, "-c", _PURE_PYTHON]
        root = Path(__file__).parent.parent
        answers.add(subprocess.run(command, env=environment, cwd=root, capture_output=True, check=True).stdout)
    (answer,) = answers
    assert answer.split()[1] == b"False"


def test_labels_agree_with_an_independent_reading(train, test):
    assert all(interpret(review) == review.label for review in train + test)
    assert {review.family for review in train} == {review.family for review in test} == set(FAMILIES)


@pytest.mark.parametrize("patterns", [review_patterns.SEEN, review_patterns.UNSEEN], ids=["seen", "unseen"])
@pytest.mark.parametrize("role", _LEAVES + _TURNS)
def test_operators_mean_what_their_role_says(patterns, role):
    found = patterns.opinions[role]
    assert len(found) > 2
    for pattern in found:
        turns = len(_TURNING.findall(_NOT_TURNING.sub("", pattern.lower())))
        assert turns % 2 == (role in _TURNS), pattern


@pytest.mark.parametrize("unseen", [False, True])
def test_turning_the_judgements_round_turns_the_label(unseen):
    for index in range(300):
        negative, positive = (compose(Random(f"{index}"), label, 2, held_out=True, unseen=unseen) for label in (0, 1))
        assert (interpret(negative), interpret(positive)) == (0, 1)
        assert negative.family == positive.family
        assert negative.text != positive.text
        assert negative.film == positive.film


def test_evaluative_words_have_one_polarity():
    negative, positive = review_words.EVALUATIVE_WORDS
    assert len(negative) > 40
    assert len(positive) > 40
    assert not negative & positive


def test_splits_share_no_text_at_any_size_seed_and_distance():
    tests = {review.text for distance in (0, 1, 2, 5) for review in write_test(distance, 1000)}
    assert len(tests) == 4000
    for size, distance, seed in ((3000, 2, 0), (3000, 0, 1), (1000, 5, 2), (1000, 1, 0)):
        texts = [review.text for review in write_train(size, distance, seed)]
        assert len(set(texts)) == size
        assert tests.isdisjoint(texts)


def test_film_and_director_tell_the_splits_apart(train, test):
    pairs = {(review.film, review.director) for review in train}
    assert pairs.isdisjoint((review.film, review.director) for review in test)
    assert all(review.film in sentences(review.text)[0] for review in train + test)
    assert all(review.director in sentences(review.text)[0] for review in train + test)


def test_a_larger_train_split_begins_with_the_smaller(train):
    assert list(write_train(50, 2, 0)) == train[:50]
    assert list(write_train(50, 2, 1)) != train[:50]


@pytest.mark.parametrize("distance", [0, 1, 4, 64])
def test_the_dial_is_the_number_of_sentences_between_the_opinions(distance):
    for review in write_test(distance, 60):
        found = sentences(review.text)
        first, second = review.opinion_positions
        assert second - first - 1 == distance
        assert len(found) == len(review.patterns)
        for position, sentence in enumerate(found):
            judged = set(re.findall(r"\w+", sentence.lower())) & frozenset.union(*review_words.EVALUATIVE_WORDS)
            assert not judged or position in (first, second)
        assert len(set(found)) > 0.95 * len(found)


def test_train_has_every_distance_up_to_the_dial(train):
    distances = [review.opinion_positions[1] - review.opinion_positions[0] - 1 for review in train]
    counts = np.bincount(distances)
    assert len(counts) == 3
    assert min(counts) > 0.3 * len(train)


def test_the_unseen_part_has_its_own_patterns_films_people_and_topics(train, test):
    unseen = [review for review in test if review.patterns[0] in review_patterns.UNSEEN.opening]
    assert len(unseen) == len(test) // 3
    assert set(review_patterns.SEEN.all()).isdisjoint(review_patterns.UNSEEN.all())
    trained = {pattern for review in train for pattern in review.patterns}
    assert all(trained.isdisjoint(review.patterns) for review in unseen)
    seen_text = "\n".join(review.text for review in train)
    assert not [review.film for review in unseen if review.film in seen_text]
    assert not [review.director for review in unseen if review.director in seen_text]
    lexicon = review_words.UNSEEN
    named = (*lexicon.films, *lexicon.people, *lexicon.speakers, *lexicon.slots["topic"], *lexicon.slots["hero"])
    # One scan for all names: a space on either side keeps "a beekeeper" from matching inside another word.
    assert not re.search("|".join(rf"\b{re.escape(name)}\b" for name in named), seen_text)


def test_every_evaluative_word_of_the_test_stands_in_train(train, test):
    def words(reviews: list[Review]) -> set[str]:
        return {word for review in reviews for opinion in review.opinions for word in opinion.words.values()}

    assert words(train) == frozenset.union(*review_words.EVALUATIVE_WORDS)
    assert words(test) <= words(train)


def test_texts_read_as_english(train, test):
    for review in train + test + list(write_test(9, 200)):
        text = review.text
        assert not re.search(r"[{}]|  | [.,:]|[.,]{2}|[^\w .,:]", text), text
        assert text.endswith(".")
        assert all(sentence[0].isupper() for sentence in sentences(text)), text
        assert not re.search(r"\b(an [^aeiouAEIOU]|[Aa] [aeiouAEIOU]|An [^aeiouAEIOU])", text), text
        assert not re.search(r"\b(\w+) \1\b(?<!had had)", text), text


def test_words_are_as_frequent_in_one_class_as_in_the_other(train):
    labels = np.array([review.label for review in train])
    counts = CountVectorizer(binary=True, min_df=100).fit_transform([review.text for review in train])
    positive = np.asarray(counts[labels == 1].mean(axis=0)).ravel()
    negative = np.asarray(counts[labels == 0].mean(axis=0)).ravel()
    # A word tells the classes apart by the difference of its document frequencies; no word by more than 6 in 100,
    # which leaves room for chance: the standard deviation is at most 1.6 in 100.
    assert np.abs(positive - negative).max() < 0.06


def test_a_linear_model_on_n_grams_stays_below_75_percent(train, test):
    train, test = train[:2500], test[:1200]
    vectorizer = CountVectorizer(binary=True, ngram_range=(1, 3), min_df=2)
    features = vectorizer.fit_transform([review.text for review in train])
    labels = np.array([review.label for review in train])
    truth = np.array([review.label for review in test])
    unseen = np.array([review.patterns[0] in review_patterns.UNSEEN.opening for review in test])
    # Weights by naive Bayes make the stronger baseline here: Wang and Manning 2012, equation 2.
    positive, negative = (1 + features[labels == label].sum(axis=0) for label in (1, 0))
    ratio = np.asarray(np.log((positive / positive.sum()) / (negative / negative.sum())))
    held_out = vectorizer.transform([review.text for review in test])
    for weight in (np.ones_like(ratio), ratio):
        model = LogisticRegression(C=0.3, solver="liblinear").fit(features.multiply(weight).tocsr(), labels)
        right = model.predict(held_out.multiply(weight).tocsr()) == truth
        assert right.mean() < 0.75
        assert right[~unseen].mean() < 0.75


def test_load_hands_over_balanced_splits_with_the_unseen_part():
    data = load(size=600, validation_fraction=0.2)
    assert data.name == "reviews"
    assert data.class_names == ("negative", "positive")
    assert dict(data.sizes) == {"train": 480, "validation": 120, "test": TEST_SIZE}
    assert data.warnings == ()
    part = data.test_parts[UNSEEN_PART]
    assert part.shape == (TEST_SIZE,)
    assert part.sum() == TEST_SIZE // 3
    openings = [review.patterns[0] for review in write_test(2)]
    assert part.tolist() == [opening in review_patterns.UNSEEN.opening for opening in openings]
    texts, labels = next(iter(data.test.batch(TEST_SIZE).as_numpy_iterator()))
    assert [text.decode() for text in texts[:20]] == [review.text for review in write_test(2, 20)]
    for chosen in (part, ~part):
        assert labels[chosen].mean() == 0.5
    longest = max(len(text.split()) for text in texts)
    assert longest <= data.suggested_sequence_length
    again = load(size=100, split_seed=1)
    assert again.fingerprints["test"] == data.fingerprints["test"]
    assert again.fingerprints["train"] != data.fingerprints["train"]


@pytest.mark.parametrize(("options", "received"), [({"size": 3}, "is 3"), ({"distance": -1}, "is -1")])
def test_options_out_of_range_are_refused(options, received):
    with pytest.raises(DataError, match=received):
        load(**options)
