"""What the pages of days, sessions and drivers hold."""

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any, TypeVar, cast

import pytest
from selectolax.lexbor import LexborHTMLParser

from laps.comparing import compare
from laps.sessions import SessionReport, report_of
from producer.catalogue import ListedTrack
from runs.run import RunFailure
from schemas.searching import words_of
from server.web import compare_view, day_view, driver_view, lap_view
from server.web.formats import UNKNOWN
from server.web.start import FoundTracks, found_tracks
from store.days import DayView, FastestLap, SessionView
from store.reading import DriverSession, LapView, SessionDetail, SessionStats, TrackView

DAY = dt.date(2025, 10, 25)
KindT = TypeVar("KindT")


def made(kind: type[KindT], usual: dict[str, Any], **facts: Any) -> KindT:
    """A struct of these facts; of all others nothing is known."""
    unknown: dict[str, Any] = dict.fromkeys(cast("Any", kind).__struct_fields__)
    return kind(**unknown | usual | facts)


def driven(session_id: str, **facts: Any) -> SessionView:
    usual: dict[str, Any] = {
        "id": uuid.uuid5(uuid.NAMESPACE_OID, session_id),
        "session_id": session_id,
        "driver_name": "Ann",
        "class_name": "Open",
        "driver_id": uuid.UUID(int=1),
        "source_driver_id": "901",
        "run": 1,
        "start_time": dt.datetime(2025, 10, 25, 10, 0),
        "duration_seconds": 120,
        "laps_completed": 3,
        "fast_lap_time": 30.5,
        "has_detail": True,
    }
    return made(SessionView, usual, **facts)


def day_of(*sessions: SessionView, **facts: Any) -> DayView:
    bests = [FastestLap(class_name="Open", fast_lap_time=30.5, driver_name="Ann", session_id="1")]
    usual: dict[str, Any] = {"sessions": list(sessions), "fastest_laps": bests, "date": DAY}
    return made(DayView, usual, **facts)


def totals(day: DayView) -> dict[str, tuple[str, str, bool]]:
    return {one.name: (one.ours, one.sites, one.differs) for one in day_view.totals_of(day)}


def test_totals_stand_beside_those_of_the_sites_page() -> None:
    stats: dict[str, Any] = {
        "total_laps": 7,
        "total_track_time_seconds": 238,
        "unique_drivers": 1,
        "time_range_start": "10:00:00",
        "laps_by_class": [{"class_name": "Open", "laps": 6}],
        "leaderboard": [
            {"class_name": "Open", "fastest_lap": 30.4},
            {"class_name": None, "fastest_lap": 1.0},
        ],
    }
    found = totals(day_of(driven("1"), driven("2", driver_name="Unknown Driver"), stats=stats))
    assert found["Laps"] == ("6", "7", True)
    assert found["Time on the track"] == ("4:00", "3:58", False)  # each session is rounded to a second
    assert found["Drivers, by name"] == ("1", "1", False)
    assert found["First start"] == ("10:00:00", "10:00:00", False)
    assert found["Last start"] == ("10:00:00", UNKNOWN, False)
    assert found["Laps, Open"] == ("6", "6", False)
    assert found["Best lap, Open"] == ("30.500", "30.400", True)


def test_a_page_without_totals_differs_in_nothing() -> None:
    assert not any(differs for _, _, differs in totals(day_of(driven("1"))).values())


def test_sessions_are_shown_by_class_driver_and_run() -> None:
    one = driven("1", run=2)
    two, three = driven("2", run=1), driven("3", class_name=None)
    parts = day_view.classes_of([one, three, two])
    assert [(part.class_name, [session.session_id for session in part.sessions]) for part in parts] == [
        ("Open", ["2", "1"]),
        (None, ["3"]),
    ]


def test_a_session_without_its_page_says_why() -> None:
    day = day_of(driven("1"), driven("2", has_detail=False), driven("3", has_detail=False))
    failures = [RunFailure(session_id="2", code="unreachable", message="unreachable: no answer")]
    missing = [(one.session.session_id, one.reason) for one in day_view.missing_of(day, failures)]
    assert missing == [("2", "no answer"), ("3", None)]


def test_a_day_whose_sessions_have_no_start_has_no_timeline() -> None:
    assert day_view.timeline_of([driven("1", start_time=None)]) is None


def test_a_timeline_has_a_row_for_each_driver() -> None:
    other = driven("2", driver_id=uuid.UUID(int=2), driver_name="Bob")
    page = LexborHTMLParser(day_view.timeline_of([driven("1"), driven("3", run=2), other]) or "")
    assert [node.text() for node in page.css(".axis.y text")] == ["Ann", "Bob"]
    assert len(page.css(".dot")) == 6


def test_names_that_several_transponders_have_are_told_apart() -> None:
    other = driven("2", driver_id=uuid.UUID(int=2), transponder_number="902")
    sessions = [driven("1", transponder_number="901"), other, driven("3", run=2, transponder_number="901")]
    assert day_view.shared_names(sessions) == {"Ann"}
    page = LexborHTMLParser(day_view.timeline_of(sessions) or "")
    assert [node.text() for node in page.css(".axis.y text")] == ["Ann 901", "Ann 902"]
    assert day_view.shared_names([sessions[0], sessions[2]]) == frozenset()


def session_of(*seconds: float | None, invalid: tuple[int, ...] = (), **facts: Any) -> SessionReport:
    laps = [
        made(LapView, {"lap_number": number, "lap_time_seconds": time, "is_valid": number not in invalid})
        for number, time in enumerate(seconds, 1)
    ]
    return report_of(made(SessionDetail, {"laps": laps}, **facts))


