"""Listening to what other transactions notify on a channel (LISTEN/NOTIFY), on a connection of its own.

A notification only saves waiting: whoever needs to know also looks from time to time, for while a connection
is lost nothing is heard.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable

import asyncpg

from store.pool import TRANSIENT, SingleConnection, connect
from store.waiting import set_within

CHECK_SECONDS = 10.0
"""How often the server is asked for a sign of life."""

RETRY_SECONDS = 1.0
"""How long to wait before another connection is opened."""


class Listener:
    """Listens to one channel; `heard` is called with each notification's payload."""

    def __init__(self, dsn: str, channel: str, heard: Callable[[str], None]) -> None:
        self._dsn = dsn
        self._channel = channel
        self._heard = heard
        self._tried = asyncio.Event()
        self._work: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Listen until `close`, on one connection after another; a database that is away is no error.

        Returns once the channel is listened to, or could not be for now. Raises `SharedSessions`.
        """
        self._work = asyncio.create_task(self._keep_listening())
        tried = asyncio.create_task(self._tried.wait())
        await asyncio.wait({self._work, tried}, return_when=asyncio.FIRST_COMPLETED)
        if not self._tried.is_set():
            tried.cancel()
            self._work.result()

    async def close(self) -> None:
        """Listen no more."""
        if self._work:
            self._work.cancel()
            await asyncio.wait({self._work})

    async def _keep_listening(self) -> None:
        while True:
            with contextlib.suppress(asyncpg.PostgresError, *TRANSIENT):
                await self._listen()
            self._tried.set()
            await asyncio.sleep(RETRY_SECONDS)

    async def _listen(self) -> None:
        """Listen on a connection until it is lost, which is an error."""
        connection = await connect(self._dsn)
        try:
            await connection.add_listener(self._channel, self._on_notification)
            self._tried.set()
            while True:
                await self._check(connection)
        finally:
            await connection.close()

    async def _check(self, connection: SingleConnection) -> None:
        """Ask for a sign of life, after a while, or at once where the connection is lost."""
        await set_within(connection.ended, CHECK_SECONDS)
        await connection.execute("SELECT")

    def _on_notification(self, _connection: object, _pid: int, _channel: str, payload: str) -> None:
        self._heard(payload)


@contextlib.asynccontextmanager
async def listening(dsn: str, channel: str, heard: Callable[[str], None]) -> AsyncGenerator[None]:
    """Listen to a channel for the length of a block."""
    listener = Listener(dsn, channel, heard)
    await listener.open()
    try:
        yield
    finally:
        await listener.close()
