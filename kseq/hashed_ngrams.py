"""N-grams as numbers without a vocabulary: each is hashed into one of a fixed number of buckets.

TensorFlow promises that the hash (FarmHash's 64-bit fingerprint) never changes, on no platform. Ids: 0 padding, then
1 to the number of buckets; n-grams that fall into one bucket share a vector.
"""

import tensorflow as tf

# Whatever changes an id here must raise `word_rules.RULES_VERSION`: caches are keyed by it.

# Character n-grams of a word.
GRAMS_OF_A_WORD = 16
_CHARACTER_WIDTHS = (3, 4)
# Between its two marks, a word of eight letters has fifteen n-grams. Of a longer one, the seven and the six characters
# at its ends, marks included, have sixteen: stem and ending say most.
_WHOLE, _HEAD, _TAIL = 10, 7, 6


def character_ngram_ids(words: tf.Tensor, buckets: int) -> tf.Tensor:
    """Hash the character n-grams, of 3 and 4, of words between `<` and `>`.

    `"cat"` has `<ca`, `cat`, `at>`, `<cat` and `cat>`. No word has no n-gram, so that words and padding differ.

    Source: Bojanowski, Grave, Joulin and Mikolov 2017, section 3.2.

    Args:
        words: string (W,).
        buckets: number of different hashes.

    Returns:
        int32 (W, 16), 0 where a word has fewer.
    """
    # Every word once: a batch repeats most of them.
    different, places = tf.unique(words)
    marked = tf.strings.join(["<", different, ">"])
    is_long = tf.strings.length(marked, unit="UTF8_CHAR") > _WHOLE
    size = tf.shape(marked)
    head = tf.strings.substr(marked, tf.zeros(size, tf.int32), tf.fill(size, _HEAD), unit="UTF8_CHAR")
    tail = tf.strings.substr(marked, -_TAIL * tf.cast(is_long, tf.int32), tf.fill(size, _TAIL), unit="UTF8_CHAR")
    pieces = [tf.where(is_long, head, marked), tf.where(is_long, tail, "")]
    grams = tf.concat([_ngrams(tf.strings.unicode_split(piece, "UTF-8")) for piece in pieces], axis=1)
    ids = grams.with_flat_values(_hashed(grams.flat_values, buckets))
    return tf.gather(ids.to_tensor(0, shape=(None, GRAMS_OF_A_WORD)), places)


def word_ngram_ids(words: tf.RaggedTensor, longest: int, buckets: int) -> tf.RaggedTensor:
    """Hash the single words of texts and their n-grams up to some length.

    The single words are among them: what the vocabulary lacks has an id here.

    Source: Joulin, Grave, Bojanowski and Mikolov 2017, section 2.

    Args:
        words: string, ragged (B, words).
        longest: of an n-gram, in words.
        buckets: number of different hashes.

    Returns:
        int32, ragged (B, n-grams): the single words, then the pairs, and so on.
    """
    grams = tf.strings.ngrams(words, tuple(range(1, longest + 1)), separator=" ")
    return grams.with_flat_values(_hashed(grams.flat_values, buckets))


def _ngrams(characters: tf.RaggedTensor) -> tf.RaggedTensor:
    return tf.strings.ngrams(characters, _CHARACTER_WIDTHS, separator="")


def _hashed(grams: tf.Tensor, buckets: int) -> tf.Tensor:
    return 1 + tf.cast(tf.strings.to_hash_bucket_fast(grams, buckets), tf.int32)
