"""The database as commands and roles open it."""

import contextlib
from collections.abc import AsyncGenerator
from typing import Self

import asyncpg

from ops.settings import Settings
from schemas.errors import LapstreamError
from store.pool import READ_MODEL, TRANSIENT, Connection, Pool, open_pool


class ServerAway(LapstreamError):
    """The broker or the database does not answer, or does not let us in."""

    @classmethod
    def of_database(cls, error: Exception) -> Self:
        """The database did not let us in, and said so."""
        return cls(f"the database does not let us in ({error}): is LAPSTREAM_POSTGRES_DSN right?")


@contextlib.asynccontextmanager
async def database(settings: Settings, *, size: int = 4, schema: str = READ_MODEL) -> AsyncGenerator[Pool]:
    """Connections that see a projection's tables; raises `ServerAway` where the database does not answer."""
    try:
        pool = await open_pool(settings.postgres_dsn, size=size, schema=schema)
    except (*TRANSIENT, asyncpg.PostgresError) as error:
        raise ServerAway.of_database(error) from error
    try:
        yield pool
    finally:
        await pool.close()


@contextlib.asynccontextmanager
async def connected(settings: Settings) -> AsyncGenerator[Connection]:
    """One connection, for a command; raises `ServerAway` as `database` does."""
    async with database(settings, size=1) as pool, pool.acquire() as connection:
        yield connection
