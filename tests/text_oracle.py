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


def words_of(text):
    """Words, as a list of str."""
    found = (match[0] for match in _TOKEN.finditer(_readable(text)))
    words = (token.replace("\u200d", "").strip(".,'").lower() for token in found)
    return [_NAMES.get(word, word) for word in words if word]


def characters_of(text):
    """Code points, as a list of str."""
    text = _readable(text).replace("\u200d", "")
    blank = "".join(
        " " if character.isspace() or unicodedata.category(character) in ("Cc", "Zs", "Zl", "Zp") else character
        for character in text.replace("\u200b", " ")
    )
    return [_NAMES.get(character, character) for character in regex.sub(" +", " ", blank).strip(" ").lower()]


def _readable(text):
    text = _LONE_JOINER.sub("", _UNSEEN.sub("", _ENTITY.sub(_character, text)))
    text = _FULL_WIDTH.sub(lambda match: unicodedata.normalize("NFKC", match[0]), text.replace("؟", "?"))
    for apostrophe in "’ʼ＇`´":
        text = text.replace(apostrophe, "'")
    return _EMAIL.sub("\ufdd1", _without_urls(_BREAK.sub(" ", text)))


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
