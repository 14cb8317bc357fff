"""Reading where rows come from: the row itself, what names it, its page, and the names around it.

A row's id or natural key goes in; the row with what its key is made of comes out. All reads are by an index.
Those of `fastest_laps` are done on a connection that sees the schema `track_records`.
"""

import datetime as dt
from typing import Literal
from uuid import UUID

from schemas.tables import Stamp
from store.pages import PageRow
from store.pool import Connection, Record, fetch_one
from store.statements import statements_of

statement = statements_of(__file__)

NEAR = 3
"""Names on each side that are told where a key names nothing."""

Lasting = Literal["tracks", "drivers"]
OfSession = Literal["races", "race_drivers", "race_results", "fastest_laps"]

_NAMES = {
    "tracks": ("source", "source_track_slug"),
    "drivers": ("source", "source_driver_id"),
    "events": ("source", "source_event_id"),
    "races": ("event_id", "source_race_id"),
    "fastest_laps": ("event_id", "session_id"),
}
"""The columns of each table's natural key."""

FIND = {
    "tracks": "why_tracks",
    "drivers": "why_drivers",
    "races": "why_races",
    "race_drivers": "why_race_drivers",
    "race_results": "why_race_results",
    "fastest_laps": "why_fastest_laps",
}
"""The statements that find a row of a table."""

NAMING = {"tracks": "naming_of_track", "drivers": "naming_of_driver"}
"""The statements that find what names a row."""


async def find_lasting(
    connection: Connection, table: Lasting, row_id: UUID | None, source: str | None, name: str | None
) -> Record | None:
    """A track or driver: `id`, `source`, `name`, `row`."""
    return await connection.fetchrow(statement(FIND[table]), row_id, source, name)


async def find_day(
    connection: Connection, row_id: UUID | None, source: str | None, source_event_id: str | None
) -> Record | None:
    """A day: `id`, `source`, `track_slug`, `date`, `row`."""
    return await connection.fetchrow(statement("why_events"), row_id, source, source_event_id)


async def find_of_session(
    connection: Connection, table: OfSession, row_id: UUID | None, day: UUID | None, session_id: str | None
) -> list[Record]:
    """A session's rows: `id`, `source`, `track_slug`, `date`, `session_id`, `driver`, `row`."""
    return await connection.fetch(statement(FIND[table]), row_id, day, session_id)


async def find_lap(connection: Connection, result: UUID, number: int) -> str | None:
    """A lap of a result, as JSON."""
    return await connection.fetchval(statement("why_lap"), result, number)


async def observed_session(connection: Connection, race: UUID) -> Record | None:
    """The session that was seen under this row's id: `source`, `track_slug`, `date`, `session_id`."""
    return await connection.fetchrow(statement("observed_session"), race)


async def naming_of(connection: Connection, table: Lasting, row_id: UUID) -> Record | None:
    """What names a track or a driver: its stamp, and `source`, `track_slug`, `date` of its day, or nulls."""
    return await connection.fetchrow(statement(NAMING[table]), row_id)


def stamp_of(record: Record) -> Stamp:
    """How new an observation is."""
    return Stamp(
        record["authority"],
        record["observed_at"],
        record["parser_version"],
        record["content_digest"],
        record["source_event_id"],
    )


async def near_names(connection: Connection, table: str, parent: str | UUID, name: str) -> list[str]:
    """The names around one in their order, under the same source or day."""
    parent_column, name_column = _NAMES[table]
    text = statement("near_names")
    for slot, value in (("table", table), ("parent", parent_column), ("name", name_column)):
        text = text.replace(f"{{{slot}}}", value)
    return [row["name"] for row in await connection.fetch(text, parent, name, NEAR)]


async def lap_numbers(connection: Connection, result: UUID) -> tuple[int, int | None, int | None]:
    """How many laps a result has, the first number and the last."""
    row = await fetch_one(connection, statement("lap_numbers"), result)
    return row["laps"], row["first"], row["last"]


async def page_seen(
    connection: Connection, url: str, sha256: str, observed_at: dt.datetime
) -> PageRow | None:
    """The page of these bytes that was fetched from an address at this moment, or the last time before."""
    row = await connection.fetchrow(statement("page_seen"), url, sha256, observed_at)
    return PageRow(*row) if row else None
