"""Sessions beside the site's figures, compared with each other, and leaderboards of a day."""

import datetime as dt
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest

from laps.comparing import compare
from laps.leaderboard import leaderboards
from laps.sessions import SessionReport, report_of
from store.days import SessionView
from store.reading import LapView, SessionDetail, SessionStats

DAY = dt.date(2025, 10, 25)


def laps_of(*seconds: float | None, invalid: tuple[int, ...] = ()) -> list[LapView]:
    """Laps of these times; the elapsed time is known as long as each has one."""
    usual: dict[str, Any] = dict.fromkeys(LapView.__struct_fields__)
    return [
        LapView(**usual | _timed(number, seconds[:number], is_valid=number not in invalid))
        for number in range(1, len(seconds) + 1)
    ]


def _timed(number: int, so_far: Sequence[float | None], *, is_valid: bool) -> dict[str, Any]:
    times = [time for time in so_far if time is not None]
    return {
        "lap_number": number,
        "lap_time_seconds": so_far[-1],
        "is_valid": is_valid,
        "elapsed_race_time": sum(times) if len(times) == number else None,
    }


def report(*laps: LapView, **facts: Any) -> SessionReport:
    """A session with these laps; the site says nothing of them unless told so."""
    usual: dict[str, Any] = dict.fromkeys(SessionDetail.__struct_fields__)
    facts |= {"laps": list(laps)}
    return report_of(SessionDetail(**usual | facts))


def stats(**facts: float) -> SessionStats:
    usual: dict[str, Any] = dict.fromkeys(SessionStats.__struct_fields__)
    usual |= facts
    return SessionStats(**usual)


def test_figures_that_the_site_gives_otherwise_differ() -> None:
    laps = laps_of(42.996, 47.016, 43.258, 49.466, 46.339)
    found = report(*laps, laps_completed=5, avg_lap_time=45.816, stats=stats(std_deviation=2.717))
    checks = {check.figure: check for check in found.checks}
    assert {name: check.differs for name, check in checks.items()} == {
        "laps_completed": False,
        "avg_lap_time": False,  # the last digit may be rounded otherwise
        "std_deviation": True,
    }
    assert (checks["std_deviation"].ours, checks["std_deviation"].site) == (2.43, 2.717)


def test_a_figure_that_only_the_site_has_differs_and_one_of_ours_alone_is_not_checked() -> None:
    found = report(*laps_of(30.0), laps_completed=1, stats=stats(avg_top_5=30.0))
    assert [check.figure for check in found.checks if check.differs] == ["avg_top_5"]
    assert found.figures
    assert found.figures.fast_lap_time == 30.0


def test_without_laps_nothing_is_computed_or_checked() -> None:
    found = report(laps_completed=9, fast_lap_time=30.0)
    assert (found.figures, found.checks) == (None, [])


def test_sessions_are_compared_lap_by_lap() -> None:
    one = report(*laps_of(30.0, 31.0, 90.0, 30.0, invalid=(3,)))
    other = report(*laps_of(30.5, 30.5, 30.5))
    found = compare([one, other])
    assert [side.laps_won for side in found.sides] == [1, 1]
    gaps = [(lap.gap, lap.gap_in_all) if lap else None for lap in (line.laps[1] for line in found.laps)]
    assert gaps == [(0.5, 0.5), (-0.5, 0.0), (None, -59.5), None]
    assert [line.lap_number for line in found.laps] == [1, 2, 3, 4]
    first = found.laps[2].laps[0]
    assert first
    assert (first.counts, first.gap, first.gap_in_all) == (False, None, 0.0)


def test_laps_of_equal_times_and_those_of_one_alone_are_won_by_nobody() -> None:
    found = compare([report(*laps_of(30.0, 29.0)), report(*laps_of(30.0)), report(*laps_of(None))])
    assert [side.laps_won for side in found.sides] == [0, 0, 0]
    assert [lap and lap.gap_in_all for lap in found.laps[0].laps] == [0.0, 0.0, None]


def test_a_mistake_shows_in_a_comparison() -> None:
    found = compare([report(*laps_of(30, 30, 30, 30, 40)), report()])
    assert [bool(line.laps[0] and line.laps[0].is_mistake) for line in found.laps] == [False] * 4 + [True]
    assert found.laps[0].laps[1] is None


def session(number: int, driver: int, best: float | None, **facts: Any) -> SessionView:
    """A session of a driver; each begins a minute after the one before."""
    usual: dict[str, Any] = dict.fromkeys(SessionView.__struct_fields__) | {
        "id": UUID(int=number),
        "session_id": str(number),
        "driver_id": UUID(int=driver),
        "source_driver_id": f"90{driver}",
        "class_name": "Buggy",
        "run": 1,
        "start_time": dt.datetime.combine(DAY, dt.time(10, number)),
        "laps_completed": 10,
        "fast_lap_time": best,
    }
    return SessionView(**usual | facts)


def test_a_leaderboard_has_each_driver_once_by_the_best_lap() -> None:
    [board] = leaderboards(
        [session(1, 1, 31.0), session(2, 2, 30.5), session(3, 1, 30.0, run=2), session(4, 3, None)]
    )
    assert [(one.place, one.source_driver_id, one.fast_lap_time) for one in board.places] == [
        (1, "901", 30.0),
        (2, "902", 30.5),
    ]
    first = board.places[0]
    assert (first.run, first.session_id, first.sessions, first.laps) == (2, "3", 2, 20)


@pytest.mark.parametrize(
    ("start", "first"),
    [(dt.datetime(2025, 10, 25, 9, 0), "902"), (None, "901"), (dt.datetime(2025, 10, 25, 10, 1), "901")],
)
def test_of_equal_laps_the_first_one_leads(start: dt.datetime | None, first: str) -> None:
    [board] = leaderboards([session(1, 1, 30.0), session(2, 2, 30.0, start_time=start)])
    assert board.places[0].source_driver_id == first


def test_classes_come_by_name_the_one_without_last() -> None:
    found = leaderboards(
        [session(1, 1, 30.0, class_name=None), session(2, 1, 30.0), session(3, 1, 30.0, class_name="2WD")]
    )
    assert [board.class_name for board in found] == ["2WD", "Buggy", None]
