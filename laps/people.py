"""Who is one person: drivers joined by aliases, as people name them, and parted again.

A transponder that has driven under several names may have been lent: it is joined under names that are said,
so that others who drove with it are not joined, too.
"""

from collections.abc import Collection, Iterable, Sequence
from uuid import UUID

from laps.naming import NotFound, best_matches, the_driver, the_one
from projections.names import UNKNOWN_DRIVER, normalize_name
from schemas.errors import LapstreamError
from store import people, reading
from store.people import Alias, AliasKey, Person
from store.pool import Connection
from store.reading import EVERYWHERE, DriverSession, Scope, SessionPlace, Whose


class SeveralNames(LapstreamError):
    """A driver has several names, and it was not said which of them is meant."""

    @classmethod
    def of(cls, source_driver_id: str, names: Sequence[str]) -> "SeveralNames":
        """The error for a driver of these names."""
        listed = ", ".join(repr(name) for name in names)
        return cls(f"{source_driver_id} has driven as {listed}: say which of these names are the person's")


class NotSet(LapstreamError):
    """No such alias is set."""

    @classmethod
    def of(cls, key: AliasKey) -> "NotSet":
        """The error for an alias."""
        return cls(f"no alias is set for {shown(key)}: `lapstream aliases list` shows those that are")


async def whose_person(connection: Connection, person: UUID) -> Whose:
    """The sessions of a person."""
    return Whose(await people.drivers_of(connection, person), person)


async def whose(connection: Connection, driver: UUID) -> Whose:
    """The sessions of the person to whom a driver belongs, whatever the name; else the driver's own."""
    person = await people.person_of(connection, driver)
    return Whose([driver]) if person is None else await whose_person(connection, person)


async def whose_called(
    connection: Connection, text: str, *, source: str | None = None, within: Scope = EVERYWHERE
) -> Whose:
    """The sessions of the driver who is called so, or of the person to whom the driver belongs.

    Several drivers of one person are that person. Raises `NotFound` and `Ambiguous`.
    """
    best = await best_matches(connection, text, source=source, within=within)
    drivers = {driver.id for driver in best}
    name = normalize_name(text)
    found = await people.people_of(connection, list(drivers))
    for person in sorted(found, key=lambda one: not _has(one, drivers, name)):
        if drivers <= {alias.driver_id for alias in person.aliases if _name(alias) in {None, name}}:
            return await whose_person(connection, person.id)
    return Whose([the_one(text, best).id])


async def newest_sessions(connection: Connection, words: Iterable[str], *, limit: int) -> list[DriverSession]:
    """The newest sessions of all whom any of these words calls, with the people to whom they belong."""
    found: dict[UUID, DriverSession] = {}
    for word in words:
        for meant in await _all_called(connection, word):
            found |= {one.id: one for one in await reading.sessions_of(connection, meant, limit=limit)}
    return sorted(found.values(), key=SessionPlace.of, reverse=True)[:limit]


async def _all_called(connection: Connection, text: str) -> list[Whose]:
    try:
        best = await best_matches(connection, text)
    except NotFound:
        return []
    drivers, name = {driver.id for driver in best}, normalize_name(text)
    found = await people.people_of(connection, list(drivers))
    theirs = [
        person.id
        for person in found
        if any(alias.driver_id in drivers and _name(alias) in {None, name} for alias in person.aliases)
    ]
    return [Whose(list(drivers)), *[await whose_person(connection, person) for person in theirs]]


def _has(person: Person, drivers: Collection[UUID], name: str) -> bool:
    """Whether one of these drivers is a person's under this very name."""
    return any(alias.driver_id in drivers and _name(alias) == name for alias in person.aliases)


def _name(alias: Alias) -> str | None:
    return alias.driver_name and normalize_name(alias.driver_name)


async def join(connection: Connection, keys: Sequence[AliasKey]) -> Person:
    """Say that these are one person, with all who were said to be one with any of them.

    Raises `SeveralNames` for a driver of several names that comes without one, and as `store.people.join`.
    """
    people.check_most(len(keys))
    for key in keys:
        if key.driver_name is None:
            names = await reading.names_of(connection, key.driver_id)
            if len(different(names)) > 1:
                raise SeveralNames.of(key.source_driver_id, names)
    return await _person(connection, await people.join(connection, keys))


async def unset(connection: Connection, key: AliasKey) -> Person | None:
    """Take an alias away; returns whose it was, None where nobody is left. Raises `NotSet`."""
    person = await people.unset(connection, key)
    if person is None:
        raise NotSet.of(key)
    return await people.read_person(connection, person)


async def _person(connection: Connection, person: UUID) -> Person:
    found = await people.read_person(connection, person)
    if found is None:
        raise NotSet("these aliases were unset in the meantime")
    return found


def shown(key: AliasKey | Alias) -> str:
    """An alias for people to read."""
    return key.source_driver_id if key.driver_name is None else f"{key.source_driver_id} as {key.driver_name}"


def different(names: Sequence[str]) -> set[str]:
    """The names, each spelling of one once, without the site's for drivers that it can't name."""
    return {normalize_name(name) for name in names if name != UNKNOWN_DRIVER}


def keys_of(key: AliasKey, known: Sequence[str], names: Sequence[str]) -> list[AliasKey]:
    """How a driver, who is known by some names, is joined with a person who has these names.

    A driver of one name is joined whatever the name, one of several under those that are the person's. Raises
    `SeveralNames` where none of them is.
    """
    if len(different(known)) <= 1:
        return [key]
    wanted = {normalize_name(name) for name in names}
    ones = [name for name in known if normalize_name(name) in wanted]
    if not ones:
        raise SeveralNames.of(key.source_driver_id, known)
    return [key._replace(driver_name=name) for name in ones]


async def keys_called(
    connection: Connection, text: str, names: Sequence[str], source: str | None
) -> list[AliasKey]:
    """How the driver who is called so is joined with a person of these names.

    Raises `NotFound`, `Ambiguous` and `SeveralNames`.
    """
    key, known = await _called(connection, text, source)
    return keys_of(key, known, names)


async def keys_set(
    connection: Connection, text: str, names: Sequence[str], source: str | None
) -> list[AliasKey]:
    """The aliases that are set of the driver who is called so: those under these names, or the only one.

    Raises `NotFound`, `Ambiguous`, `NotSet` and `SeveralNames`.
    """
    key, _ = await _called(connection, text, source)
    found = await people.people_of(connection, [key.driver_id])
    ones = [one.key for person in found for one in person.aliases if one.driver_id == key.driver_id]
    if names:
        wanted = {normalize_name(name) for name in names}
        ones = [one for one in ones if one.driver_name and normalize_name(one.driver_name) in wanted]
    elif len(ones) > 1:
        raise SeveralNames.of(key.source_driver_id, [one.driver_name or "anybody" for one in ones])
    if not ones:
        raise NotSet.of(key)
    return ones


async def _called(connection: Connection, text: str, source: str | None) -> tuple[AliasKey, list[str]]:
    """Who is called so, with the names that are known: none of a transponder that is not stored."""
    try:
        driver = await the_driver(connection, text, source=source)
    except NotFound as error:
        if not (text.isascii() and text.isdigit()):
            raise
        if source is None:
            raise NotFound(f"{error}; a transponder that is not stored yet needs --source") from error
        return AliasKey(source, text), []
    return AliasKey(driver.source, driver.source_driver_id), driver.names
