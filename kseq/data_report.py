"""The report on a dataset: what is in it, what is wrong with it, and which options it suggests."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from kseq.experiment import suggested_length, token_batches
from kseq.options import Options
from kseq.text_statistics import percentiles, text_statistics, unknown_share
from kseq.vocabulary import count_tokens, frequent_tokens
from pipelines.streams import select, untuned
from pipelines.survey import Survey, survey
from pipelines.text_data import TextData

_BATCH = 256
_LANGUAGES_OF = 1000
_EXAMPLES = 3
_SHOWN_CHARACTERS = 80
# How many times as common as another a class is when weights begin to help.
_UNEVEN = 4


def data_report(data: TextData, options: Options) -> dict[str, Any]:
    """Look at every text of train and test once.

    Args:
        data: the splits.
        options: the group "text": how texts are split, and what is to be set instead of suggested.

    Returns:
        What JSON knows: `name`, `sizes`, `reading`, `notes`, `classes`, `target_kind`, `lengths` in tokens, `scripts`,
        `languages` and so on as in `TextStatistics`, `repeated` and `conflicting` texts, `unknown_share` of test,
        `suggested` options, `warnings`.
    """
    surveys = {split: survey(getattr(data, split)) for split in ("train", "validation", "test")}
    counts, lengths = _counts_and_lengths(data.train, options.tokens)
    test_counts, _ = _counts_and_lengths(data.test, options.tokens)
    length = options.sequence_length or suggested_length(data, options.tokens)
    # Where no word comes twice, a run would stop and say so; the report goes on.
    least = min(options.min_count, max(counts.values(), default=0))
    vocabulary = frequent_tokens(counts, options.vocabulary_size or data.suggested_vocabulary_size, least)
    statistics = text_statistics(_decoded(data.train), max(1, data.sizes["train"] // _LANGUAGES_OF))
    conflicts = surveys["train"].conflicting
    return {
        "name": data.name,
        "target_kind": data.target_kind,
        "sizes": dict(data.sizes),
        "reading": dict(data.reading),
        "notes": list(data.notes),
        "classes": _classes(surveys, data.class_names),
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
        "repeated": len(surveys["train"]) - len(np.unique(surveys["train"].hashes)),
        "conflicting": {
            "texts": len(conflicts),
            "examples": _examples(data.train, surveys["train"], conflicts[:_EXAMPLES]),
        },
        "unknown_share": unknown_share(test_counts, vocabulary),
        "suggested": {
            "sequence_length": length,
            "longer_share": float((lengths > length).mean()),
            "vocabulary_size": len(vocabulary),
            "min_count": least,
            "uneven": bool(_uneven(surveys["train"], len(data.class_names))),
        },
        "min_count": options.min_count,
        "warnings": list(data.warnings),
    }


def _counts_and_lengths(split: tf.data.Dataset, tokens: str) -> tuple[Counter[str], np.ndarray]:
    """Count the tokens of a split, and give the number of each text's, int (N,), in one reading."""
    lengths = []

    def counted() -> Iterator[np.ndarray]:
        for found, of_texts in token_batches(split, tokens):
            lengths.append(of_texts)
            yield found

    return count_tokens(counted()), np.concatenate(lengths)


def _uneven(found: Survey, number_of_classes: int) -> bool:
    """Whether some class is so rare beside another that a model may leave it out."""
    counts = found.counts(number_of_classes)
    return counts.max() > _UNEVEN * counts.min()


def _decoded(split: tf.data.Dataset) -> Iterator[str]:
    texts = untuned(split.map(lambda text, _: text).batch(_BATCH).prefetch(2))
    for batch in texts.as_numpy_iterator():
        for text in batch.tolist():
            yield text.decode("utf-8", "replace")


def _classes(surveys: dict[str, Survey], class_names: tuple[str, ...]) -> list[dict[str, Any]]:
    counts = {split: found.counts(len(class_names)) for split, found in surveys.items()}
    return [
        {
            "name": name,
            **{split: int(counts[split][place]) for split in counts},
            "share": float(counts["train"][place] / len(surveys["train"])),
        }
        for place, name in enumerate(class_names)
    ]


def _examples(split: tf.data.Dataset, found: Survey, hashes: np.ndarray) -> list[str]:
    """The texts that have these hashes, cut where they are long."""
    if not len(hashes):
        return []
    places = [int(np.flatnonzero(found.hashes == each)[0]) for each in hashes]
    chosen = np.zeros(len(found), bool)
    chosen[places] = True
    texts = (" ".join(text.split()) for text in _decoded(select(split, chosen)))
    return [text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…" for text in texts]
