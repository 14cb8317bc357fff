"""Hearing what other transactions tell on a channel (LISTEN/NOTIFY), on a connection of its own.

A notification only saves waiting: whoever needs to know also looks from time to time, for a connection may
break without a word.
"""

import contextlib
from collections.abc import AsyncGenerator, Callable
from typing import Any

import asyncpg

from store.pool import TRANSIENT, connect


class Ear:
    """Hears one channel; `heard` is called with each notification's payload."""

    def __init__(self, dsn: str, channel: str, heard: Callable[[str], None]) -> None:
        self._dsn = dsn
        self._channel = channel
        self._heard = heard
        self._connection: Any = None

    async def open(self) -> None:
        """Begin to hear, or begin anew where the connection broke; a database that is away is no error."""
        if self._connection is not None and not self._connection.is_closed():
            return
        with contextlib.suppress(asyncpg.PostgresError, *TRANSIENT):
            self._connection = await connect(self._dsn)
            await self._connection.add_listener(self._channel, self._on_notification)

    def _on_notification(self, _connection: object, _pid: int, _channel: str, payload: str) -> None:
        self._heard(payload)

    async def close(self) -> None:
        """Hear no more."""
        if self._connection is not None:
            with contextlib.suppress(asyncpg.PostgresError, *TRANSIENT):
                await self._connection.close()


@contextlib.asynccontextmanager
async def hearing(dsn: str, channel: str, heard: Callable[[str], None]) -> AsyncGenerator[Ear]:
    """An ear that is open, and closed in the end."""
    ear = Ear(dsn, channel, heard)
    await ear.open()
    try:
        yield ear
    finally:
        await ear.close()
