"""What was asked of the site, when, and how much of it at once.

In: the begin and the end of every request. Out: `Statistics`. Times are seconds of the machine's monotonic
clock, so that another process on the machine can lay them beside its own.
"""

import time
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager

import msgspec

from sandbox.sample_site.faults import Asked, PageKind


class RequestRecord(msgspec.Struct, kw_only=True):
    """One request; `ended` and `status` are null while it runs, `status` also when it was cut off."""

    path: str
    page: PageKind
    session_id: str | None
    began: float
    ended: float | None = None
    status: int | None = None


class Statistics(msgspec.Struct, frozen=True, kw_only=True):
    """`begins_per_second` counts the begins in each whole second since the first request."""

    total: int
    by_page: dict[PageKind, int]
    in_flight: int
    max_in_flight: int
    sessions_in_flight: int
    max_sessions_in_flight: int
    begins_per_second: dict[int, int]
    requests: list[RequestRecord]


class _Gauge:
    def __init__(self) -> None:
        self.now = 0
        self.highest = 0

    def move(self, by: int) -> None:
        self.now += by
        self.highest = max(self.highest, self.now)


class Ledger:
    """The record of all requests but those to the controls."""

    def __init__(self) -> None:
        self._requests: list[RequestRecord] = []
        self._all = _Gauge()
        self._sessions = _Gauge()

    @property
    def requests(self) -> tuple[RequestRecord, ...]:
        """The requests in the order in which they began."""
        return tuple(self._requests)

    @property
    def in_flight(self) -> int:
        """How many requests run now."""
        return self._all.now

    @property
    def max_in_flight(self) -> int:
        """The most requests that ever ran at once."""
        return self._all.highest

    @property
    def sessions_in_flight(self) -> int:
        """How many requests for session pages run now."""
        return self._sessions.now

    @property
    def max_sessions_in_flight(self) -> int:
        """The most requests for session pages that ever ran at once."""
        return self._sessions.highest

    @contextmanager
    def running(self, asked: Asked) -> Generator[RequestRecord]:
        """Count one request while it runs."""
        record = RequestRecord(
            path=asked.path, page=asked.page, session_id=asked.session_id, began=time.monotonic()
        )
        self._requests.append(record)
        gauges = (self._all, self._sessions) if asked.page == "session" else (self._all,)
        for gauge in gauges:
            gauge.move(1)
        try:
            yield record
        finally:
            record.ended = time.monotonic()
            for gauge in gauges:
                gauge.move(-1)

    def count(self, page: PageKind) -> int:
        """How many pages of a kind were asked for."""
        return sum(record.page == page for record in self._requests)

    def statistics(self) -> Statistics:
        """All figures at once."""
        first = self._requests[0].began if self._requests else 0.0
        return Statistics(
            total=len(self._requests),
            by_page=dict(Counter(record.page for record in self._requests)),
            in_flight=self.in_flight,
            max_in_flight=self.max_in_flight,
            sessions_in_flight=self.sessions_in_flight,
            max_sessions_in_flight=self.max_sessions_in_flight,
            begins_per_second=dict(Counter(int(record.began - first) for record in self._requests)),
            requests=list(self._requests),
        )
