"""Ids, against slices of Python's lists and the second implementation of the words: tests/text_oracle.py."""

import re

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from kseq.hashed_ngrams import GRAMS_OF_A_WORD
from kseq.vectorizer import Vectorizer, split_tokens
from tests.text_oracle import characters_of, words_of

# Ids

WORDS = [f"w{number}" for number in range(30)]
VOCABULARY = ["[PAD]", "[UNK]", *WORDS]


def ids(vectorizer, texts):
    named = vectorizer(tf.constant(texts, tf.string))
    assert set(named) == {"token_ids"}
    assert named["token_ids"].dtype == tf.int32
    return named["token_ids"].numpy()


def text_of(length):
    return " ".join(WORDS[number % 30] for number in range(length))


def ids_of(length):
    return [2 + number % 30 for number in range(length)]


def kept(numbers, limit, truncation):
    """Which of a list stay, with slices of Python's lists; of an odd limit the head has one more."""
    if len(numbers) <= limit:
        return numbers
    if truncation == "head":
        return numbers[:limit]
    if truncation == "tail":
        return numbers[len(numbers) - limit :]
    tail = limit // 2
    return numbers[: limit - tail] + numbers[len(numbers) - tail :]


def test_ids_padding_and_unknown_words():
    got = ids(Vectorizer(VOCABULARY, 9), ["W3 never w0, w29!", "w1", "", "...", "never ever"])
    assert got.tolist() == [[5, 1, 2, 31, 1], [3, 0, 0, 0, 0], [1, 0, 0, 0, 0], [1, 0, 0, 0, 0], [1, 1, 0, 0, 0]]


def test_texts_without_words_alone_are_one_unknown_word():
    for text in ("", " ", "--", "<br />"):
        assert ids(Vectorizer(VOCABULARY, 9), [text]).tolist() == [[1]]


def test_reserved_names_and_empty_words_in_a_text_are_no_padding():
    got = ids(Vectorizer(VOCABULARY, 9), ["[PAD] w0 [UNK]"])
    assert got.tolist() == [[1, 2, 1]]


def test_an_empty_batch_is_no_rows_of_one_column():
    for vectorizer in (Vectorizer(VOCABULARY, 9), Vectorizer(VOCABULARY, 9, "head_tail")):
        assert ids(vectorizer, []).shape == (0, 1)


@pytest.mark.parametrize("truncation", ["head", "tail", "head_tail"])
@pytest.mark.parametrize("limit", [2, 3, 4, 7, 8])
def test_truncation_keeps_what_slices_of_lists_keep(truncation, limit):
    lengths = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 16, 17, 29]
    got = ids(Vectorizer(VOCABULARY, limit, truncation), [text_of(length) for length in lengths])
    assert got.shape == (len(lengths), limit)
    for length, row in zip(lengths, got.tolist(), strict=True):
        real = kept(ids_of(length), limit, truncation) or [1]
        assert row == real + [0] * (limit - len(real)), length
        # Alone, a text is as wide as its own tokens.
        assert ids(Vectorizer(VOCABULARY, limit, truncation), [text_of(length)]).tolist() == [real]


@pytest.mark.parametrize("truncation", ["head", "tail", "head_tail"])
def test_a_text_of_100_000_words_costs_its_batch_no_more_than_the_limit(truncation):
    got = ids(Vectorizer(VOCABULARY, 50, truncation), [text_of(100_000), "w0"])
    assert got.shape == (2, 50)
    assert got[0].tolist() == kept(ids_of(100_000), 50, truncation)
    assert got[1].tolist() == [2] + [0] * 49


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    st.lists(st.text(st.sampled_from("w0123 a我!'.,é<br/>"), max_size=30), max_size=5),
    st.integers(2, 9),
    st.sampled_from(["head", "tail", "head_tail"]),
)
def test_rows_have_a_real_token_and_padding_on_the_right_alone(texts, limit, truncation):
    got = ids(Vectorizer([*VOCABULARY, "a", "n't", "我", "!"], limit, truncation), texts)
    numbers = {word: number for number, word in enumerate([*VOCABULARY, "a", "n't", "我", "!"])}
    expected = [kept([numbers.get(word, 1) for word in words_of(text)], limit, truncation) or [1] for text in texts]
    width = max(map(len, expected), default=1)
    assert got.shape == (len(texts), width)
    assert got.tolist() == [row + [0] * (width - len(row)) for row in expected]


