"""A driver: bests by class and track, how best lap and average went, and the sessions, the newest first."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Response, get
from litestar.params import QueryParameter
from litestar.response import Redirect

from schemas.scopes import Scope
from server.api.fields import Cursor, page_of, place_at
from server.http.callers import needs
from server.http.refusals import Refusal
from server.http.services import ApiRequest, connected
from server.web import driver_view, links
from server.web.fields import Row
from server.web.pages import go_to, page
from server.web.people_view import sent
from store import people, reading
from store.pool import Connection
from store.reading import DriverView, SessionPlace, Whose

SESSIONS = 100
"""Sessions of a page."""

Alone = Annotated[bool, QueryParameter(description="The driver alone, also one who belongs to a person.")]


@get("/drivers/{driver:uuid}", guards=[needs(Scope.read)])
async def read_driver(
    request: ApiRequest,
    driver: Row,
    before: Cursor = None,
    alone: Alone = False,  # noqa: FBT002 - a parameter of the address
) -> Response[bytes] | Redirect:
    """Show a driver, or lead to the person to whom the driver belongs."""
    async with connected(request) as connection:
        person = None if alone else await people.person_of(connection, driver)
        if person:
            return go_to(links.person(person))
        found = await the_driver(connection, driver)
        return await history_page(
            request,
            connection,
            Whose([driver]),
            before,
            driver=found,
            path=links.driver(driver, alone="true" if alone else None),
            people=await people.people_of(connection, [driver]),
            transponder=found.transponder_number,
        )


async def history_page(
    request: ApiRequest, connection: Connection, meant: Whose, before: str | None, **view: Any
) -> Response[bytes]:
    """The page of a driver or a person: bests, trends and sessions."""
    bests = await reading.bests_of(connection, meant)
    sessions = await reading.sessions_of(
        connection, meant, before=place_at(before, SessionPlace), limit=SESSIONS + 1
    )
    history = page_of(sessions, SESSIONS, SessionPlace.of)
    return page(
        request,
        "driver.html",
        is_person=meant.person is not None,
        sent=sent,
        bests=bests,
        trends=driver_view.trends_of(history.items),
        sessions=history.items,
        older=history.next_cursor,
        newest=before is None,
        **view,
    )


async def the_driver(connection: Connection, driver: UUID) -> DriverView:
    """A driver by the row's id; raises a `Refusal` where none is stored."""
    found = await reading.read_driver(connection, driver)
    if found is None:
        raise Refusal.not_found(f"no driver {driver} is stored")
    return found
