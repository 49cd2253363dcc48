"""Words, vocabularies and ids, against a second implementation: a loop over characters, without TensorFlow."""

import collections
import os
import random
import re
import subprocess
import sys
import unicodedata
from pathlib import Path

import numpy as np
import pytest
import regex
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from kseq.errors import UsageError
from kseq.vectorizer import Vectorizer, count_words, frequent_words, split_words

ROOT = Path(__file__).parents[1]


UNSPACED = regex.compile(r"[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]")


def words_of(text):
    """The rules again: one pass over the characters."""
    words, current = [], ""

    def flush():
        nonlocal current
        if current.strip("'"):
            words.append(current.strip("'").lower())
        current = ""

    for character in re.sub(r"<br[ \t\r\n\f]*/?>", " ", text, flags=re.IGNORECASE):
        category = unicodedata.category(character)
        if "\ufe00" <= character <= "\ufe0f":
            continue
        if character in "’ʼ＇`´'":
            current += "'"
        elif character in "!?" or category == "So" or (category[0] in "LMN" and UNSPACED.match(character)):
            flush()
            words.append(character.lower())
        elif category[0] in "LMN":
            current += character
        else:
            flush()
    flush()
    return words


def split(*texts):
    return [[word.decode() for word in row] for row in split_words(tf.constant(texts)).to_list()]


# What the words are, written out by hand: the oracle above is tested with them too.
BY_HAND = {
    "It's <br />GREAT -- isn't it?": ["it's", "great", "isn't", "it", "?"],
    "one<br>two<BR/>three<br\n/>four": ["one", "two", "three", "four"],
    "brand <b>bold</b>": ["brand", "b", "bold", "b"],
    "“Curly” — it’s ‘quoted’ – dash… «là»": ["curly", "it's", "quoted", "dash", "là"],
    "the dogs' 'special' day": ["the", "dogs", "special", "day"],
    "'a' 'b' ''c'' ' ' x''y": ["a", "b", "c", "x''y"],
    "'!' don't!'ere": ["!", "don't", "!", "ere"],
    "ÉCOLE ÀÇÑ Straße": ["école", "àçñ", "straße"],
    "ПРИВЕТ, Мир! ЁЖ": ["привет", "мир", "!", "ёж"],
    "ΟΔΟΣ Σ ΣΑΣ. ΑΣ.Α Ⓐ": ["οδος", "σ", "σας", "ας", "α", "ⓐ"],
    "TITLE İstanbul Ì Í Ĩ Į": ["title", "i\u0307stanbul", "ì", "í", "ĩ", "į"],
    "我喜欢这部电影。Great!": ["我", "喜", "欢", "这", "部", "电", "影", "great", "!"],
    "この映画はラーメン": ["こ", "の", "映", "画", "は", "ラ", "ー", "メ", "ン"],
    "ภาพยนตร์ดี": list("ภาพยนตร์ดี"),
    "हिन्दी फ़िल्म": ["हिन्दी", "फ़िल्म"],
    "فيلم جيد، جدًا": ["فيلم", "جيد", "جدًا"],
    "영화가 좋다": ["영화가", "좋다"],
    "good👍👍 I ❤\ufe0fit ☆5/10": ["good", "👍", "👍", "i", "❤", "it", "☆", "5", "10"],
    "a_b-c.d/e@f #g $5 1,000.50": ["a", "b", "c", "d", "e", "f", "g", "5", "1", "000", "50"],
    "tab\tline\nend\r\nnbsp\u00a0zero\u200bwidth\x00nul": [
        "tab", "line", "end", "nbsp", "zero", "width", "nul",
    ],
    "!!!": ["!", "!", "!"],
    "what?! why?": ["what", "?", "!", "why", "?"],
    "": [],
    " \t\n ": [],
    "... -- ' '' , ;": [],
    "[PAD] [UNK]": ["pad", "unk"],
}  # fmt: skip


@pytest.mark.parametrize("text", BY_HAND)
def test_words_written_out_by_hand(text):
    assert split(text) == [BY_HAND[text]]
    assert words_of(text) == BY_HAND[text]


