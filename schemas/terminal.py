"""Texts of sites, producers and callers as a terminal may show them.

Control characters, and those that turn the direction of writing, become escapes: of Python's in a text for
people, of JSON's in a document, whose readers get the text as it was.
"""

import re

_OBEYED = re.compile(
    r"[\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
"""What JSON may carry as it is and a terminal, or the eye, does not take for a character."""


def clean(text: str) -> str:
    """The text, with each character that can't be printed as an escape of Python's."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def clean_json(data: bytes) -> bytes:
    """The same JSON document, with each character that a terminal would obey as an escape of JSON's.

    JSON itself escapes what is below U+0020; the others stand in texts only, where an escape means the same.
    """
    if data.isascii() and b"\x7f" not in data:
        return data
    return _OBEYED.sub(_escape, data.decode()).encode()


def _escape(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
