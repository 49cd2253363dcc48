"""Stanford Sentiment as in GLUE, negative or positive: 67,349 phrases to train, 872 sentences to test.

The labels of GLUE's test split are hidden, so its validation split is our test, which is what most papers report as
"SST-2 dev". Our validation is carved from train. Train is phrases cut from sentences, so that a validation phrase often
has a longer or shorter relative in train: expect its score to lie above the test score.
"""

from pipelines import tensorflow_datasets_source as source
from pipelines.text_data import TextData, from_splits

TFDS_NAME = "glue/sst2"
ARCHIVES = ("https://dl.fbaipublicfiles.com/glue/data/SST-2.zip",)


def load(
    *,
    data_dir: str | None = None,
    manual_dir: str | None = None,
    split_seed: int = 0,
    validation_fraction: float = 0.1,
) -> TextData:
    """Load the phrases; test is the official validation split, since the official test has no labels.

    Args:
        data_dir: folder of prepared datasets.
        manual_dir: folder that holds the original `SST-2.zip`.
        split_seed: seed of the carving of validation.
        validation_fraction: share of train to carve, between 0 and 1.

    Raises:
        DataError: the data is not there and cannot be fetched, or is damaged.
    """
    builder = source.prepared(TFDS_NAME, ARCHIVES, data_dir=data_dir, manual_dir=manual_dir)
    with source.reading(builder):
        return from_splits(
            "sst2",
            source.read(builder, "train").map(lambda phrase: (phrase["sentence"], phrase["label"])),
            source.read(builder, "validation").map(lambda phrase: (phrase["sentence"], phrase["label"])),
            ("negative", "positive"),
            validation_fraction=validation_fraction,
            split_seed=split_seed,
            suggested_sequence_length=50,
            suggested_vocabulary_size=15_000,
        )
