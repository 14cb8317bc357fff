"""Drivers found by name, transponder or id: how racers get to their own page."""

from litestar import Response, get

from laps.naming import called
from schemas.scopes import Scope
from server.http.callers import needs
from server.http.services import ApiRequest, connected
from server.web.fields import Words
from server.web.pages import page
from store.finding import FoundDriver, find_drivers
from store.pool import Connection

SHOWN = 50
"""Drivers of the page, the best matches first."""


@get("/drivers", guards=[needs(Scope.read)])
async def read_drivers(request: ApiRequest, q: Words = "") -> Response[bytes]:
    """Show who is called so."""
    wanted = spaced(q)
    async with connected(request) as connection:
        found = await found_drivers(connection, wanted, limit=SHOWN + 1)
    return page(request, "drivers.html", q=wanted, drivers=found[:SHOWN], more=len(found) > SHOWN)


async def found_drivers(connection: Connection, q: str, *, limit: int) -> list[FoundDriver]:
    """The drivers called so, the best matches first; none where nothing is asked for."""
    wanted = spaced(q)
    return await find_drivers(connection, called(wanted), limit=limit) if wanted else []


def spaced(q: str) -> str:
    """What was typed, without what no name has."""
    return " ".join(q.replace("\0", " ").split())
