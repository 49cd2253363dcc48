"""HTML entities to the characters they stand for, with core TensorFlow string operations only."""

import html.entities

import tensorflow as tf

# Those of HTML 4, with the apostrophe that XML added, as HTML 5 reads them.
NAMED = {name: html.entities.html5[f"{name};"] for name in ("apos", *html.entities.name2codepoint)}

# A code point that Unicode keeps for a program's own use: where a text is cut.
_CUT = "\ufdd3"
_REFERENCE = r"&(?:[A-Za-z][A-Za-z0-9]{1,7}|#[0-9]{1,10}|#[xX][0-9A-Fa-f]{1,10});"
_MOST_DIGITS = 10
_REPLACEMENT = 0xFFFD
# Numbers that are control characters were meant in the code of old Windows pages; browsers read them so.
_WINDOWS = [ord(byte.to_bytes().decode("cp1252", "replace")) for byte in range(0x80, 0xA0)]


def unescape(texts: tf.Tensor) -> tf.Tensor:
    """Replace the HTML entities of texts, named and numeric, by their characters.

    `"caf&eacute; &#8211; R&amp;D"` becomes `café – R&D`. Nothing is read twice: `&amp;lt;` becomes `&lt;`.
    Unknown names stay as they are; a number that is no character becomes U+FFFD.

    Args:
        texts: string (B,).

    Returns:
        string (B,).
    """
    marked = tf.strings.regex_replace(texts, _REFERENCE, rf"{_CUT}\0")
    pieces = tf.strings.split(marked, sep=_CUT)
    flat = pieces.flat_values  # (P,): each but a text's first begins with a reference
    name = tf.where(
        tf.strings.regex_full_match(flat, rf"(?s){_REFERENCE}.*"),
        tf.strings.regex_replace(flat, r"(?s)^&([^;]*);.*", r"\1"),
        "",
    )
    numeric = tf.strings.regex_full_match(name, "#.*")
    known, named = _named(name)
    character = tf.where(numeric, _numeric(tf.where(numeric, name, "#0")), named)
    rest = tf.strings.regex_replace(flat, r"^&[^;]*;", "")
    flat = tf.where(numeric | known, tf.strings.join([character, rest]), flat)
    return tf.strings.unsorted_segment_join(flat, pieces.value_rowids(), pieces.nrows())


def _named(name: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Look up names (P,): whether each is known, and its character."""
    # Not a lookup table: that would be a resource, which whoever exports the function has to keep.
    hashes = tf.strings.to_hash_bucket_fast(tf.constant(list(NAMED)), 2**62)
    order = tf.argsort(hashes)
    place = tf.searchsorted(tf.gather(hashes, order), tf.strings.to_hash_bucket_fast(name, 2**62))
    entry = tf.gather(order, tf.minimum(place, len(NAMED) - 1))
    return tf.gather(list(NAMED), entry) == name, tf.gather(list(NAMED.values()), entry)


def _numeric(name: tf.Tensor) -> tf.Tensor:
    """Read `#233` and `#xE9`, (P,), as characters."""
    base = tf.where(tf.strings.regex_full_match(name, "#[xX].*"), 16, 10)
    digits = tf.strings.unicode_decode(tf.strings.lower(tf.strings.regex_replace(name, "^#[xX]?0*", "")), "UTF-8")
    lengths = digits.row_lengths()
    padded = digits.to_tensor(ord("0"), shape=(None, _MOST_DIGITS))
    values = padded - tf.where(padded < ord("a"), ord("0"), ord("a") - 10)  # (P, 10)
    code = tf.zeros_like(base)
    for place in range(_MOST_DIGITS):
        # Beyond the last code point, it stays there: ten digits would run over.
        further = tf.minimum(code * base + values[:, place], 0x110000)
        code = tf.where(place < lengths, further, code)
    windows = tf.gather(_WINDOWS, tf.clip_by_value(code - 0x80, 0, len(_WINDOWS) - 1))
    code = tf.where((code >= 0x80) & (code < 0xA0), windows, code)
    valid = (code > 0) & (code < 0x110000) & ((code < 0xD800) | (code > 0xDFFF))
    return tf.strings.unicode_encode(tf.where(valid, code, _REPLACEMENT)[:, tf.newaxis], "UTF-8")
