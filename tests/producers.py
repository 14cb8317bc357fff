"""Producers of the tests' own, and what they leave in a topic."""

import contextlib
from collections.abc import AsyncGenerator
from typing import Any

from aiokafka import AIOKafkaProducer

from broker.clients import bounds_of, make_reader, partitions_of, reading
from runtime.settings import Settings
from schemas.envelope import Context, pack
from schemas.events import Event
from schemas.topics import RECORD_BYTES
from tests.members import until

CONTEXT = Context(source="test")


@contextlib.asynccontextmanager
async def producing(settings: Settings, **options: Any) -> AsyncGenerator[Any]:
    producer: Any = AIOKafkaProducer(**settings.broker.options(), max_request_size=RECORD_BYTES, **options)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


@contextlib.asynccontextmanager
async def in_transaction(settings: Settings, name: str = "test") -> AsyncGenerator[Any]:
    """A producer in a transaction, which stays open, also when it is gone, unless the test ends it."""
    transactional_id = f"{settings.topic_prefix}{name}"
    async with producing(
        settings, transactional_id=transactional_id, transaction_timeout_ms=600_000
    ) as producer:
        await producer.begin_transaction()
        yield producer


async def put(
    producer: Any, topic: str, *events: Event, partition: int | None = None, context: Context = CONTEXT
) -> None:
    """Send events with a producer."""
    for event in events:
        record = pack(event, context)
        await producer.send_and_wait(
            topic,
            key=record.key,
            value=record.value,
            headers=list(record.headers),
            partition=partition,
        )


async def leave_gaps(settings: Settings, *topics: str, end: str = "commit_transaction") -> None:
    """Put a record into each partition of some topics, in a transaction, whose marker takes an offset."""
    async with in_transaction(settings, "gaps") as producer:
        for topic in topics:
            for partition in await producer.partitions_for(topic):
                await producer.send_and_wait(topic, value=b"in a transaction", partition=partition)
        await getattr(producer, end)()
    await until_stable(settings, *topics)


async def until_stable(settings: Settings, *topics: str) -> None:
    """Return when no transaction is open there: markers are written after the answer to who ended it."""
    async with reading(make_reader(settings.broker)) as reader:
        partitions = [tp for topic in topics for tp in await partitions_of(reader, topic)]

        async def stable() -> bool:
            return all(one.stable == one.end for one in (await bounds_of(reader, partitions)).values())

        await until(stable)
