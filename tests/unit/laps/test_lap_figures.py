"""The figures of laps: the site's own on what real pages show, and which laps are mistakes."""

import datetime as dt
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from laps.figures import Figures, figures_of, kind_of, to_best
from laps.mistakes import mistakes_among
from sandbox.sample_site.figures import session_figures
from sandbox.sample_site.generate import real_shape_day


class Timed(Struct, frozen=True):
    """A lap as far as figures need it."""

    lap_number: int
    lap_time_seconds: float | None
    is_valid: bool | None = True


PRACTICE = (42.996, 47.016, 43.258, 49.466, 46.339)
"""The laps of a real practice session's page."""

RACE = """
39.488 41.308 38.999 38.081 37.665 37.734 37.64 37.806 43.992 37.692 39.635 47.282 39.496 37.516 37.131 36.826
37.28 38.014 40.313 37.885 36.189 37.988 37.601 46.218 37.174 37.466 37.586 37.542 37.24 38.263 38.142 37.335
36.664 37.051 40.243 45.097 36.999 37.958 43.633 36.907 43.471 44.918 37.399 36.017 37.604 43.574
"""
"""The laps of a real race but the first, which that page leaves out of its figures."""


def figures(seconds: Sequence[float], **facts: bool | None) -> Figures:
    return figures_of(Timed(number, time, **facts) for number, time in enumerate(seconds, 1))


def test_the_figures_of_a_real_session_are_the_sites() -> None:
    found = figures(PRACTICE)
    assert (found.laps_completed, found.fast_lap_time, found.avg_lap_time) == (5, 42.996, 45.815)
    assert (found.top_3_consecutive, found.std_deviation, found.consistency) == (133.27, 2.43, 94.695)
    assert (found.avg_top_5, found.avg_top_10, found.avg_top_15) == (45.815, None, None)
    assert (found.median_lap_time, found.mistakes, found.invalid_laps) == (46.339, (), 0)


def test_the_figures_of_a_real_race_are_the_sites_and_its_crashes_are_mistakes() -> None:
    times = [float(time) for time in RACE.split()]
    found = figures(times)
    assert (found.fast_lap_time, found.avg_lap_time, found.std_deviation) == (36.017, 39.088, 2.852)
    assert (found.avg_top_5, found.avg_top_10, found.avg_top_15) == (36.521, 36.82, 37.013)
    assert (found.top_3_consecutive, found.consistency) == (111.02, 92.704)
    assert sorted(times[number - 1] for number in found.mistakes) == [
        *(41.308, 43.471, 43.574, 43.633, 43.992, 44.918, 45.097, 46.218, 47.282)
    ]
    assert (found.clean_avg_lap_time, found.clean_consistency) == (37.799, 97.405)


def test_figures_of_a_session_are_those_that_were_worked_out_by_hand() -> None:
    """Sixteen laps of 30 to 45 s, fast and slow in turn, and an invalid one behind the third.

    The average of whole numbers in a row is that of the first and the last one, their variance (n² - 1) / 12.
    """
    times = [45, 30, 44, 31, 43, 32, 42, 33, 41, 34, 40, 35, 39, 36, 38, 37]
    laps = [Timed(number + (number > 3), time) for number, time in enumerate(times, 1)]
    found = figures_of([*laps, Timed(4, 10.0, False)])
    assert (found.laps_completed, found.invalid_laps, found.fast_lap_time) == (16, 1, 30.0)
    assert (found.avg_lap_time, found.median_lap_time) == (37.5, 37.5)
    assert (found.avg_top_5, found.avg_top_10, found.avg_top_15) == (32.0, 34.5, 37.0)
    assert found.std_deviation == 4.61  # the root of 255 / 12, 4.60977
    assert found.consistency == 87.707  # 100 - 460.977 / 37.5
    assert found.top_3_consecutive == 106.0  # 31, 43, 32: the invalid lap is between 30, 44 and 31
    assert (figures(times[:9]).avg_top_5, figures(times[:9]).avg_top_10) == (33.4, None)
    assert figures(times[:14]).avg_top_15 is None


