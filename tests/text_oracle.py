"""The rules of words and characters a second time, with the `regex` package, and without TensorFlow.

The graph replaces what parts words; this picks out the words. It looks around, which the graph's expressions cannot.
"""

import html
import html.entities
import unicodedata

import regex

HTML_4 = {name: html.unescape(f"&{name};") for name in [*html.entities.name2codepoint, "apos"]}
_ENTITY = regex.compile("&(?:([A-Za-z][A-Za-z0-9]{1,7})|#([0-9]{1,10})|#[xX]([0-9A-Fa-f]{1,10}));")
_UNSEEN = regex.compile(r"(?V1)[[\p{Default_Ignorable_Code_Point}--[\u200b\u200d]]\p{Emoji_Modifier}\uFDD0-\uFDD3]")
_LONE_JOINER = regex.compile(r"(?<!\p{So}\p{M}*)\u200d|\u200d(?!\p{So})")
_FULL_WIDTH = regex.compile("[０-９Ａ-Ｚａ-ｚ！？]")
_BREAK = regex.compile(r"<[bB][rR][ \t\r\n\f]*/?>")
_URL_START = regex.compile(r"(?<![A-Za-z0-9_])(?:[hH][tT][tT][pP][sS]?://|[fF][tT][pP]://|[wW]{3}\.)")
_URL_REST = regex.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]*")
_EMAIL = regex.compile(
    r"(?<![A-Za-z0-9_])[A-Za-z0-9_][A-Za-z0-9_.%+-]*@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}(?![A-Za-z0-9_])"
)
_UNSPACED = r"\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}ーｰﾞﾟ"
_UNSPACED += r"\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}"
_TOKEN = regex.compile(
    rf"""(?xV1)
    [\uFDD0\uFDD1!?]
    | (?: \p{{Regional_Indicator}}{{2}} | \p{{So}} ) \p{{M}}* (?: \u200d \p{{So}} \p{{M}}* )*
    | [[\p{{L}}\p{{M}}\p{{N}}]&&[{_UNSPACED}]] \p{{M}}*
    | (?: [[\p{{L}}\p{{M}}\p{{N}}']--[{_UNSPACED}]] | (?<=\p{{Nd}})[.,](?=\p{{Nd}}) )+
    """
)
_NAMES = {"\ufdd0": "[URL]", "\ufdd1": "[EMAIL]"}


_LINE_ENDS = "\n\r\x0b\x0c\x85\u2028\u2029"
_POINTS, _FULL_STOPS = ".…", "!?。｡।॥۔։።။។"
_CLOSERS = "\"'“”«»‹›)]}」』】）〉》"


def words_of(text):
    """Words, as a list of str."""
    return [word for word, _ in _placed_words(_readable(text))]


def characters_of(text):
    """Code points, as a list of str."""
    text = "".join(character for character, _ in _placed_characters(_readable(text).replace("\u200d", "")))
    return [_NAMES.get(character, character) for character in text.lower()]


def sentences_of(text, character=False):
    """The number of the sentence of each word, or of each character, from 1."""
    text = _readable(text)
    if character:
        text = text.replace("\u200d", "")
    ends = _sentence_ends(text)
    placed = _placed_characters(text) if character else _placed_words(text)
    # A letter that has two in lower case is two characters, both where it is.
    met = [sum(end <= place for end in ends) for token, place in placed for _ in (token.lower() if character else "1")]
    return [sorted(set(met)).index(number) + 1 for number in met]


def _placed_words(text):
    """Each word with the place where it begins."""
    for match in _TOKEN.finditer(text):
        word = match[0].replace("\u200d", "").strip(".,'").lower()
        if word:
            yield _NAMES.get(word, word), match.end() - len(match[0].lstrip(".,'"))


def _placed_characters(text):
    """Each character with its place; of a run of blanks, the first, and none at the ends."""
    kept = [
        (" " if _is_blank(character) else character, place)
        for place, character in enumerate(text)
        if not (_is_blank(character) and (place == 0 or _is_blank(text[place - 1])))
    ]
    return kept[:-1] if kept and kept[-1][0] == " " else kept


def _is_blank(character):
    return character.isspace() or character == "\u200b" or unicodedata.category(character) in ("Cc", "Zs", "Zl", "Zp")


def _sentence_ends(text):
    """Places before which a sentence has ended, walking along the text."""
    ends, place = [], 0
    while place < len(text):
        start = place
        if _is_blank(text[place]):
            while place < len(text) and _is_blank(text[place]):
                place += 1
            if any(character in _LINE_ENDS for character in text[start:place]):
                ends.append(start)
        elif text[place] in _POINTS + _FULL_STOPS:
            while place < len(text) and text[place] in _POINTS + _FULL_STOPS:
                place += 1
            strong = any(character in _FULL_STOPS for character in text[start:place])
            while place < len(text) and text[place] in _CLOSERS:
                place += 1
            if strong or (place < len(text) and _is_blank(text[place])):
                ends.append(place)
        else:
            place += 1
    return ends


def _readable(text):
    text = _LONE_JOINER.sub("", _UNSEEN.sub("", _ENTITY.sub(_character, text)))
    text = _FULL_WIDTH.sub(lambda match: unicodedata.normalize("NFKC", match[0]), text.replace("؟", "?"))
    for apostrophe in "’ʼ＇`´":
        text = text.replace(apostrophe, "'")
    return _EMAIL.sub("\ufdd1", _without_urls(_BREAK.sub("\n", text)))


def _character(match):
    name, decimal, hexadecimal = match.groups()
    if name:
        return HTML_4.get(name, match[0])
    code = int(decimal) if decimal else int(hexadecimal, 16)
    if 0x80 <= code < 0xA0:
        return bytes([code]).decode("cp1252", "replace")
    return chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else "\ufffd"


def _without_urls(text):
    parts, place = [], 0
    while start := _URL_START.search(text, place):
        rest = _URL_REST.match(text, start.end())[0].rstrip(".:?[]@!$'()*,;")
        parts.append(text[place : start.start()])
        if rest:
            parts.append("\ufdd0")
            place = start.end() + len(rest)
        else:
            parts.append(text[start.start()])
            place = start.start() + 1
    return "".join(parts) + text[place:]
