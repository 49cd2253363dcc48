"""Text to named tensors, with core TensorFlow string ops only, the same object in training and in the SavedModel."""

import collections
import hashlib
import json
import os
from collections.abc import Sequence

import tensorflow as tf

from kseq.errors import UsageError
from kseq.text_options import TRUNCATIONS

PADDING_ID = 0
UNKNOWN_ID = 1
RESERVED_WORDS = ("[PAD]", "[UNK]")

# Any change of what a text becomes must change this number: caches are keyed by it.
_RULES_VERSION = 2
_ADAPT_BATCH = 256

# A sign that carries meaning by itself, and every sign of a script that writes no blanks between words.
_SIGNS = r"([!?\p{So}\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}])"
_NOT_IN_WORDS = r"[^\p{L}\p{M}\p{N}\p{So}!?']+"
_APOSTROPHES = "[’ʼ＇`´]"
_HTML_BREAK = r"(?i)<br\s*/?>"
# They choose how the sign before them is drawn, and would else cling to the next word.
_VARIATION_SELECTORS = r"[\x{FE00}-\x{FE0F}]"
# TensorFlow lowers these, and I and J, by the machine's locale: under Turkish, Azeri and Lithuanian, other letters come
# out than where the model was trained. They are lowered before, as Unicode does where no language is named.
_LOWERED_BY_LOCALE = "İÌÍĨĮ"


def split_words(texts: tf.Tensor) -> tf.RaggedTensor:
    """Split texts into lower-case words.

    `"It's <br />GREAT -- isn't it?"` becomes `it's`, `great`, `isn't`, `it`, `?`. Exclamation and question marks and
    pictures are words of their own, and so is each sign of Chinese, Japanese and Thai; other punctuation is dropped.

    Args:
        texts: string (B,); bytes that are no UTF-8 become U+FFFD, which is a word of its own.

    Returns:
        string, ragged (B, words).
    """
    texts = tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace")
    texts = tf.strings.regex_replace(texts, _HTML_BREAK, " ")
    texts = tf.strings.regex_replace(texts, _VARIATION_SELECTORS, "")
    texts = tf.strings.regex_replace(texts, _APOSTROPHES, "'")
    # Before the lower-casing, which drops all that follows a NUL.
    texts = tf.strings.regex_replace(texts, _NOT_IN_WORDS, " ")
    # ASCII letters alone change here, and in every locale alike.
    texts = tf.strings.lower(texts)
    for letter in _LOWERED_BY_LOCALE:
        texts = tf.strings.regex_replace(texts, letter, letter.lower())
    texts = tf.strings.lower(texts, encoding="utf-8")
    texts = tf.strings.regex_replace(texts, _SIGNS, r" \1 ")
    # An apostrophe counts inside a word alone; RE2 cannot look around, hence the blanks at both ends. A match takes all
    # apostrophes around its blanks: one blank can end a quotation and begin the next.
    texts = tf.strings.regex_replace(tf.strings.join([" ", texts, " "]), r"'*\s[\s']*", " ")
    return tf.strings.split(texts)


def count_words(texts: tf.data.Dataset) -> collections.Counter[str]:
    """Count the words of unbatched texts."""
    counter: collections.Counter[bytes] = collections.Counter()
    words = texts.batch(_ADAPT_BATCH).map(
        lambda batch: split_words(batch).flat_values, num_parallel_calls=os.cpu_count()
    )
    # A tuned iterator may take as long to end as it has run.
    settings = tf.data.Options()
    settings.autotune.enabled = False
    words = words.prefetch(2).with_options(settings)
    for batch in words.as_numpy_iterator():
        counter.update(batch.tolist())
    return collections.Counter({word.decode(): count for word, count in counter.items()})


