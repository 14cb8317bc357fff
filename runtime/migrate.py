"""The database's schema, forward and back: pogo's runner over the files of `migrations`, one at a time."""

import logging
from collections.abc import Awaitable, Callable
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from msgspec import Struct
from pogo_core.util import migrate as pogo
from pogo_core.util.sql import get_applied_migrations

from runtime.database import alone
from store.pool import Connection

_LOCK = 4_201_871_966_201
_QUIET = logging.getLogger("lapstream.migrate")
_QUIET.setLevel(logging.ERROR)


class Standing(Struct, frozen=True, kw_only=True):
    """The names of the migrations that are applied, that are missing, and that this release does not know."""

    applied: list[str]
    missing: list[str]
    unknown: list[str]


async def standing(dsn: str) -> Standing:
    """Which migrations are applied; changes nothing."""
    connection = await alone(dsn)
    try:
        return await standing_on(connection)
    finally:
        await connection.close()


async def standing_on(connection: Connection) -> Standing:
    """The same, on a connection that is there."""
    applied = await _applied(connection)
    known = {Path(one.name).stem for one in _files().iterdir() if one.name.endswith(".sql")}
    return Standing(
        applied=sorted(applied & known), missing=sorted(known - applied), unknown=sorted(applied - known)
    )


async def apply(dsn: str) -> list[str]:
    """Apply the migrations that are missing, and tell their names."""
    return await _run(dsn, pogo.apply)


async def rollback(dsn: str, count: int) -> list[str]:
    """Take the newest `count` migrations back, and tell their names. The tables they made are gone."""
    return await _run(dsn, pogo.rollback, count=count)


async def _run(dsn: str, action: Callable[..., Awaitable[None]], **options: object) -> list[str]:
    connection = await alone(dsn)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
        before = await _applied(connection)
        with resources.as_file(_files()) as folder:
            await action(connection, Path(folder), schema_name="public", logger=_QUIET, **options)
        return sorted(before ^ await _applied(connection))
    finally:
        await connection.close()


def _files() -> Traversable:
    return resources.files("migrations").joinpath("sql")


async def _applied(connection: Connection) -> set[str]:
    if await connection.fetchval("SELECT to_regclass('public._pogo_migration')") is None:
        return set()
    untyped: Any = connection
    return await get_applied_migrations(untyped, schema_name="public")
