"""What a projection begins with: its load in the topic, and empty tables."""

import asyncio
from collections.abc import Iterable

from runtime.settings import Settings
from runtime.wiring import producing
from schemas.envelope import Outgoing
from store.pool import Pool


async def produce(settings: Settings, load: Iterable[Outgoing]) -> None:
    """Put the load into the topic, days in turn on its partitions."""
    async with producing(settings.broker) as producer:
        pending = [
            await producer.send(
                settings.topics.days, key=record.key, value=record.value, headers=list(record.headers)
            )
            for record in load
        ]
        await asyncio.gather(*pending)


async def empty(pool: Pool) -> None:
    """Empty the tables, and forget the positions up to which they were filled."""
    async with pool.acquire() as connection:
        await connection.execute(
            "TRUNCATE tracks, events, drivers, track_observations, driver_observations, positions CASCADE"
        )
