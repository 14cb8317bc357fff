"""Text as a page writes it, and what it means: pure functions, None where it can't be read."""

import datetime as dt
import re

from schemas.times import milliseconds

_DROPPED = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_LENGTH = re.compile(r"([0-9]{1,3}):([0-5][0-9])")
_SPELLED = re.compile(r"([0-9]{1,6}) (day|hour|minute|second)s?")
_SECONDS_IN = {"day": 86_400, "hour": 3_600, "minute": 60, "second": 1}
_CLOCK = re.compile(r"(1[0-2]|0?[1-9]):([0-5][0-9]):([0-5][0-9]) ?([ap])\.?m\.?", re.IGNORECASE)
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
LONG_DATE = r"[A-Z][a-z]{2,8} [0-9]{1,2}, [0-9]{4}"
"""How the site writes a date, `October 25, 2025`, as a pattern."""

LONG_MONTH = r"[A-Z][a-z]{2,8} [0-9]{4}"
"""How the site writes a month, `October 2025`, as a pattern."""

_LONG_DATE = re.compile(LONG_DATE)
_TRANSPONDER = re.compile(r"(?:[0-9]{4,10}|[A-Za-z]{1,10}-[0-9]{1,17})?")
_SESSION_LINK = re.compile(
    r"[^?#]*\?(?=(?:[^#]*&)?p=view_session(?:[&#]|$))(?:[^#]*&)?id=([0-9]{1,18})(?:[&#]|$)"
)
_COUNT = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})|[0-9]{1,7}")
MAX_COUNT = 1_000_000
"""The largest whole number that is read."""

_HUNDRED_PERCENT = 100_000
_STAMP_LENGTH, _DATE_LENGTH, _SHORT = 19, 10, 6


def folded(text: str) -> str:
    """The text with each run of white space as one space; control characters and surrogates are dropped."""
    if text.isprintable() and "  " not in text:
        return text.strip(" ")
    return " ".join(_DROPPED.sub("", " ".join(text.split())).split())


def whole_seconds(text: str) -> int | None:
    """`55`, `8:28` or `1:02:03` in seconds, at most a day; None for a fraction of a second."""
    usual = _LENGTH.fullmatch(text)
    if usual is not None:
        return int(usual[1]) * 60 + int(usual[2])
    millis = milliseconds(text)
    return None if millis is None or millis % 1_000 else millis // 1_000


def spelled_seconds(text: str) -> int | None:
    """`7 hours, 16 minutes, 45 seconds` in seconds."""
    parts = [_SPELLED.fullmatch(part) for part in text.split(", ")]
    total = 0
    for part in parts:
        if part is None:
            return None
        total += int(part[1]) * _SECONDS_IN[part[2]]
    return total if total <= MAX_COUNT else None


def count(text: str) -> int | None:
    """A whole number from 0 to a million, with or without a comma for the thousands."""
    if len(text) < _SHORT and text.isascii() and text.isdigit():
        return int(text)
    if not _COUNT.fullmatch(text):
        return None
    number = int(text.replace(",", ""))
    return number if number <= MAX_COUNT else None


def percent(text: str) -> float | None:
    """`94.695%`; below zero where the deviation is larger than the average."""
    number = text.removesuffix("%").rstrip()
    sign = -1 if number.startswith("-") else 1
    millis = milliseconds(number.removeprefix("-")) if ":" not in number else None
    return None if millis is None or sign * millis > _HUNDRED_PERCENT else sign * millis / 1_000


def clock(text: str) -> dt.time | None:
    """`4:36:38pm`."""
    match = _CLOCK.fullmatch(text)
    if match is None:
        return None
    hour = int(match[1]) % 12 + (12 if match[4] in "pP" else 0)
    return dt.time(hour, int(match[2]), int(match[3]))


def stamp(text: str) -> dt.datetime | None:
    """`2025-10-25 16:36:38`, without offset."""
    if len(text) != _STAMP_LENGTH or text[7] != "-":
        return None
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is None else None


def iso_date(text: str) -> dt.date | None:
    """`2025-10-25`."""
    if len(text) != _DATE_LENGTH or text[7] != "-":
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


def long_date(text: str) -> dt.date | None:
    """The first date in the text that is written as `October 25, 2025`."""
    match = _LONG_DATE.search(text)
    if match is None:
        return None
    month, day, year = match[0].replace(",", "").split(" ")
    try:
        return dt.date(int(year), _MONTHS.index(month) + 1, int(day))
    except ValueError:
        return None


def long_month(text: str) -> str | None:
    """`October 2025` as `2025-10`."""
    name, _, year = text.partition(" ")
    return f"{year}-{_MONTHS.index(name) + 1:02}" if name in _MONTHS else None


def kind(text: str) -> tuple[str, str]:
    """Class and transponder of `1/10 Open (9783013)`, either may be empty.

    The last parentheses hold the transponder when their content can be one: 4 to 10 digits, or letters, a
    hyphen and digits. `Masters (40)`, `Buggy (Stock)` and `Formula (F103)` are classes without a transponder,
    and stay whole; empty parentheses are none.
    """
    start = text.rfind("(") if text.endswith(")") else -1
    if start < 0:
        return text, ""
    inner = text[start + 1 : -1].strip()
    return (text[:start].rstrip(), inner) if _TRANSPONDER.fullmatch(inner) else (text, "")


def linked_session(href: str | None) -> str | None:
    """The session id in a link to a session's page, whatever the order of its parameters."""
    match = _SESSION_LINK.match(href or "")
    return match[1] if match else None
