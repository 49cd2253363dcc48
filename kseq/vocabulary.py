"""The vocabulary of a training split: what is counted, and what of it gets an id of its own."""

import collections
from collections.abc import Iterable

import numpy as np

from kseq.errors import UsageError

PADDING_ID = 0
UNKNOWN_ID = 1
RESERVED_TOKENS = ("[PAD]", "[UNK]")


def count_tokens(batches: Iterable[np.ndarray]) -> collections.Counter[str]:
    """Count tokens.

    Args:
        batches: bytes (tokens of some texts,).
    """
    counter: collections.Counter[bytes] = collections.Counter()
    for batch in batches:
        counter.update(batch.tolist())
    return collections.Counter({token.decode(): count for token, count in counter.items()})


def frequent_tokens(counter: collections.Counter[str], vocabulary_size: int, min_count: int) -> list[str]:
    """Choose the vocabulary: the two reserved entries, then the most frequent tokens.

    Args:
        counter: number of occurrences by token.
        vocabulary_size: most entries, the reserved two included.
        min_count: fewest occurrences of a token. At 1, no token of the training texts is unknown, so that the vector
            that stands for unknown tokens is never trained.

    Returns:
        The tokens; a token's place is its id. Equal counts are ordered by the token, for one result always.

    Raises:
        UsageError: no token occurs often enough.
    """
    kept = [(-count, token) for token, count in counter.items() if count >= min_count]
    if not kept:
        found = f"at most {max(counter.values())} times" if counter else "not at all: they hold none"
        raise UsageError(
            f"min_count is {min_count}, and tokens occur {found} in the training texts. "
            "Lower --min-count, or look at the texts."
        )
    return [*RESERVED_TOKENS, *(token for _, token in sorted(kept)[: vocabulary_size - len(RESERVED_TOKENS)])]
