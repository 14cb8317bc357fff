"""Times as the site writes them: where such a text becomes a number, or None when it can't be read."""

import re

DAY_MILLIS = 86_400_000
"""A day: no lap and no session is longer."""

_TIME = re.compile(
    r"(?:([0-9]{1,5}(?::[0-5][0-9])?):(?=[0-5][0-9](?:[.,]|$)))?([0-9]{1,7})(?:[.,]([0-9]{1,9}))?"
)
_RANGE = re.compile(r"(\S{1,20}) to (\S{1,20})")
_PLAIN_LENGTH = 6


def milliseconds(text: str) -> int | None:
    """`42.996`, `1:10.123`, `1:02:03.4`, `55` or `42,996` in milliseconds, rounded half up; at most a day."""
    if len(text) == _PLAIN_LENGTH and text[2] == "." and text.isascii():
        digits = text[:2] + text[3:]  # most of a page's times are written like this
        if digits.isdigit():
            return int(digits)
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    before, seconds, fraction = match.groups()
    millis = int(seconds) * 1_000
    if fraction:
        millis += (int(fraction[:4].ljust(4, "0")) + 5) // 10
    if before:
        hours, _, minutes = before.rpartition(":")
        millis += int(minutes) * 60_000 + int(hours or 0) * 3_600_000
    return millis if millis <= DAY_MILLIS else None


def lap_range(text: str | None) -> tuple[float, float] | None:
    """`20 to 1:10`, the shortest and the longest valid lap, in seconds."""
    match = _RANGE.fullmatch(text or "")
    if match is None:
        return None
    low, high = milliseconds(match[1]), milliseconds(match[2])
    return None if low is None or high is None or low > high else (low / 1_000, high / 1_000)


def lap_range_text(bounds: tuple[float, float] | None) -> str | None:
    """The text that `lap_range` reads as these seconds, to the millisecond, written as the site does."""
    return bounds and f"{_bound(bounds[0])} to {_bound(bounds[1])}"


def _bound(seconds: float) -> str:
    minutes, millis = divmod(round(seconds * 1_000), 60_000)
    whole, fraction = divmod(millis, 1_000)
    text = f"{minutes}:{whole:02}" if minutes else str(whole)
    return f"{text}.{fraction:03}".rstrip("0") if fraction else text
