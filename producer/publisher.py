"""Publishing: events and pages go in, acknowledged records come out.

The producer is idempotent and waits for all replicas. A record that was not acknowledged may still have been
written: whoever reads dedupes by event id, so it is simply sent again.
"""

import asyncio
from collections.abc import Awaitable, Iterable, Iterator, Sequence
from typing import Protocol

from producer.http import Page
from schemas.envelope import Context, Outgoing, pack
from schemas.events import Event
from schemas.pages import pack_page
from schemas.topics import Topics


class Producer(Protocol):
    """The part of aiokafka's producer that is used here, with types: aiokafka itself carries none."""

    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    async def send(
        self,
        topic: str,
        *,
        key: bytes,
        value: bytes,
        headers: Sequence[tuple[str, bytes]],
        partition: int | None = None,
    ) -> Awaitable[object]: ...


_Addressed = tuple[str, Outgoing, int | None]
"""A topic, a record, and its partition, where it is not the key that says so."""


class Publisher:
    """Sends events and pages to the topics that they belong to."""

    def __init__(self, producer: Producer, topics: Topics) -> None:
        self._producer = producer
        self.topics = topics
        self._turn = 0

    async def request_day(self, event: Event, context: Context) -> None:
        """Ask for a day."""
        await self._send([(self.topics.requests, pack(event, context), None)])

    async def observe(
        self, event: Event, context: Context, *, pages: Iterable[Page] = (), asks: Iterable[Event] = ()
    ) -> None:
        """Publish what was seen, or that it could not be; with the pages that came, and what it asks for."""
        await self._send(
            [
                *self._pages(pages, context),
                (self.topics.days, pack(event, context), None),
                *self._requests(asks, context),
            ]
        )

    async def keep_pages(self, pages: Iterable[Page], context: Context) -> None:
        """Publish pages as they were fetched."""
        await self._send(self._pages(pages, context))

    async def request_details(self, events: Iterable[Event], context: Context) -> None:
        """Put sessions into the work queue."""
        await self._send(self._requests(events, context))

    def _pages(self, pages: Iterable[Page], context: Context) -> Iterator[_Addressed]:
        for page in pages:
            record = pack_page(
                url=page.url,
                status=page.status,
                headers=page.headers,
                body=page.body,
                observed_at=page.observed_at,
                context=context,
            )
            yield self.topics.pages, record, None

    def _requests(self, events: Iterable[Event], context: Context) -> Iterator[_Addressed]:
        """Requests for sessions, onto their partitions in turn: none gets more than its share."""
        for event in events:
            yield self.topics.details, pack(event, context), self._next()

    def _next(self) -> int:
        self._turn += 1
        return self._turn % self.topics.detail_partitions

    async def _send(self, records: Iterable[_Addressed]) -> None:
        """Send all, then wait until each is acknowledged; raises the first one's KafkaError."""
        pending = [
            await self._producer.send(
                topic, key=record.key, value=record.value, headers=list(record.headers), partition=partition
            )
            for topic, record, partition in records
        ]
        await asyncio.gather(*pending)
