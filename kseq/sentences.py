"""Where sentences end, and the number of each token's sentence, with core TensorFlow string operations only.

Whatever changes where a sentence ends must raise `word_rules.RULES_VERSION`: caches are keyed by it.
"""

import tensorflow as tf

# A code point that Unicode keeps for a program's own use, and that no readable text has: the end of a sentence.
SENTENCE_END = "\ufdd3"

BLANK = r"\s\x00-\x1F\x7F-\x{9F}\p{Z}\x{200B}"
_LINE_ENDS = rf"[{BLANK}]*[\n\r\x0B\x0C\x{{85}}\x{{2028}}\x{{2029}}][{BLANK}]*"
# What ends a sentence wherever it stands: ! and ?, and the full stops of scripts that use them for nothing else.
_FULL_STOPS = r"!?。｡।॥۔։።។။"
_CLOSERS = r"""["'“”«»‹›)\]}」』】）〉》]*"""
_STRONG_ENDS = rf"[.…]*[{_FULL_STOPS}][.…{_FULL_STOPS}]*{_CLOSERS}"
# A point is also part of numbers, and short for what is left out: a blank comes after the end of a sentence.
_WEAK_ENDS = rf"([.…]+{_CLOSERS})([{BLANK}{SENTENCE_END}])"


def mark_sentence_ends(texts: tf.Tensor) -> tf.Tensor:
    """Put a sign after each sentence; where that is taken out, words and characters are what they were.

    A sentence ends with `!`, `?` or a full stop such as `。`, with a point or an ellipsis before a blank, quotes and
    brackets that close after them included, and with its line. So does what only looks like it: `Mr. Smith` is two.

    Args:
        texts: string (B,), readable: full-width marks, entities and breaks are plain ones and line ends by now.

    Returns:
        string (B,), with one `SENTENCE_END` or several in a row where a sentence ends.
    """
    # A run of blanks stays one: it is a single blank among characters.
    texts = tf.strings.regex_replace(texts, _LINE_ENDS, f"{SENTENCE_END} ")
    texts = tf.strings.regex_replace(texts, _STRONG_ENDS, rf"\0{SENTENCE_END}")
    return tf.strings.regex_replace(texts, _WEAK_ENDS, rf"\1{SENTENCE_END}\2")


def take_out_ends(marked: tf.RaggedTensor) -> tuple[tf.RaggedTensor, tf.RaggedTensor]:
    """Part tokens from the signs of `mark_sentence_ends`.

    Returns:
        The tokens, string ragged (B, tokens), and a number for each, int32 of the same rows, which differs from that of
        the token before it where another sentence begins.
    """
    is_end = marked.flat_values == SENTENCE_END
    numbers = marked.with_flat_values(tf.cumsum(tf.cast(is_end, tf.int32)))
    is_token = marked.with_flat_values(tf.logical_not(is_end))
    return tf.ragged.boolean_mask(marked, is_token), tf.ragged.boolean_mask(numbers, is_token)


def count_from_one(numbers: tf.RaggedTensor) -> tf.RaggedTensor:
    """Number the sentences of each row anew, 1, 2, 3 and so on, whatever numbers are missing.

    `[[4, 4, 9], [], [9, 10]]` becomes `[[1, 1, 2], [], [1, 2]]`.
    """
    flat = numbers.flat_values
    changes = tf.cast(flat[1:] != flat[:-1], flat.dtype)
    # Over all rows at first; then what had come before a row is taken off.
    counted = tf.cumsum(tf.concat([tf.ones_like(flat[:1]), changes], axis=0))
    first = tf.gather(counted, tf.gather(numbers.row_starts(), numbers.value_rowids()))
    return numbers.with_flat_values(counted - first + 1)
