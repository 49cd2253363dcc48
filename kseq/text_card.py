"""What the model card says of texts: how to send one, what of it is read, where not to trust the answer."""

from collections.abc import Iterable, Mapping
from typing import Any

from kseq.markdown import code as _code
from kseq.text_options import BOTH, CHARACTER

# What a card cannot be written without.
REQUIRED_OPTIONS = ("embedding_dim", "vocabulary_size")
TAKES = "raw text"
EMPTY = "an empty text"
KIN = "language"
LISTS = ("vocabulary.txt",)
_KEPT = {
    "head": "the first {length} {tokens}",
    "tail": "the last {length} {tokens}",
    "head_tail": "the first {half} and the last {rest} {tokens}",
}


def call(record: Mapping[str, Any]) -> tuple[str, str, str]:
    """Write, in Python, what is to be made first, what the signature takes, and what `kseq.load` takes."""
    texts = '["a text of yours", "and another"]'
    return "", f"text=tf.constant({texts})", texts


def reading(found: Mapping[str, Any]) -> str:
    """Say which columns were read, where there were some."""
    columns = ", ".join(_code(name) for name in found.get("text_column") or ())
    return f" The text stands in {columns}, the label in {_code(found['label_column'])}." if columns else ""


def vectors(record: Mapping[str, Any]) -> str:
    """Say what stands at a time step, a sentence."""
    options = record["options"]
    return (
        f"Each of {options['vocabulary_size']:,} {_tokens(options)} is a vector of {options['embedding_dim']} "
        f"numbers{_beside(options)}."
    )


def kept(options: Mapping[str, Any]) -> str:
    """Say how much of a text is read."""
    wording = _KEPT.get(options["truncation"], "at most {length} {tokens}")
    length = options["sequence_length"]
    return wording.format(length=length, half=length - length // 2, rest=length // 2, tokens=_tokens(options))


def _tokens(options: Mapping[str, Any]) -> str:
    # Records of earlier versions have no such option.
    return "characters" if options.get("tokens") == CHARACTER else "words"


def limits(record: Mapping[str, Any]) -> Iterable[str]:
    """Say, as limits, what of a text counts."""
    options = record["options"]
    ngrams, size = options.get("ngrams", 1), f"{options['vocabulary_size']:,}"
    beyond = f", but for its words and runs of up to {ngrams} words, which count wherever they stand" * (ngrams > 1)
    yield f"- Of a text it reads {kept(options)}; the rest changes nothing{beyond}."
    if options.get("tokens") == CHARACTER:
        yield f"- It knows the {size} entries of its vocabulary. All other characters are one and the same to it."
    elif options.get("tokens") == BOTH:
        yield (
            f"- It knows the {size} entries of its vocabulary. Other words, misspelt ones included, it reads by runs "
            "of three and four of their characters, as far as its training texts had these."
        )
    else:
        yield (
            f"- It knows the {size} entries of its vocabulary. All other words, misspelt ones included, are one and "
            "the same unknown word to it" + (", except where they are added up." if ngrams > 1 else ".")
        )
    yield (
        "- It tells letters by their code points: text in another Unicode normal form than that of its training texts "
        "is made of other words to it. Chinese, Japanese, Thai, Lao, Khmer and Burmese are read sign by sign."
    )


def within(options: Mapping[str, Any]) -> str:
    """Say what of the texts the tables hold."""
    if not options.get("predictions_text"):
        return ""
    return " The predictions hold the beginnings of the test texts; `--no-predictions-text` leaves them out."


def _beside(options: Mapping[str, Any]) -> str:
    parts = []
    if options.get("tokens") == BOTH:
        parts.append(
            f"the mean of its character n-grams' vectors ({options['character_buckets']:,} hashes) added to it"
        )
    if options.get("ngrams", 1) > 1:
        parts.append(
            f"the mean of the vectors of all words and word n-grams up to {options['ngrams']} "
            f"({options['ngram_buckets']:,} hashes) joined to what the head gives"
        )
    return f", with {' and '.join(parts)}" if parts else ""
