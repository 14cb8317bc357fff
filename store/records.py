"""Track records: writing the fastest laps of sessions, and reading the fastest of each class.

Times are in seconds; `start_time` is on the track's local clock. Writing is done on a connection that sees
the schema `track_records`; reading works on any.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from msgspec import Struct

from schemas import fields as f
from schemas.identity import driver_id, source_event_id, track_id
from schemas.tables import FastestLapRow
from store.pool import Connection, Record
from store.statements import statements_of

statement = statements_of(__file__)


class TrackRecord(Struct, frozen=True, kw_only=True):
    """The fastest lap of a class at a track; `session`, `event_id` and `driver_id` are ids of rows."""

    class_name: str | None
    fast_lap_time: float
    driver_name: str | None
    driver_id: UUID
    source_driver_id: str
    session: UUID
    session_id: str
    event_id: UUID
    source_event_id: str
    date: dt.date
    start_time: f.LocalTime | None
    person_id: UUID | None


class RecordStep(TrackRecord, frozen=True, kw_only=True):
    """A lap that was the record of its class when it was driven; the first one improved on nothing."""

    improved_by: float | None


async def save_fastest_laps(connection: Connection, rows: Sequence[FastestLapRow]) -> None:
    """Write new and changed fastest laps."""
    if rows:
        await connection.execute(statement("save_fastest_laps"), *zip(*rows, strict=True))


async def delete_fastest_laps(connection: Connection, ids: Sequence[UUID]) -> None:
    """Delete the fastest laps of sessions that have none any more."""
    if ids:
        await connection.execute(statement("delete_fastest_laps"), sorted(ids))


async def read_records(connection: Connection, source: str, track_slug: str) -> list[TrackRecord]:
    """The record of each class at a track, by class; without a class last.

    Of equal times the one that was driven first holds it, then that of the lesser session id; a lap whose
    session has no start comes after those with one.
    """
    rows = await connection.fetch(statement("read_track_records"), track_id(source, track_slug))
    return [TrackRecord(**row, **_ids(source, track_slug, row)) for row in rows]


async def read_history(
    connection: Connection, source: str, track_slug: str, class_name: str | None = None
) -> list[RecordStep]:
    """The records that were broken at a track, by class, of one class or all; the last of a class stands.

    They come in the order in which they were driven, those whose session has no start after the others.
    """
    rows = await connection.fetch(statement("read_record_history"), track_id(source, track_slug), class_name)
    return [RecordStep(**row, **_ids(source, track_slug, row)) for row in rows]


def _ids(source: str, track_slug: str, row: Record) -> dict[str, Any]:
    return {
        "driver_id": driver_id(source, row["source_driver_id"]),
        "source_event_id": source_event_id(track_slug, row["date"]),
    }
