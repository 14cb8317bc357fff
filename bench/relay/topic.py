"""The topic's end of the measurement: how many records there are, and when each came."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator
from typing import Any

from aiokafka import TopicPartition

from broker.clients import CommittedConsumer, make_reader
from runtime.settings import Settings


class Topic:
    """The outcomes, seen by a consumer."""

    def __init__(self, consumer: CommittedConsumer) -> None:
        self._consumer = consumer
        self.received: dict[str, float] = {}
        """When each event first came, by its id, in seconds of `time.perf_counter`."""

    async def records(self) -> int:
        """How many records there are."""
        return sum((await self._consumer.end_offsets(list(self._consumer.assignment()))).values())

    @contextlib.asynccontextmanager
    async def receiving(self) -> AsyncGenerator[None]:
        """Note what comes from now on, for the length of a block."""
        await self._consumer.seek_to_end()
        reading = asyncio.create_task(self._read())
        try:
            yield
        finally:
            reading.cancel()
            await asyncio.wait({reading})

    async def _read(self) -> None:
        while True:
            polled = await self._consumer.getmany(timeout_ms=1_000)
            now = time.perf_counter()
            for records in polled.values():
                for record in records:
                    self.received.setdefault(dict(record.headers)["ce_id"].decode(), now)


@contextlib.asynccontextmanager
async def outcomes(settings: Settings) -> AsyncGenerator[Topic]:
    """The topic of the outcomes."""
    consumer: Any = make_reader(settings.broker, reset="earliest")
    await consumer.start()
    [spec] = [spec for spec in settings.topics.specs() if spec.name == settings.topics.outcomes]
    consumer.assign([TopicPartition(spec.name, number) for number in range(spec.partitions)])
    try:
        yield Topic(consumer)
    finally:
        await consumer.stop()
