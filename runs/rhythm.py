"""When a followed day is asked for: pure functions of time, the track's zone and what else is followed."""

import datetime as dt
from collections.abc import Sequence

from schemas.errors import LapstreamError
from schemas.zones import zone

BUSY_SECONDS = 30.0
"""A day on which something new was seen just now is asked for this often."""

QUIET_SECONDS = 600.0
"""A day on which nothing happens is asked for at least this often."""

QUIET_PART = 150
"""Between both: after this part of the time since something new was seen, a minute after 2.5 hours."""

UNSEEN = dt.timedelta(hours=10)
"""A subscribed track's day begins as one that has been quiet for so long: nobody drives at midnight."""

SHARE = 4
"""Following takes at most one of so many requests of the fleet's pace."""

NIGHT = dt.timedelta(hours=2)
"""So long after a day's end it is asked for once more: for who uploads late."""

MISSED_DAYS = 7
"""So many days back those are asked for that were missed while no fetcher was at work."""

FAILED_SECONDS = 300.0
"""How long a day is left alone after its list failed to be fetched."""

FAILED_NIGHT = dt.timedelta(hours=6)
"""The same of a day that is over."""


def usual_seconds(quiet_seconds: float) -> float:
    """The seconds between two requests for a day on which nothing new was seen for so long."""
    return min(max(quiet_seconds / QUIET_PART, BUSY_SECONDS), QUIET_SECONDS)


def stretch(usual: Sequence[float], pace_seconds: float) -> float:
    """What the intervals of all followed days are multiplied by, so that they keep within their share.

    `pace_seconds` is the time between two requests of the fleet.
    """
    wanted_a_second = sum(1 / seconds for seconds in usual)
    return max(1.0, wanted_a_second * gap_seconds(pace_seconds))


def gap_seconds(pace_seconds: float) -> float:
    """The least time between the requests for any two followed days."""
    return pace_seconds * SHARE


class UnknownZone(LapstreamError):
    """A zone that tzdata does not list, or no more: when a day begins there is not known."""


def _rules(time_zone: str) -> dt.tzinfo:
    rules = zone(time_zone)
    if rules is None:
        raise UnknownZone(f"{time_zone!r} is no IANA zone, such as Australia/Sydney")
    return rules


def today(time_zone: str, now: dt.datetime) -> dt.date:
    """The date at a track now; raises `UnknownZone`."""
    return now.astimezone(_rules(time_zone)).date()


def end_of_day(date: dt.date, time_zone: str) -> dt.datetime:
    """The moment in UTC at which a day is over at a track: its next midnight, however long the day is.

    Raises `UnknownZone`.
    """
    following = dt.datetime.combine(date + dt.timedelta(days=1), dt.time(), tzinfo=_rules(time_zone))
    return following.astimezone(dt.UTC)


def days_wanted(since: dt.date, at: dt.date) -> list[dt.date]:
    """The days of a subscription: today, and those before it that may have been missed."""
    first = min(at, max(since, at - dt.timedelta(days=MISSED_DAYS)))
    return [first + dt.timedelta(days=days) for days in range((at - first).days + 1)]


def next_request(now: dt.datetime, ends_at: dt.datetime, seconds: float) -> dt.datetime:
    """When a day is asked for next, so many seconds after now; when it is over by then, for its night."""
    due = now + dt.timedelta(seconds=seconds)
    return due if due < ends_at else ends_at + NIGHT


def after_failure(now: dt.datetime, ends_at: dt.datetime) -> dt.datetime | None:
    """When a day is asked for again whose list failed to be fetched; None where it is given up."""
    if now < ends_at:
        return next_request(now, ends_at, FAILED_SECONDS)
    due = now + FAILED_NIGHT
    return due if due < ends_at + dt.timedelta(days=MISSED_DAYS) else None
