"""Steps that need Kafka or PostgreSQL: while these are away, or refuse, such a step alone is tried again.

So what was fetched before it is not fetched again.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from aiokafka.errors import KafkaError

from store.faults import is_about_the_database, said_by
from store.parking import ParkingFull
from store.pool import TRANSIENT, Connection, Pool
from telemetry import health

WAIT_SECONDS = 1.0

ResultT = TypeVar("ResultT")

log = structlog.get_logger("lapstream.fetcher")


async def until_done(step: Callable[[], Awaitable[ResultT]], group: str | None = None) -> ResultT:
    """What a step comes to, tried again while Kafka or PostgreSQL is away or refuses, or too much is parked.

    Each failure is logged, with the group at work.
    """
    while True:
        try:
            done = await step()
        except Exception as error:
            if not _is_ours(error):
                raise
            log.warning("fetcher_waits", group=group, error=repr(error))
            health.lacks(f"a step is tried again after an error: {said_by(error)}")
        else:
            health.lacks(None)
            return done
        await asyncio.sleep(WAIT_SECONDS)


def _is_ours(error: Exception) -> bool:
    """Whether an error is of our own servers, and not of the record at hand."""
    return isinstance(error, (KafkaError, ParkingFull, *TRANSIENT)) or is_about_the_database(error)


async def at_database(pool: Pool, step: Callable[[Connection], Awaitable[ResultT]]) -> ResultT:
    """What a step on a connection of its own comes to, however long the database is away."""

    async def connected() -> ResultT:
        async with pool.acquire() as connection:
            return await step(connection)

    return await until_done(connected)