def test_figures_stand_beside_the_sites() -> None:
    stats = made(SessionStats, {"std_deviation": 2.43, "top_3_consecutive": 133.0})
    session = session_of(42.996, 47.016, 43.258, 49.466, 46.339, avg_lap_time=45.815, stats=stats)
    found = {one.name: (one.computed, one.sites, one.differs) for one in lap_view.beside_of(session)}
    assert found["Average"] == ("45.815", "45.815", False)
    assert found["Best 3 consecutive"] == ("2:13.270", "2:13.000", True)
    assert found["Consistency"] == ("94.695", UNKNOWN, False)
    assert "Average without mistakes" not in found


def test_laps_are_told_apart() -> None:
    session = session_of(30.0, 30.2, 30.1, 45.0, 30.3, 12.0, 30.2, 30.3, invalid=(6,))
    kinds = {row.number: row.kind for row in lap_view.rows_of(session)}
    assert kinds == {1: "best", 2: "", 3: "", 4: "mistake", 5: "", 6: "invalid", 7: "", 8: ""}
    page = LexborHTMLParser(lap_view.chart_of(session) or "")
    for name, count in (("laps", 7), ("mistake", 1), ("invalid", 1), ("fastest", 1)):
        assert len(page.css(f".of-{name} .dot")) == count, name
    assert len(page.css(".of-laps path.line")) == 2  # the invalid lap leaves a gap


@pytest.mark.parametrize("seconds", [(), (30.0,), (None, None), (None, 30.0)])
def test_too_few_laps_make_no_chart(seconds: tuple[float | None, ...]) -> None:
    assert lap_view.chart_of(session_of(*seconds)) is None


def test_a_lap_without_a_time_is_no_zero() -> None:
    row, _ = lap_view.rows_of(session_of(None, 30.0))
    assert (row.time, row.to_best) == (None, None)


def in_history(number: int, **facts: Any) -> DriverSession:
    usual: dict[str, Any] = {
        "id": uuid.UUID(int=number),
        "track_slug": "track",
        "class_name": "Open",
        "date": DAY,
        "run": number,
        "fast_lap_time": 30.0 + number,
        "avg_lap_time": 31.0 + number,
    }
    return made(DriverSession, usual, **facts)


def test_a_trend_is_of_one_class_at_one_track() -> None:
    sessions = [in_history(3), in_history(2), in_history(1), in_history(4, class_name="Nitro")]
    [trend] = driver_view.trends_of(sessions)
    assert (trend.class_name, trend.sessions) == ("Open", 3)
    labels = [node.text() for node in LexborHTMLParser(trend.chart).css(".of-laps title")]
    assert [label.split(",")[1].split(":")[0] for label in labels] == [" run 1", " run 2", " run 3"]


def test_consistency_has_a_trend_of_its_own_where_sessions_have_one() -> None:
    known = [in_history(3, consistency=94.5), in_history(2), in_history(1, consistency=92.0)]
    [trend] = driver_view.trends_of(known)
    parsed = LexborHTMLParser(trend.consistency or "")
    assert len(parsed.css(".of-consistency .dot")) == 2
    [other] = driver_view.trends_of([in_history(2, consistency=90.0), in_history(1)])
    assert other.consistency is None


def called(words: str, listed: Sequence[ListedTrack] = ()) -> FoundTracks:
    tracks = [made(TrackView, {}, name=name, track_slug=slug, source="liverc") for name, slug in NAMES]
    return found_tracks(tracks, [*listed], words_of(words))


def test_a_stored_track_is_found_by_words_of_its_name_or_address() -> None:
    assert [track.track_slug for track in called("OFF canb").stored] == ["canberraoffroad"]
    assert [track.track_slug for track in called("xyz").stored] == ["xyz"]
    assert called("off\0canb").found == 1  # PostgreSQL takes no NUL
    assert called(" ").found == 2


def test_a_stored_track_stands_before_others_of_the_site_and_once() -> None:
    listed = [made(ListedTrack, {}, track_slug=slug) for slug in ("abc", "xyz", *map(str, range(200)))]
    found = called("what only the list calls it", listed)
    assert [track.track_slug for track in found.stored] == ["xyz"]
    assert (len(found.others), found.found) == (99, 202)
    assert found.others[:2] == [listed[0], listed[2]]


NAMES = (("Canberra Off Road Model Car Club", "canberraoffroad"), (None, "xyz"))


def test_what_is_ahead_is_told_only_where_values_differ() -> None:
    found = compare([session_of(30.0, 31.0), session_of(30.0, 30.5), session_of()])
    ahead = {row.name: [cell.ahead for cell in row.cells] for row in compare_view.figures_of(found)}
    assert ahead["Best lap"] == [False, False, False]
    assert ahead["Average"] == [False, True, False]
    assert ahead["Consistency"] == [False, True, False]


def test_a_comparison_without_laps_has_no_charts() -> None:
    found = compare([session_of(), session_of(30.0)])
    assert compare_view.laps_chart(found) is None
    assert compare_view.gap_chart(found) is None


def test_laps_that_take_much_longer_are_drawn_at_the_edge_and_invalid_ones_not() -> None:
    found = compare([session_of(30.0, 300.0, 31.0), session_of(30.0, 30.0, 5.0, invalid=(3,))])
    page = LexborHTMLParser(compare_view.laps_chart(found) or "")
    assert [len(page.css(f".of-side-{side} .dot")) for side in (0, 1)] == [3, 2]
    assert [node.text() for node in page.css(".of-side-0 title")][1] == "A, lap 2: 5:00.000"
    assert [node.text() for node in page.css(".axis.y text")][-1] == "56.000"
