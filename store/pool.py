"""The connections to PostgreSQL: the schemas' names are said here once, every statement leaves them out.

The protocols are the part of asyncpg that is used here.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Literal, Protocol, Self

import asyncpg
import structlog
from asyncpg.pool import PoolConnectionProxy

from store.session import Session, open_session
from store.statements import statements_of

statement = statements_of(__file__)

Record = asyncpg.Record
"""A row by its columns' names; iterating gives its values, as a tuple's."""

Isolation = Literal["repeatable_read"]
"""How a transaction is isolated that is not so as usual."""


class Connection(Protocol):
    """A connection to the database."""

    def transaction(self, *, isolation: Isolation | None = None) -> AbstractAsyncContextManager[object]: ...
    async def execute(self, query: str, *args: object) -> str: ...
    async def fetch(self, query: str, *args: object) -> list[Record]: ...
    async def fetchrow(self, query: str, *args: object) -> Record | None: ...
    async def fetchval(self, query: str, *args: object) -> Any: ...  # noqa: ANN401 - of the column's type
    async def copy_records_to_table(
        self, table_name: str, *, records: Iterable[Sequence[object]], columns: Sequence[str]
    ) -> str: ...


class SingleConnection(Connection, Protocol):
    """A connection of one's own; `ended` is set when it is closed or lost."""

    @property
    def ended(self) -> asyncio.Event: ...
    async def add_listener(self, channel: str, callback: Callable[[object, int, str, Any], None]) -> None: ...
    async def close(self) -> None: ...


class Pool(Protocol):
    """A pool of connections."""

    def acquire(self) -> AbstractAsyncContextManager[Connection]: ...
    async def close(self) -> None: ...


READ_MODEL = "practice_days"
"""The schema of the tables that people read."""

RELEASE_SECONDS = 2.0
"""How long a connection that is given back may take to become as it was before."""

CLOSE_SECONDS = 1.0
"""How long all connections of a pool may take to be closed."""

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
    asyncpg.InvalidCachedStatementError,
)
"""Errors of the moment, not of the data: the same work may succeed later.

A connection that is lost in the middle of a COPY shows as `InternalClientError`, a table that was changed
under a statement's plan as `InvalidCachedStatementError`.
"""


log = structlog.get_logger("lapstream.database")


def search_path(schema: str) -> str:
    """A projection's schema first, then what a replay leaves alone."""
    return f"{schema}, lapstream"


class _Pool:
    """asyncpg's pool, which neither waits for a dead connection nor lets one fail what was done."""

    async def open(self, dsn: str, size: int, schema: str) -> Self:
        async def connect_one(*_: object, **__: object) -> Session:
            return await open_session(dsn, search_path(schema), self._replace_all)

        self._pool = await asyncpg.create_pool(
            min_size=0, max_size=size, connect=connect_one, connection_class=Session
        )
        try:
            async with self.acquire():
                return self
        except BaseException:
            self._pool.terminate()
            raise

    @contextlib.asynccontextmanager
    async def acquire(self) -> AsyncGenerator[Connection]:
        """A connection for the length of a block.

        A block that is cancelled ends as cancelled, also where rolling back failed.
        """
        connection = await self._pool.acquire()
        try:
            yield connection
        except Exception as error:
            task = asyncio.current_task()
            if task and task.cancelling():
                raise asyncio.CancelledError from error
            raise
        finally:
            await self._release(connection)

    async def _release(self, connection: PoolConnectionProxy) -> None:
        """Give a connection back; one that can't be used again is closed, and the block's work is done."""
        try:
            await self._pool.release(connection, timeout=RELEASE_SECONDS)
        except TimeoutError:
            await self._replace_all()
        except (asyncpg.PostgresError, *TRANSIENT) as error:
            log.info("database_connection_not_given_back", error=repr(error))

    async def _replace_all(self) -> None:
        """One was found dead, and closed: the others may be dead, too."""
        await self._pool.expire_connections()

    async def close(self) -> None:
        """Close all connections; one that does not answer is not waited for."""
        with contextlib.suppress(asyncpg.PostgresError, *TRANSIENT):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._pool.close()
        self._pool.terminate()


async def open_pool(dsn: str, *, size: int = 4, schema: str = READ_MODEL) -> Pool:
    """A pool of connections that see the tables of a schema without its name.

    Raises OSError or an asyncpg error where the database does not answer.
    """
    return await _Pool().open(dsn, size, schema)


async def fetch_one(connection: Connection, query: str, *args: object) -> Record:
    """The row of a statement that always gives one; raises LookupError where it gave none."""
    row = await connection.fetchrow(query, *args)
    if row is None:
        raise LookupError("a statement that always gives a row gave none")
    return row


async def rows_changed(connection: Connection, query: str, *args: object) -> int:
    """Execute a statement that changes rows, and return how many it inserted, updated or deleted."""
    status = await connection.execute(query, *args)
    return int(status.rpartition(" ")[2])


async def use_schema(connection: Connection, schema: str) -> None:
    """Let the open transaction see another projection's tables."""
    await use_search_path(connection, search_path(schema))


async def use_search_path(connection: Connection, path: str) -> None:
    """Let the open transaction find tables along a path."""
    await connection.execute(statement("use_schema"), path)


async def limit_lock_wait(connection: Connection, wait: str) -> None:
    """For the transaction at hand: give up waiting for a lock after so long."""
    await connection.execute(statement("limit_lock_wait"), wait)


async def connect(dsn: str) -> SingleConnection:
    """A connection outside any pool; errors as of `open_pool`."""
    return await open_session(dsn, search_path(READ_MODEL))
