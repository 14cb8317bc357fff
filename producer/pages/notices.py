"""The sentences by which the site says that there was no practice, in whatever element they stand."""

import re
from collections.abc import Callable

from selectolax.lexbor import LexborHTMLParser, LexborNode

from producer.pages.page import shown_texts
from producer.pages.text import folded

_LONGEST = 1_000
_THAT_DAY = re.compile(r"There are no practice sessions available for the given date\.?")
_EVER = re.compile(
    r"(?:[\w ]{1,60} )?no synched[ -]up practice sessions(?: [\w ]{1,100})?[.!]?", re.IGNORECASE
)


def nothing_that_day(tree: LexborHTMLParser) -> LexborNode | None:
    """The element that says that a day had no practice, or that there never was any."""
    return _holder(tree, says_nothing_that_day)


def nothing_ever(tree: LexborHTMLParser) -> LexborNode | None:
    """The element that says that the track never had practice."""
    return _holder(tree, _says_nothing_ever)


def says_nothing_that_day(text: str) -> bool:
    """Whether a folded text says that a day had no practice, or that there never was any."""
    return _THAT_DAY.fullmatch(text) is not None or _says_nothing_ever(text)


def _says_nothing_ever(text: str) -> bool:
    return _EVER.fullmatch(text) is not None


def _holder(tree: LexborHTMLParser, says: Callable[[str], bool]) -> LexborNode | None:
    for text, holder in shown_texts(tree):
        if len(text) <= _LONGEST and "practice" in text and says(folded(text)):
            return holder
    return None
