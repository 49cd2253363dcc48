"""Yelp reviews, negative (1 or 2 stars) or positive (3 or 4): 560,000 to train, 38,000 to test.

The split is that of Zhang, Zhao and LeCun 2015; validation is carved from train.
"""

import tensorflow as tf

from pipelines import tensorflow_datasets_source as source
from pipelines.text_data import TextData, from_splits

TFDS_NAME = "yelp_polarity_reviews"
ARCHIVES = ("https://s3.amazonaws.com/fast-ai-nlp/yelp_review_polarity_csv.tgz",)


def load(
    *,
    data_dir: str | None = None,
    manual_dir: str | None = None,
    split_seed: int = 0,
    validation_fraction: float = 0.1,
) -> TextData:
    """Load the reviews, with the official test split untouched.

    Args:
        data_dir: folder of prepared datasets.
        manual_dir: folder that holds the original `yelp_review_polarity_csv.tgz`.
        split_seed: seed of the carving of validation.
        validation_fraction: share of train to carve, between 0 and 1.

    Raises:
        DataError: the data is not there and cannot be fetched, or is damaged.
    """
    builder = source.prepared(TFDS_NAME, ARCHIVES, data_dir=data_dir, manual_dir=manual_dir)
    with source.reading(builder):
        return from_splits(
            "yelp_polarity",
            source.read(builder, "train").map(lambda review: (unescape(review["text"]), review["label"])),
            source.read(builder, "test").map(lambda review: (unescape(review["text"]), review["label"])),
            ("negative", "positive"),
            validation_fraction=validation_fraction,
            split_seed=split_seed,
            suggested_sequence_length=300,
            suggested_vocabulary_size=30_000,
        )


def unescape(text: tf.Tensor) -> tf.Tensor:
    r"""Undo the escapes of the file, which TensorFlow Datasets hands on as they stand.

    `said ""no""\nand left` becomes `said "no"`, a line break, `and left`; kept, the break would make a word "nand".
    """
    return tf.strings.regex_replace(tf.strings.regex_replace(text, r"\\n", "\n"), r'\\?""', '"')