def test_a_batch_is_split_as_its_texts_alone():
    assert split(*BY_HAND) == list(BY_HAND.values())


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"caf\xe9 noir", ["caf", "\ufffd", "noir"]),
        (b"\xff", ["\ufffd"]),
        (b"cut \xf0\x9f\x91", ["cut", "\ufffd"]),
        (b"\xc3\x89t\xc3\xa9 \xff!", ["été", "\ufffd", "!"]),
    ],
)
def test_bytes_that_are_no_utf8_become_one_word(raw, words):
    assert split(raw) == [words]
    rows = Vectorizer(["[PAD]", "[UNK]", "noir"], 9)(tf.constant([raw, b"noir"]))["token_ids"]
    assert rows[1, 0] == 2


# TensorFlow's tables are of Unicode 13 for lower-casing: these capitals came with Unicode 14.
_LOWERED_LATER = {0x2C2F, 0xA7C0, 0xA7D0, 0xA7D6, 0xA7D8, *range(0x10570, 0x10596)}


def every_character():
    """What Unicode 14 assigns; newer versions of Python know a few more, as TensorFlow does."""
    for code in range(1, 0x110000):
        if code not in _LOWERED_LATER and unicodedata.category(chr(code)) not in ("Cn", "Cs", "Co"):
            yield chr(code)


def test_every_character_is_read_as_the_oracle_reads_it():
    characters = list(every_character())
    assert len(characters) > 140_000
    # Between letters, and in lines, so that a wrong one shows where it is.
    texts = [f"x{character}'y" for character in characters]
    got = split_words(tf.constant(texts)).to_list()
    wrong = [
        (hex(ord(character)), [word.decode() for word in words])
        for character, text, words in zip(characters, texts, got, strict=True)
        if [word.decode() for word in words] != words_of(text)
    ]
    assert wrong == []


SCRIPTS = (
    "aZéÉßñĐŁжЖёΩω"
    + "שלוםعربهिन्दीกขไ"
    + "我影のメー한"
    + "0٣५Ⅷ½"
    + "👍❤☆🇩\ufe0f\u200d🏽"
    + "'’ʼ＇`´‘“”\""
    + "!?！？.,;:-–—…/<>&#_@$€ \t\n\r\u00a0\u3000"
)
PIECES = st.one_of(
    st.text(st.sampled_from(SCRIPTS)),
    st.sampled_from(["<br />", "<BR>", "<br\t/>", "<br", "/>", " '", "' ", "' '", "n't", "é\u0301", "''"]),
    # Whether a sigma ends its word, two versions of Unicode may see differently; a text above shows the rule.
    st.text(
        st.characters(codec="utf-8", exclude_characters=["\x00", "Σ", *map(chr, _LOWERED_LATER)]).filter(
            lambda character: unicodedata.category(character) not in ("Cn", "Co")
        ),
        max_size=5,
    ),
)
TEXTS = st.lists(PIECES, max_size=12).map("".join)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(TEXTS, min_size=1, max_size=6))
def test_eager_graph_and_oracle_agree(texts):
    expected = [words_of(text) for text in texts]
    assert split(*texts) == expected
    assert MAPPED(texts) == expected


def _mapped():
    """The same function inside `tf.data.map`; the pipeline is built once and reads whatever `texts` holds."""
    holder = []
    source = tf.data.Dataset.from_generator(
        lambda: iter([[text.encode() for text in holder[0]]]), output_signature=tf.TensorSpec((None,), tf.string)
    )
    pipeline = source.map(split_words)

    def words(texts):
        holder[:] = [texts]
        (rows,) = list(pipeline)
        return [[word.decode() for word in row] for row in rows.to_list()]

    return words


MAPPED = _mapped()


