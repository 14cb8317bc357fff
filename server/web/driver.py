"""A driver: bests by class and track, how best lap and average went, and the sessions, the newest first."""

from uuid import UUID

from litestar import Response, get

from schemas.scopes import Scope
from server.api.fields import Cursor, page_of, place_at
from server.http.callers import needs
from server.http.refusals import Refusal
from server.http.services import ApiRequest, connected
from server.web import driver_view
from server.web.fields import Row
from server.web.pages import page
from store import reading
from store.pool import Connection
from store.reading import DriverView, SessionPlace, Whose

SESSIONS = 100
"""Sessions of a page."""


@get("/drivers/{driver:uuid}", guards=[needs(Scope.read)])
async def read_driver(request: ApiRequest, driver: Row, before: Cursor = None) -> Response[bytes]:
    """Show a driver."""
    place = place_at(before, SessionPlace)
    async with connected(request) as connection:
        found = await the_driver(connection, driver)
        bests = await reading.bests_of(connection, Whose([driver]))
        sessions = await reading.sessions_of(connection, Whose([driver]), before=place, limit=SESSIONS + 1)
    history = page_of(sessions, SESSIONS, SessionPlace.of)
    return page(
        request,
        "driver.html",
        driver=found,
        bests=bests,
        trends=driver_view.trends_of(history.items),
        sessions=history.items,
        older=history.next_cursor,
        newest=before is None,
    )


async def the_driver(connection: Connection, driver: UUID) -> DriverView:
    """A driver by the row's id; raises a `Refusal` where none is stored."""
    found = await reading.read_driver(connection, driver)
    if found is None:
        raise Refusal.not_found(f"no driver {driver} is stored")
    return found
