"""Text to named tensors, with core TensorFlow string ops only, the same object in training and in the SavedModel."""

import hashlib
import json
from collections.abc import Collection, Sequence

import tensorflow as tf

from kseq.hashed_ngrams import GRAMS_OF_A_WORD, character_ngram_ids, word_ngram_ids
from kseq.sentences import count_from_one, take_out_ends
from kseq.text_options import BOTH, CHARACTER, TOKENS, TRUNCATIONS, WORD
from kseq.vocabulary import PADDING_ID, RESERVED_TOKENS, UNKNOWN_ID
from kseq.word_rules import RULES_VERSION, split_characters, split_words

# Most words of a text that word n-grams are made of: nearly every text whole, and no batch that is any size.
_NGRAM_WORDS = 2048
# What is made where a part of the model needs it.
_ON_DEMAND = {"sentence_ids": tf.TensorSpec((None, None), tf.int32)}


def split_tokens(texts: tf.Tensor, tokens: str, sentence_ends: bool = False) -> tf.RaggedTensor:
    """Split texts, string (B,), into what the vocabulary holds: words, or characters where `tokens` is "character"."""
    split = split_characters if tokens == CHARACTER else split_words
    return split(texts, sentence_ends)


def tensor_spec(tokens: str, ngrams: int, needs: Collection[str] = ()) -> dict[str, tf.TensorSpec]:
    """Give shape and type of each named tensor that a `Vectorizer` with these settings makes."""
    spec = {"token_ids": tf.TensorSpec((None, None), tf.int32)}
    if tokens == BOTH:
        spec["character_ids"] = tf.TensorSpec((None, None, GRAMS_OF_A_WORD), tf.int32)
    if ngrams > 1:
        spec["ngram_ids"] = tf.TensorSpec((None, None), tf.int32)
    return spec | {name: _ON_DEMAND[name] for name in sorted(needs)}


