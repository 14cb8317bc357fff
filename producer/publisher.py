"""Publishing: events and pages go in, acknowledged records come out.

The producer is idempotent and waits for all replicas. A record that was not acknowledged may still have been
written: whoever reads dedupes by event id, so it is simply sent again.
"""

import asyncio
from collections.abc import Iterable, Iterator

from broker.types import Producer
from producer.http import Page
from schemas.envelope import Context, Outgoing, pack
from schemas.events import Event
from schemas.pages import pack_page
from schemas.topics import Topics
from telemetry import health

_Addressed = tuple[str, Outgoing, int | None]
"""A topic, a record, and its turn at the topic's partitions, where it is not the key that says which."""


class Sending:
    """Records that are to be sent; done again after an error, it sends those that were not acknowledged."""

    def __init__(self, producer: Producer, records: Iterable[_Addressed]) -> None:
        self._producer = producer
        self._left = list(records)

    async def send(self) -> None:
        """Send all, and return when each is acknowledged; raises the first KafkaError."""
        with health.waiting("the broker to acknowledge"):
            answers = await asyncio.gather(*map(self._send, self._left), return_exceptions=True)
        self._left = [one for one, answer in zip(self._left, answers, strict=True) if answer is not None]
        for error in filter(None, answers):
            raise error

    async def _send(self, one: _Addressed) -> None:
        topic, record, turn = one
        partition = None if turn is None else await self._partition(topic, turn)
        acknowledged = await self._producer.send(
            topic, key=record.key, value=record.value, headers=list(record.headers), partition=partition
        )
        await acknowledged

    async def _partition(self, topic: str, turn: int) -> int:
        partitions = sorted(await self._producer.partitions_for(topic))
        return partitions[turn % len(partitions)]


class Publisher:
    """Makes records of events and pages, for the topics that they belong to."""

    def __init__(self, producer: Producer, topics: Topics) -> None:
        self._producer = producer
        self.topics = topics
        self._turn = 0

    def observation(
        self, event: Event, context: Context, *, pages: Iterable[Page] = (), asks: Iterable[Event] = ()
    ) -> Sending:
        """What was seen, or that it could not be; with the pages that came, and what it asks for."""
        return self._sending(
            [
                *self._pages(pages, context),
                (self.topics.days, pack(event, context), None),
                *self._requests(asks, context),
            ]
        )

    def pages(self, pages: Iterable[Page], context: Context) -> Sending:
        """Pages as they were fetched."""
        return self._sending(self._pages(pages, context))

    def detail_requests(self, events: Iterable[Event], context: Context) -> Sending:
        """Requests for sessions, for the work queue."""
        return self._sending(self._requests(events, context))

    def _sending(self, records: Iterable[_Addressed]) -> Sending:
        return Sending(self._producer, records)

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
        """Requests for sessions, onto all partitions in turn: none gets more than its share."""
        for event in events:
            self._turn += 1
            yield self.topics.details, pack(event, context), self._turn
