"""The budget of each site, shared by the whole fleet: when the next request may begin, rests, the switch."""

from typing import NamedTuple

from store.pool import Connection
from store.statements import statement


class SiteState(NamedTuple):
    """What holds a site's requests back: the switch, or a rest of so many seconds, with its reason."""

    paused: bool = False
    rest_reason: str | None = None
    rest_seconds: float | None = None


async def reserve(connection: Connection, site: str, interval_seconds: float) -> float | None:
    """Reserve the next request's moment: the seconds until then; None while the site is paused or rests."""
    return await connection.fetchval(statement("reserve_request"), site, interval_seconds)


async def state(connection: Connection, site: str) -> SiteState:
    """What holds the site's requests back at present."""
    row = await connection.fetchrow(statement("site_state"), site)
    return SiteState(*row) if row else SiteState()


async def rest(connection: Connection, site: str, seconds: float, reason: str) -> None:
    """Leave the site alone for so many seconds."""
    await connection.execute(statement("rest_site"), site, seconds, reason)


async def pause(connection: Connection, site: str, *, paused: bool) -> None:
    """Turn the switch that stops all fetching; turning it back also ends a rest."""
    await connection.execute(statement("pause_site"), site, paused)
