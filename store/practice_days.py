"""Reading what is known of practice days, and writing what changes, on a connection in a transaction.

Rows come as the tuples of `schemas.tables`; which table a list of them goes to is said by the caller.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from asyncpg.pgproto import pgproto

from schemas.events import Lap
from schemas.tables import (
    DayRow,
    DriverSighting,
    LapRow,
    ObservationRow,
    RaceDriverRow,
    RaceResultRow,
    RaceRow,
    TrackSighting,
)
from store.pool import Connection, Record
from store.statements import statements_of

statement = statements_of(__file__)

Row = tuple[Any, ...]

SAVE = {
    "metadata": "save_metadata",
    "races": "save_races",
    "race_drivers": "save_race_drivers",
    "race_results": "save_race_results",
}
"""The statements that write rows of a table."""

DELETE = {"races": "delete_races", "race_drivers": "delete_race_drivers"}
"""The statements that delete rows of a table."""


async def _run(connection: Connection, name: str, rows: Sequence[Row]) -> None:
    """Run a statement that takes an array for each column of these rows; with no rows, nothing."""
    if rows:
        await connection.execute(statement(name), *zip(*rows, strict=True))


async def lock_days(connection: Connection, days: Iterable[DayRow]) -> None:
    """Make sure that the days and their tracks have rows, and hold the days until the transaction ends."""
    ordered = sorted(days)
    tracks = sorted({(day.track_id, day.source, day.track_slug) for day in ordered})
    await _run(connection, "add_tracks", tracks)
    await _run(connection, "add_events", [day[:5] for day in ordered])
    await connection.execute(statement("lock_events"), [day.id for day in ordered])


async def load_observations(
    connection: Connection, whole_days: Sequence[UUID], other_days: Sequence[UUID], sessions: Sequence[UUID]
) -> list[Record]:
    """The observations of whole days, and those of single sessions of other days with the days' lists."""
    return await connection.fetch(statement("load_observations"), whole_days, other_days, sessions)


async def load_laps(connection: Connection, results: Sequence[UUID]) -> list[LapRow]:
    """The laps of results, in the order of their numbers."""
    return [LapRow(*record) for record in await connection.fetch(statement("load_laps"), results)]


async def add_drivers(connection: Connection, drivers: Sequence[DriverSighting]) -> None:
    """Add drivers that were not known, without a name."""
    rows = [(d.driver_id, d.source, d.source_driver_id, d.transponder_number) for d in drivers]
    await _run(connection, "add_drivers", rows)


async def name_tracks(connection: Connection, tracks: Sequence[TrackSighting]) -> None:
    """Keep the newest sighting of each track, and give the track its name."""
    rows = [(t.track_id, t.name, t.time_zone, *t.stamp) for t in tracks]
    await _run(connection, "save_track_observations", rows)
    await connection.execute(statement("save_tracks"), [t.track_id for t in tracks])


async def name_drivers(connection: Connection, drivers: Sequence[DriverSighting]) -> None:
    """Keep each driver's sighting in the newest session that has a name, and give the driver that name."""
    named = [d for d in drivers if d.display_name is not None]
    rows = [
        (d.driver_id, d.named, d.display_name, d.normalized_name, d.start_time, d.session_id, *d.stamp)
        for d in named
    ]
    await _run(connection, "save_driver_observations", rows)
    await connection.execute(statement("save_drivers"), [d.driver_id for d in named])


async def save_rows(connection: Connection, table: str, rows: Sequence[Row]) -> None:
    """Write new and changed rows of `metadata`, `races`, `race_drivers` or `race_results`."""
    await _run(connection, SAVE[table], rows)


NewRow = RaceRow | RaceDriverRow | RaceResultRow | ObservationRow


async def copy_rows(connection: Connection, table: str, rows: Sequence[NewRow]) -> None:
    """Write rows of which the table has none yet."""
    if rows:
        await connection.copy_records_to_table(table, records=rows, columns=rows[0]._fields)


async def copy_laps(connection: Connection, laps: Mapping[UUID, Sequence[Lap]]) -> None:
    """Write the laps of results that have none yet."""
    if laps:
        records = (record for result in laps for record in lap_records(result, laps[result]))
        await connection.copy_records_to_table("laps", records=records, columns=LapRow._fields)


async def delete_rows(connection: Connection, table: str, ids: Sequence[UUID]) -> None:
    """Delete rows of `races` or `race_drivers`, with all that hangs on them."""
    if ids:
        await connection.execute(statement(DELETE[table]), sorted(ids))


class LapChanges(NamedTuple):
    """How many rows of laps a result gained, had changed, and lost."""

    added: int = 0
    changed: int = 0
    gone: int = 0


async def count_laps(connection: Connection, results: Sequence[UUID]) -> dict[UUID, LapChanges]:
    """The laps of results that are about to go."""
    rows = await connection.fetch(statement("count_laps"), results) if results else []
    return {row["race_result_id"]: LapChanges(gone=row["laps"]) for row in rows}


async def save_laps(connection: Connection, laps: Mapping[UUID, Sequence[Lap]]) -> dict[UUID, LapChanges]:
    """Make each result's laps these: new and changed ones are written, others deleted; returns what changed.

    Those of a result that has none yet are copied straight into the table, which is twice as fast.
    """
    if not laps:
        return {}
    occupied = {row["id"] for row in await connection.fetch(statement("results_with_laps"), list(laps))}
    fresh = {result: laps[result] for result in laps if result not in occupied}
    await copy_laps(connection, fresh)
    found = {result: LapChanges(added=len(fresh[result])) for result in fresh}
    return found | await _replace_laps(connection, occupied, laps) if occupied else found


async def _replace_laps(
    connection: Connection, occupied: set[UUID], laps: Mapping[UUID, Sequence[Lap]]
) -> dict[UUID, LapChanges]:
    """Make these the laps of results that have some already."""
    staged = (record for result in occupied for record in lap_records(result, laps[result]))
    await connection.execute(statement("make_lap_staging"))
    await connection.copy_records_to_table("lap_staging", records=staged, columns=LapRow._fields)
    found = {
        row["race_result_id"]: LapChanges(gone=row["laps"])
        for row in await connection.fetch(statement("delete_stale_laps"), list(occupied))
    }
    for row in await connection.fetch(statement("save_laps")):
        before = found.get(row["race_result_id"], LapChanges())
        found[row["race_result_id"]] = LapChanges(row["added"], row["changed"], before.gone)
    return found


def lap_records(result: UUID, laps: Iterable[Lap]) -> Iterator[tuple[object, ...]]:
    """The rows of a result's laps, in the order of `LapRow`: there are millions, so no row is named."""
    key = pgproto.UUID(result.bytes)
    for lap in laps:
        values = msgspec.structs.astuple(lap)
        yield (key, *values) if lap.segments is None else (key, *values[:-1], _segments(lap.segments))


def _segments(segments: Sequence[float | None]) -> str:
    return msgspec.json.encode(segments).decode()


async def save_observations(connection: Connection, rows: Sequence[ObservationRow]) -> None:
    """Write the newest observations of lists, rows and details."""
    await _run(connection, "save_observations", rows)
