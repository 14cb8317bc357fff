"""From a page's texts to the values of an event: what can't be read is null, and a finding."""

import datetime as dt

from producer.pages import text as read
from producer.pages.findings import Code, Findings
from schemas.times import lap_range

_MAX_LABEL = 300


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

    def count(self, field: str, text: str | None, limit: int = read.MAX_COUNT) -> int | None:
        """A whole number."""
        value = read.count(text) if text else None
        if text and (value is None or value > limit):
            return self._unreadable(field, text)
        return value

    def lap_millis(self, field: str, text: str | None) -> int | None:
        """A lap's time, or one made of laps' times, in milliseconds: more than nothing, at most a day."""
        millis = read.milliseconds(text) if text else None
        return millis or (self._unreadable(field, text) if text else None)

    def lap_seconds(self, field: str, text: str | None) -> float | None:
        """The same in seconds."""
        millis = read.milliseconds(text) if text else None
        return millis / 1_000 if millis else (self._unreadable(field, text) if text else None)

    def seconds(self, field: str, text: str | None) -> float | None:
        """A time in seconds, to the millisecond; at most a day."""
        millis = read.milliseconds(text) if text else None
        if millis is None:
            return self._unreadable(field, text) if text else None
        return millis / 1_000

    def lap_range(self, field: str, text: str | None) -> tuple[float, float] | None:
        """The shortest and the longest lap that count, in seconds, to the millisecond."""
        value = lap_range(text) if text else None
        return self._unreadable(field, text) if value is None and text else value

    def whole_seconds(self, field: str, text: str | None) -> int | None:
        """A length in whole seconds."""
        value = read.whole_seconds(text) if text else None
        return self._unreadable(field, text) if value is None and text else value

    def spelled_seconds(self, field: str, text: str | None) -> int | None:
        """A length in words, in whole seconds."""
        value = read.spelled_seconds(text) if text else None
        return self._unreadable(field, text) if value is None and text else value

    def percent(self, field: str, text: str | None) -> float | None:
        """A percentage."""
        value = read.percent(text) if text else None
        return self._unreadable(field, text) if value is None and text else value

    def clock(self, field: str, text: str | None) -> dt.time | None:
        """A time of day."""
        value = read.clock(text) if text else None
        return self._unreadable(field, text) if value is None and text else value

    def stamp(self, field: str, text: str | None, began: dt.date | None = None) -> dt.datetime | None:
        """A moment of the track's local clock; of a session that began on that day, if one is given."""
        value = read.stamp(text) if text else None
        if text and (value is None or (began and not 0 <= (value.date() - began).days <= 1)):
            return self._unreadable(field, text)
        return value

    def _unreadable(self, field: str, text: str) -> None:
        self.findings.add(Code.UNREADABLE_VALUE, f"{field}: {text}")
