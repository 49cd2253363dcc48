"""Movie reviews written by a grammar: built in, two classes, and the order of the words decides.

The label of a review follows from how two of its sentences fit together: a judgement and its denial, a first
impression and the last one, somebody's opinion and the reviewer's answer to it, another film and this one. Each word
and nearly each run of three words is about equally frequent in both classes. `review_grammar.compose` has the whole
table. Between the two sentences stand neutral ones: exactly `distance` of them in every test text, and 0 to `distance`,
drawn text by text, in train and validation.
"""

from collections.abc import Iterator
from random import Random

import numpy as np
import tensorflow as tf

from pipelines.errors import DataError
from pipelines.review_grammar.compose import Review, compose
from pipelines.text_data import TextData, from_splits

CLASS_NAMES = ("negative", "positive")
TEST_SIZE = 3000
UNSEEN_PART = "unseen patterns"


def load(*, split_seed: int = 0, validation_fraction: float = 0.1, size: int = 20000, distance: int = 2) -> TextData:
    """Write the reviews.

    The test split depends on `distance` alone, so that every size and seed is scored on the same texts. No text of it
    equals a text of train, at any size, seed and distance: `load(distance=8, size=100).test` tests a model that was
    trained at another distance. A third of it is the part "unseen patterns": sentence patterns, films, people and
    topics there never occur in train, though every evaluative word does.

    Args:
        split_seed: seed of the train texts and of the carving of validation.
        validation_fraction: share of train to carve, between 0 and 1.
        size: number of train texts, validation included.
        distance: number of neutral sentences between the two sentences with opinions, which decide the label together:
            exactly this many in every test text; in train and validation 0 to this many, drawn text by text.

    Raises:
        DataError: size or distance out of range.
    """
    if size < 4:
        raise DataError(f"the size of 'reviews' is {size}; it must be at least 4, two texts of each class.")
    if distance < 0:
        raise DataError(f"the distance of 'reviews' is {distance}; it must be 0 sentences or more, such as 2.")
    test = list(write_test(distance))
    return from_splits(
        "reviews",
        _dataset(list(write_train(size, distance, split_seed))),
        _dataset(test),
        CLASS_NAMES,
        validation_fraction=validation_fraction,
        split_seed=split_seed,
        # Two opinions and their surroundings stay under 90 tokens; a neutral sentence is half as long as allowed here.
        suggested_sequence_length=90 + 12 * distance,
        # Every word but the surnames, each of which is rare: so that training meets unknown words, as the test does.
        suggested_vocabulary_size=660,
        test_parts={UNSEEN_PART: np.array([_is_unseen(index) for index in range(TEST_SIZE)])},
    )


def write_train(size: int, distance: int, seed: int) -> Iterator[Review]:
    """Write the train texts, labels by turns; a larger size begins with the texts of a smaller one."""
    for index in range(size):
        # Seeding with a string is the same on every machine and in every process.
        random = Random(f"reviews train {seed} {distance} {index}")
        between = int(random.random() * (distance + 1))
        yield compose(random, index % 2, between, held_out=False, unseen=False)


def write_test(distance: int, size: int = TEST_SIZE) -> Iterator[Review]:
    """Write the test texts, labels by turns; every third pair of them is of the unseen part."""
    for index in range(size):
        random = Random(f"reviews test {distance} {index}")
        yield compose(random, index % 2, distance, held_out=True, unseen=_is_unseen(index))


def _is_unseen(index: int) -> bool:
    return index // 2 % 3 == 2


def _dataset(reviews: list[Review]) -> tf.data.Dataset:
    texts = [review.text for review in reviews]
    labels = np.array([review.label for review in reviews], np.int32)
    return tf.data.Dataset.from_tensor_slices((texts, labels))
