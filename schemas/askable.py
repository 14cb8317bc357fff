"""Which days can be asked for: those that have begun somewhere, since timing services keep practice days."""

import datetime as dt

from schemas.fields import FIRST_YEAR

FARTHEST_EAST = dt.timedelta(hours=14)
"""So far ahead of UTC a day begins on the first track."""


def fault_of_day(day: dt.date) -> str | None:
    """Why this day can't be asked for; None where it can be."""
    if day.year < FIRST_YEAR:
        return f"{day} lies before {FIRST_YEAR}"
    if day > (dt.datetime.now(dt.UTC) + FARTHEST_EAST).date():
        return f"{day} is yet to come"
    return None
