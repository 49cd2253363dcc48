"""The tokens of a split's texts, and how many of them a model reads where nobody says."""

import os
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from kseq.text_options import CHARACTER
from kseq.vectorizer import split_tokens
from pipelines.streams import untuned

_BATCH = 256
_HASHES = 2**62
# With the blank after it. A step a character makes long texts slow, and recurrent networks forget over a thousand.
_CHARACTERS_PER_WORD = 5
_MOST_CHARACTERS = 1000


def token_batches(
    dataset: tf.data.Dataset, tokens: str, hashed: bool = False
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Split the texts of a dataset of `(text, target)`: some texts' tokens at a time, and how many each text has.

    Args:
        dataset: unbatched.
        tokens: what a token is.
        hashed: give int64 hashes in place of tokens; of a million different tokens, two share one once in ten million.
    """

    def tokens_and_lengths(texts: tf.Tensor, _: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        found = split_tokens(texts, tokens)
        flat = found.flat_values
        return tf.strings.to_hash_bucket_fast(flat, _HASHES) if hashed else flat, found.row_lengths()

    batches = dataset.batch(_BATCH).map(tokens_and_lengths, num_parallel_calls=os.cpu_count())
    return untuned(batches.prefetch(2)).as_numpy_iterator()


def suggested_length(words: int, tokens: str) -> int:
    """Take over the number of words that a dataset suggests, or as many characters as such texts have."""
    return words if tokens != CHARACTER else min(_CHARACTERS_PER_WORD * words, _MOST_CHARACTERS)
