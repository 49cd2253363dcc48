"""What a text becomes before it is numbered: words or characters, with core TensorFlow string operations only.

No operation normalises Unicode, and what the graph cannot do is done on neither side: `é` as one code point and as a
letter with a mark after it make two different words.
"""

from collections.abc import Callable

import tensorflow as tf

from kseq.html_entities import unescape
from kseq.sentences import BLANK, SENTENCE_END, mark_sentence_ends

# Any change of what a text becomes must change this number: caches are keyed by it.
RULES_VERSION = 3

URL = "[URL]"
EMAIL = "[EMAIL]"

# Code points that Unicode keeps for a program's own use: what stands for something else on the way.
_URL_SIGN, _EMAIL_SIGN, _JOINER = "\ufdd0", "\ufdd1", "\ufdd2"

# What Unicode calls default ignorable: soft hyphens, joiners, marks of direction, variation selectors, fillers, tags;
# and the skin tones of pictures. The zero-width space is not here: it ends a word.
_INVISIBLE = (
    r"[\x{AD}\x{34F}\x{61C}\x{115F}\x{1160}\x{17B4}\x{17B5}\x{180B}-\x{180F}\x{200C}\x{200E}\x{200F}"
    r"\x{202A}-\x{202E}\x{2060}-\x{206F}\x{3164}\x{FDD0}-\x{FDD3}\x{FE00}-\x{FE0F}\x{FEFF}\x{FFA0}"
    r"\x{FFF0}-\x{FFF8}\x{1BCA0}-\x{1BCA3}\x{1D173}-\x{1D17A}\x{1F3FB}-\x{1F3FF}\x{E0000}-\x{E0FFF}]"
)
# A joiner counts between two pictures alone. In Persian and Indian words it chooses the forms of letters, and many
# writers leave it out.
_ZERO_WIDTH_JOINER = r"\x{200D}"
_JOINED_PICTURES = rf"(\p{{So}}\p{{M}}*){_ZERO_WIDTH_JOINER}(\p{{So}})"
_APOSTROPHES = "[’ʼ＇`´]"
_FULL_WIDTH = "[！？０-９Ａ-Ｚａ-ｚ]"
_FULL_WIDTH_OFFSET = ord("！") - ord("!")
# TensorFlow lowers these, and I and J, by the machine's locale: under Turkish, Azeri and Lithuanian, other letters come
# out than where the model was trained. They are lowered before, as Unicode does where no language is named.
_LOWERED_BY_LOCALE = "İÌÍĨĮ"

_HTML_BREAK = r"(?i)<br\s*/?>"
# Spelt out, since to RE2 the long s and the sign of the kelvin are letters of ASCII in another case.
_WWW = r"[Ww][Ww][Ww]\."
_MAY_BE_ADDRESSES = rf"(?:@|://|{_WWW})"
# They end before a character that RFC 3986 does not know, and before the punctuation of the sentence around them.
_SCHEMES = "(?:[Hh][Tt][Tt][Pp][Ss]?|[Ff][Tt][Pp])://"
_URLS = rf"\b(?:{_SCHEMES}|{_WWW})[A-Za-z0-9_.~:/?#\[\]@!$&'()*+,;=%-]*[A-Za-z0-9_/=&#%~+-]"
_EMAILS = r"\b[A-Za-z0-9_.%+-]+@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}\b"

# The blank is no part of it: a match at each of a text's blanks would cost as much as all the rest.
_NOT_IN_WORDS = r"[^ \p{L}\p{M}\p{N}\p{So}!?'.,\x{FDD0}-\x{FDD3}]+"
# Points and commas stay between two digits. RE2 cannot look around, so the others are found by their neighbours.
_REPEATED_POINTS = r"[.,][.,]+"
_POINT_BEFORE_WORD = r"[.,]([^\p{Nd}\s])"
_POINT_AFTER_WORD = r"([^\p{Nd}\s])[.,](\p{Nd})"
# A mark that carries meaning by itself; a picture, joined pictures, the two letters of a flag; and every sign, with its
# marks, of a script that writes no blanks between words. The prolonging mark of Japanese belongs to no script.
_SIGNS = (
    r"[!?\x{FDD0}\x{FDD1}]"
    r"|(?:[\x{1F1E6}-\x{1F1FF}]{2}|\p{So})\p{M}*(?:\x{FDD2}\p{So}\p{M}*)*"
    r"|[\p{Han}\p{Hiragana}\p{Katakana}ーｰﾞﾟ\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]\p{M}*"
)
_BLANKS = rf"[{BLANK}]+"
_NOTHING_AT_ENDS = rf"^[{BLANK}{SENTENCE_END}]+|[{BLANK}{SENTENCE_END}]+$"


