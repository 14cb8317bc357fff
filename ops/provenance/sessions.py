"""Rows of sessions: a session's name goes in, its row of a table and the observations behind it come out.

Whether there is to be such a row is not said here: the projections are asked, with what is known of it.
"""

import datetime as dt
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from consumers.known_days import load_days
from ops.provenance import queries as store
from ops.provenance.answer import Kind, NoSuchRow, Table
from ops.provenance.edited import edited, note_of
from ops.provenance.keys import WITHOUT_DRIVER, LapName, SessionName
from ops.provenance.near import called, refuse, refuse_lap
from ops.provenance.queries import OfSession
from ops.provenance.setters import columns_of, existence_of, known_kinds
from ops.provenance.subject import Subject, SubjectObservation, ref_of
from projections.rows import session_rows
from projections.state import Day, DayRef, Seen
from projections.track_records import fastest_laps
from schemas.events import ListedSession
from schemas.identity import practice_event_id
from schemas.tables import FastestLapRow, RaceDriverRow, RaceResultRow, RaceRow, Stamp
from store.pool import Connection, Record

GONE = (
    "the session does not exist at present: the newest complete list of its day lacks it, and nothing newer "
    "speaks of it"
)
UNTIMED = "the session states no fastest lap"
UNEXPLAINED = "no observation says that there is such a row: was it made by hand? `lapstream verify` tells"
LOST = "the observations say that there is such a row, and the table lacks it: `lapstream verify` tells more"

_STORED_AS: dict[Table, OfSession] = {
    "races": "races",
    "race_drivers": "race_drivers",
    "race_results": "race_results",
    "laps": "race_results",
    "track_records.fastest_laps": "fastest_laps",
}
"""By which table's row each row of a session is found."""

NO_AUTHORITY = -(2**31)
"""Less than that of any topic."""

_NEVER = Seen(
    stamp=Stamp(NO_AUTHORITY, dt.datetime.min.replace(tzinfo=dt.UTC), 0, "", ""),
    first_observed_at=dt.datetime.min.replace(tzinfo=dt.UTC),
    page_sha256=None,
    facts=ListedSession(session_id="-"),
)
"""An observation that says nothing: what is known of a session is read for a batch that is about it."""


class Session(Struct, frozen=True, kw_only=True):
    """A session, what is known of it, and its row in a table; None where that has none."""

    table: Table
    ref: DayRef
    session_id: str
    day: Day
    stored: Record | None

    @property
    def known(self) -> bool:
        """Whether any observation is of this very session."""
        return self.session_id in self.day.rows or self.session_id in self.day.details

    @property
    def expected(self) -> RaceRow | RaceDriverRow | RaceResultRow | FastestLapRow | None:
        """The row that the session has by its observations, of laps that of their result."""
        rows = session_rows(self.ref, self.day, self.session_id)
        if rows is None:
            return None
        match self.table:
            case "race_drivers":
                return rows.driver
            case "race_results" | "laps":
                return rows.result
            case "track_records.fastest_laps":
                timed = fastest_laps(self.ref, self.day)
                return next((row for row in timed if row.session_id == self.session_id), None)
            case _:
                return rows.race

    @property
    def driver(self) -> str | None:
        """Who drove, where that is a part of the row's name."""
        if self.table in WITHOUT_DRIVER:
            return None
        if self.stored is not None:
            return self.stored["driver"]
        rows = session_rows(self.ref, self.day, self.session_id)
        return rows.driver.source_driver_id if rows else None

    @property
    def name(self) -> str:
        """What the session's row is called."""
        return called(SessionName(self.ref, self.session_id, self.driver))


async def row_of_session(connection: Connection, table: Table, wanted: UUID | SessionName) -> Subject:
    """A row that a session has one of; raises `NoSuchRow`."""
    session = await _session(connection, table, wanted)
    expected, stored = session.expected, session.stored
    row_id: UUID | None = stored["id"] if stored else expected and expected.id
    row: dict[str, Any] | None = msgspec.json.decode(stored["row"]) if stored else None
    subject = _subject(
        session, row_id=row_id, row=row, expected=expected is not None and row_id == expected.id
    )
    if row is None or expected is None or not subject.expected:
        return subject
    return msgspec.structs.replace(subject, note=note_of(edited(row, expected._asdict())))


