"""What pages say of days that are followed: from their rows, without a server or a database."""

import datetime as dt

from runs import rhythm
from runs.following import FollowedDay
from schemas.zones import zone
from server.web.formats import clock
from server.web.texts import TEXTS

MOST_SHOWN = 200
"""Followed days, and subscribed tracks, of a page."""


def status_of(day: FollowedDay | None, now: dt.datetime) -> str | None:
    """How a day is followed, in a sentence; None where it is not followed now."""
    if day is None or not day.is_followed(now):
        return None
    due = local_clock(max(day.next_at, now), day.time_zone)
    if day.asked_at is None:
        return TEXTS("live.first")
    asked = local_clock(day.asked_at, day.time_zone)
    if day.next_at >= day.ends_at:
        return TEXTS("live.last", asked=asked)
    return TEXTS("live.asked", asked=asked, next=due)


def local_clock(moment: dt.datetime | None, time_zone: str) -> str:
    """A moment on the track's clock, to the second; in UTC where its zone is not known any more."""
    return clock(moment and moment.astimezone(zone(time_zone) or dt.UTC))


def may_follow(date: dt.date, time_zone: str | None, now: dt.datetime) -> bool:
    """Whether this day may be followed: it is today's, as far as that is known."""
    if time_zone:
        return rhythm.today(time_zone, now) == date
    return abs(now.date() - date) <= dt.timedelta(days=1)
