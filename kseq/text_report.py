"""The part of a data report that is about texts: lengths, alphabets, languages, what is unknown, what is suggested."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from kseq.options import Options
from kseq.text_statistics import percentiles, text_statistics, unknown_share
from kseq.text_tokens import suggested_length, token_batches
from kseq.vocabulary import count_tokens, frequent_tokens
from pipelines.streams import select, untuned
from pipelines.text_data import TextData

_BATCH = 256
_LANGUAGES_OF = 1000
_SHOWN_CHARACTERS = 80
_SHOWN_SHARES = 6


def text_report(data: TextData, options: Options) -> dict[str, Any]:
    """Look at every text of train and test once.

    Args:
        data: the splits.
        options: the group "text": how texts are split, and what is to be set instead of suggested.

    Returns:
        What JSON knows: `lengths` in tokens, `tokens`, `scripts`, `languages` and so on as in `TextStatistics`,
        `unknown_share` of test, `suggested` options and the `min_count` that was asked for.
    """
    counts, lengths = _counts_and_lengths(data.train, options.tokens)
    test_counts, _ = _counts_and_lengths(data.test, options.tokens)
    length = options.sequence_length or suggested_length(data.suggested_sequence_length, options.tokens)
    # Where no word comes twice, a run would stop and say so; the report goes on.
    least = min(options.min_count, max(counts.values(), default=0))
    vocabulary = frequent_tokens(counts, options.vocabulary_size or data.suggested_vocabulary_size, least)
    statistics = text_statistics(_decoded(data.train), max(1, data.sizes["train"] // _LANGUAGES_OF))
    return {
        "lengths": {
            "mean": round(float(lengths.mean()), 1),
            "percentiles": percentiles(lengths),
            "longest": int(lengths.max()),
        },
        "tokens": {"all": counts.total(), "different": len(counts), "kind": options.tokens},
        "scripts": statistics.scripts,
        "languages": statistics.languages,
        "not_normalised": statistics.not_normalised,
        "replaced_characters": statistics.replaced_characters,
        "control_characters": statistics.controls,
        "unknown_share": unknown_share(test_counts, vocabulary),
        "suggested": {
            "sequence_length": length,
            "longer_share": float((lengths > length).mean()),
            "vocabulary_size": len(vocabulary),
            "min_count": least,
        },
        "min_count": options.min_count,
    }


def text_report_lines(found: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Say what the report found, a topic and a line each."""
    lengths, tokens = found["lengths"], found["tokens"]
    kind = "characters" if tokens["kind"] == "character" else "words"
    shares = ", ".join(f"{share}% up to {length:,}" for share, length in lengths["percentiles"].items())
    yield "lengths", f"{kind} of a train text: {shares}; the longest {lengths['longest']:,}"
    yield "scripts", _shares(found["scripts"]) or "no letters at all"
    looked_at = sum(found["languages"].values())
    languages = {name: count / looked_at for name, count in found["languages"].items()}
    yield "languages", f"{_shares(languages)}, of {looked_at:,} texts (unclear: short or mixed)"
    for name, words in (
        ("not_normalised", "texts are not in Unicode normal form C, where a letter may be written in two ways"),
        ("replaced_characters", "characters are U+FFFD, which somebody left who read bytes in the wrong encoding"),
        ("control_characters", "texts hold control characters"),
    ):
        if found[name]:
            yield "warning", f"{found[name]:,} {words}"
    yield (
        "vocabulary",
        f"{tokens['different']:,} different {kind} in train; {found['unknown_share']:.1%} of test's are unknown",
    )


def text_suggestions(found: Mapping[str, Any]) -> str:
    """Write the suggested options as flags."""
    suggested = found["suggested"]
    return (
        f"--sequence-length {suggested['sequence_length']} ({suggested['longer_share']:.1%} of train texts are longer) "
        f"--vocabulary-size {suggested['vocabulary_size']}"
        + ("" if suggested["min_count"] == found["min_count"] else f" --min-count {suggested['min_count']}")
    )


def shown_texts(split: tf.data.Dataset, chosen: np.ndarray) -> list[str]:
    """Give the texts whose flag in `chosen`, bool (N,), is True, cut where they are long."""
    texts = (" ".join(text.split()) for text in _decoded(select(split, chosen)))
    return [text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…" for text in texts]


def _counts_and_lengths(split: tf.data.Dataset, tokens: str) -> tuple[Counter[str], np.ndarray]:
    """Count the tokens of a split, and give the number of each text's, int (N,), in one reading."""
    lengths = []

    def counted() -> Iterator[np.ndarray]:
        for found, of_texts in token_batches(split, tokens):
            lengths.append(of_texts)
            yield found

    return count_tokens(counted()), np.concatenate(lengths)


def _decoded(split: tf.data.Dataset) -> Iterator[str]:
    texts = untuned(split.map(lambda text, _: text).batch(_BATCH).prefetch(2))
    for batch in texts.as_numpy_iterator():
        for text in batch.tolist():
            yield text.decode("utf-8", "replace")


def _shares(shares: Mapping[str, float]) -> str:
    parts = [f"{name} {share:.1%}" for name, share in list(shares.items())[:_SHOWN_SHARES]]
    return ", ".join(parts) + (", …" if len(shares) > _SHOWN_SHARES else "")