def test_a_sample_days_figures_are_those_of_its_pages() -> None:
    for session in real_shape_day("canberra", dt.date(2025, 10, 25)).sessions:
        found = figures_of(
            Timed(number, lap.millis / 1000, lap.is_valid) for number, lap in enumerate(session.laps, 1)
        )
        site = session_figures(session)
        assert found.laps_completed == site.laps
        for ours, millis in (
            (found.fast_lap_time, site.fastest),
            (found.avg_lap_time, site.average),
            (found.top_3_consecutive, site.top_3_consecutive),
            (found.avg_top_5, site.top_5),
            (found.avg_top_10, site.top_10),
            (found.avg_top_15, site.top_15),
            (found.std_deviation, site.deviation),
        ):
            assert ours == (millis and pytest.approx(millis / 1000, abs=0.0005001))
        assert found.consistency == (site.consistency and pytest.approx(site.consistency, abs=0.0005001))


def test_invalid_laps_and_laps_without_a_time_are_left_out() -> None:
    laps = [Timed(1, 30.0), Timed(2, 2.1, False), Timed(3, 30.2), Timed(4, 30.4, None), Timed(5, None)]
    found = figures_of(laps)
    assert (found.laps_completed, found.invalid_laps, found.avg_lap_time) == (3, 1, 30.2)
    assert found.top_3_consecutive is None
    assert figures_of([*laps, Timed(6, 31.0), Timed(7, 31.0), Timed(8, 30.0)]).top_3_consecutive == 92.0


def test_no_laps_have_no_figures_and_one_no_deviation() -> None:
    nothing = figures([])
    assert (nothing.laps_completed, nothing.fast_lap_time, nothing.avg_lap_time) == (0, None, None)
    assert (nothing.median_lap_time, nothing.consistency, nothing.clean_avg_lap_time) == (None, None, None)
    one = figures([30.0])
    assert (one.avg_lap_time, one.std_deviation, one.consistency) == (30.0, None, None)


def test_laps_of_no_time_at_all_have_no_consistency() -> None:
    assert figures([0.0, 0.0]).consistency is None


def test_halves_are_rounded_up_as_the_site_does() -> None:
    assert figures([30.001, 30.002]).avg_lap_time == 30.002


@pytest.mark.parametrize(
    ("times", "mistakes"),
    [
        ([30, 30, 30, 30, 36], (5,)),  # no spread at all: 5 % are enough
        ([30, 30, 30, 30, 31], ()),
        ([30, 30, 30, 36], ()),  # too few to have a usual lap
        ([30.0, 30.1, 30.2, 30.3, 20.0], ()),  # a lap that is faster is none
        ([30, 33, 36, 39, 42], ()),  # a driver without a usual lap makes no mistakes
        ([30.0, 30.1, 30.2, 30.3, 30.4, 41.0, 42.0], (6, 7)),
    ],
)
def test_mistakes_are_laps_far_from_the_median(times: Sequence[float], mistakes: tuple[int, ...]) -> None:
    assert mistakes_among(dict(enumerate(times, 1))) == mistakes


def test_laps_are_told_apart_and_measured_by_the_best() -> None:
    laps = [Timed(number, time) for number, time in enumerate((30.0, 30.5, 30.1, 30.2, 45.0, None), 1)]
    laps.append(Timed(7, 12.0, is_valid=False))
    found = figures_of(laps)
    assert [kind_of(lap, found) for lap in laps] == ["best", "", "", "", "mistake", "", "invalid"]
    assert [to_best(lap, found) for lap in laps[:2] + laps[4:]] == [0, 0.5, 15, None, None]


@given(st.lists(st.integers(1, 300_000), max_size=40))
def test_less_than_half_of_the_laps_are_mistakes_and_the_fastest_is_none(millis: list[int]) -> None:
    times = [time / 1000 for time in millis]
    found = figures(times)
    assert len(found.mistakes) * 2 < len(times) or not found.mistakes
    if times:
        assert found.fast_lap_time is not None
        assert found.avg_lap_time is not None
        assert found.fast_lap_time == min(times)
        assert found.avg_lap_time >= found.fast_lap_time
        assert all(times[number - 1] > min(times) for number in found.mistakes)
