"""Drivers found by name, transponder or id: how racers get to their own page."""

from typing import Annotated

from litestar import Response, get
from litestar.params import QueryParameter

from lapstream.http.callers import needs
from lapstream.http.services import ApiRequest, connected
from lapstream.web.pages import page
from ops.laps.naming import called
from schemas.scopes import Scope
from store.finding import FoundDriver, find_drivers
from store.pool import Connection

SHOWN = 50
"""Drivers of the page, the best matches first."""


@get("/drivers", guards=[needs(Scope.read)])
async def read_drivers(
    request: ApiRequest, q: Annotated[str, QueryParameter(max_length=100)] = ""
) -> Response[bytes]:
    """Show who is called so."""
    wanted = " ".join(q.replace("\0", " ").split())
    async with connected(request) as connection:
        found = await _found(connection, wanted)
    return page(request, "drivers.html", q=wanted, drivers=found[:SHOWN], more=len(found) > SHOWN)


async def _found(connection: Connection, wanted: str) -> list[FoundDriver]:
    return await find_drivers(connection, called(wanted), limit=SHOWN + 1) if wanted else []
