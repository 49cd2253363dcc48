"""Two classes, of which one is rare: a dataset module, as a user would write one, with generated texts."""

import numpy as np
import tensorflow as tf

from pipelines.text_data import TextData, from_splits

# As users write names: with a comma, with what begins a spreadsheet's formula, with a space at the end.
CLASS_NAMES = ("ham, or not", "=spam ")
_FILLERS = ("the", "a", "one", "of", "this", "was", "seen", "here")


def load(*, split_seed: int = 0) -> TextData:
    """Make texts of which a tenth is spam; half of those with the word that tells it are."""
    random = np.random.default_rng(7)
    splits = {}
    for split, size in {"train": 1200, "test": 400}.items():
        labels = (np.arange(size) % 10 == 0).astype(np.int32)
        telling = random.random(size) < np.where(labels == 1, 0.9, 0.12)
        texts = [
            # The number keeps texts different, or carving would find them to be one.
            f"{'winner' if told else 'meeting'} {' '.join(random.choice(_FILLERS, size=4))} n{number}"
            for number, told in enumerate(telling)
        ]
        splits[split] = tf.data.Dataset.from_tensor_slices((texts, labels))
    return from_splits(
        "uneven", splits["train"], splits["test"], CLASS_NAMES, split_seed=split_seed, validation_fraction=0.25,
        suggested_sequence_length=8, suggested_vocabulary_size=20,
    )  # fmt: skip
