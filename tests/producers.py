"""Producers of the tests' own, and what they leave in a topic."""

import contextlib
from collections.abc import AsyncGenerator
from typing import Any

from aiokafka import AIOKafkaProducer

from ops.settings import Settings
from schemas.topics import RECORD_BYTES


@contextlib.asynccontextmanager
async def producing(settings: Settings, **options: Any) -> AsyncGenerator[Any]:
    producer: Any = AIOKafkaProducer(
        bootstrap_servers=settings.kafka_bootstrap, max_request_size=RECORD_BYTES, **options
    )
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def leave_gaps(settings: Settings, *topics: str, end: str = "commit_transaction") -> None:
    """Put a record into each partition of some topics, in a transaction, whose marker takes an offset."""
    async with producing(settings, transactional_id=f"{settings.topic_prefix}gaps") as producer:
        await producer.begin_transaction()
        for topic in topics:
            for partition in await producer.partitions_for(topic):
                await producer.send_and_wait(topic, value=b"in a transaction", partition=partition)
        await getattr(producer, end)()
