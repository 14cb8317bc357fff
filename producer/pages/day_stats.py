"""The day's totals, laps by class and leaderboard: texts in, the claims of the page out."""

import re
from typing import NamedTuple, TypeVar

from producer.pages import scripts
from producer.pages.findings import Code
from producer.pages.text import count, folded, linked_session, milliseconds
from producer.pages.values import Values
from schemas.events import MAX_SESSIONS, ClassLaps, DayStats, LeaderboardEntry

_OVERALL = "Overall Fastest"
_TOTALS = ("Total Laps", "Total Track Time", "Unique Drivers", "Unique Classes", "Time Range")
_RANGE = re.compile(r"First Session: ?(.*?) ?Last Session: ?(.*)")
_MAX_CLASSES = 1_000

T = TypeVar("T")


class LeaderTexts(NamedTuple):
    """One row of the leaderboard: its head, link, time and driver."""

    head: str
    href: str | None
    time: str
    driver: str


class StatsTexts(NamedTuple):
    """The cells of the totals by their heads, the rows of the leaderboard, the chart's script."""

    totals: dict[str, str]
    leaders: list[LeaderTexts]
    chart: str | None


def day_stats(texts: StatsTexts, values: Values) -> DayStats | None:
    """The page's totals; None where it has no table of them."""
    totals = texts.totals
    if not any(name in totals for name in _TOTALS):
        return None
    span = _RANGE.fullmatch(totals.get("Time Range", ""))
    return DayStats(
        total_laps=values.count("total_laps", totals.get("Total Laps")),
        total_track_time_seconds=values.spelled_seconds(
            "total_track_time_seconds", totals.get("Total Track Time")
        ),
        unique_drivers=values.count("unique_drivers", totals.get("Unique Drivers"), MAX_SESSIONS),
        unique_classes=values.count("unique_classes", totals.get("Unique Classes"), MAX_SESSIONS),
        time_range_start=values.clock("time_range_start", span and span[1]),
        time_range_end=values.clock("time_range_end", span and span[2]),
        laps_by_class=_laps_by_class(texts.chart, values),
        leaderboard=_leaderboard(texts.leaders, values),
    )


def _laps_by_class(chart: str | None, values: Values) -> tuple[ClassLaps, ...]:
    try:
        slices = scripts.class_slices(chart or "") or []
    except scripts.UnreadableData as error:
        values.findings.add(Code.CLASS_LAPS_UNREADABLE, error)
        return ()
    laps: list[ClassLaps] = []
    for each in _bounded(slices, values):
        name, number = values.label("laps_by_class", folded(each.label)), count(str(each.data))
        if name is None or number is None:
            values.findings.add(Code.CLASS_LAPS_UNREADABLE, f"{each.label}: {each.data}")
        else:
            laps.append(ClassLaps(class_name=name, laps=number))
    return tuple(laps)


def _leaderboard(rows: list[LeaderTexts], values: Values) -> tuple[LeaderboardEntry, ...]:
    entries = [
        _leader(row, values, overall=row.head == _OVERALL and number == 0) for number, row in enumerate(rows)
    ]
    return tuple(_bounded([entry for entry in entries if entry is not None], values))


def _leader(row: LeaderTexts, values: Values, *, overall: bool) -> LeaderboardEntry | None:
    session_id, millis = linked_session(row.href), milliseconds(row.time)
    if session_id is None or not millis:
        values.findings.add(Code.UNREADABLE_LEADER, " | ".join(map(str, row)))
        return None
    class_name = None if overall else values.label("leaderboard", row.head)
    if class_name is None and not overall:
        return None
    in_parentheses = not overall and row.driver.startswith("(") and row.driver.endswith(")")
    driver = row.driver[1:-1].strip() if in_parentheses else row.driver
    return LeaderboardEntry(
        session_id=session_id,
        fastest_lap=millis / 1_000,
        class_name=class_name,
        driver_name=values.label("leaderboard", driver),
    )


def _bounded(entries: list[T], values: Values) -> list[T]:
    if len(entries) > _MAX_CLASSES:
        values.findings.add(Code.TOO_MANY_CLASSES, len(entries), _MAX_CLASSES)
    return entries[:_MAX_CLASSES]
