"""Producers of the tests' own, and what they leave in a topic."""

import contextlib
from collections.abc import AsyncGenerator
from typing import Any, Literal

from aiokafka import AIOKafkaProducer

from ops.log_copies.cluster import cluster
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


async def end(settings: Settings, producer: Any, how: Literal["commit", "abort"]) -> None:
    """End a transaction, and return when its markers are written, which is after the broker's answer."""
    await getattr(producer, f"{how}_transaction")()
    async with cluster(settings.broker) as here:

        async def none_is_open() -> bool:
            found = [await here.bounds(spec.name) for spec in settings.topics.specs()]
            return all(one.stable == one.end for bounds in found for one in bounds.values())

        await until(none_is_open)


async def leave_gaps(settings: Settings, *topics: str, how: Literal["commit", "abort"] = "commit") -> None:
    """Put a record into each partition of some topics, in a transaction, whose marker takes an offset."""
    async with in_transaction(settings, "gaps") as producer:
        for topic in topics:
            for partition in await producer.partitions_for(topic):
                await producer.send_and_wait(topic, value=b"in a transaction", partition=partition)
        await end(settings, producer, how)
