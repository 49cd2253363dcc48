"""AG's news in four topics, title and description: 120,000 to train, 7,600 to test.

The split is that of Zhang, Zhao and LeCun 2015; validation is carved from train.
"""

import tensorflow as tf

from pipelines import tensorflow_datasets_source as source
from pipelines.text_data import TextData, from_splits

TFDS_NAME = "ag_news_subset"
ARCHIVES = ("https://drive.google.com/uc?export=download&id=0Bz8a_Dbh9QhbUDNpeUdjb0wxRms",)


def load(
    *,
    data_dir: str | None = None,
    manual_dir: str | None = None,
    split_seed: int = 0,
    validation_fraction: float = 0.1,
) -> TextData:
    """Load the news, with the official test split untouched.

    A text is the title, a line break, then the description: published scores on this dataset read both.

    Args:
        data_dir: folder of prepared datasets.
        manual_dir: folder that holds the original `ag_news_csv.tar.gz`.
        split_seed: seed of the carving of validation.
        validation_fraction: share of train to carve, between 0 and 1.

    Raises:
        DataError: the data is not there and cannot be fetched, or is damaged.
    """
    builder = source.prepared(TFDS_NAME, ARCHIVES, data_dir=data_dir, manual_dir=manual_dir)
    with source.reading(builder):
        return from_splits(
            "ag_news",
            source.read(builder, "train").map(lambda news: (_text(news), news["label"])),
            source.read(builder, "test").map(lambda news: (_text(news), news["label"])),
            ("World", "Sports", "Business", "Sci/Tech"),
            validation_fraction=validation_fraction,
            split_seed=split_seed,
            suggested_sequence_length=80,
            suggested_vocabulary_size=30_000,
        )


def _text(news: dict[str, tf.Tensor]) -> tf.Tensor:
    return tf.strings.join([news["title"], news["description"]], separator="\n")
