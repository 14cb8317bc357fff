"""The generator: days out of a seed, with totals that agree with their laps."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.sample_site import naming
from sandbox.sample_site.cases import case_sessions, cases_day
from sandbox.sample_site.edits import CorrectTransponder, RemoveLap, RemoveSession, edited
from sandbox.sample_site.figures import day_figures, session_figures
from sandbox.sample_site.generate import generate_day, real_shape_day
from sandbox.sample_site.model import UNKNOWN_DRIVER, DayQuirk

DATE = dt.date(2025, 10, 25)


def test_the_same_seed_gives_the_same_day() -> None:
    one, two = (generate_day("canberra", DATE, seed=3, sessions=30) for _ in range(2))

    assert one == two


@pytest.mark.parametrize(
    ("track", "date", "seed"),
    [("darwin", DATE, 3), ("canberra", dt.date(2025, 10, 26), 3), ("canberra", DATE, 4)],
)
def test_another_track_date_or_seed_gives_another_day(track: str, date: dt.date, seed: int) -> None:
    day = generate_day("canberra", DATE, seed=3, sessions=5)
    other = generate_day(track, date, seed=seed, sessions=5)

    assert [s.laps for s in day.sessions] != [s.laps for s in other.sessions]


def test_the_real_shape_has_the_real_totals() -> None:
    day = real_shape_day("canberra", DATE)
    figures = day_figures(day)

    assert len(day.sessions) == 56
    assert figures.laps == 487
    assert dict(figures.laps_by_class) == {
        "1/10 Open": 221,
        "1/8 Electric Buggy": 160,
        "1/8 Nitro Buggy": 77,
        "Unknown Class": 29,
    }
    assert (figures.drivers, figures.classes) == (9, 4)
    assert figures.first == dt.datetime.fromisoformat("2025-10-25T10:58:33")
    assert figures.last == dt.datetime.fromisoformat("2025-10-25T16:36:38")


def test_the_real_shape_has_ten_names_and_twelve_transponders() -> None:
    pairs = {(s.driver, s.transponder) for s in real_shape_day("canberra", DATE).sessions}
    by_name = {name: sum(driver == name for driver, _ in pairs) for name, _ in pairs}

    assert len(pairs) == len({transponder for _, transponder in pairs}) == 12
    assert None not in {transponder for _, transponder in pairs}
    assert sorted(by_name.values()) == [1] * 9 + [3]
    assert by_name[UNKNOWN_DRIVER] == 1


def test_the_rows_rounded_lengths_need_not_add_up_to_the_track_time() -> None:
    day = real_shape_day("canberra", DATE)
    rounded = sum((session_figures(session).length + 500) // 1000 for session in day.sessions)

    assert rounded != day_figures(day).track_time


@pytest.mark.parametrize(("sessions", "laps"), [(0, 5), (1, 0), (5_000, 1), (1, 10_000)])
def test_a_day_has_as_many_sessions_and_laps_as_were_asked_for(sessions: int, laps: int) -> None:
    day = generate_day("canberra", DATE, seed=1, sessions=sessions, laps_per_session=laps)

    assert [len(session.laps) for session in day.sessions] == [laps] * sessions
    assert all(lap.ended_at.date() == DATE for session in day.sessions for lap in session.laps)


@pytest.mark.parametrize(("sessions", "laps"), [(5_001, 1), (-1, 1), (1, 10_001)])
def test_a_day_beyond_the_bounds_is_refused(sessions: int, laps: int) -> None:
    with pytest.raises(ValueError, match="has 0 to"):
        generate_day("canberra", DATE, seed=1, sessions=sessions, laps_per_session=laps)


@given(date=st.dates(), number=st.integers(0, 9_999), track=st.sampled_from(["canberra", "a", "z-9"]))
def test_a_session_id_tells_its_date(date: dt.date, number: int, track: str) -> None:
    assert naming.date_of(naming.session_id(track, date, number)) == date


@pytest.mark.parametrize("session_id", ["", "x", "-1", "0", "²", "9" * 40])
def test_a_foreign_session_id_tells_no_date(session_id: str) -> None:
    assert naming.date_of(session_id) is None


def test_invalid_laps_count_as_track_time_and_in_no_other_statistic() -> None:
    session = case_sessions("canberra", DATE)["invalid_laps"]
    figures = session_figures(session)

    assert figures.length == sum(lap.millis for lap in session.laps)
    assert figures.laps == 4
    assert figures.fastest == 43_210
    assert figures.average == (43_210 + 44_003 + 45_120 + 43_999) / 4
    assert figures.top_3_consecutive is None
    assert figures.top_5 is None


def test_what_five_laps_can_tell_is_told_and_no_more() -> None:
    figures = session_figures(case_sessions("canberra", DATE)["usual"])

    assert figures.top_3_consecutive == 42_996 + 45_815 + 44_102
    assert figures.top_5 == figures.average == 45_815
    assert figures.top_10 is None
    assert figures.deviation == pytest.approx(2_109.446, abs=0.001)
    assert figures.consistency == pytest.approx(95.396, abs=0.001)


def test_a_session_without_laps_has_no_statistics() -> None:
    figures = session_figures(case_sessions("canberra", DATE)["no_laps"])

    assert (figures.laps, figures.length) == (0, 0)
    assert (figures.fastest, figures.average, figures.deviation, figures.consistency) == (None,) * 4


def test_the_leaderboard_has_no_row_for_the_unknown_class() -> None:
    figures = day_figures(real_shape_day("canberra", DATE))

    assert [leader.session.class_name for leader in figures.leaders] == [
        "1/10 Open",
        "1/8 Electric Buggy",
        "1/8 Nitro Buggy",
    ]
    assert figures.overall is not None
    assert figures.overall.millis == min(
        lap.millis for session in real_shape_day("canberra", DATE).sessions for lap in session.laps
    )


def test_wrong_totals_count_more_laps_than_the_rows_hold() -> None:
    right, wrong = (
        cases_day("canberra", DATE),
        cases_day("canberra", DATE, quirks=frozenset({DayQuirk.WRONG_TOTALS})),
    )

    assert day_figures(wrong).laps == day_figures(right).laps + 10


def test_the_cases_stand_in_the_order_in_which_they_began() -> None:
    starts = [session.start for session in cases_day("canberra", DATE).sessions]

    assert starts == sorted(set(starts))


def test_corrections_change_one_session_only() -> None:
    day = real_shape_day("canberra", DATE)
    first, second, third = (session.session_id for session in day.sessions[:3])
    laps = len(day.sessions[0].laps)

    changed = edited(day, RemoveLap(session_id=first, lap_number=1))
    changed = edited(changed, RemoveSession(session_id=second))
    changed = edited(changed, CorrectTransponder(session_id=third, transponder="1234567"))

    assert [len(s.laps) for s in changed.sessions[:1]] == [laps - 1]
    assert [s.session_id for s in changed.sessions[1:2]] == [third]
    assert changed.sessions[1].transponder == "1234567"
    assert changed.sessions[2:] == day.sessions[3:]


@pytest.mark.parametrize("lap_number", [0, 99])
def test_a_lap_that_is_not_there_cannot_be_removed(lap_number: int) -> None:
    day = cases_day("canberra", DATE)

    with pytest.raises(ValueError, match="no lap"):
        edited(day, RemoveLap(session_id=day.sessions[0].session_id, lap_number=lap_number))
