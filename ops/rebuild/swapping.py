"""Exchanging the rebuilt tables for the live ones, and taking that back.

A rebuild whose tables stand where the live ones do goes in; in one transaction the schemas change names.
Readers are not held up, writers for the length of that transaction. Its locks are taken by
`shadow.lock_writers_out`; `ops.rebuild.work.patiently` tries again where they can't be had.
"""

import contextlib
from functools import partial
from typing import Any
from uuid import UUID

from consumers.projection import Projection
from ops.rebuild import queries as rebuilds
from ops.rebuild import shadow
from ops.rebuild.queries import Rebuild
from ops.rebuild.work import (
    LOCK_WAIT,
    OldReaders,
    RebuildWork,
    holding,
    kept_name,
    patiently,
    shadow_name,
    standing_still,
)
from runtime.database import database
from runtime.settings import Settings
from schemas.errors import LapstreamError
from store.pool import Connection, Pool, limit_lock_wait, use_schema


class NothingToRollBack(LapstreamError):
    """No swap of this projection can be rolled back."""


async def swap(work: RebuildWork) -> bool:
    """Let the rebuilt tables take the live ones' place; False where the rebuild was cancelled meanwhile."""
    return await standing_still(work, shadow.lock_writers_out, partial(_swap, work))


async def _swap(work: RebuildWork, connection: Connection) -> bool:
    live, kept = work.projection.schema, kept_name(work.projection)
    if old := await shadow.old_readers(connection, live, work.rebuild.moved_at):
        raise OldReaders(f"{', '.join(old)} still reads in a transaction from before the tables were filled")
    if not await rebuilds.move(connection, work.rebuild, "swapped"):
        return False
    await rebuilds.park_refused_again(connection, work.rebuild, work.group)
    await shadow.check_shapes(connection, live, work.rebuild.shadow)
    await shadow.drop(connection, kept)
    await shadow.exchange(connection, live, work.rebuild.shadow, kept, work.group)
    return True


class _RolledBack(Exception):
    """Raised to roll the rehearsal back: the exchange can be made."""


async def rehearse(work: RebuildWork, connection: Connection) -> None:
    """Exchange empty tables for the live ones in the open transaction, and undo that.

    Raises `NotReattachable` or `KeptTablesInUse` where the exchange can't be made as things are.
    """
    live, other, kept = work.projection.schema, work.rebuild.shadow, kept_name(work.projection)
    with contextlib.suppress(_RolledBack):
        async with connection.transaction():
            await limit_lock_wait(connection, LOCK_WAIT)
            await shadow.create(connection, live, other, work.projection.lookups)
            await shadow.finish(connection, live, other)
            await shadow.drop(connection, kept)
            await shadow.exchange(connection, live, other, kept, work.group)
            raise _RolledBack


async def take_back(settings: Settings, projection: Projection[Any], swapped: UUID | None = None) -> Rebuild:
    """Put the tables of before the newest swap back in place, with the positions that they stand at.

    The rebuilt ones are kept from then on. With `swapped` only the swap of this rebuild is taken back. Raises
    `NothingToRollBack`, `ShapeChanged`, `TablesBusy`.
    """
    async with (
        holding(settings.postgres_dsn, shadow_name(projection, "swap", None)),
        database(settings, size=1, schema=projection.schema) as pool,
    ):
        group = projection.group(settings.topic_prefix)
        return await patiently(partial(_take_back, pool, projection, group, swapped))


async def _take_back(pool: Pool, projection: Projection[Any], group: str, swapped: UUID | None) -> Rebuild:
    live, kept = projection.schema, kept_name(projection)
    async with pool.acquire() as connection, connection.transaction():
        found = await in_place(connection, projection, swapped)
        await shadow.lock_writers_out(connection, live, LOCK_WAIT)
        await rebuilds.park_redriven_again(connection, found, group)
        await rebuilds.move(connection, found, "rolled_back")
        await shadow.check_shapes(connection, live, kept)
        await shadow.exchange(connection, live, kept, kept, group)
        await use_schema(connection, live)
        return await rebuilds.read(connection, found.id)


async def in_place(
    connection: Connection, projection: Projection[Any], swapped: UUID | None = None
) -> Rebuild:
    """The swap that can be rolled back, which is that of this rebuild; raises `NothingToRollBack`."""
    found = await rebuilds.newest_swap(connection, projection.name)
    if found is not None and swapped not in {None, found.id}:
        raise NothingToRollBack(
            f"that of {found.created_at:%Y-%m-%d %H:%M} is the newest swap of {projection.name}: only the "
            "newest can be rolled back"
        )
    if found is None or found.state != "swapped":
        raise NothingToRollBack(
            f"no swap of {projection.name} is in place: "
            + (
                "none was made"
                if found is None
                else f"that of {found.created_at:%Y-%m-%d %H:%M} is rolled back"
            )
        )
    if not await shadow.exists(connection, kept_name(projection)):
        raise NothingToRollBack(
            f"the tables of before the swap are gone: there is no schema {kept_name(projection)}"
        )
    return found
