"""From a page's texts to the values of an event: what can't be read is null, and a finding."""

import datetime as dt
from collections.abc import Callable
from typing import TypeVar

from producer.pages import text as read
from producer.pages.findings import Code, Findings

_MAX_LABEL = 300

T = TypeVar("T")


class Values:
    """Reads the fields of one page; each method takes the field's name and its folded text."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings

    def label(self, field: str, text: str | None, limit: int = _MAX_LABEL) -> str | None:
        """A name; null when empty, and when longer than an event may carry."""
        if not text:
            return None
        if len(text) > limit:
            self.findings.add(Code.TEXT_TOO_LONG, f"{field}: {text}", f"at most {limit} characters")
            return None
        return text

    def count(self, field: str, text: str | None) -> int | None:
        """A whole number."""
        return self._value(field, text, read.count)

    def seconds(self, field: str, text: str | None) -> float | None:
        """A time in seconds, to the millisecond."""
        millis = self._value(field, text, read.milliseconds)
        return None if millis is None else millis / 1_000

    def whole_seconds(self, field: str, text: str | None) -> int | None:
        """A length in whole seconds."""
        return self._value(field, text, read.whole_seconds)

    def spelled_seconds(self, field: str, text: str | None) -> int | None:
        """A length in words, in whole seconds."""
        return self._value(field, text, read.spelled_seconds)

    def percent(self, field: str, text: str | None) -> float | None:
        """A percentage."""
        return self._value(field, text, read.percent)

    def clock(self, field: str, text: str | None) -> dt.time | None:
        """A time of day."""
        return self._value(field, text, read.clock)

    def stamp(self, field: str, text: str | None) -> dt.datetime | None:
        """A moment of the track's local clock."""
        return self._value(field, text, read.stamp)

    def _value(self, field: str, text: str | None, reader: Callable[[str], T | None]) -> T | None:
        if not text:
            return None
        value = reader(text)
        if value is None:
            self.findings.add(Code.UNREADABLE_VALUE, f"{field}: {text}")
        return value
