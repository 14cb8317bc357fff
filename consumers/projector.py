"""A member of a projection's consumer group: polls its partitions, and writes each poll in one transaction.

Records of the group's topics go in; rows, the group's position and parked records come out, all or nothing.
The position in PostgreSQL is what counts: the member takes each partition that it is assigned over under a
new epoch and seeks to it; Kafka's committed offset only follows, for those who watch lag. Whenever a batch
could not be written (the database is away, another member took over), the member starts over from that
position. docs/guarantee.md says what this guarantees, and what shows it.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Coroutine, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, TypeVar

import asyncpg
import structlog
from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError, KafkaTimeoutError

from broker.types import Consumer
from consumers.bisection import write_bisecting
from consumers.projection import AfterCommit, Projection
from consumers.reporting import report_batch
from consumers.standing import check_bounds, check_next
from schemas.errors import LapstreamError
from schemas.records import Record
from schemas.topics import Topics
from store import parking, positions
from store.faults import said_by
from store.parking import ParkedRecord, ParkingFull
from store.pool import TRANSIENT, Connection, Pool
from store.positions import Claim, Fenced, Place
from store.waiting import BackOff, cancelled, until_stopping
from telemetry import health, tracing
from telemetry.tracing import SpanKind

POLL_MS = 200
MAX_RECORDS = 1_000

KEEP_POLLING_SECONDS = 5.0
"""How often a member polls, paused, while the database works; well below `max_poll_interval_ms`."""

FOLLOW_SECONDS = 1.0
"""How far Kafka's committed offset stays behind while one batch follows another."""

BROKER_SECONDS = 5.0
"""How long the broker may take to note an offset, or to say where the log begins after one was gone."""

FINISH_SECONDS = 4.0
"""How long the batch at hand may take after the member was told to stop."""

LEAVE_SECONDS = 2.0
"""How long leaving the group may take, and ending what was cancelled."""

PASSING_ERRORS = (CommitFailedError, IllegalStateError, KafkaTimeoutError)
"""Errors that aiokafka does not call retriable, and a rebalance or the broker's return mends."""

ResultT = TypeVar("ResultT")

log = structlog.get_logger("lapstream.projector")


class BrokerRefuses(LapstreamError):
    """The broker gives the same answer again and again, and it is not one that waiting mends."""


class DatabaseRefuses(LapstreamError):
    """The database refuses the statements themselves: no such table, no right to write it."""


