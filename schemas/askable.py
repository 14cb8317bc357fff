"""Which days and months can be asked for: those that have begun, since timing services keep practice days."""

import datetime as dt
import re

from schemas.fields import FIRST_YEAR

_YEAR_MONTH = re.compile(r"[0-9]{4}-[0-9]{2}")

FARTHEST_EAST = dt.timedelta(hours=14)
"""So far ahead of UTC a day begins on the first track."""


def fault_of_day(day: dt.date) -> str | None:
    """Why this day can't be asked for; None where it can be."""
    if day.year < FIRST_YEAR:
        return f"{day} lies before {FIRST_YEAR}"
    if day > (dt.datetime.now(dt.UTC) + FARTHEST_EAST).date():
        return f"{day} is yet to come"
    return None


LARGEST_MONTHS = 240
"""The most months that are asked for at once."""


def first_of_month(text: str) -> dt.date | None:
    """The first day of a month that is written as `2025-10`; None for anything else."""
    try:
        return dt.date.fromisoformat(f"{text}-01") if _YEAR_MONTH.fullmatch(text) else None
    except ValueError:
        return None


def fault_of_months(first: dt.date, last: dt.date) -> str | None:
    """Why the months from one to another, by their first days, can't be asked for; None where they can be."""
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    if not 1 <= count <= LARGEST_MONTHS:
        return f"1 to {LARGEST_MONTHS} months are expected, not {count}"
    return fault_of_day(first) or fault_of_day(last)
