"""The configured database, for the length of one command's question to it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from runtime.database import connected
from runtime.settings import read_settings
from store.pool import Connection

ResultT = TypeVar("ResultT")


def on_database(work: Callable[[Connection], Awaitable[ResultT]]) -> ResultT:
    """What `work` returns, given a connection of its own; raises as `connected` does."""
    return asyncio.run(_done(work))


async def _done(work: Callable[[Connection], Awaitable[ResultT]]) -> ResultT:
    async with connected(read_settings()) as connection:
        return await work(connection)
