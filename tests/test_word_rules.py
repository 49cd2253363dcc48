"""Words and characters, against a second implementation that uses another library: tests/text_oracle.py."""

import html
import os
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from kseq.html_entities import NAMED, unescape
from kseq.word_rules import split_characters, split_words
from tests.text_oracle import HTML_4, characters_of, words_of

ROOT = Path(__file__).parents[1]


def split(*texts):
    return [[word.decode() for word in row] for row in split_words(tf.constant(texts)).to_list()]


def characters(*texts):
    return [[character.decode() for character in row] for row in split_characters(tf.constant(texts)).to_list()]


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
    "ภาพยนตร์ดี": ["ภ", "า", "พ", "ย", "น", "ต", "ร์", "ดี"],
    "हिन्दी फ़िल्म": ["हिन्दी", "फ़िल्म"],
    "فيلم جيد، جدًا": ["فيلم", "جيد", "جدًا"],
    "영화가 좋다": ["영화가", "좋다"],
    "good👍👍 I ❤\ufe0fit ☆5/10": ["good", "👍", "👍", "i", "❤", "it", "☆", "5", "10"],
    "a_b-c.d/e@f #g $5 1,000.50": ["a", "b", "c", "d", "e", "f", "g", "5", "1,000.50"],
    "tab\tline\nend\r\nnbsp\u00a0zero\u200bwidth\x00nul": [
        "tab", "line", "end", "nbsp", "zero", "width", "nul",
    ],
    # Numbers
    "pi is 3.14, not 3,1.": ["pi", "is", "3.14", "not", "3,1"],
    "1,000,000 1.2.3.4 1,2,3": ["1,000,000", "1.2.3.4", "1,2,3"],
    "v1.a No.5 end.Next .5 5. 5.. 5..6 5.,6 U.S.A. 5.x,6": [
        "v1", "a", "no", "5", "end", "next", "5", "5", "5", "5", "6", "5", "6", "u", "s", "a", "5", "x", "6",
    ],
    "10:30 1/2 -3 20% '5.5' 5.'6": ["10", "30", "1", "2", "3", "20", "5.5", "5", "6"],
    "٣.١٤ ५,०": ["٣.١٤", "५,०"],
    # Addresses
    "see http://a.b/c?d=e&f. (www.x.com)! HTTPS://X.Y": ["see", "[URL]", "[URL]", "!", "[URL]"],
    "awww.no http:// www. xhttp://y ftp://h/~u/": ["awww", "no", "http", "www", "xhttp", "y", "[URL]"],
    "请看http://x.cn/我喜欢": ["请", "看", "[URL]", "我", "喜", "欢"],
    "Mail A.b-c+d@mail.example.co.uk, not @me or a@b": ["mail", "[EMAIL]", "not", "me", "or", "a", "b"],
    "https://user@x.org/ [URL] [EMAIL]": ["[URL]", "url", "email"],
    # HTML entities
    "AT&amp;T &lt;b&gt; R&D caf&eacute;": ["at", "t", "b", "r", "d", "café"],
    "it&apos;s it&#39;s it&#x27;s it&rsquo;s it&#146;s": ["it's"] * 5,
    "a&nbsp;b&mdash;c&hellip;d&quot;e&shy;f": ["a", "b", "c", "d", "ef"],
    "&Eacute;T&#201; &#1087;&#x440;": ["été", "пр"],
    "a&lt;br /&gt;b": ["a", "b"],
    "&amp;lt; &amp;eacute; &foo; &; &# &#; &#x;": ["lt", "eacute", "foo", "x"],
    "&#0; &#xD800; &#9999999999; &copy;&#128077;": ["\ufffd", "\ufffd", "\ufffd", "©", "👍"],
    "www.x.y/?a=1&amp;b=2": ["[URL]"],
    # Pictures
    "👍🏽👍🏿 👩🏽\u200d💻!": ["👍", "👍", "👩💻", "!"],
    "👨\u200d👩\u200d👧\u200d👦👨": ["👨👩👧👦", "👨"],
    "❤\ufe0f\u200d🔥 🏳\ufe0f\u200d🌈 1\ufe0f\u20e3": ["❤🔥", "🏳🌈", "1\u20e3"],
    "🇩🇪🇫🇷🇩 x🇯🇵y": ["🇩🇪", "🇫🇷", "🇩", "x", "🇯🇵", "y"],
    "🏴\U000e0067\U000e0062\U000e007f": ["🏴"],
    "a\u200d👍\u200db\u200d\u200d": ["a", "👍", "b"],
    # What is not seen
    "co\u00adoperate a\u200eb \ufeffc \u202bשלום\u202c\u2060": ["cooperate", "ab", "c", "שלום"],
    "می\u200cخواهم क\u094d\u200dष": ["میخواهم", "क\u094dष"],
    "\ufdd0 x\ufdd1y \ufdd2\ufdd3": ["xy"],
    # Full width, and what else other scripts bring
    "ＡＢＣ１２３ ｏｋ！？": ["abc123", "ok", "!", "?"],
    "هل هذا جيد؟ نعم!": ["هل", "هذا", "جيد", "?", "نعم", "!"],
    "ｶﾞ がぎ コーヒー 〇々": ["ｶ", "ﾞ", "が", "ぎ", "コ", "ー", "ヒ", "ー", "〇", "々"],
    "ສະບາຍດີ ភាសា မြန်မာ": ["ສ", "ະ", "ບ", "າ", "ຍ", "ດີ", "ភា", "សា", "မြ", "န်", "မာ"],
    "e\u0301cole E\u0301 か\u3099": ["e\u0301cole", "e\u0301", "か\u3099"],
    "שָׁלוֹם עולם Ελλάδα Ґанок": ["שָׁלוֹם", "עולם", "ελλάδα", "ґанок"],
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
        (b"\xff &eacute;&lt;br&gt;www.x.y \xff 1.5", ["\ufffd", "é", "[URL]", "\ufffd", "1.5"]),
    ],
)
def test_bytes_that_are_no_utf8_become_one_word(raw, words):
    assert split(raw, b"noir") == [words, ["noir"]]


