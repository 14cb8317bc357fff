"""Members of a work queue's group: each takes one record at a time, and commits it when its work is done.

Every member is a FastStream subscriber of its own, with its own listener. A partition that is taken away is
given up only when the work on it has ended, so that no two members ever work on one partition: the number of
partitions bounds the work in flight over the whole fleet.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Protocol

import structlog
from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.annotations import KafkaMessage as TheMessage
from faststream.kafka.message import KafkaMessage

from schemas.envelope import BadRecord, Received, unpack
from schemas.records import Record
from store import parking
from store.parking import ParkedRecord, ParkingFull
from store.pool import TRANSIENT

Work = Callable[[Received], Awaitable[None]]
"""Does what an event asks for; what it publishes is acknowledged when it returns."""

Park = Callable[[str, ParkedRecord], Awaitable[None]]
"""Parks a record of a group; raises `ParkingFull`."""

GRACE_SECONDS = 20.0
"""How long a partition that is taken away waits for the work on it; then the work begins anew elsewhere."""

WAIT_SECONDS = 1.0

log = structlog.get_logger("lapstream.fetcher")


class _Consumer(Protocol):
    async def commit(self, offsets: dict[TopicPartition, int]) -> None: ...


class Member(ConsumerRebalanceListener):
    """One member of a group: at most one record of it is worked on at any time."""

    def __init__(self, *, group: str, work: Work, park: Park) -> None:
        self._group = group
        self._work = work
        self._parking = park
        self._closed: set[TopicPartition] = set()
        self._at: TopicPartition | None = None
        self._task: asyncio.Task[None] | None = None
        self._consumer: Callable[[], _Consumer | None] = lambda: None

    async def join(self, broker: KafkaBroker, topic: str) -> None:
        """Subscribe to the topic on a started broker; returns when the member has its partitions."""
        subscriber: Any = broker.subscriber(
            topic,
            group_id=self._group,
            listener=self,
            ack_policy=AckPolicy.MANUAL,
            auto_offset_reset="earliest",
            parser=_raw,
            decoder=_undecoded,
            session_timeout_ms=6_000,
            heartbeat_interval_ms=500,
        )
        self._consumer = lambda: subscriber.consumer

        @subscriber
        async def handle(message: TheMessage) -> None:  # pyright: ignore[reportUnusedFunction] - it is subscribed
            await self._take(message.raw_message)  # pyright: ignore[reportArgumentType] - one record, not a batch

        await subscriber.start()

    async def on_partitions_revoked(  # pyright: ignore[reportIncompatibleMethodOverride] - aiokafka awaits it
        self, revoked: Iterable[TopicPartition]
    ) -> None:
        """Take no more of these partitions, and wait for the work on them."""
        self._closed.update(revoked)
        task = self._task
        if task is None or self._at not in self._closed:
            return
        done, _ = await asyncio.wait({task}, timeout=GRACE_SECONDS)
        if not done:
            task.cancel()

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Take these partitions again."""
        self._closed.difference_update(assigned)

    async def _take(self, record: Record) -> None:
        place = TopicPartition(record.topic, record.partition)
        if place in self._closed:
            return
        self._at, self._task = place, asyncio.create_task(self._do(record))
        try:
            await asyncio.wait({self._task})
            if not self._task.cancelled() and self._task.exception() is None:
                await self._commit(place, record.offset + 1)
        finally:
            self._task.cancel()
            self._task = None

    async def _do(self, record: Record) -> None:
        """Do a record's work; while our own servers are away, try again. A bad record is parked or waits."""
        while True:
            try:
                await self._do_once(record)
            except (KafkaError, ParkingFull, *TRANSIENT) as error:
                log.warning("fetcher_waits", group=self._group, error=repr(error))
                await asyncio.sleep(WAIT_SECONDS)
            else:
                return

    async def _do_once(self, record: Record) -> None:
        try:
            received = unpack(record.headers, record.value)
            if received is not None:
                await self._work(received)
        except BadRecord as fault:
            await self._park(record, fault.code, fault.reason)
        except (KafkaError, *TRANSIENT):
            raise
        except Exception as error:
            log.exception("work_failed", group=self._group)
            await self._park(record, "work_failed", repr(error))

    async def _park(self, record: Record, code: str, reason: str) -> None:
        await self._parking(self._group, parking.parked(record, code, reason))
        log.error("record_parked", group=self._group, code=code, reason=reason, topic=record.topic)

    async def _commit(self, place: TopicPartition, offset: int) -> None:
        """Commit this record and none after it; where that fails, the record comes again."""
        consumer = self._consumer()
        try:
            if consumer is not None:
                await consumer.commit({place: offset})
        except KafkaError as error:
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


async def _undecoded(message: KafkaMessage) -> Any:  # noqa: ANN401 - bytes or None, as they came
    return message.body
