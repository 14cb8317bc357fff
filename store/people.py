"""People: which drivers are one person, by aliases that are set and unset.

An alias is a driver, whatever name a session has, or a driver under one name, as the sessions write it. Where
both are set, the one with the name counts for its sessions. Aliases are operational state: they stay when the
tables are rebuilt, and may name a driver that these do not have yet.
"""

import datetime as dt
import uuid
from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple
from uuid import UUID

from msgspec import Struct

from schemas.errors import LapstreamError
from schemas.identity import driver_id
from store.pool import Connection
from store.statements import statements_of

statement = statements_of(__file__)

MOST_ALIASES = 50
"""The most aliases of a person."""

FEWEST = 2
"""The fewest: one driver alone is one person already."""

_ANY_NAME = ""
_BEFORE_ALL = UUID(int=0)


class TooManyAliases(LapstreamError):
    """A person would have more aliases than one may have."""


class TooFewAliases(LapstreamError):
    """One driver alone is said to be one person."""


class BlankDriver(LapstreamError):
    """An alias has an id of a driver that is empty, or white space only."""


class AliasKey(NamedTuple):
    """A driver by its natural key, under one name or, without it, whatever the name."""

    source: str
    source_driver_id: str
    driver_name: str | None = None

    @property
    def driver_id(self) -> UUID:
        """The id of the driver's row."""
        return driver_id(self.source, self.source_driver_id)


class Alias(Struct, frozen=True, kw_only=True):
    """A driver of a person, with the sessions that count for the person, and the names that these have.

    Of one with a `driver_name`, only the sessions under this name are meant.
    """

    driver_id: UUID
    source: str
    source_driver_id: str
    driver_name: str | None
    display_name: str | None
    transponder_number: str | None
    sessions: int
    names: list[str]
    last_day: dt.date | None

    @property
    def key(self) -> AliasKey:
        """What the alias is set and unset by."""
        return AliasKey(self.source, self.source_driver_id, self.driver_name)


class Person(Struct, frozen=True, kw_only=True):
    """A person with all aliases, the one that drove last first; `display_name` is of its newest day."""

    id: UUID
    display_name: str | None
    sessions: int
    names: list[str]
    aliases: list[Alias]


async def read_person(connection: Connection, person: UUID) -> Person | None:
    """A person; None where no alias is set."""
    return next(iter(await read_people(connection, [person])), None)


async def read_people(connection: Connection, people: Sequence[UUID]) -> list[Person]:
    """Those of these people who have aliases, by their ids."""
    found: list[tuple[UUID, Alias]] = []
    for row in await connection.fetch(statement("aliases_of_people"), people):
        values = dict(row)
        found.append((values.pop("person_id"), Alias(**values)))
    return [
        _person(person, [alias for _, alias in ones]) for person, ones in groupby(found, lambda one: one[0])
    ]


def _person(person: UUID, aliases: list[Alias]) -> Person:
    return Person(
        id=person,
        display_name=next((one.display_name for one in aliases if one.display_name), None),
        sessions=sum(one.sessions for one in aliases),
        names=sorted({name for one in aliases for name in one.names}),
        aliases=aliases,
    )


async def find_people(connection: Connection, *, after: UUID | None = None, limit: int) -> list[Person]:
    """People by their ids, from after one."""
    rows = await connection.fetch(statement("people_after"), after or _BEFORE_ALL, limit)
    return await read_people(connection, [row["person_id"] for row in rows])


async def people_of(connection: Connection, drivers: Sequence[UUID]) -> list[Person]:
    """The people to whom drivers belong, whole or under one of their names."""
    rows = await connection.fetch(statement("people_of_drivers"), drivers)
    return await read_people(connection, [row["person_id"] for row in rows])


async def person_of(connection: Connection, driver: UUID) -> UUID | None:
    """The person to whom a driver belongs, whatever the name."""
    return await connection.fetchval(statement("person_of_driver"), driver)


async def drivers_of(connection: Connection, person: UUID) -> list[UUID]:
    """The drivers of a person, also those of whom only some sessions are."""
    return [row["driver_id"] for row in await connection.fetch(statement("drivers_of_person"), person)]


async def join(connection: Connection, keys: Sequence[AliasKey]) -> UUID:
    """Say that these are one person, with all who were said to be one with any of them; returns the person.

    Raises `BlankDriver`, `TooFewAliases` and `TooManyAliases`.
    """
    if not all(key.source_driver_id.strip() for key in keys):
        raise BlankDriver("an alias needs a driver's id, and one of these is blank")
    ids, names = [key.driver_id for key in keys], [key.driver_name or _ANY_NAME for key in keys]
    async with connection.transaction():
        await connection.execute(statement("lock_aliases"))
        rows = await connection.fetch(statement("people_of_aliases"), ids, names)
        person, *others = [row["person_id"] for row in rows] or [uuid.uuid4()]
        await connection.execute(statement("merge_people"), person, others)
        sources, source_ids = [key.source for key in keys], [key.source_driver_id for key in keys]
        await connection.execute(statement("set_aliases"), ids, names, sources, source_ids, person)
        _check(await connection.fetchval(statement("count_aliases"), person))
    return person


def _check(aliases: int) -> None:
    if aliases < FEWEST:
        raise TooFewAliases("one driver alone is one person already: name two or more")
    check_most(aliases)


def check_most(aliases: int) -> None:
    """Raise `TooManyAliases` for more than one person may have."""
    if aliases > MOST_ALIASES:
        raise TooManyAliases(f"a person has {MOST_ALIASES} aliases at most, this one would have {aliases}")


async def unset(connection: Connection, key: AliasKey) -> UUID | None:
    """Take an alias away; returns whose it was, None for one that is not set. Its last one goes with it."""
    async with connection.transaction():
        await connection.execute(statement("lock_aliases"))
        name = key.driver_name or _ANY_NAME
        person = await connection.fetchval(statement("unset_alias"), key.driver_id, name)
        await connection.execute(statement("dissolve_person"), person)
    return person
