"""Members of a work queue's group: each fetches for one record at a time, and commits what is published.

While a member fetches, its partitions are paused and polling goes on. A partition that is taken away is given
up only when the work on it has ended, so that no two members ever work on one partition: the number of
partitions bounds the work in flight over the whole fleet.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, Protocol, TypeVar

import structlog
from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError

from producer.patience import until_done
from schemas.headers import BadRecord
from schemas.records import Record
from store import parking
from store.parking import ParkedRecord
from telemetry import health

Publish = Callable[[], Awaitable[None]]
"""Publishes what the work on a record came to; all is acknowledged when it returns.

After an error of our own servers it is called again.
"""

ResultT = TypeVar("ResultT")

Park = Callable[[str, ParkedRecord], Awaitable[None]]
"""Parks a record of a group, and tells who waits for what it asks for; raises `ParkingFull`."""

GRACE_SECONDS = 20.0
"""How long a partition that is taken away waits for the work on it; then the work begins anew elsewhere."""

BROKER_SECONDS = 2.0
"""How long the broker may take to note an offset."""

COMMIT_SECONDS = 0.3
"""How long a record that is done may wait for others to be committed with it.

Where the process is killed meanwhile, the record comes again.
"""

log = structlog.get_logger("lapstream.fetcher")


IDLE_SECONDS = 60.0
"""A member that has not asked for a record for so long does not poll."""


class _Consumer(Protocol):
    async def commit(self, offsets: dict[TopicPartition, int]) -> None: ...

    def assignment(self) -> Iterable[TopicPartition]: ...

    def paused(self) -> Iterable[TopicPartition]: ...

    def pause(self, *partitions: TopicPartition) -> None: ...

    def resume(self, *partitions: TopicPartition) -> None: ...


class Member(ConsumerRebalanceListener):
    """One member of a group: at most one record of it is fetched for, and one published, at any time.

    `consumer` gives the member's consumer, or None before it has started and after it has stopped.
    """

    def __init__(self, *, group: str, park: Park, consumer: Callable[[], _Consumer | None]) -> None:
        self._group = group
        self._park = park
        self._consumer = consumer
        self._closed: set[TopicPartition] = set()  # taken away: nothing of these is begun
        self._leaving = False
        self._turn: asyncio.Task[None] | None = None
        self._tasks: dict[asyncio.Task[Any], TopicPartition] = {}
        self._publishing: asyncio.Task[None] | None = None
        self._due: dict[TopicPartition, int] = {}  # offsets to commit
        self._committing: asyncio.Task[None] | None = None
        self.commits = 0
        """How often it has committed."""

    async def on_partitions_revoked(  # pyright: ignore[reportIncompatibleMethodOverride] - aiokafka awaits it
        self, revoked: Iterable[TopicPartition]
    ) -> None:
        """Take no more of these partitions, and wait for the work on them."""
        self._closed.update(revoked)
        await self._end(lambda place: place in self._closed, GRACE_SECONDS)
        await self._commit()

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Take these partitions again, once the work at hand allows it."""
        self._closed.difference_update(assigned)
        if self._turn:
            self._pause()

    def polls(self) -> bool:
        """Whether the member asks for records, or has asked just now; paused or not."""
        consumer: Any = self._consumer()
        idle: float = consumer._subscription.fetcher_idle_time if consumer else 0  # noqa: SLF001 - nothing else says it
        return idle < IDLE_SECONDS

    async def leave(self, seconds: float) -> None:
        """Take no more records, and wait so long for the work at hand; the rest begins anew elsewhere."""
        self._leaving = True
        await self._end(lambda _: True, seconds)
        await self._commit()

    async def _end(self, concerned: Callable[[TopicPartition], bool], seconds: float) -> None:
        """Wait for the work on these partitions; what takes longer is given up."""
        until = time.monotonic() + seconds
        while tasks := {task for task, place in self._tasks.items() if concerned(place)}:
            left = until - time.monotonic()
            if left <= 0:
                for task in tasks:
                    task.cancel()
                return
            await asyncio.wait(tasks, timeout=left)

    async def take(self, record: Record, fetch: Callable[[], Awaitable[Publish | None]]) -> None:
        """Begin a record's work, once that of the one before has ended; `fetch` may be called again."""
        if self._turn:
            await asyncio.wait({self._turn})
        place = TopicPartition(record.topic, record.partition)
        if place in self._closed or self._leaving:
            return
        self._pause()
        self._turn = self._start(self._work(record, place, fetch), place)
        self._turn.add_done_callback(lambda _: self._resume())

    async def _work(
        self, record: Record, place: TopicPartition, fetch: Callable[[], Awaitable[Publish | None]]
    ) -> None:
        """Do a record's work; what it publishes goes out while the next record is fetched for."""
        with health.working(f"fetcher in {self._group}, a request"):
            publish = await self._persist(record, fetch)
        if self._publishing:
            await asyncio.wait({self._publishing})
        self._publishing = self._start(self._finish(record, place, publish), place)

    def _pause(self) -> None:
        """Let polling go on without records: a member that waits long is not taken for a dead one."""
        consumer = self._consumer()
        if consumer:
            consumer.pause(*consumer.assignment())

    def _resume(self) -> None:
        self._turn = None
        consumer = self._consumer()
        if consumer:
            consumer.resume(*consumer.paused())

    def _start(self, work: Coroutine[Any, Any, ResultT], place: TopicPartition) -> asyncio.Task[ResultT]:
        task = asyncio.create_task(work)
        self._tasks[task] = place
        task.add_done_callback(self._tasks.pop)
        return task

    async def _finish(self, record: Record, place: TopicPartition, publish: Publish | None) -> None:
        """Publish what the work came to; the record is then committed, together with others of the moment."""
        if publish:
            with health.working(f"fetcher in {self._group}, publishing"):
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
        else:
            self.commits += 1
