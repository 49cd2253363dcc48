"""TREC questions by the kind of answer they want, six classes or fifty: 5,452 to train, 500 to test.

The split is that of Li and Roth 2002; validation is carved from train.
"""

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

from pipelines import tensorflow_datasets_source as source
from pipelines.errors import DataError
from pipelines.text_data import TextData, from_splits

TFDS_NAME = "trec"
ARCHIVES = ("http://cogcomp.org/Data/QA/QC/train_5500.label", "http://cogcomp.org/Data/QA/QC/TREC_10.label")


def load(
    *,
    data_dir: str | None = None,
    manual_dir: str | None = None,
    split_seed: int = 0,
    validation_fraction: float = 0.1,
    fine_labels: bool = False,
) -> TextData:
    """Load the questions, with the official test split untouched.

    Args:
        data_dir: folder of prepared datasets.
        manual_dir: folder that holds the original `train_5500.label` and `TREC_10.label`.
        split_seed: seed of the carving of validation.
        validation_fraction: share of train to carve, between 0 and 1.
        fine_labels: the fine classes that train has (fifty, such as "HUM:ind"; eight of them have no test question)
            in place of the six coarse ones.

    Raises:
        DataError: the data is not there and cannot be fetched, or is damaged; a fine class that only test has.
    """
    builder = source.prepared(TFDS_NAME, ARCHIVES, data_dir=data_dir, manual_dir=manual_dir)
    with source.reading(builder):
        train, test = (source.read(builder, split) for split in ("train", "test"))
        if fine_labels:
            train, test, class_names = _with_fine_labels(train, test, builder)
        else:
            train, test = (
                questions.map(lambda question: (question["text"], question["label-coarse"]))
                for questions in (train, test)
            )
            class_names = tuple(builder.info.features["label-coarse"].names)
        return from_splits(
            "trec_fine" if fine_labels else "trec",
            train,
            test,
            class_names,
            validation_fraction=validation_fraction,
            split_seed=split_seed,
            suggested_sequence_length=40,
            suggested_vocabulary_size=10_000,
        )


def _with_fine_labels(
    train: tf.data.Dataset, test: tf.data.Dataset, builder: tfds.core.DatasetBuilder
) -> tuple[tf.data.Dataset, tf.data.Dataset, tuple[str, ...]]:
    """Label with the pairs of coarse and fine label that train has, in the order of their numbers.

    TensorFlow Datasets has 47 fine names, because it drops the coarse half: "other" alone stands for four classes.
    """
    coarse, fine = (builder.info.features[key].names for key in ("label-coarse", "label-fine"))

    def pair(question: dict[str, tf.Tensor]) -> tf.Tensor:
        return question["label-coarse"] * len(fine) + question["label-fine"]

    def count(questions: tf.data.Dataset) -> np.ndarray:
        pairs = np.concatenate(list(questions.map(pair).batch(1024).as_numpy_iterator()))
        return np.bincount(pairs, minlength=len(coarse) * len(fine))

    names = [f"{kind}:{detail}" for kind in coarse for detail in fine]
    in_train, in_test = count(train), count(test)
    present = np.flatnonzero(in_train)
    strangers = np.flatnonzero((in_test > 0) & (in_train == 0))
    if len(strangers):
        raise DataError(
            f"{in_test[strangers].sum()} test questions of 'trec' have a fine label that no training question has "
            f"({', '.join(names[number] for number in strangers)}); the official test split is not cut, so use the "
            "coarse labels."
        )
    label_of_pair = np.full(len(names), -1, np.int32)
    label_of_pair[present] = np.arange(len(present), dtype=np.int32)
    labels = tf.constant(label_of_pair)
    train, test = (
        questions.map(lambda question: (question["text"], labels[pair(question)])) for questions in (train, test)
    )
    return train, test, tuple(names[number] for number in present)