# TensorFlow's tables are of Unicode 13 for lower-casing: these capitals came with Unicode 14.
_LOWERED_LATER = {0x2C2F, 0xA7C0, 0xA7D0, 0xA7D6, 0xA7D8, *range(0x10570, 0x10596)}


def every_character():
    """What Unicode 14 assigns; newer versions of Python know a few more, as TensorFlow does."""
    for code in range(1, 0x110000):
        if code not in _LOWERED_LATER and unicodedata.category(chr(code)) not in ("Cn", "Cs", "Co"):
            yield chr(code)


@pytest.mark.parametrize(("ours", "oracle"), [(split, words_of), (characters, characters_of)])
def test_every_character_is_read_as_the_oracle_reads_it(ours, oracle):
    found = list(every_character())
    assert len(found) > 140_000
    # Between letters, and in lines, so that a wrong one shows where it is.
    texts = [f"x{character}'y" for character in found]
    got = ours(*texts)
    wrong = [
        (hex(ord(character)), row)
        for character, text, row in zip(found, texts, got, strict=True)
        if row != oracle(text)
    ]
    assert wrong == []


TEN_SCRIPTS = [
    "Ça va? Déjà vu, naïve", "Привет, МИР! Ёлка", "Ελληνικά, ΟΔΟΣ.", "مرحبا بالعالم؟ ١٢٫٥", "שָׁלוֹם, עולם!",
    "हिन्दी फ़िल्म क्\u200dष", "ภาพยนตร์ดีมาก", "我喜欢这部电影，3.5分！", "この映画はすごいｶﾞ", "영화가 좋다",
    "می\u200cخواهم", "👩🏽\u200d💻👨\u200d👩\u200d👧🇩🇪🇫🇷❤\ufe0f\u200d🔥", "e\u0301 a\u0308\u0323",
    "ＦＵＬＬ　ｗｉｄｔｈ１２！？",
    "\u202bשלום abc\u202c", "zero\u200bwidth\u2060\ufeff\u00ad",
]  # fmt: skip
SCRIPTS = (
    "aZéÉßñĐŁжЖёΩω"
    + "שלוםعربهिन्दीกขไี่"
    + "我影のメーがｶﾞ\u3099한"
    + "0123٣५๓Ⅷ½１Ａｚ．"
    + "👍❤☆🇩🇪\ufe0f\u200d\u200d🏽👨\u20e3\u0301"
    + "'’ʼ＇`´‘“”\""
    + "!?！？؟.,.,;:-–—…/<>&#_@$€ \t\n\r\u00a0\u3000\u200b\u200c\u00ad"
)
PIECES = st.one_of(
    st.text(st.sampled_from(SCRIPTS)),
    st.sampled_from(TEN_SCRIPTS),
    st.text(st.sampled_from("01.,'a ٣"), max_size=9),
    st.text(st.sampled_from("👨👩❤\u200d\ufe0f🏽🇩🇪\u0301a"), max_size=9),
    st.text(st.sampled_from("htps:/w.@ab-é?!,) K"), max_size=9),
    st.sampled_from(["http://", "https://x.y", "www.", "ftp://", "@b.co", "a.b+c@", ".org", "WWW.X", "ſ"]),
    st.sampled_from(["&amp;", "&lt;", "&eacute;", "&#39;", "&#x1F44D;", "&#8205;", "&nbsp", ";", "&", "&#", "&zwj;"]),
    st.sampled_from(["<br />", "<BR>", "<br\t/>", "<br", "/>", " '", "' ", "' '", "n't", "é\u0301", "''"]),
    # Whether a sigma ends its word, two versions of Unicode may see differently; a text above shows the rule.
    st.text(
        st.characters(
            exclude_categories=["Cn", "Co", "Cs"], exclude_characters=["\x00", "Σ", *map(chr, _LOWERED_LATER)]
        ),
        max_size=5,
    ),
)
TEXTS = st.lists(PIECES, max_size=12).map("".join)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(texts=st.lists(TEXTS, min_size=1, max_size=8))
def test_pipeline_saved_model_and_oracle_agree(places, texts):
    expected = [words_of(text) for text in texts], [characters_of(text) for text in texts]
    for place, ask in places.items():
        assert ask(texts) == expected, place


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """The two functions in `tf.data.map`, and in a SavedModel that was loaded again."""
    waiting = []

    def batches():
        while True:
            yield [text.encode() for text in waiting.pop()]

    source = tf.data.Dataset.from_generator(batches, output_signature=tf.TensorSpec((None,), tf.string))
    options = tf.data.Options()
    # Nothing is read ahead: a batch is there when it is asked for, and not before.
    options.autotune.enabled = False
    options.experimental_optimization.inject_prefetch = False
    pipeline = iter(source.map(lambda texts: (split_words(texts), split_characters(texts))).with_options(options))

    def mapped(texts):
        waiting.append(texts)
        return next(pipeline)

    module = tf.Module()
    module.split = tf.function(
        lambda texts: (split_words(texts), split_characters(texts)), input_signature=[tf.TensorSpec((None,), tf.string)]
    )
    folder = str(tmp_path_factory.mktemp("saved_model"))
    tf.saved_model.save(module, folder)
    loaded = tf.saved_model.load(folder)

    def as_str(rows):
        return tuple([[token.decode() for token in row] for row in ragged.to_list()] for ragged in rows)

    return {
        "tf.data": lambda texts: as_str(mapped(texts)),
        "SavedModel": lambda texts: as_str(loaded.split(tf.constant(texts))),
    }


