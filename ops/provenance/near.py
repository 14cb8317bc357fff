"""A key that names nothing: said with the forms that are expected, and with what stands near it."""

from typing import NoReturn
from uuid import UUID

from ops.provenance import queries as store
from ops.provenance.answer import NoSuchRow, Table
from ops.provenance.keys import FORMS, LastingName, SessionName
from projections.state import DayRef
from schemas.identity import practice_event_id, source_event_id
from store.pool import Connection

Name = UUID | LastingName | DayRef | SessionName


def called(name: Name) -> str:
    """What people, and the reports of comparisons, call it."""
    match name:
        case LastingName(source, own):
            return f"{source}/{own}"
        case DayRef(source, slug, date):
            return f"{source}/{source_event_id(slug, date)}"
        case SessionName(ref, session_id, driver):
            return "/".join(part for part in (called(ref), session_id, driver) if part is not None)
        case _:
            return str(name)


async def refuse(connection: Connection, table: Table, name: Name) -> NoReturn:
    """Raise `NoSuchRow` for a name that no row has, with the names around it."""
    found = await _around(connection, table, name)
    near = f"; near it: {', '.join(found)}" if found else ""
    raise NoSuchRow(f"{table} has no row {called(name)!r}: expected is {FORMS[table]}{near}")


async def refuse_lap(connection: Connection, session: str, number: int, result: UUID | None) -> NoReturn:
    """Raise `NoSuchRow` for a lap that a session's result has not, or that it had not when it was there."""
    laps, first, last = await store.lap_numbers(connection, result) if result else (0, None, None)
    has = f"has {laps} laps, numbered from {first} to {last}" if laps else "has no laps at present"
    raise NoSuchRow(f"laps has no row '{session}, lap_number {number}': the session {has}")


async def _around(connection: Connection, table: Table, name: Name) -> list[str]:
    match name:
        case LastingName(source, own):
            kind = "tracks" if table == "tracks" else "drivers"
            return [f"{source}/{one}" for one in await store.near_names(connection, kind, source, own)]
        case SessionName(ref, session_id):
            return await _sessions(connection, table, ref, session_id) or await _days(connection, ref)
        case DayRef():
            return await _days(connection, name)
        case _:
            return []


async def _days(connection: Connection, ref: DayRef) -> list[str]:
    near = await store.near_names(connection, "events", ref.source, source_event_id(ref.track_slug, ref.date))
    return [f"{ref.source}/{one}" for one in near]


async def _sessions(connection: Connection, table: Table, ref: DayRef, session_id: str) -> list[str]:
    kind = "fastest_laps" if table == "track_records.fastest_laps" else "races"
    near = await store.near_names(connection, kind, practice_event_id(*ref), session_id)
    return [f"{called(ref)}/{one}" for one in near]