def test_the_same_object_in_a_function_of_unknown_batch_size():
    vectorizer = Vectorizer(VOCABULARY, 5, "head_tail")
    serve = tf.function(vectorizer, input_signature=[tf.TensorSpec((None,), tf.string)])
    for texts in (["w1 w2", "", text_of(9)], ["w1"], []):
        traced = serve(tf.constant(texts, tf.string))["token_ids"].numpy()
        np.testing.assert_array_equal(traced, ids(vectorizer, texts))
    spec = serve.get_concrete_function().structured_outputs["token_ids"]
    assert vectorizer.spec["token_ids"].is_compatible_with(spec)


def test_core_operations_only():
    """What TensorFlow Serving has: no operation of a custom library, no Python function."""
    vectorizer = Vectorizer(VOCABULARY, 5, "head_tail", "word+character", ngrams=2)
    traced = tf.function(vectorizer, input_signature=[tf.TensorSpec((None,), tf.string)]).get_concrete_function()
    graph = traced.graph.as_graph_def()
    used = {node.op for node in graph.node} | {node.op for inner in graph.library.function for node in inner.node_def}
    assert {"StaticRegexReplace", "StringLower", "UnicodeTranscode"} <= used
    assert not {name for name in used if "PyFunc" in name or ">" in name}


# Characters and n-grams beside the words

TEXTS = ["W3 never w0, w29! misspelt", "w1", "", "...", "我们 unbelievably longwinded é"]


def hashed(grams, buckets):
    """TensorFlow's hash of each, which has no second implementation here; what is hashed is what is tested."""
    return (1 + tf.strings.to_hash_bucket_fast(tf.constant(grams, tf.string), buckets).numpy()).tolist()


def grams_of(word):
    """The character n-grams of a word, or of its ends where it is long."""
    marked = f"<{word}>"
    pieces = [marked] if len(marked) <= 10 else [marked[:7], marked[-6:]]
    return [
        piece[start : start + width] for piece in pieces for width in (3, 4) for start in range(len(piece) - width + 1)
    ]


def test_character_grams_written_out():
    assert grams_of("cat") == ["<ca", "cat", "at>", "<cat", "cat>"]
    assert grams_of("我") == ["<我>"]
    assert grams_of("unbelievably") == [
        "<un", "unb", "nbe", "bel", "eli", "<unb", "unbe", "nbel", "beli", "vab", "abl", "bly", "ly>",
        "vabl", "ably", "bly>",
    ]  # fmt: skip
    assert max(len(grams_of("x" * length)) for length in range(1, 30)) == GRAMS_OF_A_WORD


def test_words_carry_their_character_ngrams():
    vectorizer = Vectorizer(VOCABULARY, 5, "head_tail", "word+character", character_buckets=1000)
    named = vectorizer(tf.constant(TEXTS))
    assert set(named) == set(vectorizer.spec) == {"token_ids", "character_ids"}
    rows = named["character_ids"]
    assert rows.dtype == tf.int32
    assert rows.shape == (5, 5, GRAMS_OF_A_WORD)
    for text, row in zip(TEXTS, rows.numpy().tolist(), strict=True):
        expected = [hashed(grams_of(word), 1000) for word in kept(words_of(text), 5, "head_tail")]
        assert [[number for number in grams if number] for grams in row] == expected + [[]] * (5 - len(expected))
    # What is real has an n-gram; a text without words has one unknown word, and that has none.
    real = named["token_ids"].numpy() != 0
    assert (real == (rows.numpy() != 0).any(axis=-1))[[0, 1, 4]].all()
    np.testing.assert_array_equal(
        named["token_ids"], Vectorizer(VOCABULARY, 5, "head_tail")(tf.constant(TEXTS))["token_ids"]
    )


