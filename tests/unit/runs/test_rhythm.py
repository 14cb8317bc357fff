"""When a followed day is asked for: pure functions of time, zone and what else is followed."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runs import rhythm

QUIET = st.lists(st.floats(min_value=0, max_value=100_000), min_size=1, max_size=200)


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("quiet_seconds", "expected"), [(0, 30), (4500, 30), (9000, 60), (36_000, 240), (200_000, 600)]
)
def test_a_quiet_day_is_asked_for_less_often(quiet_seconds: float, expected: float) -> None:
    assert rhythm.usual_seconds(quiet_seconds) == expected


@given(QUIET, st.floats(min_value=0.1, max_value=60))
def test_many_followed_days_take_no_more_than_their_share_of_the_pace(
    quiet_seconds: list[float], pace_seconds: float
) -> None:
    usual = [rhythm.usual_seconds(one) for one in quiet_seconds]
    factor = rhythm.stretch(usual, pace_seconds)
    asked_a_second = sum(1 / (seconds * factor) for seconds in usual)
    assert factor >= 1
    assert asked_a_second <= 1 / pace_seconds / rhythm.SHARE * 1.000001


def test_few_followed_days_are_not_held_back() -> None:
    assert rhythm.stretch([rhythm.BUSY_SECONDS] * 7, 1.0) == 1.0
    assert rhythm.stretch([rhythm.QUIET_SECONDS] * 50, 1.0) == 1.0
    assert rhythm.stretch([rhythm.BUSY_SECONDS] * 50, 0.0) == 1.0


@pytest.mark.parametrize(
    ("date", "zone", "ends_at"),
    [
        ("2025-10-25", "Europe/Berlin", "2025-10-25T22:00"),
        ("2025-10-26", "Europe/Berlin", "2025-10-26T23:00"),  # a day of 25 hours
        ("2025-10-05", "Australia/Sydney", "2025-10-05T13:00"),  # one of 23
        ("2025-06-01", "Asia/Kathmandu", "2025-06-01T18:15"),
        ("2018-11-03", "America/Sao_Paulo", "2018-11-04T03:00"),  # the next one has no midnight
    ],
)
def test_a_day_ends_at_its_tracks_midnight(date: str, zone: str, ends_at: str) -> None:
    assert rhythm.end_of_day(dt.date.fromisoformat(date), zone) == utc(ends_at)


def test_today_is_the_tracks() -> None:
    now = utc("2025-10-25T23:30")
    assert rhythm.today("Australia/Sydney", now) == dt.date(2025, 10, 26)
    assert rhythm.today("America/New_York", now) == dt.date(2025, 10, 25)


def test_days_that_were_missed_are_wanted_up_to_a_week_back_and_none_before_the_subscription() -> None:
    today = dt.date(2025, 10, 25)
    assert rhythm.days_wanted(today, today) == [today]
    assert rhythm.days_wanted(today - dt.timedelta(days=2), today)[0] == dt.date(2025, 10, 23)
    assert rhythm.days_wanted(dt.date(2025, 1, 1), today)[0] == dt.date(2025, 10, 18)
    assert rhythm.days_wanted(today + dt.timedelta(days=1), today) == [today]


def test_after_its_end_a_day_waits_for_its_night() -> None:
    ends_at = utc("2025-10-25T22:00")
    assert rhythm.next_request(utc("2025-10-25T21:00"), ends_at, 30) == utc("2025-10-25T21:00:30")
    assert rhythm.next_request(utc("2025-10-25T21:59:50"), ends_at, 30) == utc("2025-10-26T00:00")
    assert rhythm.after_failure(utc("2025-10-25T21:00"), ends_at) == utc("2025-10-25T21:05")
    assert rhythm.after_failure(utc("2025-10-25T21:59"), ends_at) == utc("2025-10-26T00:00")
    assert rhythm.after_failure(utc("2025-10-26T00:00"), ends_at) == utc("2025-10-26T06:00")
    assert rhythm.after_failure(utc("2025-11-01T21:00"), ends_at) is None
