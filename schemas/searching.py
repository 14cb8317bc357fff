"""Text as people search it: without case, accents and other marks, whatever the script."""

import unicodedata

_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe"})
"""Letters that Unicode takes for ones of their own, as keyboards without them write them."""


def searched(text: str) -> str:
    """The text as it is compared with what is searched for: `Umeå` and `UMEA` are the same."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(one for one in parts if not unicodedata.combining(one)).translate(_LETTERS)


def words_of(text: str) -> list[str]:
    """The words of what is searched for, each to stand somewhere in what is found."""
    return searched(text.replace("\0", " ")).split()
