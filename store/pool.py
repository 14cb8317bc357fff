"""The connections to PostgreSQL: the schemas' names are said here once, every statement leaves them out.

asyncpg carries no types of its own that a strict checker accepts: the two protocols are the part of it that
is used here, so that everything above them is checked.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol, cast

import asyncpg

from store.statements import statement

Record = Mapping[str, Any]
"""A row by its columns' names; iterating gives its values, as a tuple's."""


class Connection(Protocol):
    """A connection to the database."""

    def transaction(self, *, isolation: str | None = None) -> AbstractAsyncContextManager[object]: ...
    async def execute(self, query: str, *args: object) -> str: ...
    async def fetch(self, query: str, *args: object) -> list[Any]: ...
    async def fetchrow(self, query: str, *args: object) -> Any: ...  # noqa: ANN401 - a record or None
    async def fetchval(self, query: str, *args: object) -> Any: ...  # noqa: ANN401 - of the column's type
    async def copy_records_to_table(
        self, table_name: str, *, records: Iterable[Sequence[object]], columns: Sequence[str]
    ) -> str: ...


class SingleConnection(Connection, Protocol):
    """A connection of one's own."""

    async def close(self) -> None: ...


class Pool(Protocol):
    """A pool of connections."""

    def acquire(self) -> AbstractAsyncContextManager[Connection]: ...
    async def close(self) -> None: ...


READ_MODEL = "practice_days"
"""The schema of the tables that people read."""

TRANSIENT: tuple[type[Exception], ...] = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.LockNotAvailableError,
    asyncpg.InternalClientError,
    asyncpg.InvalidTransactionStateError,
)
"""Errors of the moment, not of the data: the same work may succeed later.

A connection that is lost in the middle of a COPY shows as `InternalClientError`.
"""


def search_path(schema: str) -> str:
    """A projection's schema first, then what a replay leaves alone."""
    return f"{schema}, lapstream"


async def open_pool(dsn: str, *, size: int = 4, schema: str = READ_MODEL) -> Pool:
    """A pool of connections that see the tables of a schema without its name.

    Raises OSError or an asyncpg error where the database does not answer.
    """
    pool: Any = await asyncpg.create_pool(  # pyright: ignore[reportUnknownMemberType] - asyncpg is untyped
        dsn,
        min_size=1,
        max_size=size,
        init=_prepare,
        server_settings={
            "search_path": search_path(schema),
            "timezone": "UTC",
            "application_name": "lapstream",
        },
    )
    return cast("Pool", pool)


async def _prepare(connection: Connection) -> None:
    await connection.execute(statement("create_lap_staging"))


async def use_schema(connection: Connection, schema: str) -> None:
    """Let the open transaction see another projection's tables."""
    await connection.execute(statement("use_schema"), search_path(schema))


async def connect(dsn: str) -> SingleConnection:
    """A connection outside any pool, with the database's own settings; errors as of `open_pool`."""
    return cast("SingleConnection", await asyncpg.connect(dsn))  # pyright: ignore[reportUnknownMemberType] - untyped