async def lap(connection: Connection, wanted: LapName) -> Subject:
    """A lap; raises `NoSuchRow`."""
    session = await _session(connection, "laps", wanted.result)
    expected, stored = session.expected, session.stored
    result: UUID | None = stored["id"] if stored else expected and expected.id
    row = await store.find_lap(connection, result, wanted.number) if result else None
    if row is None and not _is_shelved(session, wanted.number):
        await refuse_lap(connection, session.name, wanted.number, result)
    return _subject(
        session,
        row_id=result,
        row=None if row is None else msgspec.json.decode(row),
        expected=expected is not None and result == expected.id and session.session_id in session.day.details,
        suffix=f", lap_number {wanted.number}",
    )


def _is_shelved(session: Session, number: int) -> bool:
    """Whether the lap waits for its session, which does not exist at present."""
    detail = session.day.details.get(session.session_id)
    return detail is not None and any(one.lap_number == number for one in detail.laps or ())


async def _session(connection: Connection, table: Table, wanted: UUID | SessionName) -> Session:
    """The session that a key names; raises `NoSuchRow`."""
    stored = await _stored(connection, table, wanted)
    if isinstance(wanted, UUID):
        found = stored or await store.observed_session(connection, wanted)
        if found is None:
            await refuse(connection, table, wanted)
        name = SessionName(ref_of(found), found["session_id"])
    else:
        name = wanted
    asked = {name.ref: Day(rows={name.session_id: _NEVER})}
    day = (await load_days(connection, asked))[name.ref]
    session = Session(table=table, ref=name.ref, session_id=name.session_id, day=day, stored=stored)
    if stored is None and not session.known:
        await refuse(connection, table, wanted)
    return session


async def _stored(connection: Connection, table: Table, wanted: UUID | SessionName) -> Record | None:
    """The row; raises `NoSuchRow` where the session has one, of another driver."""
    kind = _STORED_AS[table]
    if isinstance(wanted, UUID):
        rows = await store.find_of_session(connection, kind, wanted, None, None)
        return rows[0] if rows else None
    rows = await store.find_of_session(
        connection, kind, None, practice_event_id(*wanted.ref), wanted.session_id
    )
    fitting = [row for row in rows if wanted.driver in {None, row["driver"]}]
    if rows and not fitting:
        drivers = ", ".join(row["driver"] for row in rows)
        raise NoSuchRow(f"{table} has no row {called(wanted)!r}: the session was driven by {drivers}")
    return fitting[0] if fitting else None


def _subject(
    session: Session, *, row_id: UUID | None, row: dict[str, Any] | None, expected: bool, suffix: str = ""
) -> Subject:
    day, session_id = session.day, session.session_id
    exists_by = existence_of(day, session_id) if session.known else None
    columns = columns_of(session.table, day, session_id)
    counting = {exists_by, *(kind for group in columns for kind in group.set_by)}
    seeings: dict[Kind, SubjectObservation] = {
        kind: SubjectObservation.of(seen, session.ref, None if kind == "list" else session_id)
        for kind, seen in known_kinds(day, session_id).items()
        if kind in counting
    }
    return Subject(
        table=session.table,
        key=session.name + suffix,
        id=row_id,
        row=row,
        expected=expected,
        note=_note(session, stored=row is not None, expected=expected),
        exists_by=exists_by,
        columns=columns,
        seeings=seeings,
    )


def _note(session: Session, *, stored: bool, expected: bool) -> str | None:
    """What is odd about the row; None where it is there, and is to be."""
    if stored:
        return None if expected else UNEXPLAINED
    if expected:
        return LOST
    return UNTIMED if session.day.exists(session.session_id) else GONE
