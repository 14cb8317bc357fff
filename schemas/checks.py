"""What a type can't say of an event, and a table can't bear: checked once, where a record is read."""

import datetime as dt
from collections import Counter

from schemas.events import Event, PracticeDayListed, SessionDetailFetched
from schemas.zones import is_zone

FIRST_YEAR = 1990
"""Before any timing service kept practice days; a database's calendar ends bear no date."""

_SOME_MOMENT = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)


def fault_of(event: Event) -> str | None:
    """What is wrong with an event of the right types; None when nothing is."""
    if event.date.year < FIRST_YEAR:
        return f"date {event.date} is before {FIRST_YEAR}"
    if not _has_utc(event):
        return "the moment of observation has none in UTC"
    if isinstance(event, SessionDetailFetched):
        return _lap_fault(event)
    if isinstance(event, PracticeDayListed) and event.time_zone is not None and not is_zone(event.time_zone):
        return f"time_zone {event.time_zone!r} is no IANA zone"
    return None


def _has_utc(event: Event) -> bool:
    try:
        getattr(event, "observed_at", _SOME_MOMENT).astimezone(dt.UTC)
    except OverflowError:
        return False
    return True


def _lap_fault(event: SessionDetailFetched) -> str | None:
    if len({lap.lap_number for lap in event.laps}) == len(event.laps):
        return None
    twice, _ = Counter(lap.lap_number for lap in event.laps).most_common(1)[0]
    return f"lap {twice} of session {event.session_id} stands there more than once"
