"""Numbers of sentences, against a walk along the text: tests/text_oracle.py."""

import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from kseq.sentences import count_from_one, take_out_ends
from kseq.vectorizer import Vectorizer, split_tokens
from tests.test_vectorizer import VOCABULARY, kept
from tests.test_word_rules import TEXTS
from tests.text_oracle import characters_of, sentences_of, words_of


@tf.function(input_signature=[tf.TensorSpec((None,), tf.string)])
def _of_words(texts):
    return take_out_ends(split_tokens(texts, "word", sentence_ends=True))


@tf.function(input_signature=[tf.TensorSpec((None,), tf.string)])
def _of_characters(texts):
    return take_out_ends(split_tokens(texts, "character", sentence_ends=True))


def split(texts, part):
    """Tokens, and the number of the sentence of each."""
    tokens, numbers = part(tf.constant(texts))
    return [[token.decode() for token in row] for row in tokens.to_list()], count_from_one(numbers).to_list()


# Words of each sentence, written out by hand: the oracle is tested with them too.
BY_HAND = {
    "It rained. We left": [["it", "rained"], ["we", "left"]],
    "Really?! Yes! no": [["really", "?", "!"], ["yes", "!"], ["no"]],
    "wow!great": [["wow", "!"], ["great"]],
    "pi is 3.14. It ends...  here… and a...b": [["pi", "is", "3.14"], ["it", "ends"], ["here"], ["and", "a", "b"]],
    "He said “No.” (I did.) 'Why?' she asked": [["he", "said", "no"], ["i", "did"], ["why", "?"], ["she", "asked"]],
    "one<br /><br>two\n\n three\r\nfour": [["one"], ["two"], ["three"], ["four"]],
    "我喜欢。你呢？好！他……走": [["我", "喜", "欢"], ["你", "呢", "?"], ["好", "!"], ["他", "走"]],
    "आप कैसे हैं। ठीक": [["आप", "कैसे", "हैं"], ["ठीक"]],
    "هل هذا جيد؟ نعم": [["هل", "هذا", "جيد", "?"], ["نعم"]],
    "see www.x.com. Or a@b.co! ok": [["see", "[URL]"], ["or", "[EMAIL]", "!"], ["ok"]],
    "Mr. Smith": [["mr"], ["smith"]],
    "a.&nbsp;b&hellip; c": [["a"], ["b"], ["c"]],
    ". ! . a . . b": [["!"], ["a"], ["b"]],
    " \n ": [],
    "": [],
}


@pytest.mark.parametrize("text", BY_HAND)
def test_sentences_written_out_by_hand(text):
    words = [word for sentence in BY_HAND[text] for word in sentence]
    numbers = [number for number, sentence in enumerate(BY_HAND[text], 1) for _ in sentence]
    assert split([text], _of_words) == ([words], [numbers])
    assert (words_of(text), sentences_of(text)) == (words, numbers)


def test_the_blank_between_two_sentences_is_of_the_second():
    assert split([" A. b\n\nc!\td "], _of_characters) == ([[*"a. b c! d"]], [[1, 1, 2, 2, 3, 3, 3, 4, 4]])


ENDS = st.text(st.sampled_from(".…!?。।'\")” \n\r\u2028\u3000aΣ5,"), max_size=9)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.lists(st.one_of(TEXTS, ENDS), max_size=3).map("".join), min_size=1, max_size=9))
def test_tokens_stay_and_numbers_are_those_of_the_oracle(texts):
    assert split(texts, _of_words) == ([words_of(text) for text in texts], [sentences_of(text) for text in texts])
    assert split(texts, _of_characters) == (
        [characters_of(text) for text in texts],
        [sentences_of(text, character=True) for text in texts],
    )


def test_numbers_are_counted_anew_in_each_row():
    rows = tf.ragged.constant([[], [4, 4, 9], [9], [], [9, 10, 12, 12], []], dtype=tf.int32)
    assert count_from_one(rows).to_list() == [[], [1, 1, 2], [1], [], [1, 2, 3, 3], []]
    assert count_from_one(tf.ragged.constant([[], []], dtype=tf.int32)).to_list() == [[], []]


# Beside the token ids

LONG = ["w1 w2. w3! w4 w5 w6. w7. w8 w9 w10? w11", "w1 w2 w3 w4 w5 w6 w7 w8", "w3\nw4", "", "?", "w1. " * 50]


@pytest.mark.parametrize("tokens", ["word", "character"])
@pytest.mark.parametrize("truncation", ["head", "tail", "head_tail"])
@pytest.mark.parametrize("limit", [2, 5])
def test_each_token_that_stays_keeps_its_sentence(limit, truncation, tokens):
    plain = Vectorizer(VOCABULARY, limit, truncation, tokens)(tf.constant(LONG))
    vectorizer = Vectorizer(VOCABULARY, limit, truncation, tokens, needs=["sentence_ids"])
    named = vectorizer(tf.constant(LONG))
    assert set(named) == set(vectorizer.spec) == {"token_ids", "sentence_ids"}
    assert named["sentence_ids"].dtype == tf.int32
    assert named["token_ids"].numpy().tolist() == plain["token_ids"].numpy().tolist()
    for text, row in zip(LONG, named["sentence_ids"].numpy().tolist(), strict=True):
        stay = kept(sentences_of(text, tokens == "character"), limit, truncation) or [1]
        assert row == [sorted(set(stay)).index(number) + 1 for number in stay] + [0] * (limit - len(stay))


def test_no_texts_have_one_column_of_no_rows():
    vectorizer = Vectorizer(VOCABULARY, 5, needs=["sentence_ids"])
    assert vectorizer(tf.constant([], tf.string))["sentence_ids"].shape == (0, 1)


def test_what_is_needed_beside_the_tokens_has_a_name_and_changes_the_key():
    assert Vectorizer(VOCABULARY, 5).key != Vectorizer(VOCABULARY, 5, needs=["sentence_ids"]).key
    with pytest.raises(ValueError, match="needs has 'paragraph_ids'; expected none but 'sentence_ids'"):
        Vectorizer(VOCABULARY, 5, needs=["paragraph_ids"])
