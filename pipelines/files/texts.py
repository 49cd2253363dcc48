"""What a row's fields must be to make a text, in training and in prediction alike."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from pipelines.files.file_rows import EMPTY, NO_TEXT, NUL, SURROGATE


class Text(NamedTuple):
    """A text; or "", one of the reasons of `file_rows` why there is none, and what is particular about it."""

    text: str
    reason: str = ""
    detail: str = ""


def text_of(fields: Sequence[Any]) -> Text:
    """Make one text of one column or several, which line breaks join."""
    text = fields[0] if len(fields) == 1 else _joined(fields)
    if not isinstance(text, str):
        return Text("", EMPTY) if text is None else Text("", NO_TEXT, f"a {type(text).__name__}")
    if not text or text.isspace():
        return Text("", EMPTY)
    if "\0" in text:
        return Text("", NUL)
    if not text.isascii():
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            return Text("", SURROGATE, "a lone surrogate")
    return Text(text)


def _joined(fields: Sequence[Any]) -> str | None:
    return "\n".join(field for field in fields if isinstance(field, str) and field.strip()) or None
