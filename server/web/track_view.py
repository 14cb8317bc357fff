"""What a track's page works out: the months of its years, and where each ends."""

import calendar
import datetime as dt

from msgspec import Struct

from store.reading import StoredMonth

MOST_YEARS = 40
"""Years whose months are shown."""


class MonthOfYear(Struct, frozen=True, kw_only=True):
    """A month, by its first day, with how many days of it are stored; 0 for one that may be imported."""

    month: dt.date
    days: int


def last_of_month(first: dt.date) -> dt.date:
    """The last day of a month, given its first one."""
    return first.replace(day=calendar.monthrange(first.year, first.month)[1])


def years_of(stored: list[StoredMonth], today: dt.date) -> list[list[MonthOfYear]]:
    """The months by year, the newest first: from the first that is stored to the present, at least a year."""
    days = {one.month: one.days for one in stored}
    newest = max([today.replace(day=1), *days])
    oldest = min([newest.replace(month=1), *days])
    years = range(newest.year, max(oldest.year, newest.year - MOST_YEARS + 1) - 1, -1)
    return [
        [
            MonthOfYear(month=month, days=days.get(month, 0))
            for month in (dt.date(year, number, 1) for number in range(12, 0, -1))
            if month <= newest
        ]
        for year in years
    ]
