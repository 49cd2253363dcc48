"""IMDB film reviews, negative or positive: 25,000 to train, 25,000 to test, 50,000 unlabeled.

The split is the official one of Maas et al. 2011; validation is carved from train. Texts hold raw `<br />` breaks.
Of the test reviews, 123 also stand in the official train split and stay in both. Another 269 stand among the unlabeled
reviews as published; they are left out there, and so are those that stand in validation: 49,697 are left beside the
default one.
"""

from pipelines import tensorflow_datasets_source as source
from pipelines.text_data import TextData, from_splits

TFDS_NAME = "imdb_reviews/plain_text"
ARCHIVES = ("http://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",)


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
        manual_dir: folder that holds the original `aclImdb_v1.tar.gz`.
        split_seed: seed of the carving of validation.
        validation_fraction: share of train to carve, between 0 and 1.

    Raises:
        DataError: the data is not there and cannot be fetched, or is damaged.
    """
    builder = source.prepared(TFDS_NAME, ARCHIVES, data_dir=data_dir, manual_dir=manual_dir)
    with source.reading(builder):
        return from_splits(
            "imdb",
            source.read(builder, "train").map(lambda review: (review["text"], review["label"])),
            source.read(builder, "test").map(lambda review: (review["text"], review["label"])),
            ("negative", "positive"),
            validation_fraction=validation_fraction,
            split_seed=split_seed,
            unlabeled=source.read(builder, "unsupervised").map(lambda review: review["text"]),
            unlabeled_size=source.size(builder, "unsupervised"),
            suggested_sequence_length=400,
            suggested_vocabulary_size=20_000,
        )
