"""What the tables must hold, straight from the laws: a set of events goes in, the tables come out.

Everything is worked out anew from all events at once, with `max` and loops over the whole set: nothing is
kept, merged or written step by step, and nothing of `projections/` is used.
"""

import datetime as dt
import re
import zoneinfo
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from schemas.envelope import Received
from schemas.events import (
    DayStats,
    Lap,
    ListedSession,
    PracticeDayListed,
    SessionDetailFetched,
    SessionDetailFetchedV1,
)
from schemas.identity import content_digest, row_digest, source_driver_id, stripped_transponder
from tests.model.tables import NATURAL_KEYS, Key, Row, Tables

Rank = tuple[int, dt.datetime, int, str, str]
"""Of an observation: the authority of its topic, its moment, parser and digest, and its event's id."""

SHARED = (
    "driver_name",
    "class_name",
    "transponder_number",
    "start_time",
    "duration_seconds",
    "lap_count",
    "fastest_lap",
    "average_lap",
)
STATISTICS = (
    "top_3_consecutive",
    "avg_top_5",
    "avg_top_10",
    "avg_top_15",
    "std_deviation",
    "valid_lap_range",
)


RANGES: dict[object, list[float] | None] = {
    None: None,
    (20.0, 70.0): [20.0, 70.0],
    (20.0004, 70.0): [20.0, 70.0],
    (0.0, 86_400.0): [0.0, 86_400.0],
    "": None,
    "20 to 1:10": [20.0, 70.0],
    "15,5 to 2:00.25": [15.5, 120.25],
    "any": None,
}
"""What becomes of the lap ranges that events carry, as numbers or as the page writes them."""


Detail = SessionDetailFetched | SessionDetailFetchedV1


class Seen(NamedTuple):
    """Something that an event says (itself, or one row of it), and how new the event is."""

    rank: Rank
    said: Any
    event: PracticeDayListed | SessionDetailFetched


def expected(received: Iterable[Received]) -> Tables:
    """The tables that these events leave, in whatever order they come."""
    seen = [_seen(one) for one in received if isinstance(one.event, PracticeDayListed | SessionDetailFetched)]
    tables: Tables = {name: {} for name in NATURAL_KEYS}
    for one in seen:
        tables["tracks"][_track_key(one)] = _track(seen, _track_key(one))
        tables["events"].setdefault(_day_key(one), {})
    for day_key in tables["events"]:
        _add_day(tables, day_key, [one for one in seen if _day_key(one) == day_key])
    _add_drivers(tables, seen)
    return tables


def _seen(received: Received) -> Seen:
    event = received.event
    assert isinstance(event, PracticeDayListed | SessionDetailFetched)
    written = received.written
    assert isinstance(written, PracticeDayListed | Detail)
    rank = (
        received.standing.authority,
        event.observed_at,
        event.parser_version,
        content_digest(written),
        received.id,
    )
    return Seen(rank, written, event)


def _track_key(one: Seen) -> Key:
    return (one.event.source, one.event.track_slug)


def _day_key(one: Seen) -> Key:
    return (one.event.source, f"{one.event.track_slug}-practice-{one.event.date}")


def _newest(seen: Sequence[Seen]) -> Seen | None:
    return max(seen, key=lambda one: one.rank, default=None)


def _track(seen: Sequence[Seen], key: Key) -> Row:
    """A track has name and zone of the newest list that names it."""
    named = [one for one in _lists(seen) if _track_key(one) == key and one.said.track_name is not None]
    newest = _newest(named)
    return {
        "source": key[0],
        "source_track_slug": key[1],
        "name": newest.said.track_name if newest else None,
        "time_zone": newest.said.time_zone if newest else None,
    }


def _lists(seen: Iterable[Seen]) -> list[Seen]:
    return [one for one in seen if isinstance(one.said, PracticeDayListed)]


def _rows(seen: Iterable[Seen]) -> list[Seen]:
    """Each row of each list; of one that a list has twice, that with the greater digest."""
    found: list[Seen] = []
    for one in _lists(seen):
        for session_id in {row.session_id for row in one.said.sessions}:
            same = [row for row in one.said.sessions if row.session_id == session_id]
            found.append(one._replace(said=max(same, key=row_digest)))
    return found


def _details(seen: Iterable[Seen]) -> list[Seen]:
    return [one for one in seen if isinstance(one.said, Detail)]