@pytest.mark.parametrize("text", TEN_SCRIPTS)
def test_no_script_is_lost(text):
    """A letter or a number of the text is in its words, or one that it is another form of."""
    kept = unicodedata.normalize("NFKC", "".join(split(text)[0]))
    letters = unicodedata.normalize("NFKC", text).lower()
    assert [letter for letter in letters if letter.isalnum() and letter not in kept] == []
    assert split(text) == [words_of(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        (" \t\n\u200b", ""),
        ("  Hi,\n\n you  :-) ", "hi, you :-)"),
        ("E\u0301 ÀÉ ’x’", "e\u0301 àé 'x'"),
        ("a\u00a0b\u3000c\x00d", "a b c d"),
        ("我喜欢。Good！", "我喜欢。good!"),
        ("1,000.5&mdash;&lt;x&gt;<br>y", "1,000.5—<x> y"),
        ("👨\u200d👩🏽", "👨👩"),
    ],
)
def test_characters_written_out_by_hand(text, expected):
    assert characters(text) == [list(expected)]
    assert characters_of(text) == list(expected)


def test_an_address_is_one_character():
    assert characters("To x@y.de: http://z.") == [["t", "o", " ", "[EMAIL]", ":", " ", "[URL]", "."]]


def test_bytes_that_are_no_utf8_are_characters_too():
    assert characters(b"a\xe9b") == [["a", "\ufffd", "b"]]


def test_no_texts_have_no_tokens():
    none = tf.constant([], tf.string)
    assert split_words(none).to_list() == []
    assert split_characters(none).to_list() == []


# HTML entities


def unescaped(*texts):
    return [text.decode() for text in unescape(tf.constant(texts)).numpy()]


def test_every_named_entity_is_what_python_says_it_is():
    assert len(NAMED) == 253
    assert NAMED == HTML_4
    texts = [f"x&{name};{name};&{name}" for name in NAMED]
    assert unescaped(*texts) == [f"x{html.unescape(f'&{name};')}{name};&{name}" for name in NAMED]


def test_numbers_in_entities_are_what_python_says_they_are():
    codes = [
        *range(0x09, 0x0B),
        *range(0x20, 0x7F),
        *range(0x82, 0x8D),
        *range(0xA0, 0x3000, 7),
        0x1F44D,
        0x10FFFD,
        0xD800,
    ]
    texts = [f"&#{code};&#x{code:x};&#X{code:06X};&#00{code};" for code in codes]
    assert unescaped(*texts) == [html.unescape(text) for text in texts]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("&amp;amp;lt;", "&amp;lt;"),
        ("&&lt;&", "&<&"),
        ("&lt", "&lt"),
        ("&LT; &Amp; &nosuch; &verylongname;", "&LT; &Amp; &nosuch; &verylongname;"),
        ("&#99999999999; &#4294967361; &#x110000;", "&#99999999999; \ufffd \ufffd"),
        ("&eacute;&Eacute;", "éÉ"),
        ("\ufdd3&gt;", ">"),
        ("", ""),
    ],
)
def test_entities_are_replaced_once(text, expected):
    assert unescaped(text) == [expected]


def test_a_text_of_nothing_but_ampersands_is_no_trouble():
    assert unescaped("&" * 100_000) == ["&" * 100_000]
    assert unescaped("&gt;" * 50_000, "") == [">" * 50_000, ""]


def test_words_do_not_depend_on_the_locale_of_the_machine():
    """TensorFlow's `lower` takes the language from LANG, and in Turkish a small I has no dot."""
    program = (
        "import sys, tensorflow as tf; from kseq.word_rules import split_words\n"
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
