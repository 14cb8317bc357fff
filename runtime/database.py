"""The database as commands and roles open it."""

import contextlib
from collections.abc import AsyncGenerator, Generator

import asyncpg

from runtime.settings import Settings, SettingsError, shown, variable
from schemas.errors import LapstreamError
from store.faults import said_by
from store.pool import READ_MODEL, TRANSIENT, Connection, Pool, SingleConnection, connect, open_pool

DSN = variable("postgres_dsn")

_WRONG_PARAMETER = (asyncpg.UndefinedObjectError, asyncpg.CantChangeRuntimeParamError)
"""What the server says of a parameter of the DSN that it does not know, or that nobody may set."""


class ServerAway(LapstreamError):
    """The broker or the database does not answer, or does not let us in."""


@contextlib.asynccontextmanager
async def database(settings: Settings, *, size: int = 4, schema: str = READ_MODEL) -> AsyncGenerator[Pool]:
    """Connections that see a projection's tables.

    Raises `ServerAway` where the database does not answer, or does not let us in, and `SettingsError`.
    """
    with _opening(settings.postgres_dsn):
        pool = await open_pool(settings.postgres_dsn, size=size, schema=schema)
    try:
        yield pool
    finally:
        await pool.close()


@contextlib.asynccontextmanager
async def connected(settings: Settings) -> AsyncGenerator[Connection]:
    """One connection, for a command; raises as `database` does."""
    async with database(settings, size=1) as pool, pool.acquire() as connection:
        yield connection


async def alone(dsn: str) -> SingleConnection:
    """A connection outside any pool; raises as `database` does."""
    with _opening(dsn):
        return await connect(dsn)


@contextlib.contextmanager
def _opening(dsn: str) -> Generator[None]:
    """Tell of an error of opening a connection."""
    try:
        yield
    except (*_WRONG_PARAMETER, asyncpg.ClientConfigurationError) as error:
        said = said_by(error)
        known = said if "object at" not in said else "a parameter of it has a value that nobody knows"
        raise SettingsError(f"{DSN}: {known}") from error
    except (*TRANSIENT, asyncpg.PostgresError) as error:
        where = shown("postgres_dsn", dsn)
        raise ServerAway(
            f"the database at {where} can't be used: {said_by(error)}; is {DSN} right?"
        ) from error
    except (ValueError, OverflowError) as error:  # of an address that no resolver takes
        raise SettingsError(f"{DSN}: it names no address that can be connected to") from error
