"""`/people` and `/aliases`: which drivers are one person, read, set and unset."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from litestar import delete, get, post
from litestar.params import JSONBody, PathParameter, QueryParameter
from msgspec import Meta, Struct
from msgspec.structs import asdict

from laps import people
from laps.rows import AliasRow, alias_rows
from producer.site import SOURCE
from schemas import fields as f
from schemas.scopes import Scope
from server.api.bodies import StrictJson
from server.api.fields import PAGE, Cursor, Limit, Source, page_of, place_at
from server.http.answers import Page, Success, success
from server.http.callers import needs
from server.http.csv_answers import or_csv
from server.http.refusals import Refusal
from server.http.responses import refusals
from server.http.services import ApiRequest, connected
from store import people as aliases
from store import reading
from store.people import MOST_ALIASES, AliasKey, Person
from store.pool import Connection
from store.reading import Best, DriverSession, SessionPlace

LONGEST_ID = 300
_OF_DRIVER = "The driver's id at the source: the transponder, where there is one."
_OF_NAME = "Only sessions under this name, as they have it; without it, all."


class PersonProfile(Person, frozen=True, kw_only=True):
    """A person with bests by class and track, and a page of sessions, the newest first."""

    bests: list[Best]
    history: Page[DriverSession]


class AliasName(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A driver, who need not be stored yet; with `driver_name` only the sessions under this name."""

    source_driver_id: Annotated[
        str, Meta(min_length=1, max_length=LONGEST_ID, pattern=f.NO_NUL, description=_OF_DRIVER)
    ]
    driver_name: (
        Annotated[str, Meta(min_length=1, max_length=LONGEST_ID, pattern=f.NO_NUL, description=_OF_NAME)]
        | None
    ) = None
    source: f.Source = SOURCE


class AliasRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Drivers who are one person, with all who were said to be one with any of them."""

    aliases: Annotated[list[AliasName], Meta(min_length=2, max_length=MOST_ALIASES)]


class Remaining(Struct, frozen=True, kw_only=True):
    """The person without the alias; null where nobody is left."""

    person: Person | None


@get(
    "/people",
    operation_id="listPeople",
    tags=["reading"],
    guards=[needs(Scope.read)],
    responses=refusals(400, 401, 403, 422, 429, 503),
)
@or_csv(AliasRow, lambda page: alias_rows(page.items), lambda page: page)
async def list_people(
    request: ApiRequest, cursor: Cursor = None, limit: Limit = PAGE
) -> Success[Page[Person]]:
    """List the people of whom aliases are set, by their ids."""
    place = place_at(cursor, tuple[UUID])
    async with connected(request) as connection:
        found = await aliases.find_people(connection, after=place and place[0], limit=limit + 1)
    return success(page_of(found, limit, lambda person: (person.id,)))


@get(
    "/people/{person:uuid}",
    operation_id="readPerson",
    tags=["reading"],
    guards=[needs(Scope.read)],
    responses=refusals(400, 401, 403, 404, 422, 429, 503),
)
@or_csv(DriverSession, lambda person: person.history.items, lambda person: person.history)
async def read_person(
    request: ApiRequest,
    person: Annotated[UUID, PathParameter(description="The `person_id` of a session.")],
    cursor: Cursor = None,
    limit: Limit = PAGE,
) -> Success[PersonProfile]:
    """Read a person: the aliases, bests, and the sessions of all of them, the newest first."""
    before = place_at(cursor, SessionPlace)
    async with connected(request) as connection:
        found = await the_person(connection, person)
        meant = await people.whose_person(connection, person)
        bests = await reading.bests_of(connection, meant)
        driven = await reading.sessions_of(connection, meant, before=before, limit=limit + 1)
    history = page_of(driven, limit, SessionPlace.of)
    return success(PersonProfile(bests=bests, history=history, **asdict(found)))


async def the_person(connection: Connection, person: UUID) -> Person:
    """A person; raises a `Refusal` where no alias is set."""
    found = await aliases.read_person(connection, person)
    if found is None:
        raise Refusal.not_found(
            f"no person {person} is known: its aliases were unset, or merged into another's"
        )
    return found


@post(
    "/aliases",
    operation_id="setAliases",
    tags=["people"],
    status_code=HTTPStatus.OK,
    dto=StrictJson[AliasRequest],
    guards=[needs(Scope.ingest)],
    responses=refusals(400, 401, 403, 409, 413, 422, 429, 503),
)
async def set_aliases(request: ApiRequest, data: JSONBody[AliasRequest]) -> Success[Person]:
    """Say that drivers are one person, with all who were said to be one with any of them."""
    keys = [AliasKey(one.source, one.source_driver_id.strip(), one.driver_name) for one in data.aliases]
    async with connected(request) as connection:
        return success(await people.join(connection, list(dict.fromkeys(keys))))


@delete(
    "/aliases",
    operation_id="unsetAlias",
    tags=["people"],
    status_code=HTTPStatus.OK,
    guards=[needs(Scope.ingest)],
    responses=refusals(400, 401, 403, 404, 422, 429, 503),
)
async def unset_alias(
    request: ApiRequest,
    source_driver_id: Annotated[
        str, QueryParameter(min_length=1, max_length=LONGEST_ID, pattern=f.NO_NUL, description=_OF_DRIVER)
    ],
    driver_name: Annotated[
        str | None,
        QueryParameter(min_length=1, max_length=LONGEST_ID, pattern=f.NO_NUL, description=_OF_NAME),
    ] = None,
    source: Source = SOURCE,
) -> Success[Remaining]:
    """Take an alias away: the driver is no longer one with the person; the others stay one."""
    async with connected(request) as connection:
        left = await people.unset(connection, AliasKey(source, source_driver_id.strip(), driver_name))
    return success(Remaining(person=left))
