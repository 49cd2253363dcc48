"""From bytes to lines of text: what is no text in its encoding is named by line and byte, and never replaced."""

import codecs
import difflib
import encodings.aliases
import warnings
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from pipelines.errors import DataError

HEAD = 1 << 16
_BLOCK = 1 << 18
# charset-normalizer takes seconds for megabytes, and is no surer of them.
_SUGGESTION_BYTES = 1 << 14
# Of single-byte encodings that fit alike, the one that more files have.
_COMMON = ("cp1252", "cp1251", "cp1250", "cp1254", "cp1253", "cp1257")
_AS_GOOD = 0.01
_BOMS = (
    # Those of UTF-32 first: the one of UTF-16 begins like it.
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Encodings that leave the order of their bytes to a mark; without one, it is the usual order.
_WITHOUT_MARK = {"utf-8-sig": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}


class Encoding(NamedTuple):
    """How the bytes of one file become text.

    Attributes:
        codec: Python's name, of a codec that expects no byte order mark.
        mark: bytes of the byte order mark.
        given: whether the user named it; then undecodable bytes are bad rows, otherwise an error.
    """

    codec: str
    mark: int
    given: bool

    @property
    def width(self) -> int:
        """Bytes of a line end."""
        return 2 if self.codec.startswith("utf-16") else 4 if self.codec.startswith("utf-32") else 1

    def __str__(self) -> str:
        return self.codec.upper() + (" with a byte order mark" if self.mark else "")


class Undecodable(str):
    """A line with bytes that are no text in its encoding; what is readable shows where its fields end."""

    __slots__ = ()


def checked(name: str | None) -> str | None:
    """Return Python's name of an encoding.

    Raises:
        DataError: there is none of that name.
    """
    if name is None:
        return None
    try:
        found = codecs.lookup(name)
        # Codecs such as base64 turn bytes into bytes.
        if found._is_text_encoding and isinstance(b"a".decode(name, "replace"), str):  # type: ignore[attr-defined]
            return found.name
    except (LookupError, ValueError, TypeError, UnicodeError):
        pass
    known = sorted({*encodings.aliases.aliases, *encodings.aliases.aliases.values()})
    near = difflib.get_close_matches(name.lower().replace("-", "_"), known, 1, 0.5)
    raise DataError(
        f"the encoding {name!r} is not known; expected a name such as utf-8, latin-1, cp1252, gb18030 or shift_jis."
        + (f" Did you mean {near[0]!r}?" if near else "")
    )


def find(head: bytes, given: str | None) -> Encoding:
    """Tell the encoding of a file by its first bytes; a byte order mark counts more than what was given.

    Args:
        head: up to `HEAD` bytes.
        given: name of the encoding that the user typed, as `checked` returns it.
    """
    for mark, codec in _BOMS:
        if head.startswith(mark):
            return Encoding(codec, len(mark), given is not None)
    if given is not None:
        return Encoding(_WITHOUT_MARK.get(given, given), 0, True)
    return Encoding(_utf16_without_mark(head) or "utf-8", 0, False)


def _utf16_without_mark(head: bytes) -> str | None:
    """Recognise UTF-16 by its NUL bytes: many in one half of each pair and none in the other."""
    sample = head[: min(len(head), 4096) & ~1]
    if len(sample) < 8:
        return None
    for codec, high, low in (("utf-16-le", 1, 0), ("utf-16-be", 0, 1)):
        if sample[high::2].count(0) * 10 >= len(sample) // 2 and not sample[low::2].count(0):
            return codec
    return None


def lines(stream: BinaryIO, file: str, encoding: Encoding) -> Iterator[str]:
    r"""Read the lines of a file without their ends, which are \n, \r\n or \r.

    Lines that are no text in a given encoding come as `Undecodable`.

    Raises:
        DataError: bytes that are no text, where no encoding was given.
    """
    number, carried = 0, ""
    for offset, block in _blocks(stream, encoding):
        try:
            found = _split(block.decode(encoding.codec))
        except UnicodeError:
            found = _decode_by_line(block, file, encoding, offset, number)
        if carried:
            found[0] = carried + found[0]
        carried = found.pop()
        number += len(found)
        yield from found
    if carried:
        yield carried


def whole_text(content: bytes, file: str, encoding: Encoding) -> str:
    """Decode a file that is one text; it comes as `Undecodable` where it is none in a given encoding.

    Raises:
        DataError: bytes that are no text, where no encoding was given.
    """
    content = content[encoding.mark :]
    try:
        return content.decode(encoding.codec)
    except UnicodeError as error:
        if encoding.given:
            return Undecodable(content.decode(encoding.codec, "replace"))
        start = getattr(error, "start", 0)
        line = len(_split(content[:start].decode(encoding.codec, "replace")))
        raise _undecodable(content, start, file, encoding, encoding.mark, line) from error


def chunks(stream: BinaryIO, file: str, encoding: Encoding) -> Iterator[str]:
    """Read text in pieces that may end anywhere, for formats that lines mean nothing to.

    Raises:
        DataError: bytes that are no text.
    """
    stream.read(encoding.mark)
    decoder = codecs.getincrementaldecoder(encoding.codec)()
    offset, line = encoding.mark, 1
    while True:
        chunk = stream.read(_BLOCK)
        waiting = decoder.getstate()[0]
        try:
            text = decoder.decode(chunk, final=not chunk)
        except UnicodeError as error:
            whole, start = waiting + chunk, getattr(error, "start", 0)
            line += whole[:start].decode(encoding.codec, "replace").count("\n")
            raise _undecodable(whole, start, file, encoding, offset - len(waiting), line) from error
        if not chunk and not text:
            return
        offset += len(chunk)
        line += text.count("\n")
        yield text


def _split(text: str) -> list[str]:
    # Not `splitlines`, which also takes U+2028, U+0085 and form feeds, that stand within texts, for line ends.
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.split("\n")


def _blocks(stream: BinaryIO, encoding: Encoding) -> Iterator[tuple[int, bytes]]:
    """Read blocks that end where a line does, as (offset in bytes, block)."""
    width = encoding.width
    newline, back = _ends(encoding)
    stream.read(encoding.mark)
    offset, rest = encoding.mark, b""
    # A longer read for a longer rest: a line of a gigabyte is put together in few steps.
    while chunk := stream.read(max(_BLOCK, len(rest))):
        data = rest + chunk
        end = _last(data, newline, width)
        if end < 0:
            # The last \r may be half of \r\n.
            end = _last(data[:-width], back, width)
        if end < 0:
            rest = data
            continue
        yield offset, data[: end + width]
        offset += end + width
        rest = data[end + width :]
    if rest:
        yield offset, rest


def _ends(encoding: Encoding) -> tuple[bytes, bytes]:
    r"""Encode \n and \r, which are other bytes in UTF-16 and on mainframes."""
    found = []
    for end in ("\n", "\r"):
        try:
            raw = end.encode(encoding.codec)
        except UnicodeError:
            raw = b""
        found.append(raw if len(raw) == encoding.width else end.encode())
    return found[0], found[1]


def _last(data: bytes, end: bytes, width: int) -> int:
    found = data.rfind(end)
    while found >= 0 and found % width:
        found = data.rfind(end, 0, found + width - 1)
    return found


def _decode_by_line(block: bytes, file: str, encoding: Encoding, offset: int, number: int) -> list[str]:
    """Decode a block that is not text throughout."""
    found: list[str] = []
    start = 0
    for raw in _raw_lines(block, encoding):
        try:
            pieces = _split(raw.decode(encoding.codec))
        except UnicodeError as error:
            if not encoding.given:
                at = start + getattr(error, "start", 0)
                raise _undecodable(block, at, file, encoding, offset, number + len(found) + 1) from error
            pieces = [*map(Undecodable, _split(raw.decode(encoding.codec, "replace")))]
        start += len(raw)
        # The piece after a line's end belongs to the next line, and is empty.
        found += pieces[:-1] if len(pieces) > 1 and not pieces[-1] else pieces
    return [*found, ""] if block.endswith(_ends(encoding)) else found


def _raw_lines(block: bytes, encoding: Encoding) -> list[bytes]:
    if encoding.width == 1:
        return block.splitlines(keepends=True)
    newline, width = _ends(encoding)[0], encoding.width
    found, start, search = [], 0, 0
    while (end := block.find(newline, search)) >= 0:
        search = end + 1
        if end % width == 0:
            search = end + width
            found.append(block[start:search])
            start = search
    return [*found, block[start:]] if start < len(block) else found


def _undecodable(content: bytes, at: int, file: str, encoding: Encoding, offset: int, line: int) -> DataError:
    """Say where bytes are no text, and which encoding they may be in."""
    about = content[max(at - _SUGGESTION_BYTES, 0) : at + _SUGGESTION_BYTES]
    shown = content[at : at + 1].hex() or "none"
    where = f"{file}, line {line}: the byte 0x{shown} at byte offset {offset + at} is not {encoding.codec.upper()}"
    if encoding.given:
        return DataError(f"{where}, which --encoding names. Name another encoding, or mend the file.")
    if wide := _utf16_of(about, offset + max(at - _SUGGESTION_BYTES, 0)):
        return DataError(
            f"{where}; the text looks like {wide}. If it is, add --encoding {wide}; or save the file as UTF-8."
        )
    # Text has tabs and line ends, and no other control characters to speak of.
    if encoding.width == 1 and sum(byte < 9 or 13 < byte < 27 for byte in about) * 20 > len(about):
        return DataError(
            f"{where}, and it does not look like text at all. Expected CSV, TSV, JSON lines, Parquet, fastText lines, "
            "a folder of class folders, or an archive of these."
        )
    readable = [character for character in about.decode("utf-8", "replace") if character > "\x7f"]
    if readable.count("\ufffd") * 4 < len(readable):
        return DataError(
            f"{where}, as the text around it is. Mend these bytes, or add --encoding utf-8 to skip such rows and count "
            "them."
        )
    suggested = _suggest(about)
    if suggested is None:
        return DataError(f"{where}. Name its encoding, such as --encoding cp1252, or save the file as UTF-8.")
    return DataError(
        f"{where}; the text looks like {suggested}. If it is, add --encoding {suggested}; or save the file as UTF-8."
    )


def _utf16_of(content: bytes, offset: int) -> str | None:
    """Find the order of bytes in which they are UTF-16 without a mark, such as Chinese, which has few NUL bytes.

    Args:
        content: a stretch of a file.
        offset: where it begins there; characters of two bytes begin at even ones.
    """
    content = content[offset % 2 :]
    content = content[: len(content) & ~1]
    for codec in ("utf-16-le", "utf-16-be"):
        text = content.decode(codec, "replace")
        readable = sum(
            character.isprintable() or character in "\t\r\n\u3000" for character in text if character != "\ufffd"
        )
        # Letters of one byte are Chinese ones in pairs; but those have no line ends, separators or blanks among them.
        if readable >= 0.97 * len(text) > 0 and any(character in "\n\t,;| " for character in text):
            return codec
    return None


def _suggest(content: bytes) -> str | None:
    """Ask charset-normalizer for the likeliest encoding."""
    # Only needed where something is wrong.
    import charset_normalizer

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Those of Unicode are known by their marks, and seen in a few letters by chance.
        matches = [each for each in charset_normalizer.from_bytes(content) if not each.encoding.startswith("utf")]
    if not matches or matches[0].encoding == "ascii":
        return None
    alike = {
        name
        for match in matches
        if match.chaos <= matches[0].chaos + _AS_GOOD
        for name in (match.encoding, *match.could_be_from_charset)
    }
    if matches[0].multi_byte_usage == 0:
        for common in _COMMON:
            if common in alike:
                return common
    return matches[0].encoding
