"""What a day's page holds, from the day as it is stored: pure, so that it is tested without a server."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from itertools import groupby
from typing import Any
from uuid import UUID

from markupsafe import Markup
from msgspec import Struct
from msgspec.structs import replace

from producer.pages.day_checks import UNKNOWN_DRIVER
from runs.run import RunFailure
from server.web import links
from server.web.charts import Line, Mark, timeline
from server.web.formats import UNKNOWN, clock, lap_time, length, number, reason
from server.web.texts import TEXTS
from store.days import DayView, SessionView

ROWS = 80
"""Drivers whom the timeline shows; more are too many to look at."""


class Missing(Struct, frozen=True, kw_only=True):
    """A session whose page is not stored, and why, where an import failed to fetch it."""

    session: SessionView
    reason: str | None


class ClassPart(Struct, frozen=True, kw_only=True):
    """The sessions of a class, by drivers and runs."""

    class_name: str | None
    laps: int
    sessions: list[SessionView]


class Total(Struct, frozen=True, kw_only=True):
    """A figure of the day: as our tables have it, and as the site's page states it."""

    name: str
    ours: str
    sites: str
    differs: bool


def missing_of(day: DayView, failures: Iterable[RunFailure]) -> list[Missing]:
    """The sessions without their page."""
    reasons = {failure.session_id: reason(failure) for failure in failures}
    return [
        Missing(session=session, reason=reasons.get(session.session_id))
        for session in day.sessions
        if not session.has_detail
    ]


def classes_of(sessions: Iterable[SessionView]) -> list[ClassPart]:
    """The sessions by class, drivers and runs; those without a class come last."""
    ordered = sorted(sessions, key=_place)
    return [
        ClassPart(class_name=name, laps=_laps(part), sessions=part)
        for name, part in ((name, list(ones)) for name, ones in groupby(ordered, lambda one: one.class_name))
    ]


def _place(session: SessionView) -> tuple[Any, ...]:
    name = session.driver_name or ""
    return (
        session.class_name is None,
        session.class_name,
        name.casefold(),
        session.source_driver_id,
        session.run,
    )


def shared_names(sessions: Iterable[SessionView]) -> frozenset[str | None]:
    """The names that several transponders have on a day: only with theirs they say who is meant."""
    drivers = {(one.driver_name, one.driver_id) for one in sessions}
    counted = Counter(name for name, _ in drivers)
    return frozenset(name for name, count in counted.items() if count > 1)


def totals_of(day: DayView) -> list[Total]:
    """The day's figures beside those of the site's page."""
    stats = day.stats or {}
    return [*_sums(day.sessions, stats), *_laps_by_class(day.sessions, stats), *_leaders(day, stats)]


def _sums(sessions: Sequence[SessionView], stats: dict[str, Any]) -> list[Total]:
    starts = sorted(clock(one.start_time) for one in sessions if one.start_time) or [UNKNOWN]
    drivers = {one.driver_name for one in sessions} - {None, UNKNOWN_DRIVER}
    classes = {one.class_name for one in sessions} - {None}
    return [
        _total("laps", number(_laps(sessions)), number(stats.get("total_laps"))),
        _track_time(sessions, stats.get("total_track_time_seconds")),
        _total("drivers", number(len(drivers)), number(stats.get("unique_drivers"))),
        _total("classes", number(len(classes)), number(stats.get("unique_classes"))),
        _total("first", starts[0], stats.get("time_range_start") or UNKNOWN),
        _total("last", starts[-1], stats.get("time_range_end") or UNKNOWN),
    ]


def _total(name: str, ours: str, sites: str, /, **slots: str) -> Total:
    return Total(
        name=TEXTS(f"totals.{name}", **slots), ours=ours, sites=sites, differs=sites not in {UNKNOWN, ours}
    )


def _track_time(sessions: Sequence[SessionView], stated: float | None) -> Total:
    """The time on the track, to which each session contributes whole seconds, and to the site's sum parts."""
    ours = sum(one.duration_seconds or 0 for one in sessions)
    total = _total("track_time", length(ours), length(stated))
    return replace(total, differs=stated is not None and abs(stated - ours) > len(sessions))


def _laps(sessions: Iterable[SessionView]) -> int:
    return sum(one.laps_completed or 0 for one in sessions)


def _laps_by_class(sessions: Iterable[SessionView], stats: dict[str, Any]) -> list[Total]:
    stated = {one["class_name"]: one["laps"] for one in stats.get("laps_by_class") or ()}
    return [
        _total(
            "laps_of",
            number(part.laps),
            number(stated.get(part.class_name)),
            name=part.class_name or TEXTS("words.no_class"),
        )
        for part in classes_of(sessions)
    ]


def _leaders(day: DayView, stats: dict[str, Any]) -> list[Total]:
    ours = {one.class_name: one.fast_lap_time for one in day.fastest_laps}
    return [
        _total(
            "best_of",
            lap_time(ours.get(stated["class_name"])),
            lap_time(stated["fastest_lap"]),
            name=stated["class_name"],
        )
        for stated in stats.get("leaderboard") or ()
        if stated["class_name"]
    ]


def timeline_of(sessions: Iterable[SessionView], mine: Collection[UUID] = ()) -> Markup | None:
    """Who drove when, whose sessions `mine` are first and with a star; None where no session has a start."""
    timed = [one for one in sessions if one.start_time]
    if not timed:
        return None
    shared = shared_names(timed)
    drivers = list(dict.fromkeys((_row_name(one, shared), one.driver_id) for one in timed))
    own = {one.driver_id for one in timed if one.id in mine}
    drivers.sort(key=lambda row: row[1] not in own)
    rows = drivers[:ROWS]
    heights = {driver: len(rows) - 1 - place for place, (_, driver) in enumerate(rows)}
    classes = list(dict.fromkeys(one.class_name for one in timed))
    lines = [
        Line(name=f"class-{place % 6}", points=_strokes(timed, name, heights))
        for place, name in enumerate(classes)
    ]
    names = [f"★ {name}" if driver in own else name for name, driver in rows]
    return timeline(names, lines, _hours(timed))


def _row_name(one: SessionView, shared: frozenset[str | None]) -> str:
    name = one.driver_name or TEXTS("words.unknown_driver")
    return f"{name} {one.transponder_number or ''}".rstrip() if one.driver_name in shared else name


def _strokes(
    sessions: Iterable[SessionView], class_name: str | None, heights: dict[Any, int]
) -> Sequence[Mark | None]:
    """The sessions of a class: each from its start to its end, with a gap after it."""
    points: list[Mark | None] = []
    for one in sessions:
        if one.class_name == class_name and one.driver_id in heights:
            label, begin = _told(one), _second(one)
            points += (
                Mark(x=begin, y=heights[one.driver_id], label=label, link=links.session(one.id)),
                Mark(x=begin + (one.duration_seconds or 0), y=heights[one.driver_id], label=label),
                None,
            )
    return points


def _told(one: SessionView) -> str:
    return TEXTS(
        "day.stroke",
        driver=one.driver_name or TEXTS("words.unknown_driver"),
        class_name=one.class_name or TEXTS("words.no_class"),
        run=one.run,
        start=clock(one.start_time),
        best=lap_time(one.fast_lap_time),
    )


def _second(one: SessionView) -> float:
    start = one.start_time
    return start.hour * 3600 + start.minute * 60 + start.second if start else 0


def _hours(sessions: Iterable[SessionView]) -> tuple[int, int]:
    ends = [_second(one) + (one.duration_seconds or 0) for one in sessions]
    return int(min(map(_second, sessions)) // 3600), int(max(ends) // 3600) + 1
