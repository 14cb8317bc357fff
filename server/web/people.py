"""People: one with all transponders and names, and the forms that say and take back who is one."""

from http import HTTPStatus
from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.datastructures import FormMultiDict
from litestar.params import QueryParameter
from litestar.response import Redirect
from msgspec import Meta

from laps import people
from schemas import fields as f
from schemas.scopes import Scope
from server.api.fields import Cursor
from server.api.people import the_person
from server.http.callers import needs
from server.http.refusals import Refusal
from server.http.services import ApiRequest, connected
from server.web import links, people_view
from server.web.driver import history_page, the_driver
from server.web.drivers import found_drivers, spaced
from server.web.fields import Row, Words
from server.web.pages import go_to, page
from store.people import FEWEST, AliasKey

SHOWN = 20
"""Drivers who are found to be joined."""

_Text = Annotated[str, Meta(min_length=1, max_length=300, pattern=f.NO_NUL)]
_Sent = tuple[f.Source, _Text, _Text | None]
"""An alias in a form."""

Sent = Annotated[str, QueryParameter(max_length=1000, description="An alias, as the person's page has it.")]


@get("/people/{person:uuid}", guards=[needs(Scope.read)])
async def read_person(request: ApiRequest, person: Row, before: Cursor = None) -> Response[bytes]:
    """Show a person: the sessions of all aliases together."""
    async with connected(request) as connection:
        found = await the_person(connection, person)
        meant = await people.whose_person(connection, person)
        return await history_page(
            request,
            connection,
            meant,
            before,
            driver=found,
            path=links.person(person),
            people=[found],
            transponder=None,
        )


@get("/drivers/{driver:uuid}/aliases", guards=[needs(Scope.ingest)])
async def read_alias_form(request: ApiRequest, driver: Row, q: Words = "") -> Response[bytes]:
    """Ask who is one person with a driver."""
    wanted = spaced(q)
    async with connected(request) as connection:
        found = await the_driver(connection, driver)
        others = await found_drivers(connection, wanted, limit=SHOWN)
    candidates = people_view.candidates_of([one for one in others if one.id != driver])
    return page(
        request,
        "aliases.html",
        driver=found,
        own=people_view.choices_of(found),
        q=wanted,
        candidates=candidates,
    )


@post("/aliases", guards=[needs(Scope.ingest)])
async def set_aliases(request: ApiRequest) -> Redirect:
    """Say that the drivers who were chosen are one person, and lead to the person."""
    keys = _keys_of(await request.form(), "alias")
    async with connected(request) as connection:
        person = await people.join(connection, keys)
    return go_to(links.person(person.id))


@get("/people/{person:uuid}/unset", guards=[needs(Scope.ingest)])
async def read_unset(request: ApiRequest, person: Row, alias: Sent) -> Response[bytes]:
    """Ask whether an alias is to be taken away."""
    key = _key_of(alias)
    async with connected(request) as connection:
        found = await the_person(connection, person)
    known = [one for one in found.aliases if one.key == key]
    if not known:
        raise people.NotSet.of(key)
    return page(
        request,
        "unset_alias.html",
        person=found,
        alias=known[0],
        last=len(found.aliases) <= FEWEST,
        value=people_view.sent(key),
    )


@post("/people/{person:uuid}/unset", guards=[needs(Scope.ingest)])
async def unset_alias(request: ApiRequest) -> Redirect:
    """Take an alias away, and lead to whom is left: another person, where they were merged meanwhile."""
    [key] = _keys_of(await request.form(), "alias")[:1]
    async with connected(request) as connection:
        left = await people.unset(connection, key)
    return go_to(links.person(left.id) if left else links.driver(key.driver_id))


def _keys_of(form: FormMultiDict, name: str) -> list[AliasKey]:
    """The aliases of a form, each once; raises a `Refusal` where there is none."""
    keys = [_key_of(str(value)) for value in form.getall(name, [])]
    if not keys:
        raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, "too_few_aliases", "no driver was chosen")
    return list(dict.fromkeys(keys))


def _key_of(text: str) -> AliasKey:
    """An alias as `people_view.sent` wrote it; raises a `Refusal`."""
    try:
        return AliasKey(*msgspec.json.decode(text, type=_Sent))
    except msgspec.MsgspecError as error:
        raise Refusal(HTTPStatus.BAD_REQUEST, "invalid_request", "this is no alias") from error
