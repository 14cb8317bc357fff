"""The outcomes as other systems read them."""

import itertools
from typing import Any

from aiokafka import TopicPartition

from broker.clients import make_reader
from runtime.database import connected
from runtime.settings import Settings
from schemas.envelope import unpack
from schemas.identity import event_id
from tests.members import until


async def outcomes(settings: Settings) -> list[Any]:
    """Every record of the outcomes, when nothing waits to be published any more."""
    async with connected(settings) as connection:

        async def all_published() -> bool:
            return not await connection.fetchval("SELECT EXISTS (SELECT FROM outbox)")

        await until(all_published)
    return await records(settings)


async def records(settings: Settings) -> list[Any]:
    """Every record of the outcomes, each partition's in its order."""
    consumer: Any = make_reader(settings.broker)
    await consumer.start()
    try:
        partitions = [TopicPartition(settings.topics.outcomes, number) for number in range(4)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning()
        ends = await consumer.end_offsets(partitions)
        found: list[Any] = []
        while any([await consumer.position(one) < ends[one] for one in partitions]):
            polled = await consumer.getmany(timeout_ms=100)
            found += itertools.chain.from_iterable(polled.values())
        return found
    finally:
        await consumer.stop()


def event_of(record: Any) -> Any:
    received = unpack(record.headers, record.value)
    assert received is not None
    assert received.id == event_id(received.event)
    return received.event