def _add_day(tables: Tables, day_key: Key, seen: Sequence[Seen]) -> None:
    complete = [one for one in _lists(seen) if one.said.complete]
    listed = _newest(complete)
    tables["events"][day_key] = {
        "track_id": _track_key(seen[0]),
        "source": day_key[0],
        "source_event_id": day_key[1],
        "event_date": seen[0].event.date,
        "metadata": {"practiceDayStats": _stats(listed.said.stats)} if listed else None,
    }
    _observe(tables, day_key, "list", complete)
    for session_id in {one.said.session_id for one in _rows(seen) + _details(seen)}:
        rows = [one for one in _rows(seen) if one.said.session_id == session_id]
        details = [one for one in _details(seen) if one.said.session_id == session_id]
        _add_session(tables, day_key, listed, rows, details)


def _exists(session_id: str, listed: Seen | None, row: Seen | None, detail: Seen | None) -> bool:
    """The newest complete list carries it, or something newer than that list does."""
    if listed is None or session_id in {one.session_id for one in listed.said.sessions}:
        return True
    return any(one.rank > listed.rank for one in (row, detail) if one)


def _add_session(
    tables: Tables, day_key: Key, listed: Seen | None, rows: Sequence[Seen], details: Sequence[Seen]
) -> None:
    row, detail = _newest(rows), _newest(details)
    session_id = (row or detail or _nobody()).said.session_id
    exists = _exists(session_id, listed, row, detail)
    _observe(tables, day_key, "row", rows)
    _observe(tables, day_key, "detail", details, shelved=not exists)
    if exists:
        zone = listed.said.time_zone if listed else None
        _add_rows(tables, day_key, session_id, row, detail, zone)


def _nobody() -> Seen:
    raise AssertionError("a session that nothing speaks of")


def _observe(tables: Tables, day_key: Key, kind: str, seen: Sequence[Seen], *, shelved: bool = False) -> None:
    newest = _newest(seen)
    if newest is None:
        return
    session_id = None if kind == "list" else newest.said.session_id
    tables["observations"][day_key, kind, session_id] = {
        "kind": kind,
        "session_id": session_id,
        "event_id": day_key,
        "first_observed_at": min(one.rank[1] for one in seen),
        "authority": newest.rank[0],
        "observed_at": newest.rank[1],
        "parser_version": newest.rank[2],
        "content_digest": newest.rank[3],
        "source_event_id": newest.rank[4],
        "page_sha256": newest.event.page_sha256,
        "shelved_laps": _shelf(newest.said.laps) if shelved else None,
        "list_row_digest": getattr(newest.event, "list_row_digest", None),
    }


def _shared(row: Seen | None, detail: Seen | None) -> dict[str, Any]:
    """Each fact by the newer one that states it; a row's transponder may be a part of the detail's class."""
    if row and detail and detail.said.class_name == f"{row.said.class_name} ({row.said.transponder_number})":
        said = msgspec.structs.replace(row.said, class_name=detail.said.class_name, transponder_number=None)
        row = row._replace(said=said)
    both = sorted((one for one in (row, detail) if one), key=lambda one: one.rank, reverse=True)
    return {
        name: next((fact for one in both if (fact := getattr(one.said, name)) is not None), None)
        for name in SHARED
    }


def _add_rows(
    tables: Tables, day_key: Key, session_id: str, row: Seen | None, detail: Seen | None, zone: str | None
) -> None:
    shared = _shared(row, detail)
    race_key = (day_key, session_id)
    driver = source_driver_id(session_id, shared["transponder_number"])
    tables["races"][race_key] = _race(race_key, shared, row, detail, zone)
    tables["race_drivers"][race_key, driver] = {
        "race_id": race_key,
        "driver_id": (day_key[0], driver),
        "source_driver_id": driver,
        "display_name": shared["driver_name"],
        "transponder_number": stripped_transponder(shared["transponder_number"]),
    }
    result_key = (race_key, (race_key, driver))
    tables["race_results"][result_key] = _result(result_key, shared, detail)
    for lap in detail.said.laps if detail else ():
        tables["laps"][result_key, lap.lap_number] = {"race_result_id": result_key, **_lap(lap)}


def _race(
    race_key: Key, shared: dict[str, Any], row: Seen | None, detail: Seen | None, zone: str | None
) -> Row:
    return {
        "event_id": race_key[0],
        "source": race_key[0][0],
        "source_race_id": race_key[1],
        "session_type": "practiceday",
        "class_name": shared["class_name"],
        "race_label": f"Practice - {shared['driver_name']}" if shared["driver_name"] else None,
        "race_url": row.said.session_url if row else None,
        "start_time": shared["start_time"],
        "start_time_utc": _utc(shared["start_time"], zone),
        "duration_seconds": shared["duration_seconds"],
        "race_metadata": {
            "end_time": detail.said.end_time and detail.said.end_time.isoformat(),
            "practiceSessionStats": _statistics(detail.said),
        }
        if detail
        else None,
    }


