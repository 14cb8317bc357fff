"""Drivers and sessions found by what people call them: names, transponders, ids at the source or of rows."""

import datetime as dt
from typing import Annotated, NamedTuple
from uuid import UUID

from msgspec import Meta, Struct

from schemas import fields as f
from store.pool import Connection
from store.reading import EVERYWHERE, MAX_NAMES, DriverView, Scope
from store.statements import statements_of

statement = statements_of(__file__)

ALL, BY_ID, BY_NAME, BY_PART_OF_NAME = range(4)
"""How a driver was found, the best first; by nothing where all were asked for."""

NO_ID = UUID(int=0)


class FoundDriver(DriverView, frozen=True, kw_only=True):
    """A driver who was found, with the days of the first and the last session.

    `match` is 1 where the driver was found by an id, a row's or the source's, or the transponder; 2 by a
    name, also one with other order or case; 3 by a part of it; and 0 where all drivers were asked for.
    `person_id` is the person to whom the driver belongs, whatever the name (`store.people`).
    """

    first_day: dt.date
    last_day: dt.date
    match: int
    person_id: UUID | None


class DriverPlace(NamedTuple):
    """Where a page of drivers ended."""

    match: Annotated[int, Meta(ge=-1, le=BY_PART_OF_NAME)]
    name: Annotated[str, Meta(pattern=f.NO_NUL)]
    id: UUID

    @classmethod
    def of(cls, driver: FoundDriver) -> "DriverPlace":
        """Where a driver stands among those who were found."""
        return cls(driver.match, driver.display_name or "", driver.id)


FIRST = DriverPlace(-1, "", NO_ID)


class Called(NamedTuple):
    """What a driver is called: the text, what it is as a row's id, and as a normalized name."""

    text: str
    id: UUID | None
    normalized_name: str


class SessionRef(Struct, frozen=True, kw_only=True):
    """Which session is meant; `id` is its row's."""

    id: UUID
    source: str
    track_slug: str
    date: dt.date
    session_id: str


async def find_drivers(
    connection: Connection,
    called: Called | None,
    *,
    source: str | None = None,
    within: Scope = EVERYWHERE,
    after: DriverPlace = FIRST,
    limit: int,
) -> list[FoundDriver]:
    """Drivers who are called so or all, of a source and a scope's track and days; the best matches first."""
    which = called or (None, None, None)
    place = (source, within.track_id, *after)
    rows = await connection.fetch(
        statement("find_drivers"), *which, *place, limit, MAX_NAMES, within.first, within.last
    )
    return [FoundDriver(**row) for row in rows]


async def find_sessions(
    connection: Connection, session_id: str, *, source: str | None, limit: int
) -> list[SessionRef]:
    """Sessions that have this id at their source, the newest first: two sources may have given the same."""
    rows = await connection.fetch(statement("find_sessions"), session_id, source, limit)
    return [SessionRef(**row) for row in rows]