class Projector(ConsumerRebalanceListener):
    """One member of the group; `run` works until `stop` is called."""

    def __init__(
        self,
        *,
        group: str,
        topics: Topics,
        consumer: Consumer,
        pool: Pool,
        projection: Projection[Any],
        parking_limit: int,
    ) -> None:
        self._group = group
        self._topics = topics
        self._names = list(projection.topics(topics))
        self._consumer = consumer
        self._pool = pool
        self._projection = projection
        self._parking_limit = parking_limit
        self._held: dict[Place, Claim] = {}
        self._followed: dict[Place, int] = {}
        self._followed_at = 0.0
        self._announced: dict[Place, int] = {}  # up to these offsets, before a swap or a rollback
        self._stopping = asyncio.Event()
        self._back_off = BackOff(self._stopping)

    def stop(self) -> None:
        """Finish the batch at hand, leave the group and return from `run`, whoever is away."""
        self._stopping.set()

    async def run(self) -> None:
        """Work until told to stop; raises `LogRewound`, `BrokerRefuses`, `DatabaseRefuses`, `ParkingFull`."""
        try:
            with health.working(f"projector of {self._projection.name}"):
                await until_stopping(
                    self._work(), self._stopping, finish_seconds=FINISH_SECONDS, end_seconds=LEAVE_SECONDS
                )
        finally:
            await self._leave()
            log.info("projector_stop", group=self._group)

    async def _work(self) -> None:
        health.lacks("it has not joined its group yet")
        self._consumer.subscribe(topics=self._names, listener=self)
        try:
            await self._consumer.start()
        except KafkaError as error:
            raise BrokerRefuses(f"the broker did not let group {self._group} in: {said_by(error)}") from error
        log.info("projector_start", group=self._group, topics=self._names)
        while not self._stopping.is_set():
            await self._turn()
        await self._follow()

    async def _leave(self) -> None:
        """Leave the group, so that others take over at once; a broker that is away is not waited for.

        aiokafka's `stop` can end as if it had been cancelled: as a task of its own it takes nothing with it.
        """
        leaving = asyncio.create_task(self._consumer.stop())
        await asyncio.wait({leaving}, timeout=LEAVE_SECONDS)
        if not leaving.done() or leaving.cancelled() or leaving.exception():
            log.warning("projector_left_without_word", group=self._group)
        await cancelled(leaving, LEAVE_SECONDS)

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:  # noqa: ARG002 - the listener's form
        """Forget what was held: after a rebalance every partition is taken over anew."""
        self._held.clear()
        self._followed.clear()

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Nothing yet: the partitions are taken over before the next poll."""

    async def _turn(self) -> None:
        """Poll once, and write what came; on an error that may pass wait, and start over."""
        try:
            await self._take_over()
            if records := await self._ordered(await self._poll(POLL_MS)):
                await self._while_polling(self._apply_in_parts(records))
                health.beat("commit")
            else:
                await self._pass_gaps()
            if not records or time.monotonic() > self._followed_at + FOLLOW_SECONDS:
                await self._follow()
        except Fenced as error:
            await self._start_over("projector_fenced", error)
        except TRANSIENT as error:
            await self._start_over("projector_database_away", error)
        except asyncpg.PostgresError as error:
            raise DatabaseRefuses(f"the database refuses group {self._group}: {said_by(error)}") from error
        except KafkaError as error:
            self._count(error)
            await self._start_over("projector_broker_error", error)
        else:
            self._back_off.worked()
            health.lacks(None)

    def _count(self, error: KafkaError) -> None:
        """Raise `BrokerRefuses` when the broker has refused too often in a row."""
        if error.retriable or isinstance(error, PASSING_ERRORS):
            return
        if self._back_off.refused():
            raise BrokerRefuses(
                f"the broker refuses group {self._group} on {', '.join(self._names)}: {said_by(error)}"
            ) from error

    async def _poll(self, timeout_ms: int) -> Mapping[TopicPartition, Sequence[Record]]:
        polled = await self._consumer.getmany(timeout_ms=timeout_ms, max_records=MAX_RECORDS)
        health.beat("poll")
        return polled

    async def _take_over(self) -> None:
        """Claim what was assigned and is not held yet, and go to the stored position."""
        new = [tp for tp in sorted(self._consumer.assignment()) if _place(tp) not in self._held]
        if new:
            await self._while_polling(self._claim(new))

    async def _claim(self, new: Sequence[TopicPartition]) -> None:
        """Take partitions over, if the group's coordinator counts this member one of its own.

        A member that was stopped and still believes in its old assignment would otherwise take the partitions
        from their rightful holder.
        """
        begins = await self._consumer.beginning_offsets(new)
        async with self._pool.acquire() as connection:
            stored = await positions.read(connection, self._group)
            for tp in new:
                if _place(tp) not in stored:
                    check_bounds(self._projection.name, _place(tp), None, begins[tp], begins[tp])
            await self._commit({_place(tp): stored.get(_place(tp), 0) for tp in new})
            claims = await positions.claim(connection, self._group, [_place(tp) for tp in new])
            self._announced = await positions.announced(connection, self._group)
        ends = await self._consumer.log_ends(new)
        for tp in new:
            self._go_to(tp, claims[_place(tp)], begins[tp], ends[tp])

    def _go_to(self, tp: TopicPartition, claim: Claim, begin: int, end: int) -> None:
        check_bounds(self._projection.name, _place(tp), claim.next_offset, begin, end)
        if tp in self._consumer.assignment():
            self._consumer.seek(tp, claim.next_offset)
            self._held[_place(tp)] = claim

    async def _ordered(self, polled: Mapping[TopicPartition, Sequence[Record]]) -> list[Record]:
        """The poll as one batch, partition by partition; of partitions that are held only."""
        ordered: list[Record] = []
        for tp in sorted(polled):
            if claim := self._held.get(_place(tp)):
                await self._check_next(tp, claim, polled[tp][0].offset)
                ordered += polled[tp]
        return ordered

    async def _check_next(self, tp: TopicPartition, claim: Claim, following: int) -> None:
        """Raise `LogRewound` where the client was thrown back to the log's begin, wherever that is now."""
        if following != claim.next_offset:
            begin = (await self._consumer.beginning_offsets([tp]))[tp]
            check_next(self._projection.name, _place(tp), claim.next_offset, following, begin)

    async def _pass_gaps(self) -> None:
        """Move the position past what no record comes of: markers, and records of aborted transactions."""
        gaps: dict[Place, int] = {}
        for place, claim in list(self._held.items()):
            tp = TopicPartition(*place)
            following = await _answered(self._consumer.position(tp))
            if self._held.get(place) != claim:
                return  # after a rebalance the client stands at the committed offset, until it is taken over
            await self._check_next(tp, claim, following)
            if following > claim.next_offset:
                gaps[place] = following
        if gaps:
            await self._while_polling(self._move(gaps))

    async def _move(self, to: Mapping[Place, int]) -> None:
        held = {place: self._claim_of(place) for place in to}
        async with self._pool.acquire() as connection, connection.transaction():
            await positions.move(connection, self._group, held, to)
        self._moved(held, to)

    async def _while_polling(self, work: Coroutine[Any, Any, None]) -> None:
        """Do the work, and go on polling, paused: a database that hangs costs no membership."""
        task = asyncio.create_task(self._at_database(work))
        try:
            while not (await asyncio.wait({task}, timeout=KEEP_POLLING_SECONDS))[0]:
                await self._poll_paused()
            task.result()
        finally:
            await cancelled(task, LEAVE_SECONDS)
            self._resume()

    async def _at_database(self, work: Coroutine[Any, Any, None]) -> None:
        """Do what beats by itself: polling goes on, whatever becomes of it."""
        with health.working(f"projector of {self._projection.name}, at the database"):
            await work

    async def _poll_paused(self) -> None:
        self._consumer.pause(*self._consumer.assignment())
        await self._poll(0)

    def _resume(self) -> None:
        self._consumer.resume(*self._consumer.paused())

    async def _apply_in_parts(self, records: list[Record]) -> None:
        """Write first, as a batch of its own, what was announced before the tables were exchanged."""
        announced: list[Record] = []
        new: list[Record] = []
        for record in records:
            (announced if self._was_announced(record) else new).append(record)
        for part in filter(None, (announced, new)):
            await write_bisecting(part, self._write, (Fenced, ParkingFull, *TRANSIENT))

    def _was_announced(self, record: Record) -> bool:
        return record.offset < self._announced.get(Place(record.topic, record.partition), 0)

    async def _write(self, records: Sequence[Record], error: Exception | None) -> None:
        """One transaction: position, rows and parked records; with an `error` its one record is parked."""
        decoded = self._projection.decode([] if error else records, self._topics)
        bad = [parking.parked(record, fault.code, fault.reason) for record, fault in decoded.faults]
        if error:
            bad.append(parking.parked(records[0], "projection_error", repr(error)))
        to = {Place(record.topic, record.partition): record.offset + 1 for record in records}
        held = {place: self._claim_of(place) for place in to}
        with self._span(records):
            async with self._pool.acquire() as connection, connection.transaction():
                await positions.move(connection, self._group, held, to)
                report = await self._project(
                    connection, decoded.events, bad, announced=self._was_announced(records[0])
                )
        self._moved(held, to)
        report_batch(self._group, records=len(decoded.events), ignored=decoded.ignored, parked=bad)
        if report:
            report()

    async def _project(
        self, connection: Connection, events: Sequence[Any], bad: Sequence[ParkedRecord], *, announced: bool
    ) -> AfterCommit | None:
        """Park, and write rows; what was not announced before also ends runs and is announced.

        Returns what reports that after the commit.
        """
        await parking.park(connection, self._group, bad, self._parking_limit)
        if not announced:
            return await self._projection.apply_live(connection, self._topics, events, bad)
        await self._projection.apply(connection, events)
        return None

    def _span(self, records: Sequence[Record]) -> AbstractContextManager[object]:
        """A span of the first record's trace, linked to the others'."""
        traces = tracing.one_of_each_trace(record.headers for record in records)
        return tracing.span(
            f"{tracing.PROCESS} {records[0].topic}",
            next(iter(traces), None),
            others=traces[1:],
            kind=SpanKind.CONSUMER,
            attributes=tracing.processing(self._group, records)
            | {"lapstream.projection": self._projection.name},
        )

    def _claim_of(self, place: Place) -> Claim:
        claim = self._held.get(place)
        if claim is None:
            raise Fenced(f"group {self._group}: {place.topic}[{place.partition}] was revoked")
        return claim

    def _moved(self, held: Mapping[Place, Claim], to: Mapping[Place, int]) -> None:
        """Note where the group stands now, for partitions that no rebalance took away meanwhile."""
        for place, claim in held.items():
            if self._held.get(place) == claim:
                self._held[place] = Claim(to[place], claim.epoch)
        health.beat()

    async def _follow(self) -> None:
        """Let Kafka's committed offsets follow the positions; nothing depends on it, so it may fail."""
        late = {
            place: claim.next_offset
            for place, claim in self._held.items()
            if self._followed.get(place) != claim.next_offset
        }
        self._followed_at = time.monotonic()
        try:
            await self._commit(late)
        except KafkaError as error:
            log.info("projector_offset_not_followed", group=self._group, error=repr(error))

    async def _commit(self, offsets: dict[Place, int]) -> None:
        """Commit to Kafka, which refuses (`CommitFailedError`) whom it does not count a member any more."""
        if not offsets:
            return
        await _answered(self._consumer.commit({TopicPartition(*place): at for place, at in offsets.items()}))
        self._followed |= offsets

    async def _start_over(self, event: str, error: Exception) -> None:
        """Wait with polling paused, so that the member stays in its group; then begin at the position."""
        log.warning(event, group=self._group, error=repr(error), wait_seconds=self._back_off.seconds)
        health.lacks(f"it starts over after an error: {said_by(error)}")
        self._held.clear()
        with contextlib.suppress(KafkaError):  # the next turn meets it again, and counts it
            await self._poll_paused()
        await self._back_off.wait()
        self._resume()


def _place(tp: TopicPartition) -> Place:
    return Place(tp.topic, tp.partition)


async def _answered(asked: Awaitable[ResultT]) -> ResultT:
    """What the broker answers; raises `KafkaTimeoutError` where it does not within `BROKER_SECONDS`."""
    try:
        async with asyncio.timeout(BROKER_SECONDS):
            return await asked
    except TimeoutError as error:
        raise KafkaTimeoutError(f"no answer within {BROKER_SECONDS} s") from error
