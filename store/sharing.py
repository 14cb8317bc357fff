"""Whether a session of the database is one client's own.

A pooler such as PgBouncer may give each transaction, or each statement, of a client to another session of the
server. Then settings, advisory locks, prepared statements and LISTEN are lost, or meet another client.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import asyncpg

from schemas.errors import LapstreamError
from store.statements import statements_of

statement = statements_of(__file__)

COMPARE_SECONDS = 2.0
"""How long a second session may take; a pooler that has none left keeps one for each client."""

ROUNDS = 8
"""How often both are asked: by chance a busy pooler gives a client the same session a few times."""

Opening = Callable[[], Awaitable[asyncpg.Connection]]
"""Opens a second session at the same address, without a cache of statements."""

_NOT_OURS = (asyncpg.DuplicatePreparedStatementError, asyncpg.InvalidSQLStatementNameError)


class SharedSessions(LapstreamError):
    """The address leads to a pooler that lets clients share sessions."""

    exit_code = 2

    def __init__(self) -> None:
        super().__init__(
            "LAPSTREAM_POSTGRES_DSN leads to a pooler whose clients share sessions of the database, where "
            "locks, settings and LISTEN are lost: set pool_mode=session (PgBouncer), or give PostgreSQL's "
            "own address"
        )


async def refuse_shared(session: asyncpg.Connection, open_another: Opening) -> int:
    """The process of a session that was just opened; raises `SharedSessions`.

    Nothing is set in the session before: it may be another client's next.
    """
    try:
        process = await session.fetchval(statement("session_process"))
        if process != session.get_server_pid():  # there is something between us and the server
            await _compare(session, process, open_another)
    except _NOT_OURS as error:  # a session of our own has no statements yet
        raise SharedSessions from error
    return process


async def _compare(session: asyncpg.Connection, process: int, open_another: Opening) -> None:
    """Ask both sessions in turn: each has a process of its own, always the same."""
    with contextlib.suppress(OSError, asyncpg.InterfaceError, asyncpg.TooManyConnectionsError):
        async with asyncio.timeout(COMPARE_SECONDS):
            another = await open_another()
            try:
                for _ in range(ROUNDS):
                    other = await another.fetchval(statement("session_process"))
                    mine = await session.fetchval(statement("session_process"))
                    if other == process or mine != process:
                        raise SharedSessions
            finally:
                another.terminate()