def test_words_do_not_depend_on_the_locale_of_the_machine():
    """TensorFlow's `lower` takes the language from LANG, and in Turkish a small I has no dot."""
    program = (
        "import sys, tensorflow as tf; from kseq.vectorizer import split_words\n"
        "words = split_words(tf.constant([sys.argv[1]])).flat_values.numpy()\n"
        "sys.stdout.buffer.write(b' '.join(words.tolist()))"
    )
    text = "IT IS A JOINT TITLE: İI\u0307 Ì Í Ĩ Į I\u0301 J\u0300"
    running = [
        subprocess.Popen(
            [sys.executable, "-c", program, text],
            env={**os.environ, "LC_ALL": locale, "LANG": locale, "PYTHONUTF8": "1", "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for locale in ("tr_TR.UTF-8", "lt_LT.UTF-8")
    ]
    answers = [(process, *process.communicate(timeout=120)) for process in running]
    for process, answer, errors in answers:
        assert process.returncode == 0, errors.decode()
        assert answer.decode().split(" ") == words_of(text)


# Counting and choosing words


def test_count_words_over_many_batches():
    texts = [f"word{number % 7} Common common! {'É' * (number % 3)}" for number in range(700)]
    expected = collections.Counter(word for text in texts for word in words_of(text))
    assert count_words(tf.data.Dataset.from_tensor_slices(texts)) == expected


def test_count_words_of_texts_without_words_is_empty():
    assert count_words(tf.data.Dataset.from_tensor_slices(["", "...", " "])) == {}


COUNTS = {"the": 9, "b": 4, "a": 4, "é": 4, "rare": 2, "once": 1, "z": 2}


def test_vocabulary_is_by_count_then_by_word_whatever_the_order_of_the_texts():
    expected = ["[PAD]", "[UNK]", "the", "a", "b", "é", "rare", "z", "once"]
    items = list(COUNTS.items())
    for shuffle in range(5):
        random.Random(shuffle).shuffle(items)
        assert frequent_words(collections.Counter(dict(items)), 100, 1) == expected


@pytest.mark.parametrize(
    ("vocabulary_size", "min_count", "words"),
    [
        (100, 2, ["the", "a", "b", "é", "rare", "z"]),
        (100, 4, ["the", "a", "b", "é"]),
        (5, 1, ["the", "a", "b"]),
        (4, 4, ["the", "a"]),
        (3, 1, ["the"]),
        (9, 1, ["the", "a", "b", "é", "rare", "z", "once"]),
    ],
)
def test_vocabulary_is_capped_and_leaves_rare_words_out(vocabulary_size, min_count, words):
    got = frequent_words(collections.Counter(COUNTS), vocabulary_size, min_count)
    assert got == ["[PAD]", "[UNK]", *words]
    assert len(got) <= vocabulary_size


@pytest.mark.parametrize(("counts", "received"), [(COUNTS, "at most 9 times"), ({}, "not at all")])
def test_a_vocabulary_without_words_is_refused(counts, received):
    with pytest.raises(UsageError, match="min_count is 10") as error:
        frequent_words(collections.Counter(counts), 100, 10)
    assert received in str(error.value)
    assert "--min-count" in str(error.value)


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
    st.lists(TEXTS, max_size=5),
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
    vectorizer = Vectorizer(VOCABULARY, 5, "head_tail")
    traced = tf.function(vectorizer, input_signature=[tf.TensorSpec((None,), tf.string)]).get_concrete_function()
    graph = traced.graph.as_graph_def()
    used = {node.op for node in graph.node} | {node.op for inner in graph.library.function for node in inner.node_def}
    assert {"StaticRegexReplace", "StringLower", "UnicodeTranscode"} <= used
    assert not {name for name in used if "PyFunc" in name or ">" in name}


# Wrong arguments and keys


@pytest.mark.parametrize(
    ("arguments", "received", "mend"),
    [
        ((["a", "b"], 5), "['a', 'b']", "['[PAD]', '[UNK]']"),
        (([], 5), "[]", "['[PAD]', '[UNK]']"),
        ((["[PAD]", "[UNK]"], 5), "['[PAD]', '[UNK]']", "at least one word"),
        ((VOCABULARY, 5, "middle"), "'middle'", "'head', 'tail', 'head_tail'"),
        ((VOCABULARY, 1), "sequence_length is 1", "at least 2"),
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
        # Joined without a mark between them, these two would look the same.
        Vectorizer([*VOCABULARY, "ab", "c"], 5),
        Vectorizer([*VOCABULARY, "a", "bc"], 5),
    ]
    assert len({base, *(vectorizer.key for vectorizer in others)}) == len(others) + 1


def test_the_key_changes_with_the_rules(monkeypatch):
    before = Vectorizer(VOCABULARY, 5).key
    monkeypatch.setattr("kseq.vectorizer._RULES_VERSION", -1)
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
    assert split(text) == [ours]
