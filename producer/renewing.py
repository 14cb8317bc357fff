"""A producer that goes on after the broker refused a record of it.

An idempotent producer numbers its records in each partition. One that the broker refused leaves a gap in the
numbers, and nothing that comes after a gap is taken: then another producer takes its place.
"""

import asyncio
from asyncio import Future
from collections.abc import Callable, Sequence

import structlog
from aiokafka.errors import KafkaError

from broker.types import Producer

CLOSE_SECONDS = 5.0
"""How long a producer that was replaced may take to be closed."""

log = structlog.get_logger("lapstream.publisher")


class RenewingProducer:
    """Sends through a producer that `make` gives, and through a new one after it failed."""

    def __init__(self, make: Callable[[], Producer]) -> None:
        self._make = make
        self._producer = make()
        self._failed: Producer | None = None
        self._renewing = asyncio.Lock()

    async def start(self) -> None:
        """Start; raises KafkaError where no broker answers."""
        await self._producer.start()

    async def stop(self) -> None:
        """Stop, once all that was sent is acknowledged or failed."""
        await self._producer.stop()

    async def send(
        self,
        topic: str,
        *,
        key: bytes,
        value: bytes,
        headers: Sequence[tuple[str, bytes]],
        partition: int | None = None,
    ) -> Future[object]:
        """Send a record; the future ends when it is acknowledged, or with the KafkaError that it met."""
        async with self._renewing:
            if self._failed is self._producer:
                await self._renew()
        producer = self._producer
        future = await producer.send(topic, key=key, value=value, headers=headers, partition=partition)
        future.add_done_callback(lambda done: self._note(producer, done))
        return future

    async def partitions_for(self, topic: str) -> set[int]:
        """The numbers of a topic's partitions; raises KafkaError where no broker knows them."""
        return await self._producer.partitions_for(topic)

    def _note(self, producer: Producer, done: Future[object]) -> None:
        if not done.cancelled() and isinstance(done.exception(), KafkaError):
            self._failed = producer

    async def _renew(self) -> None:
        fresh = self._make()
        await fresh.start()
        old, self._producer = self._producer, fresh
        log.info("producer_renewed")
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await old.stop()
        except (KafkaError, TimeoutError) as error:
            log.warning("producer_not_closed", error=repr(error))
