"""How long a backfill takes: days and their sessions go in, requests and seconds at the site's pace come out.

No estimate is better than the pace, and none is made where no pace is set and nothing was measured.
"""

import datetime as dt
from collections.abc import Iterable

from msgspec import Struct

from ops.backfill.queries import ENDED, BackfillDay
from runs.run import Refresh

ENOUGH_REQUESTS = 20
"""So many requests must have been made before their rate counts."""


class Measured(Struct, frozen=True):
    """What was seen: requests, and the seconds in which they were made."""

    requests: int = 0
    seconds: float = 0.0


class Estimate(Struct, frozen=True, kw_only=True):
    """What is left to do: days, their sessions, how many of these are stored, and the requests for the rest.

    `requests` is a lower bound while the days of some months are unknown, else an upper one with `changed`.
    `seconds_per_request` is the pace, or what was measured where that is slower; null without both.
    """

    days: int
    sessions: int
    stored: int
    requests: int
    months_unknown: int
    refresh: Refresh
    seconds_per_request: float | None
    seconds: float | None

    @property
    def bound(self) -> str:
        """How the number of requests is meant."""
        if self.months_unknown:
            return "at least"
        return "at most" if self.refresh == "changed" else "about"


def estimate(
    days: Iterable[BackfillDay],
    refresh: Refresh,
    *,
    months_unknown: int,
    interval_seconds: float,
    measured: Measured,
    in_flight: int = 0,
) -> Estimate:
    """What the days that have not ended come to; `interval_seconds` is the pace that is set.

    `in_flight` are requests that are left of a day which is not among them.
    """
    left = [day for day in days if day.state not in ENDED]
    requests = in_flight + sum(_requests(day, refresh) for day in left)
    pace = _seconds_per_request(interval_seconds, measured)
    return Estimate(
        days=len(left),
        sessions=sum(day.sessions for day in left),
        stored=sum(min(day.stored, day.sessions) for day in left),
        requests=requests,
        months_unknown=months_unknown,
        refresh=refresh,
        seconds_per_request=pace,
        seconds=None if pace is None else requests * pace,
    )


def _requests(day: BackfillDay, refresh: Refresh) -> int:
    """A day's list, and the pages of its sessions; with `missing` only of those that are not stored."""
    stored = day.stored if refresh == "missing" else 0
    return 1 + max(day.sessions - stored, 0)


def _seconds_per_request(interval_seconds: float, measured: Measured) -> float | None:
    if measured.requests >= ENOUGH_REQUESTS:
        return max(interval_seconds, measured.seconds / measured.requests)
    return interval_seconds or None


def describe(left: Estimate) -> str:
    """An estimate as a sentence."""
    what = f"{left.days} days, {left.sessions} sessions, {left.stored} of them stored"
    asked = f"{left.bound} {left.requests} requests"
    if left.seconds_per_request is None:
        return f"{what}: {asked}; no pace is set, so how long that takes is seen as it goes"
    pace = f"at one request each {left.seconds_per_request:.3g} s"
    return f"{what}: {asked}; {pace} this takes {left.bound} {length(left.seconds)}"


def length(seconds: float | None) -> str:
    """A time as h:mm:ss."""
    return "an unknown time" if seconds is None else str(dt.timedelta(seconds=round(seconds)))
