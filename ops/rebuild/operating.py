"""Having a rebuild at work pause, go on or end: what somebody else than its worker asks of it.

A projection, the purpose and the moment of its tables, if they are of one, go in; the rebuild on file comes
out. A worker notices within moments.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from consumers.projection import Projection
from ops.rebuild import queries as rebuilds
from ops.rebuild import shadow
from ops.rebuild.queries import Purpose, Rebuild
from ops.rebuild.work import held_soon, shadow_name
from schemas.errors import LapstreamError
from store.pool import Connection

_CALLED: Mapping[Purpose, str] = {"swap": "rebuild", "until": "rebuild", "verify": "comparison"}


class NoSuchRebuild(LapstreamError):
    """There is no rebuild that this could be done with."""


async def pause(
    connection: Connection,
    projection: Projection[Any],
    purpose: Purpose,
    until: dt.datetime | None = None,
    *,
    paused: bool,
) -> Rebuild:
    """Have a rebuild stop after the batch at hand, or let it go on; raises `NoSuchRebuild`."""
    found = await _open(connection, projection, purpose, until)
    await rebuilds.pause(connection, found, paused=paused)
    return await rebuilds.read(connection, found.id)


async def cancel(
    connection: Connection, projection: Projection[Any], purpose: Purpose, until: dt.datetime | None = None
) -> Rebuild:
    """End a rebuild and throw its tables away, also those of a moment that are built; `NoSuchRebuild`.

    A worker that is at a step which can't be interrupted throws them away itself when it is through. The
    connection holds the tables' schema until it is closed, or given back to its pool.
    """
    name = shadow_name(projection, purpose, until)
    found = await _open(connection, projection, purpose, until)
    while not await rebuilds.move(connection, found, "cancelled"):
        found = await _open(connection, projection, purpose, until)
    if await held_soon(connection, name):
        await shadow.discard(connection, name)
    return await rebuilds.read(connection, found.id)


async def _open(
    connection: Connection, projection: Projection[Any], purpose: Purpose, until: dt.datetime | None
) -> Rebuild:
    found = await rebuilds.newest(connection, shadow_name(projection, purpose, until))
    if found is None or not (found.open or found.state == "built"):
        last = "there was none" if found is None else f"the newest is {found.state}"
        raise NoSuchRebuild(
            f"no {_CALLED[purpose]} of {projection.name} is under way: {last}. "
            "`lapstream rebuild status` shows all"
        )
    return found


async def recent(connection: Connection, projection: Projection[Any] | None) -> list[Rebuild]:
    """The newest rebuilds, of one projection or of all."""
    return await rebuilds.recent(connection, projection.name if projection else None, RECENT)


RECENT = 20
"""How many rebuilds are shown."""