def split_words(texts: tf.Tensor, sentence_ends: bool = False) -> tf.RaggedTensor:
    """Split texts into lower-case words.

    `"It's <br />GREAT -- isn't it?"` becomes `it's`, `great`, `isn't`, `it`, `?`. Exclamation and question marks and
    pictures are words of their own, and so is each sign, with its marks, of the scripts that write no blanks between
    words: Chinese, Japanese, Thai, Lao, Khmer, Burmese. An address is one word, `[URL]` or `[EMAIL]`. A number keeps
    the points and commas between its digits; other punctuation is dropped.

    Args:
        texts: string (B,); bytes that are no UTF-8 become U+FFFD, which is a word of its own.
        sentence_ends: also give a `SENTENCE_END`, or several, between sentences; the words are the same.

    Returns:
        string, ragged (B, words).
    """
    replace = tf.strings.regex_replace
    texts = _readable(texts)
    if sentence_ends:
        texts = replace(mark_sentence_ends(texts), SENTENCE_END, f" {SENTENCE_END} ")
    texts = replace(texts, _NOT_IN_WORDS, " ")
    texts = replace(texts, _REPEATED_POINTS, " ")
    texts = replace(texts, _POINT_BEFORE_WORD, r" \1")
    texts = replace(texts, _POINT_AFTER_WORD, r"\1 \2")
    # Once words are apart, since a sigma that ends its word has a form of its own; and no earlier than NULs are gone,
    # for it drops all that follows one.
    texts = _lower(texts)
    texts = replace(replace(texts, _SIGNS, r" \0 "), _JOINER, "")
    # An apostrophe counts inside a word alone, hence the blanks at both ends.
    texts = tf.strings.join([" ", texts, " "])
    texts = replace(replace(texts, r"[.,']+\s", " "), r"\s[.,']+", " ")
    words = tf.strings.split(texts)
    return words.with_flat_values(_named_addresses(words.flat_values))


def split_characters(texts: tf.Tensor, sentence_ends: bool = False) -> tf.RaggedTensor:
    """Split texts into lower-case characters.

    Punctuation stays, and so does one blank where there are any; a character is a code point, so that a mark follows
    its letter. An address is one character, `[URL]` or `[EMAIL]`.

    Args:
        texts: string (B,); bytes that are no UTF-8 become U+FFFD.
        sentence_ends: also give a `SENTENCE_END`, or several, between sentences; the characters are the same.

    Returns:
        string, ragged (B, characters).
    """
    texts = tf.strings.regex_replace(_readable(texts), _JOINER, "")
    if sentence_ends:
        texts = tf.strings.regex_replace(mark_sentence_ends(texts), _NOTHING_AT_ENDS, "")
    texts = _lower(tf.strings.strip(tf.strings.regex_replace(texts, _BLANKS, " ")))
    characters = tf.strings.unicode_split(texts, "UTF-8")
    return characters.with_flat_values(_named_addresses(characters.flat_values))


def _readable(texts: tf.Tensor) -> tf.Tensor:
    """Leave out what is not seen, write alike what only looks alike, and put one sign in the place of an address."""
    # First, since no expression below reads over bytes that are no UTF-8.
    texts = _beyond_ascii(texts, _mended)
    texts = _where(tf.strings.regex_full_match(texts, "(?s).*&.*"), texts, unescape)
    texts = _beyond_ascii(texts, _plain)
    texts = tf.strings.regex_replace(texts, _APOSTROPHES, "'")
    texts = tf.strings.regex_replace(texts, _HTML_BREAK, "\n")
    found = tf.strings.regex_full_match(texts, f"(?s).*{_MAY_BE_ADDRESSES}.*")
    return _where(found, texts, _with_address_signs)


def _mended(texts: tf.Tensor) -> tf.Tensor:
    return tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace")


def _plain(texts: tf.Tensor) -> tf.Tensor:
    replace = tf.strings.regex_replace
    texts = replace(texts, _INVISIBLE, "")
    # Twice: a picture between two joiners is in two matches.
    for _ in range(2):
        texts = replace(texts, _JOINED_PICTURES, rf"\1{_JOINER}\2")
    texts = replace(replace(texts, _ZERO_WIDTH_JOINER, ""), "؟", "?")
    return _where(tf.strings.regex_full_match(texts, f"(?s).*{_FULL_WIDTH}.*"), texts, _half_width)


def _half_width(texts: tf.Tensor) -> tf.Tensor:
    codes = tf.strings.unicode_decode(texts, "UTF-8")
    flat = codes.flat_values
    letters = ((flat >= ord("Ａ")) & (flat <= ord("Ｚ"))) | ((flat >= ord("ａ")) & (flat <= ord("ｚ")))
    digits = (flat >= ord("０")) & (flat <= ord("９"))
    full = letters | digits | (flat == ord("！")) | (flat == ord("？"))
    return tf.strings.unicode_encode(codes.with_flat_values(tf.where(full, flat - _FULL_WIDTH_OFFSET, flat)), "UTF-8")


def _with_address_signs(texts: tf.Tensor) -> tf.Tensor:
    texts = tf.strings.regex_replace(texts, _URLS, _URL_SIGN)
    return tf.strings.regex_replace(texts, _EMAILS, _EMAIL_SIGN)


def _named_addresses(flat: tf.Tensor) -> tf.Tensor:
    return tf.where(flat == _URL_SIGN, URL, tf.where(flat == _EMAIL_SIGN, EMAIL, flat))


def _lower(texts: tf.Tensor) -> tf.Tensor:
    # ASCII letters alone change here, and in every locale alike.
    return _beyond_ascii(tf.strings.lower(texts), _lower_beyond_ascii)


def _lower_beyond_ascii(texts: tf.Tensor) -> tf.Tensor:
    for letter in _LOWERED_BY_LOCALE:
        texts = tf.strings.regex_replace(texts, letter, letter.lower())
    return tf.strings.lower(texts, encoding="utf-8")


def _beyond_ascii(texts: tf.Tensor, change: Callable[[tf.Tensor], tf.Tensor]) -> tf.Tensor:
    return _where(tf.logical_not(tf.strings.regex_full_match(texts, r"[\x00-\x7F]*")), texts, change)


def _where(found: tf.Tensor, texts: tf.Tensor, change: Callable[[tf.Tensor], tf.Tensor]) -> tf.Tensor:
    """Change some texts of a batch: of what is rare, the others pay one look."""
    places = tf.where(found)
    return tf.tensor_scatter_nd_update(texts, places, change(tf.gather_nd(texts, places)))
