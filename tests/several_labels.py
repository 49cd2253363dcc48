"""Texts with any number of labels: a dataset module, as a user would write one, with generated texts."""

import numpy as np
import tensorflow as tf

from pipelines.text_data import TextData, from_splits

CLASS_NAMES = ("billing, cards", "error=5xx", "网络", "praise")
_WORDS = ("invoice", "crash", "cable", "thanks")
_FILLERS = ("the", "a", "one", "of", "this", "was", "seen", "here")


def load(*, split_seed: int = 0) -> TextData:
    """Make texts in which a word tells each label, nearly always; a tenth of them has none, and the last is rare."""
    random = np.random.default_rng(7)
    splits = {}
    for split, size in {"train": 900, "test": 200}.items():
        labels = (random.random((size, 4)) < [0.4, 0.3, 0.3, 0.08]).astype(np.int8)
        labels[::10] = 0
        told = np.where(random.random((size, 4)) < 0.03, 1 - labels, labels)
        texts = [
            " ".join([*(word for word, flag in zip(_WORDS, row, strict=True) if flag), *words, f"n{number}"])
            for number, (row, words) in enumerate(zip(told, random.choice(_FILLERS, size=(size, 4)), strict=True))
        ]
        splits[split] = tf.data.Dataset.from_tensor_slices((texts, labels))
    return from_splits(
        "several", splits["train"], splits["test"], CLASS_NAMES, target_kind="classes", split_seed=split_seed,
        validation_fraction=0.25, suggested_sequence_length=10, suggested_vocabulary_size=20,
    )  # fmt: skip
