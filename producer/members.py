"""Members of a work queue's group: each fetches for one record at a time, and commits what is published.

Every member is a FastStream subscriber of its own, with its own listener. A partition that is taken away is
given up only when the work on it has ended, so that no two members ever work on one partition: the number of
partitions bounds the work in flight over the whole fleet.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, Protocol, TypeVar

import structlog
from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.message import KafkaMessage

from producer.patience import until_done
from schemas.envelope import Received, unpack
from schemas.headers import BadRecord
from schemas.records import Record
from store import parking
from store.parking import ParkedRecord

Publish = Callable[[], Awaitable[None]]
"""Publishes what the work on a record came to; all is acknowledged when it returns. It may be done again."""

Work = Callable[[Received], Awaitable[Publish | None]]
"""Fetches what an event asks for; returns what is then to be published."""

ResultT = TypeVar("ResultT")

Park = Callable[[str, ParkedRecord], Awaitable[None]]
"""Parks a record of a group, and tells who waits for what it asks for; raises `ParkingFull`."""

GRACE_SECONDS = 20.0
"""How long a partition that is taken away waits for the work on it; then the work begins anew elsewhere."""

POLL_MS = 10 * 365 * 24 * 3600 * 1000
"""How long a member may work on a record before aiokafka lets it leave its group: ten years, that is, never.

The time between two polls tells nothing of a member that waits, for as long as it takes, for a site that is
paused or a database that is away. All else that a record waits for has a bound of its own. A process that
ended is missed by its heartbeats.
"""

BROKER_SECONDS = 2.0
"""How long the broker may take to note an offset."""

COMMIT_SECONDS = 0.3
"""How long a record that is done may wait for others to be committed with it; killed, it comes again."""

log = structlog.get_logger("lapstream.fetcher")


class _Consumer(Protocol):
    async def commit(self, offsets: dict[TopicPartition, int]) -> None: ...


class Member(ConsumerRebalanceListener):
    """One member of a group: at most one record of it is fetched for, and one published, at any time."""

    def __init__(self, *, group: str, work: Work, park: Park) -> None:
        self._group = group
        self._work = work
        self._park = park
        self._closed: set[TopicPartition] = set()
        self._leaving = False
        self._tasks: dict[asyncio.Task[Any], TopicPartition] = {}
        self._publishing: asyncio.Task[None] | None = None
        self._due: dict[TopicPartition, int] = {}
        self._committing: asyncio.Task[None] | None = None
        self._consumer: Callable[[], _Consumer | None] = lambda: None

    async def join(self, broker: KafkaBroker, topic: str) -> None:
        """Subscribe to the topic on a started broker, which leaves types alone: a handler takes the record.

        Returns when the member has its partitions.
        """
        subscriber: Any = broker.subscriber(
            topic,
            group_id=self._group,
            listener=self,
            ack_policy=AckPolicy.MANUAL,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            parser=_raw,
            decoder=_record,
            session_timeout_ms=6_000,
            heartbeat_interval_ms=500,
            max_poll_interval_ms=POLL_MS,
        )
        self._consumer = lambda: subscriber.consumer

        @subscriber
        async def handle(record: Any) -> None:  # noqa: ANN401 - a Record
            await self._take(record)

        await subscriber.start()

    async def on_partitions_revoked(  # pyright: ignore[reportIncompatibleMethodOverride] - aiokafka awaits it
        self, revoked: Iterable[TopicPartition]
    ) -> None:
        """Take no more of these partitions, and wait for the work on them."""
        self._closed.update(revoked)
        await self._end({task for task, place in self._tasks.items() if place in self._closed})
        await self._commit()

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Take these partitions again."""
        self._closed.difference_update(assigned)

    async def leave(self, seconds: float) -> None:
        """Take no more records, and wait so long for the work at hand; the rest begins anew elsewhere."""
        self._leaving = True
        while self._tasks and seconds > 0:
            began = time.monotonic()
            await self._end(set(self._tasks), seconds)
            seconds -= time.monotonic() - began
        await self._commit()

    async def _end(self, tasks: set[asyncio.Task[Any]], seconds: float = GRACE_SECONDS) -> None:
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=seconds)
        for task in late:
            task.cancel()

    async def _take(self, record: Record) -> None:
        """Do a record's work; what it publishes goes out while the next record is fetched for."""
        place = TopicPartition(record.topic, record.partition)
        if place in self._closed or self._leaving:
            return
        fetching = self._start(self._persist(record, lambda: self._fetch(record)), place)
        try:
            await asyncio.wait({fetching})
        finally:
            fetching.cancel()
        if self._publishing:
            await asyncio.wait({self._publishing})
        if not fetching.cancelled() and not (self._publishing and self._publishing.cancelled()):
            self._publishing = self._start(self._finish(record, place, fetching.result()), place)

    def _start(self, work: Coroutine[Any, Any, ResultT], place: TopicPartition) -> asyncio.Task[ResultT]:
        task = asyncio.create_task(work)
        self._tasks[task] = place
        task.add_done_callback(self._tasks.pop)
        return task

    async def _fetch(self, record: Record) -> Publish | None:
        received = unpack(record.headers, record.value)
        return await self._work(received) if received else None

    async def _finish(self, record: Record, place: TopicPartition, publish: Publish | None) -> None:
        """Publish what the work came to; the record is then committed, together with others of the moment."""
        if publish:
            await self._persist(record, publish)
        self._due[place] = record.offset + 1
        if self._committing is None:
            self._committing = asyncio.create_task(self._commit_soon())

    async def _persist(self, record: Record, step: Callable[[], Awaitable[ResultT]]) -> ResultT | None:
        """Do a step of the work; a record that it can't be done for is parked."""
        try:
            return await until_done(step, self._group)
        except BadRecord as fault:
            bad = parking.parked(record, fault.code, fault.reason)
        except Exception as error:
            log.exception("work_failed", group=self._group)
            bad = parking.parked(record, "work_failed", repr(error))
        await until_done(lambda: self._park(self._group, bad), self._group)
        return None

    async def _commit_soon(self) -> None:
        await asyncio.sleep(COMMIT_SECONDS)
        self._committing = None
        await self._commit()

    async def _commit(self) -> None:
        """Commit what is published, and no record after it; where that fails, records come again."""
        consumer, due = self._consumer(), self._due
        if not due or consumer is None:
            return
        self._due = {}
        try:
            async with asyncio.timeout(BROKER_SECONDS):
                await consumer.commit(due)
        except (KafkaError, TimeoutError) as error:
            log.info("offset_not_committed", group=self._group, error=repr(error))


async def _raw(message: Any) -> KafkaMessage:  # noqa: ANN401 - a record of the client's
    """The record untouched: FastStream's own parser would drop one whose headers are not UTF-8."""
    return KafkaMessage(
        body=message.value,
        headers={},
        raw_message=message,
        message_id=f"{message.topic}-{message.partition}-{message.offset}",
        correlation_id=None,
        reply_to="",
        content_type=None,
        path={},
        consumer=message,
    )


async def _record(message: KafkaMessage) -> Any:  # noqa: ANN401 - a record of the client's
    return message.raw_message