def test_misspelt_words_share_most_of_their_character_ngrams():
    vectorizer = Vectorizer(VOCABULARY, 5, tokens="word+character", character_buckets=1_000_000)
    right, wrong, other = vectorizer(tf.constant(["wonderful wonderfull terrible"]))["character_ids"].numpy()[0]
    assert len({*right} & {*wrong} - {0}) >= 9
    assert len({*right} & {*other} - {0}) == 0


@pytest.mark.parametrize("tokens", ["word", "character", "word+character"])
def test_word_ngrams_are_of_the_whole_text(tokens):
    vectorizer = Vectorizer(VOCABULARY, 2, "head", tokens, ngrams=3, ngram_buckets=5000)
    named = vectorizer(tf.constant(TEXTS))
    assert set(named) == set(vectorizer.spec)
    rows = named["ngram_ids"]
    assert rows.dtype == tf.int32
    for text, row in zip(TEXTS, rows.numpy().tolist(), strict=True):
        words = words_of(text)
        grams = [
            " ".join(words[start : start + width]) for width in (1, 2, 3) for start in range(len(words) - width + 1)
        ]
        expected = hashed(grams, 5000)
        assert row == expected + [0] * (rows.shape[1] - len(expected))


@pytest.mark.parametrize("truncation", ["head", "tail", "head_tail"])
def test_word_ngrams_of_a_huge_text_are_capped(truncation):
    words = [f"v{number}" for number in range(5000)]
    vectorizer = Vectorizer(VOCABULARY, 5, truncation, ngrams=2)
    row = vectorizer(tf.constant([" ".join(words), "w0"]))["ngram_ids"].numpy()[0]
    assert row.tolist()[:2048] == hashed(kept(words, 2048, truncation), 100_000)
    assert len(row) == 2048 + 2047


def test_characters_are_tokens():
    vocabulary = ["[PAD]", "[UNK]", *"abc !", "[URL]"]
    vectorizer = Vectorizer(vocabulary, 7, "head_tail", "character")
    texts = ["A  b!", "", "abcdefghijkabc", "c http://x.y", "\u3000"]
    got = ids(vectorizer, texts)
    for text, row in zip(texts, got.tolist(), strict=True):
        numbers = [vocabulary.index(token) if token in vocabulary else 1 for token in characters_of(text)]
        expected = kept(numbers, 7, "head_tail") or [1]
        assert row == expected + [0] * (7 - len(expected))


def test_split_tokens_is_by_word_or_character():
    text = tf.constant(["Hi you"])
    assert split_tokens(text, "word").to_list() == split_tokens(text, "word+character").to_list() == [[b"hi", b"you"]]
    assert split_tokens(text, "character").to_list() == [[b"h", b"i", b" ", b"y", b"o", b"u"]]


@pytest.mark.parametrize("tokens", ["word", "character", "word+character"])
def test_every_tensor_of_few_texts_or_none_fits_its_spec(tokens):
    vectorizer = Vectorizer(VOCABULARY, 5, "head_tail", tokens, ngrams=2)
    serve = tf.function(vectorizer, input_signature=[tf.TensorSpec((None,), tf.string)])
    for texts in ([], [""], ["", "w1 w2"]):
        for name, tensor in serve(tf.constant(texts, tf.string)).items():
            assert vectorizer.spec[name].is_compatible_with(tensor)
            assert tensor.shape[0] == len(texts)
            assert tensor.shape[1] >= 1
            np.testing.assert_array_equal(tensor, vectorizer(tf.constant(texts, tf.string))[name])


# Wrong arguments and keys