def frequent_words(counter: collections.Counter[str], vocabulary_size: int, min_count: int) -> list[str]:
    """Choose the vocabulary: the two reserved entries, then the most frequent words.

    Args:
        counter: number of occurrences by word.
        vocabulary_size: most entries, the reserved two included.
        min_count: fewest occurrences of a word. At 1, no word of the training texts is unknown, so that the vector
            that stands for unknown words is never trained.

    Returns:
        The words; a word's place is its id. Equal counts are ordered by the word, for one result always.

    Raises:
        UsageError: no word occurs often enough.
    """
    kept = [(-count, word) for word, count in counter.items() if count >= min_count]
    if not kept:
        found = f"at most {max(counter.values())} times" if counter else "not at all: they hold no word"
        raise UsageError(
            f"min_count is {min_count}, and words occur {found} in the training texts. "
            "Lower --min-count, or look at the texts."
        )
    return [*RESERVED_WORDS, *(word for _, word in sorted(kept)[: vocabulary_size - len(RESERVED_WORDS)])]


class Vectorizer(tf.Module):
    """Turns texts into `{"token_ids": int32 (B, T)}`; T is the longest row's, at least 1 and at most `sequence_length`.

    Ids: 0 padding, on the right; 1 out of vocabulary. A text without any word is one unknown word, so that no row is
    all padding: the average over such a row is 0/0.

    Attributes:
        vocabulary: words; a word's place is its id.
        sequence_length: most tokens of a text.
        truncation: which tokens of a longer text stay: "head", "tail", or "head_tail", half from each end.
        spec: shape and type of each named tensor.
    """

    def __init__(self, vocabulary: Sequence[str], sequence_length: int, truncation: str = "head"):
        super().__init__(name="vectorizer")
        if tuple(vocabulary[:2]) != RESERVED_WORDS:
            raise ValueError(f"the vocabulary begins with {list(vocabulary[:2])}; expected {list(RESERVED_WORDS)}.")
        if len(vocabulary) == len(RESERVED_WORDS):
            raise ValueError(f"the vocabulary is {list(vocabulary)}; expected at least one word after these two.")
        if truncation not in TRUNCATIONS:
            raise ValueError(f"truncation is {truncation!r}; expected one of {', '.join(map(repr, TRUNCATIONS))}.")
        if sequence_length < 2:
            raise ValueError(f"sequence_length is {sequence_length}; expected at least 2 tokens.")
        # tf.Module wraps lists for tracking; a tuple stays what it is.
        self.vocabulary = tuple(vocabulary)
        self.sequence_length = sequence_length
        self.truncation = truncation
        self.spec = {"token_ids": tf.TensorSpec((None, None), tf.int32)}
        words = self.vocabulary[len(RESERVED_WORDS) :]
        self._ids = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(
                tf.constant(words, tf.string, shape=(len(words),)),
                tf.range(len(RESERVED_WORDS), len(self.vocabulary), dtype=tf.int64),
            ),
            default_value=UNKNOWN_ID,
        )

    @property
    def key(self) -> str:
        """Sixteen hexadecimal digits that change when any text's tensors may."""
        settings = [_RULES_VERSION, self.sequence_length, self.truncation, self.vocabulary]
        return hashlib.sha256(json.dumps(settings).encode()).hexdigest()[:16]

    def __call__(self, texts: tf.Tensor) -> dict[str, tf.Tensor]:
        """Vectorize string (B,); a batch of no texts gives no rows of one column."""
        words = self._truncate(split_words(texts))
        ids = tf.cast(self._ids.lookup(words.flat_values), tf.int32)
        rows = words.with_flat_values(ids).to_tensor(PADDING_ID, shape=(None, None))
        empty = tf.cast(words.row_lengths() == 0, tf.int32)[:, tf.newaxis]
        missing_column = tf.maximum(1 - tf.shape(rows)[1], 0)
        rows = tf.pad(rows, [[0, 0], [0, missing_column]])
        first = tf.where(empty == 1, UNKNOWN_ID, rows[:, :1])
        return {"token_ids": tf.concat([first, rows[:, 1:]], axis=1)}

    def _truncate(self, words: tf.RaggedTensor) -> tf.RaggedTensor:
        length = self.sequence_length
        if self.truncation == "head":
            return words[:, :length]
        if self.truncation == "tail":
            return words[:, -length:]
        head = length - length // 2
        return tf.concat([words[:, :head], words[:, head:][:, -(length - head) :]], axis=1)
