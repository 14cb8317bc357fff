"""A session's observations become its rows: the tables' contents as a pure function of what is known."""

import datetime as dt
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from projections.precedence import SharedFacts, shared_facts
from projections.state import Day, DayRef, ListFacts, Seen
from schemas.events import Lap, SessionFacts
from schemas.identity import day_row_id, driver_id, practice_event_id, source_driver_id, stripped_transponder
from schemas.plain import plain
from schemas.tables import LapRow, RaceDriverRow, RaceResultRow, RaceRow
from schemas.zones import zone

WINNER = 1
"""The final position of a session's only driver: a practice session has one driver."""


class SessionRows(NamedTuple):
    """The rows of one session that exists, without its laps."""

    race: RaceRow
    driver: RaceDriverRow
    result: RaceResultRow


def session_rows(ref: DayRef, day: Day, session_id: str) -> SessionRows | None:
    """The rows of a session; None where it is not known, or does not exist."""
    row, detail = day.rows.get(session_id), day.details.get(session_id)
    if not (row or detail) or not day.exists(session_id):
        return None
    shared = shared_facts(row, detail)
    url = row.facts.session_url if row else None
    race = _race(ref, session_id, shared, url, detail, day.complete_list)
    driver = _driver(ref, race, shared)
    return SessionRows(race, driver, _result(ref, race, driver, shared, detail))


def race_id(ref: DayRef, session_id: str) -> UUID:
    """The row id of a session."""
    return day_row_id(ref.date, "race", ref.source, ref.track_slug, session_id)


def day_metadata(listed: Seen[ListFacts]) -> str:
    """The metadata of a day, from its newest complete list."""
    return _json({"practiceDayStats": plain(listed.facts.stats)})


def _race(
    ref: DayRef,
    session_id: str,
    shared: SharedFacts,
    url: str | None,
    detail: Seen[SessionFacts] | None,
    listed: Seen[ListFacts] | None,
) -> RaceRow:
    return RaceRow(
        race_id(ref, session_id),
        practice_event_id(*ref),
        ref.source,
        session_id,
        shared.class_name,
        f"Practice - {shared.driver_name}" if shared.driver_name else None,
        url,
        shared.start_time,
        _in_utc(shared.start_time, listed.facts.time_zone if listed else None),
        shared.duration_seconds,
        _race_metadata(detail.facts) if detail else None,
    )


def _in_utc(local: dt.datetime | None, zone_name: str | None) -> dt.datetime | None:
    """The moment in UTC; None without a zone, and at the calendar's ends, where UTC has no such moment."""
    rules = zone(zone_name) if zone_name else None
    if local is None or rules is None:
        return None
    try:
        return local.replace(tzinfo=rules).astimezone(dt.UTC)
    except OverflowError:
        return None


def _race_metadata(facts: SessionFacts) -> str:
    return _json({"end_time": facts.end_time, "practiceSessionStats": _session_stats(facts)})


def _session_stats(facts: SessionFacts) -> dict[str, object]:
    return {
        "top_3_consecutive": facts.top_3_consecutive,
        "avg_top_5": facts.avg_top_5,
        "avg_top_10": facts.avg_top_10,
        "avg_top_15": facts.avg_top_15,
        "std_deviation": facts.std_deviation,
        "valid_lap_range": facts.valid_lap_range,
    }


def _driver(ref: DayRef, race: RaceRow, shared: SharedFacts) -> RaceDriverRow:
    identity = source_driver_id(race.source_race_id, shared.transponder_number)
    return RaceDriverRow(
        day_row_id(ref.date, "race_driver", ref.source, ref.track_slug, race.source_race_id, identity),
        race.id,
        driver_id(ref.source, identity),
        identity,
        shared.driver_name,
        stripped_transponder(shared.transponder_number),
    )


def _result(
    ref: DayRef,
    race: RaceRow,
    driver: RaceDriverRow,
    shared: SharedFacts,
    detail: Seen[SessionFacts] | None,
) -> RaceResultRow:
    return RaceResultRow(
        day_row_id(
            ref.date, "race_result", ref.source, ref.track_slug, race.source_race_id, driver.source_driver_id
        ),
        race.id,
        driver.id,
        WINNER,
        shared.lap_count,
        shared.fastest_lap,
        shared.average_lap,
        detail.facts.consistency if detail else None,
        _json(_session_stats(detail.facts)) if detail else None,
    )


_encoder = msgspec.json.Encoder()


def _json(value: object) -> str:
    return _encoder.encode(value).decode()


def lap_of(row: LapRow) -> Lap:
    """The lap that a row of `laps` was made from."""
    values: dict[str, Any] = row._asdict()
    segments = values.pop("segments_json")
    del values["race_result_id"]
    return Lap(**values, segments=None if segments is None else _segments.decode(segments))


_segments = msgspec.json.Decoder(tuple[float | None, ...])
