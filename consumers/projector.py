"""A member of a projection's consumer group: polls its partitions, and writes each poll in one transaction.

Records of the group's topics go in; rows, the group's position and parked records come out, all or nothing.
The position in PostgreSQL is what counts: on assignment the member takes each partition over under a new
epoch and seeks to it; Kafka's committed offset only follows, for those who watch lag. Whenever a batch could
not be written (the database is away, another member took over), the member starts over from that position.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

import structlog
from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError

from consumers.kafka import Consumer
from schemas.envelope import Received
from schemas.errors import LapstreamError
from schemas.records import Record, decode
from store import parking, positions
from store.parking import ParkingFull
from store.pool import TRANSIENT, Connection, Pool
from store.positions import Claim, Fenced, Place

Project = Callable[[Connection, Iterable[Received]], Awaitable[None]]
"""Applies a batch of events on a connection, in the transaction that the connection is in."""

POLL_MS = 200
MAX_RECORDS = 1_000
FIRST_WAIT_SECONDS = 0.2
LONGEST_WAIT_SECONDS = 5.0

log = structlog.get_logger("lapstream.projector")


class LogRewound(LapstreamError):
    """A topic ends before the position that the tables stand at: it was made anew, or lost its end."""


class Projector(ConsumerRebalanceListener):
    """One member of the group; `run` works until `stop` is called."""

    def __init__(
        self, *, group: str, topics: Sequence[str], consumer: Consumer, pool: Pool, project: Project
    ) -> None:
        self._group = group
        self._topics = list(topics)
        self._consumer = consumer
        self._pool = pool
        self._project = project
        self._held: dict[Place, Claim] = {}
        self._stopping = asyncio.Event()
        self._wait_seconds = FIRST_WAIT_SECONDS

    def stop(self) -> None:
        """Finish the batch at hand, leave the group and return from `run`."""
        self._stopping.set()

    async def run(self) -> None:
        """Work until told to stop; raises `LogRewound`, and what no waiting mends."""
        self._consumer.subscribe(topics=self._topics, listener=self)
        await self._consumer.start()
        log.info("projector_start", group=self._group, topics=self._topics)
        try:
            while not self._stopping.is_set():
                await self._turn()
        finally:
            await self._consumer.stop()
            log.info("projector_stop", group=self._group)

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:  # noqa: ARG002 - the listener's form
        """Forget what was held: after a rebalance every partition is taken over anew."""
        self._held.clear()

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Nothing yet: the partitions are taken over before the next poll."""

    async def _turn(self) -> None:
        """Poll once, and write what came; on an error of the moment wait, and start over."""
        try:
            await self._take_over()
            if records := self._ordered(await self._poll(POLL_MS)):
                await self._apply(records)
            self._wait_seconds = FIRST_WAIT_SECONDS
        except Fenced as error:
            log.warning("projector_fenced", group=self._group, error=str(error))
            await self._start_over()
        except TRANSIENT as error:
            log.warning("projector_database_away", group=self._group, error=repr(error))
            await self._start_over()
        except KafkaError as error:
            log.warning("projector_broker_error", group=self._group, error=repr(error))
            await self._start_over()

    async def _poll(self, timeout_ms: int) -> Mapping[TopicPartition, Sequence[Record]]:
        return await self._consumer.getmany(timeout_ms=timeout_ms, max_records=MAX_RECORDS)

    async def _take_over(self) -> None:
        """Claim what was assigned and is not held yet, and go to the stored position."""
        assigned = self._consumer.assignment()
        new = sorted(tp for tp in assigned if Place(tp.topic, tp.partition) not in self._held)
        if not new:
            return
        async with self._pool.acquire() as connection:
            claims = {
                tp: await positions.claim(connection, self._group, Place(tp.topic, tp.partition))
                for tp in new
            }
        ends = await self._consumer.end_offsets(new)
        for tp, claim in claims.items():
            self._go_to(tp, claim, ends[tp])

    def _go_to(self, tp: TopicPartition, claim: Claim, end: int) -> None:
        if claim.next_offset > end:
            raise LogRewound(
                f"group {self._group} stands at offset {claim.next_offset} of {tp.topic}[{tp.partition}], "
                f"which ends at {end}: the topic is not the one that the tables were made from"
            )
        if tp in self._consumer.assignment():
            self._consumer.seek(tp, claim.next_offset)
            self._held[Place(tp.topic, tp.partition)] = claim

    def _ordered(self, polled: Mapping[TopicPartition, Sequence[Record]]) -> list[Record]:
        """The poll as one batch, partition by partition: of partitions held, from the position on."""
        return [
            record
            for tp in sorted(polled)
            if (claim := self._held.get(Place(tp.topic, tp.partition)))
            for record in polled[tp]
            if record.offset >= claim.next_offset
        ]

    async def _apply(self, records: list[Record]) -> None:
        """Write a batch; one that fails by its data is halved until the record at fault is found."""
        try:
            await self._write(records)
        except (Fenced, ParkingFull, *TRANSIENT):
            raise
        except Exception as error:  # noqa: BLE001 - whatever a record provokes, it is parked with it
            if len(records) > 1:
                middle = len(records) // 2
                await self._apply(records[:middle])
                await self._apply(records[middle:])
            else:
                await self._write(records, error)

    async def _write(self, records: list[Record], error: Exception | None = None) -> None:
        """One transaction: position, rows and parked records; with an `error` its one record is parked."""
        decoded = decode([] if error else records)
        bad = [parking.parked(record, fault.code, fault.reason) for record, fault in decoded.faults]
        if error:
            bad.append(parking.parked(records[0], "projection_error", repr(error)))
        to = {Place(record.topic, record.partition): record.offset + 1 for record in records}
        held = {place: self._claim_of(place) for place in to}
        async with self._pool.acquire() as connection, connection.transaction():
            await positions.move(connection, self._group, held, to)
            await self._project(connection, decoded.events)
            await parking.park(connection, self._group, bad)
        for one in bad:
            log.error("record_parked", group=self._group, code=one.code, reason=one.reason, at=one[:3])
        self._moved(held, to)
        await self._follow(to)

    def _claim_of(self, place: Place) -> Claim:
        claim = self._held.get(place)
        if claim is None:
            raise Fenced(f"group {self._group}: {place.topic}[{place.partition}] was revoked")
        return claim

    def _moved(self, held: dict[Place, Claim], to: dict[Place, int]) -> None:
        """Note where the group stands now, for partitions that no rebalance took away meanwhile."""
        for place, claim in held.items():
            if self._held.get(place) == claim:
                self._held[place] = Claim(to[place], claim.epoch)

    async def _follow(self, to: dict[Place, int]) -> None:
        """Let Kafka's committed offsets follow; nothing depends on them."""
        try:
            await self._consumer.commit({TopicPartition(*place): offset for place, offset in to.items()})
        except KafkaError as error:
            log.info("projector_offset_not_followed", group=self._group, error=repr(error))

    async def _start_over(self) -> None:
        """Wait with polling paused, so that the member stays in its group; then begin at the position."""
        self._held.clear()
        assigned = self._consumer.assignment()
        self._consumer.pause(*assigned)
        await self._poll(0)
        try:
            await asyncio.wait_for(self._stopping.wait(), self._wait_seconds)
        except TimeoutError:
            self._wait_seconds = min(2 * self._wait_seconds, LONGEST_WAIT_SECONDS)
        self._consumer.resume(*self._consumer.paused())