@pytest.mark.parametrize(
    ("arguments", "received", "mend"),
    [
        ((["a", "b"], 5), "['a', 'b']", "['[PAD]', '[UNK]']"),
        (([], 5), "[]", "['[PAD]', '[UNK]']"),
        ((["[PAD]", "[UNK]"], 5), "['[PAD]', '[UNK]']", "at least one word"),
        ((VOCABULARY, 5, "middle"), "'middle'", "'head', 'tail', 'head_tail'"),
        ((VOCABULARY, 1), "sequence_length is 1", "at least 2"),
        ((VOCABULARY, 5, "head", "letter"), "'letter'", "'word', 'character', 'word+character'"),
    ],
)
def test_wrong_arguments_are_named_with_what_is_allowed(arguments, received, mend):
    with pytest.raises(ValueError, match=re.escape(received)) as error:
        Vectorizer(*arguments)
    assert mend in str(error.value)


def test_the_key_changes_with_everything_that_changes_an_id():
    base = Vectorizer(VOCABULARY, 5).key
    assert re.fullmatch("[0-9a-f]{16}", base)
    assert Vectorizer(list(VOCABULARY), 5, "head").key == base
    swapped = [*VOCABULARY[:2], VOCABULARY[3], VOCABULARY[2], *VOCABULARY[4:]]
    others = [
        Vectorizer(VOCABULARY, 6),
        Vectorizer(VOCABULARY, 5, "tail"),
        Vectorizer(VOCABULARY, 5, "head_tail"),
        Vectorizer([*VOCABULARY, "more"], 5),
        Vectorizer(VOCABULARY[:-1], 5),
        Vectorizer(swapped, 5),
        Vectorizer(VOCABULARY, 5, tokens="character"),
        Vectorizer(VOCABULARY, 5, tokens="word+character"),
        Vectorizer(VOCABULARY, 5, tokens="word+character", character_buckets=7),
        Vectorizer(VOCABULARY, 5, ngrams=2),
        Vectorizer(VOCABULARY, 5, ngrams=3),
        Vectorizer(VOCABULARY, 5, ngrams=2, ngram_buckets=7),
        # Joined without a mark between them, these two would look the same.
        Vectorizer([*VOCABULARY, "ab", "c"], 5),
        Vectorizer([*VOCABULARY, "a", "bc"], 5),
    ]
    assert len({base, *(vectorizer.key for vectorizer in others)}) == len(others) + 1


def test_the_key_stays_where_what_changes_is_not_used():
    base = Vectorizer(VOCABULARY, 5).key
    assert Vectorizer(VOCABULARY, 5, character_buckets=7, ngram_buckets=7).key == base


@pytest.mark.parametrize("name", ["character_buckets", "ngrams", "ngram_buckets"])
def test_counts_of_none_are_refused(name):
    with pytest.raises(ValueError, match=f"{name} is 0; expected at least 1"):
        Vectorizer(VOCABULARY, 5, **{name: 0})


def test_the_key_changes_with_the_rules(monkeypatch):
    before = Vectorizer(VOCABULARY, 5).key
    monkeypatch.setattr("kseq.vectorizer.RULES_VERSION", -1)
    assert Vectorizer(VOCABULARY, 5).key != before


# The traps of Keras' TextVectorization, shown beside it: if they go, this module may go too.


@pytest.mark.parametrize(
    ("text", "trapped", "ours"),
    [
        ("ÉTÉ", ["ÉtÉ"], ["été"]),
        ("МИР", ["МИР"], ["мир"]),
        ("“good” film", ["“good”", "film"], ["good", "film"]),
        ("well — no", ["well", "—", "no"], ["well", "no"]),
        ("我喜欢电影", ["我喜欢电影"], ["我", "喜", "欢", "电", "影"]),
        ("one<br />two", ["onebr", "two"], ["one", "two"]),
    ],
)
def test_traps_of_text_vectorization_are_not_ours(text, trapped, ours):
    import keras

    layer = keras.layers.TextVectorization()
    layer.adapt(tf.constant([text]))
    assert sorted(layer.get_vocabulary()[2:]) == sorted(trapped)
    assert [word.decode() for word in split_tokens(tf.constant([text]), "word").to_list()[0]] == ours
