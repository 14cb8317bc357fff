"""What the page of a month's import shows."""

import datetime as dt

from ops.backfill.queries import BackfillDay, DayState
from server.web.months import MOST_DAYS, most_telling

FIRST = dt.date(2005, 1, 1)


def day(number: int, state: DayState) -> BackfillDay:
    """A day of a backfill, so many days after its first."""
    return BackfillDay(
        event_date=FIRST + dt.timedelta(days=number),
        sessions=3,
        state=state,
        run_id=None,
        laps_ingested=0,
        error=None,
        stored=0,
    )


def test_of_years_of_days_what_runs_and_what_failed_is_shown() -> None:
    days = [day(number, "completed") for number in range(3_000)]
    days[2_500], days[2_000], days[2_100] = day(2_500, "running"), day(2_000, "failed"), day(2_100, "partial")
    shown = most_telling(days)
    assert len(shown) == MOST_DAYS
    assert shown[-3:] == [days[2_000], days[2_100], days[2_500]]
    assert most_telling(days[:31]) == days[:31]
