import datetime as dt

from server.web.track_view import MOST_YEARS, last_of_month, years_of
from store.reading import StoredMonth

TODAY = dt.date(2026, 3, 15)


def test_months_go_from_the_first_that_is_stored_to_the_present() -> None:
    stored = [StoredMonth(month=dt.date(2025, 10, 1), days=3), StoredMonth(month=dt.date(2024, 2, 1), days=1)]
    years = years_of(stored, TODAY)
    assert [(year[0].month, len(year)) for year in years] == [
        (dt.date(2026, 3, 1), 3),
        (dt.date(2025, 12, 1), 12),
        (dt.date(2024, 12, 1), 12),
    ]
    assert {one.month: one.days for year in years for one in year if one.days} == {
        one.month: one.days for one in stored
    }


def test_a_track_without_days_has_the_months_of_this_year() -> None:
    assert [len(year) for year in years_of([], TODAY)] == [3]


def test_years_are_bounded_and_a_day_to_come_is_shown() -> None:
    stored = [StoredMonth(month=dt.date(year, 5, 1), days=1) for year in (2099, 1990)]
    years = years_of(stored, TODAY)
    assert (len(years), years[0][0].month) == (MOST_YEARS, dt.date(2099, 5, 1))


def test_a_month_ends_with_its_last_day() -> None:
    assert last_of_month(dt.date(2024, 2, 1)) == dt.date(2024, 2, 29)
