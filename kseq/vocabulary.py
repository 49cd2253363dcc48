"""The vocabulary of a training split: what is counted, and what of it gets an id of its own."""

import collections
from collections.abc import Iterable

import numpy as np

from kseq.errors import UsageError

PADDING_ID = 0
UNKNOWN_ID = 1
RESERVED_TOKENS = ("[PAD]", "[UNK]")


# Some 170 MiB; what is dropped on the way to a vocabulary of some 10,000 is rare either way.
_MOST_TOKENS = 2_000_000


def count_tokens(batches: Iterable[np.ndarray], most: int = _MOST_TOKENS) -> collections.Counter[str]:
    """Count tokens.

    Args:
        batches: bytes (tokens of some texts,), in the same order each time.
        most: different tokens to hold at once. Beyond it, those seen once so far are dropped, then those seen twice,
            and so on: the counts of such tokens then come out too low.
    """
    counter: collections.Counter[bytes] = collections.Counter()
    seen = 1
    for batch in batches:
        counter.update(batch.tolist())
        while len(counter) > most:
            counter = collections.Counter({token: count for token, count in counter.items() if count > seen})
            seen += 1
    counts: collections.Counter[str] = collections.Counter()
    while counter:
        # Never both of them whole.
        token, count = counter.popitem()
        counts[token.decode()] = count
    return counts


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