class Vectorizer(tf.Module):
    """Turns texts into named tensors, with padding, 0, on the right.

    - `token_ids`, int32 (B, T): places in the vocabulary; 1 where it lacks the token. T is the longest row's, at least
      1 and at most `sequence_length`. A text without any token is one unknown token, so that no row is all padding: the
      average over such a row is 0/0.
    - `character_ids`, int32 (B, T, 16), where `tokens` is "word+character": the hashed character n-grams of each word;
      see `kseq.hashed_ngrams`.
    - `ngram_ids`, int32 (B, M), where `ngrams` is above 1: the hashed words and word n-grams of the text, whatever
      `tokens` is. They are made of 2,048 words at most, which `truncation` chooses, and not only of those in
      `token_ids`: adding them up costs little.
    - `sentence_ids`, int32 (B, T), where `needs` has it: the number of each token's sentence, 1, 2, 3 and so on along
      the row, and 0 where `token_ids` is. Sentences of which no token stays are not counted; see `kseq.sentences`.

    Attributes:
        vocabulary: tokens; a token's place is its id.
        sequence_length: most tokens of a text.
        truncation: which tokens of a longer text stay: "head", "tail", or "head_tail", half from each end.
        tokens: what a token is: "word", "character", or "word+character", words that carry their character n-grams.
        character_buckets: number of hashes of character n-grams.
        ngrams: most words of an n-gram; 1 for no n-grams.
        ngram_buckets: number of hashes of word n-grams.
        needs: tensors that parts of the model need beside these.
        spec: shape and type of each named tensor.
    """

    def __init__(
        self,
        vocabulary: Sequence[str],
        sequence_length: int,
        truncation: str = "head",
        tokens: str = WORD,
        *,
        character_buckets: int = 20_000,
        ngrams: int = 1,
        ngram_buckets: int = 100_000,
        needs: Collection[str] = (),
    ):
        super().__init__(name="vectorizer")
        if tuple(vocabulary[:2]) != RESERVED_TOKENS:
            raise ValueError(f"the vocabulary begins with {list(vocabulary[:2])}; expected {list(RESERVED_TOKENS)}.")
        if len(vocabulary) == len(RESERVED_TOKENS):
            raise ValueError(f"the vocabulary is {list(vocabulary)}; expected at least one word after these two.")
        for name, value, choices in (("truncation", truncation, TRUNCATIONS), ("tokens", tokens, TOKENS)):
            if value not in choices:
                raise ValueError(f"{name} is {value!r}; expected one of {', '.join(map(repr, choices))}.")
        for name in needs:
            if name not in _ON_DEMAND:
                raise ValueError(f"needs has {name!r}; expected none but {', '.join(map(repr, _ON_DEMAND))}.")
        if sequence_length < 2:
            raise ValueError(f"sequence_length is {sequence_length}; expected at least 2 tokens.")
        counts = {"character_buckets": character_buckets, "ngrams": ngrams, "ngram_buckets": ngram_buckets}
        for name, count in counts.items():
            if count < 1:
                raise ValueError(f"{name} is {count}; expected at least 1.")
        # tf.Module wraps lists for tracking; a tuple stays what it is.
        self.vocabulary = tuple(vocabulary)
        self.sequence_length = sequence_length
        self.truncation = truncation
        self.tokens = tokens
        self.character_buckets = character_buckets
        self.ngrams = ngrams
        self.ngram_buckets = ngram_buckets
        self.needs = tuple(sorted(needs))
        self.spec = tensor_spec(tokens, ngrams, needs)
        known = self.vocabulary[len(RESERVED_TOKENS) :]
        self._ids = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(
                tf.constant(known, tf.string, shape=(len(known),)),
                tf.range(len(RESERVED_TOKENS), len(self.vocabulary), dtype=tf.int64),
            ),
            default_value=UNKNOWN_ID,
        )

    @property
    def key(self) -> str:
        """Sixteen hexadecimal digits that change when any text's tensors may."""
        settings = [RULES_VERSION, self.sequence_length, self.truncation, self.tokens, self.vocabulary]
        # What is not used changes nothing.
        settings.append(self.character_buckets if self.tokens == BOTH else None)
        settings.append([self.ngrams, self.ngram_buckets] if self.ngrams > 1 else None)
        settings.append(self.needs or None)
        return hashlib.sha256(json.dumps(settings).encode()).hexdigest()[:16]

    def __call__(self, texts: tf.Tensor) -> dict[str, tf.Tensor]:
        """Vectorize string (B,); a batch of no texts gives no rows of one column."""
        sentences = None
        if "sentence_ids" in self.spec:
            whole, sentences = take_out_ends(split_tokens(texts, self.tokens, sentence_ends=True))
        else:
            whole = split_tokens(texts, self.tokens)
        tokens = self._truncated(whole, self.sequence_length)
        ids = tf.cast(self._ids.lookup(tokens.flat_values), tf.int32)
        rows = _padded(tokens.with_flat_values(ids))
        empty = tf.cast(tokens.row_lengths() == 0, tf.int32)[:, tf.newaxis]
        first = tf.where(empty == 1, UNKNOWN_ID, rows[:, :1])
        named = {"token_ids": tf.concat([first, rows[:, 1:]], axis=1)}
        if "character_ids" in self.spec:
            grams = character_ngram_ids(tokens.flat_values, self.character_buckets)
            named["character_ids"] = _padded(tokens.with_flat_values(grams), GRAMS_OF_A_WORD)
        if "ngram_ids" in self.spec:
            words = self._truncated(split_words(texts) if self.tokens == CHARACTER else whole, _NGRAM_WORDS)
            named["ngram_ids"] = _padded(word_ngram_ids(words, self.ngrams, self.ngram_buckets))
        if sentences is not None:
            rows = _padded(count_from_one(self._truncated(sentences, self.sequence_length)))
            # The unknown token of an empty text is in a sentence, too.
            named["sentence_ids"] = tf.concat([tf.ones_like(rows[:, :1]), rows[:, 1:]], axis=1)
        return named

    def _truncated(self, tokens: tf.RaggedTensor, length: int) -> tf.RaggedTensor:
        if self.truncation == "head":
            return tokens[:, :length]
        if self.truncation == "tail":
            return tokens[:, -length:]
        head = length - length // 2
        return tf.concat([tokens[:, :head], tokens[:, head:][:, -(length - head) :]], axis=1)


def _padded(rows: tf.RaggedTensor, *inner: int) -> tf.Tensor:
    """Pad rows (B, T, ...) to the longest of them, and to one column at least."""
    dense = rows.to_tensor(PADDING_ID, shape=(None, None, *inner))
    missing_column = tf.maximum(1 - tf.shape(dense)[1], 0)
    return tf.pad(dense, [[0, 0], [0, missing_column], *([0, 0] for _ in inner)])
