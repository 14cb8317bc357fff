"""How long a backfill takes: a pure function of its days, the pace and what was measured."""

import datetime as dt

import pytest

from ops.backfill.estimate import Estimate, Measured, describe, estimate
from ops.backfill.queries import BackfillDay, DayState
from runs.run import Refresh


def day(number: int, sessions: int, stored: int = 0, state: DayState = "waiting") -> BackfillDay:
    return BackfillDay(
        event_date=dt.date(2025, 10, number),
        sessions=sessions,
        state=state,
        run_id=None,
        laps_ingested=0,
        error=None,
        stored=stored,
    )


DAYS = [day(1, 40), day(2, 20, stored=15), day(3, 10, stored=12), day(4, 30, state="completed")]


def of(
    refresh: Refresh = "missing", *, unknown: int = 0, pace: float = 1.0, seen: Measured | None = None
) -> Estimate:
    return estimate(DAYS, refresh, months_unknown=unknown, interval_seconds=pace, measured=seen or Measured())


def test_days_that_ended_take_nothing_and_the_others_their_list_and_what_is_not_stored() -> None:
    left = of()
    assert (left.days, left.sessions, left.stored) == (3, 70, 25)
    assert left.requests == (1 + 40) + (1 + 5) + 1
    assert left.seconds == 48.0


@pytest.mark.parametrize("refresh", ["all", "changed"])
def test_stored_sessions_are_fetched_again_where_that_is_asked_for(refresh: Refresh) -> None:
    assert of(refresh).requests == 73


@pytest.mark.parametrize(
    ("pace", "requests", "seconds", "expected"),
    [
        (1.0, 100, 250.0, 2.5),  # slower than the pace: the site, or others who ask it
        (1.0, 100, 50.0, 1.0),  # no estimate is better than the pace
        (1.0, 19, 190.0, 1.0),  # too few to tell
        (0.0, 100, 5.0, 0.05),
        (0.0, 0, 0.0, None),
    ],
)
def test_a_request_takes_what_the_pace_says_or_what_was_measured_if_that_is_slower(
    pace: float, requests: int, seconds: float, expected: float | None
) -> None:
    left = of(pace=pace, seen=Measured(requests, seconds))
    assert left.seconds_per_request == expected
    assert left.seconds == (None if expected is None else 48 * expected)


def test_what_is_left_of_the_day_in_flight_counts_with_the_others() -> None:
    left = estimate([], "all", months_unknown=0, interval_seconds=2.0, measured=Measured(), in_flight=7)
    assert (left.days, left.requests, left.seconds) == (0, 7, 14.0)


def test_an_estimate_says_how_it_is_meant() -> None:
    assert describe(of()) == (
        "3 days, 70 sessions, 25 of them stored: about 48 requests; at one request each 1 s this takes about "
        "0:00:48"
    )
    assert describe(of(unknown=1, pace=90)).endswith("takes at least 1:12:00")
    assert "at most 73 requests" in describe(of("changed"))
    assert "no pace is set" in describe(of(pace=0))
