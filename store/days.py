"""Reading practice days back from the tables."""

import datetime as dt
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from schemas import fields as f
from store.pool import Connection
from store.statements import statements_of

statement = statements_of(__file__)


class SessionView(Struct, frozen=True, kw_only=True):
    """A session with its result: times in seconds, `start_time` on the track's clock; `id` is its row's.

    `run` counts the driver's sessions of its class on the day, in the order in which they began, from 1.
    """

    id: UUID
    session_id: str
    driver_name: str | None
    class_name: str | None
    run: int
    transponder_number: str | None
    driver_id: UUID
    source_driver_id: str
    start_time: f.LocalTime | None
    duration_seconds: int | None
    laps_completed: int | None
    fast_lap_time: float | None
    avg_lap_time: float | None
    consistency: float | None
    laps: int
    has_detail: bool
    person_id: UUID | None


class FastestLap(Struct, frozen=True, kw_only=True):
    """The fastest lap of a class, in seconds."""

    class_name: str | None
    fast_lap_time: float
    driver_name: str | None
    session_id: str


class DayView(Struct, frozen=True, kw_only=True):
    """A practice day as the tables have it; `event_id` is the row's, `stats` are the page's own totals."""

    event_id: UUID
    source: str
    source_event_id: str
    track_slug: str
    track_name: str | None
    date: dt.date
    sessions_ingested: int
    sessions_with_detail: int
    sessions_with_laps: int
    laps: int
    drivers: int
    stats: dict[str, Any] | None
    fastest_laps: list[FastestLap]
    sessions: list[SessionView]


async def count_sessions(connection: Connection, event_id: UUID) -> int:
    """How many sessions a day has at present."""
    return await connection.fetchval(statement("count_sessions"), event_id)


async def is_known(connection: Connection, event_id: UUID) -> bool:
    """Whether anything is stored of a day."""
    return await connection.fetchval(statement("day_is_known"), event_id)


async def read_version(connection: Connection, event_id: UUID) -> str:
    """A text that is another one whenever something new was seen of a day."""
    return await connection.fetchval(statement("day_version"), event_id)


async def read_day(connection: Connection, event_id: UUID) -> DayView | None:
    """A day with its sessions and results; None for a day of which nothing was seen."""
    day = await connection.fetchrow(statement("day_summary"), event_id)
    if day is None:
        return None
    fastest = await connection.fetch(statement("day_fastest"), event_id)
    sessions = await connection.fetch(statement("day_sessions"), event_id)
    metadata: dict[str, Any] = msgspec.json.decode(day["metadata"]) if day["metadata"] else {}
    return DayView(
        event_id=event_id,
        source=day["source"],
        source_event_id=day["source_event_id"],
        track_slug=day["source_track_slug"],
        track_name=day["track_name"],
        date=day["event_date"],
        sessions_ingested=day["sessions"],
        sessions_with_detail=day["sessions_with_detail"],
        sessions_with_laps=day["sessions_with_laps"],
        laps=day["laps"],
        drivers=day["drivers"],
        stats=metadata.get("practiceDayStats"),
        fastest_laps=[FastestLap(**row) for row in fastest],
        sessions=[SessionView(**row) for row in sessions],
    )
