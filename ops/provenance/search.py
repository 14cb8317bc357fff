"""The records of events, found in the log: ids and moments of observations go in, records come out.

No table knows where an event's record lies. It was written soon after the observation, onto the partition
that its day's key leads to; an event that was made from an archived page was written later, one of a producer
with ways of its own lies elsewhere. So the likely places are read first, then the rest, for as long as the
caller may wait. One batch of records is held at a time.
"""

import asyncio
import contextlib
import datetime as dt
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any, NamedTuple

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.partitioner import DefaultPartitioner
from msgspec import Struct, field

from broker import clients
from broker.access import BrokerAccess
from broker.between import BrokerSilent, Span, records_between
from broker.clients import CommittedConsumer, make_reader, offsets_at, partitions_of
from projections.state import DayRef, sight_of
from schemas.envelope import Context
from schemas.events import Observation
from schemas.identity import day_key
from schemas.records import Record, decode
from schemas.tables import Stamp
from schemas.topics import Topics

BEFORE = dt.timedelta(minutes=1)
AFTER = dt.timedelta(minutes=10)
"""Around an observation: so long its record may be written before (clocks differ) or after (a day's list, a
broker that was away), to be among the likely ones."""

FETCH_BYTES = 512 * 1024
BATCH_RECORDS = 200

AWAY = "the broker does not answer"
HURRIED = "not found in the time that there was: the log was read in part only"
ABSENT = "no record of the event is in the log"
SHORTENED = "no record of the event is in the log, whose beginning is gone"

log = structlog.get_logger("lapstream.provenance")


class Wanted(NamedTuple):
    """An observation whose record is looked for, and its day, where that is known."""

    stamp: Stamp
    ref: DayRef | None


class Found(NamedTuple):
    """A record, and the observation that it is, as which type it was written, with its envelope's context."""

    record: Record
    event: Observation
    type_name: str
    context: Context


class Searched(Struct):
    """What was found, by events' ids, and why nothing else was."""

    found: dict[str, Found] = field(default_factory=dict[str, Found])
    note: str = ABSENT


class Stretch(NamedTuple):
    """A part of a partition: from one offset to before another."""

    tp: TopicPartition
    begin: int
    end: int


async def search(
    broker: BrokerAccess,
    topics: Topics,
    wanted: Sequence[Wanted],
    *,
    seconds: float,
    turn: AbstractAsyncContextManager[object] | None = None,
) -> Searched:
    """Look for the records of these observations; what keeps them from being found becomes the note.

    It lasts so many seconds at most, the wait for the `turn` included.
    """
    searched = Searched()
    try:
        async with asyncio.timeout(seconds), turn or nullcontext(), reading(broker) as consumer:
            await _Search(consumer, topics, wanted, searched).run()
    except TimeoutError:
        searched.note = HURRIED
    except (KafkaError, BrokerSilent) as error:
        log.warning("provenance_broker_away", error=repr(error))
        searched.note = AWAY
    return searched


def reading(broker: BrokerAccess) -> AbstractAsyncContextManager[CommittedConsumer]:
    """A consumer in no group, for parts of the log; raises KafkaError where the broker is away."""
    return clients.reading(make_reader(broker, partition_bytes=FETCH_BYTES, gather_ms=50, reset="earliest"))


class _Search:
    """One search: parts of the log are read, one after another, until nothing is missing any more."""

    def __init__(
        self, consumer: CommittedConsumer, topics: Topics, wanted: Sequence[Wanted], searched: Searched
    ) -> None:
        self._consumer = consumer
        self._topics = topics
        self._wanted = {one.stamp.event_id: one for one in wanted}
        self._ids = {event_id.encode() for event_id in self._wanted}
        self._searched = searched

    async def run(self) -> None:
        """Read the likely parts of the log, then all of it."""
        logs = [await partitions_of(self._consumer, topic) for topic in self._topics.event_log]
        places = [tp for tps in logs for tp in tps]
        begins = await self._consumer.beginning_offsets(places)
        ends = await self._consumer.end_offsets(places)
        self._searched.note = SHORTENED if any(begins.values()) else ABSENT
        likely = {tp for one in self._wanted.values() for tps in logs for tp in homes(one.ref, tps)}
        for part in (likely, set(places) - likely):
            bounds = [Stretch(tp, begins[tp], ends[tp]) for tp in sorted(part)]
            async for stretch in self._stretches(bounds):
                await self._read(stretch)
                if len(self._searched.found) == len(self._wanted):
                    return

    async def _stretches(self, bounds: Sequence[Stretch]) -> AsyncIterator[Stretch]:
        """Where in these partitions each record may be expected; then what comes after, and before."""
        moments = sorted(one.stamp.observed_at for one in self._wanted.values())
        for moment in moments if bounds else ():
            starts, stops = await self._at(bounds, moment - BEFORE), await self._at(bounds, moment + AFTER)
            for one in bounds:
                yield Stretch(one.tp, starts[one.tp], stops[one.tp])
        if bounds:
            starts = await self._at(bounds, moments[0] - BEFORE)
            for one in bounds:
                yield Stretch(one.tp, starts[one.tp], one.end)
                yield Stretch(one.tp, one.begin, starts[one.tp])

    async def _at(self, bounds: Sequence[Stretch], moment: dt.datetime) -> dict[TopicPartition, int]:
        """The first offset of each partition that was written at this moment or later, or its end."""
        return await offsets_at(self._consumer, {one.tp: one.end for one in bounds}, moment)

    async def _read(self, stretch: Stretch) -> None:
        """Read a part of the log, as long as something is looked for."""
        spans = {stretch.tp: Span(stretch.begin, stretch.end)}
        reading = records_between(self._consumer, spans, at_once=BATCH_RECORDS)
        async with contextlib.aclosing(reading):
            async for records in reading:
                for record in records:
                    self._look_at(record)
                if len(self._searched.found) == len(self._wanted):
                    return

    def _look_at(self, record: Record) -> None:
        """Keep the first record of each event; its id alone is not believed."""
        named = dict(record.headers).get("ce_id")
        if named is not None and named not in self._ids:
            return
        received = next(iter(decode([record], self._topics).events), None)
        wanted = self._wanted.get(received.id) if received else None
        if received is None or wanted is None or received.id in self._searched.found:
            return
        sighted = sight_of(received)
        if sighted and sighted.stamp == wanted.stamp:
            self._searched.found[received.id] = Found(
                record, sighted.event, received.written.type_name, received.context
            )


def homes(ref: DayRef | None, places: Sequence[TopicPartition]) -> Sequence[TopicPartition]:
    """Where the records of a day are put by its key; of an unknown day all partitions."""
    if ref is None or not places:
        return places
    partitioner: Any = DefaultPartitioner()
    return [partitioner(day_key(*ref).encode(), places, places)]