def _utc(local: dt.datetime | None, zone: str | None) -> dt.datetime | None:
    """The moment in UTC; None without a zone, and where no calendar has the moment any more."""
    if local is None or zone is None:
        return None
    offset = local.replace(tzinfo=zoneinfo.ZoneInfo(zone)).utcoffset()
    assert offset is not None
    try:
        return (local - offset).replace(tzinfo=dt.UTC)
    except OverflowError:
        return None


def _statistics(said: Detail) -> dict[str, Any]:
    values = {name: getattr(said, name) for name in STATISTICS}
    return values | {"valid_lap_range": RANGES[values["valid_lap_range"]]}


def _result(result_key: Key, shared: dict[str, Any], detail: Seen | None) -> Row:
    return {
        "race_id": result_key[0],
        "race_driver_id": result_key[1],
        "position_final": 1,
        "laps_completed": shared["lap_count"],
        "fast_lap_time": shared["fastest_lap"],
        "avg_lap_time": shared["average_lap"],
        "consistency": detail.said.consistency if detail else None,
        "raw_fields_json": _statistics(detail.said) if detail else None,
    }


def _lap(lap: Lap) -> Row:
    return {
        "lap_number": lap.lap_number,
        "position_on_lap": lap.position_on_lap,
        "lap_time_raw": lap.lap_time_raw,
        "lap_time_seconds": lap.lap_time_seconds,
        "is_valid": lap.is_valid,
        "lapped_at": lap.lapped_at,
        "pace_string": lap.pace_string,
        "elapsed_race_time": lap.elapsed_race_time,
        "segments_json": None if lap.segments is None else list(lap.segments),
    }


def _shelf(laps: Iterable[Lap]) -> list[dict[str, Any]]:
    """Laps as JSON, by number: as events have them, without what is absent."""
    shelf: list[dict[str, Any]] = []
    for lap in sorted(laps, key=lambda lap: lap.lap_number):
        facts = {("segments" if name == "segments_json" else name): fact for name, fact in _lap(lap).items()}
        facts["lapped_at"] = lap.lapped_at and lap.lapped_at.isoformat()
        shelf.append({name: fact for name, fact in facts.items() if fact is not None})
    return shelf


def _stats(stats: DayStats | None) -> dict[str, Any] | None:
    if stats is None:
        return None
    return {
        "total_laps": stats.total_laps,
        "total_track_time_seconds": stats.total_track_time_seconds,
        "unique_drivers": stats.unique_drivers,
        "unique_classes": stats.unique_classes,
        "time_range_start": stats.time_range_start and stats.time_range_start.isoformat(),
        "time_range_end": stats.time_range_end and stats.time_range_end.isoformat(),
        "laps_by_class": [{"class_name": one.class_name, "laps": one.laps} for one in stats.laps_by_class],
        "leaderboard": [
            {
                "session_id": one.session_id,
                "fastest_lap": one.fastest_lap,
                "class_name": one.class_name,
                "driver_name": one.driver_name,
            }
            for one in stats.leaderboard
        ],
    }


def _add_drivers(tables: Tables, seen: Sequence[Seen]) -> None:
    """Everybody whom any row of any list or any detail names, by the newest session that has a name."""
    sighted: dict[Key, list[tuple[Any, ...]]] = {}
    for one in seen:
        said: Iterable[ListedSession | Detail]
        said = one.said.sessions if isinstance(one.said, PracticeDayListed) else [one.said]
        for session in said:
            key = (one.event.source, source_driver_id(session.session_id, session.transponder_number))
            name = session.driver_name
            start = (session.start_time is not None, session.start_time)
            rank = (name != "Unknown Driver", one.rank[0], start, session.session_id, one.rank)
            sighted.setdefault(key, []).extend([] if name is None else [(*rank, name)])
    for key, names in sighted.items():
        name = max(names)[-1] if names else None
        tables["drivers"][key] = {
            "source": key[0],
            "source_driver_id": key[1],
            "display_name": name,
            "normalized_name": None if name is None else _normalized(name),
            "transponder_number": None if key[1].startswith("practice_session_") else key[1],
        }


def _normalized(name: str) -> str:
    """Of the plain names that the histories use."""
    words = re.sub(r"^\d+ +", "", name).lower().replace("&", " and ").replace(",", "").split()
    return " ".join(sorted(word for word in words if word not in {"rc", "raceway", "club", "inc", "team"}))
