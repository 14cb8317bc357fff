"""A row and the observations behind it: a table and a key go in, what is known of the row comes out."""

from uuid import UUID

import msgspec

from consumers.known_days import load_days
from consumers.track_records import TRACK_RECORDS
from ops.provenance import keys
from ops.provenance import queries as store
from ops.provenance.answer import Columns, Kind, Table
from ops.provenance.keys import LastingName
from ops.provenance.near import called, refuse
from ops.provenance.queries import Lasting
from ops.provenance.sessions import lap, row_of_session
from ops.provenance.subject import Subject, SubjectObservation, ref_of
from projections.state import EMPTY_DAY, DayRef
from schemas.identity import source_event_id
from store.pool import READ_MODEL, Connection, Record, use_schema
from store.reading import names_of

NAMED: dict[Lasting, tuple[str, ...]] = {
    "tracks": ("name", "time_zone"),
    "drivers": ("display_name", "normalized_name"),
}
"""The columns that the newest observation that names a track or a driver sets."""


async def find(connection: Connection, table: Table, key: str) -> Subject:
    """The row of a table that a key names, all of one moment; raises `NoSuchRow`."""
    async with connection.transaction(isolation="repeatable_read"):
        of_records = table == "track_records.fastest_laps"
        await use_schema(connection, TRACK_RECORDS.schema if of_records else READ_MODEL)
        match table:
            case "tracks" | "drivers":
                return await _lasting(connection, table, keys.lasting_name(table, key))
            case "events":
                return await _day(connection, keys.day_name(table, key))
            case "laps":
                return await lap(connection, keys.lap_name(key))
            case _:
                return await row_of_session(connection, table, keys.session_name(table, key))


async def _lasting(connection: Connection, table: Lasting, wanted: UUID | LastingName) -> Subject:
    row_id, source, name = (wanted, None, None) if isinstance(wanted, UUID) else (None, *wanted)
    found = await store.find_lasting(connection, table, row_id, source, name)
    if found is None:
        await refuse(connection, table, wanted)
    naming = await store.naming_of(connection, table, found["id"])
    seeings: dict[Kind, SubjectObservation] = {"naming": _naming(naming)} if naming else {}
    return Subject(
        table=table,
        key=called(LastingName(found["source"], found["name"])),
        id=found["id"],
        row=msgspec.json.decode(found["row"]),
        expected=True,
        note=await _several_names(connection, found["id"]) if table == "drivers" else None,
        exists_by=None,
        columns=(Columns(columns=NAMED[table], set_by=tuple(seeings)),),
        seeings=seeings,
    )


async def _several_names(connection: Connection, driver: UUID) -> str | None:
    """What is told of a driver whose sessions have several names."""
    names = await names_of(connection, driver)
    return f"the driver's sessions have several names: {', '.join(names)}" if len(names) > 1 else None


def _naming(record: Record) -> SubjectObservation:
    return SubjectObservation(stamp=store.stamp_of(record), ref=ref_of(record) if record["date"] else None)


async def _day(connection: Connection, wanted: UUID | DayRef) -> Subject:
    by_id = isinstance(wanted, UUID)
    name = (None, None) if by_id else (wanted.source, source_event_id(wanted.track_slug, wanted.date))
    found = await store.find_day(connection, wanted if by_id else None, *name)
    if found is None:
        await refuse(connection, "events", wanted)
    ref = ref_of(found)
    listed = (await load_days(connection, {ref: EMPTY_DAY}))[ref].complete_list
    seeings: dict[Kind, SubjectObservation] = {"list": SubjectObservation.of(listed, ref)} if listed else {}
    return Subject(
        table="events",
        key=called(ref),
        id=found["id"],
        row=msgspec.json.decode(found["row"]),
        expected=True,
        note=None,
        exists_by=None,
        columns=(Columns(columns=("metadata",), set_by=tuple(seeings)),),
        seeings=seeings,
    )
