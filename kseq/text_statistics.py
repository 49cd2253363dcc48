"""What texts are like: lengths, alphabets, languages, Unicode forms. NumPy and the standard library; prints nothing."""

import dataclasses
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

PERCENTILES = (5, 25, 50, 75, 95, 99)

# The first word of a character's Unicode name tells its script, save for these.
_SCRIPTS = {"CJK": "Han", "FULLWIDTH": "Latin", "HALFWIDTH": "Katakana", "IDEOGRAPHIC": "Han"}
# Fewer letters tell no language.
_LANGUAGE_LETTERS = 12
# Below it, no language is more likely than all others together.
_LEAST_CERTAIN = 0.5


@dataclasses.dataclass(frozen=True)
class TextStatistics:
    """What some texts are like.

    Attributes:
        texts: number of texts that were looked at.
        scripts: share of the letters by script, the commonest first.
        languages: number of texts by ISO 639-1 code, the commonest first; "unclear" where a text is too short or mixed.
        not_normalised: number of texts that are not in Unicode's normal form C: the same letter may then be written in
            two ways, which are two words to a model.
        replaced_characters: number of U+FFFD, left by somebody who read bytes in the wrong encoding.
        controls: number of texts with control characters other than tab and line ends.
    """

    texts: int
    scripts: dict[str, float]
    languages: dict[str, int]
    not_normalised: int
    replaced_characters: int
    controls: int


def text_statistics(texts: Iterable[str], language_every: int = 1) -> TextStatistics:
    """Look at texts one by one, without keeping them.

    Args:
        texts: of a split.
        language_every: of how many texts one is asked for its language, at a millisecond each.
    """
    characters: Counter[str] = Counter()
    languages: Counter[str] = Counter()
    count = not_normalised = controls = 0
    identify = _identifier()
    for count, text in enumerate(texts, start=1):
        found = Counter(text)
        characters.update(found)
        not_normalised += not unicodedata.is_normalized("NFC", text)
        controls += any(unicodedata.category(sign) == "Cc" and sign not in "\t\n\r" for sign in found)
        if (count - 1) % language_every == 0:
            languages[identify(text)] += 1
    return TextStatistics(
        texts=count,
        scripts=_scripts(characters),
        languages=dict(languages.most_common()),
        not_normalised=not_normalised,
        replaced_characters=characters["\ufffd"],
        controls=controls,
    )


def percentiles(lengths: np.ndarray) -> dict[int, int]:
    """Give the percentiles of lengths, int (N,): the least length that so many percent of the texts do not exceed."""
    found = np.percentile(lengths, PERCENTILES, method="inverted_cdf")
    return dict(zip(PERCENTILES, found.astype(int).tolist(), strict=True))


def unknown_share(counts: Counter[str], vocabulary: Sequence[str]) -> float:
    """Tell which fraction of the tokens counted is out of a vocabulary."""
    known = sum(counts[token] for token in vocabulary)
    return 1 - known / max(counts.total(), 1)


def _scripts(characters: Counter[str]) -> dict[str, float]:
    scripts: Counter[str] = Counter()
    for sign, count in characters.items():
        if unicodedata.category(sign).startswith("L"):
            word = unicodedata.name(sign, "unknown").split()[0].split("-")[0]
            scripts[_SCRIPTS.get(word, word.capitalize())] += count
    return {script: count / scripts.total() for script, count in scripts.most_common()}


def _identifier():
    """Make the function that tells the language of a text."""
    # It is compiled and unpacked when it is made, which takes a second.
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)

    def identify(text: str) -> str:
        if sum(map(str.isalpha, text)) < _LANGUAGE_LETTERS:
            return "unclear"
        language, probability = identifier.classify(text)
        return language if probability >= _LEAST_CERTAIN else "unclear"

    return identify
