"""A projection's topics as a replay reads them: from their beginning, by places, in no group.

Topics go in; where they end comes out, then their records up to given places, in batches; what their
beginning has lost comes from a copy, if there is one.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager

from aiokafka import TopicPartition
from aiokafka.errors import OffsetOutOfRangeError

from broker import clients
from broker.access import BrokerAccess
from broker.between import BrokerSilent, Span, records_between
from broker.clients import Bounds, CommittedConsumer, bounds_of, make_reader, partitions_of
from ops.log_copies.cluster import cluster
from ops.rebuild.beginning import Beginning
from schemas.errors import LapstreamError
from schemas.records import Record
from store.faults import said_by
from store.positions import Place

BATCH_RECORDS = 1_000
PARTITION_BYTES = 2 * 1024 * 1024
"""Of a partition, in one answer of the broker: days are long, and best written whole."""

FETCH_BYTES = 512 * 1024
"""How much the broker gathers before it answers, for a moment."""


class TopicBeginGone(LapstreamError):
    """A topic has not all its records any more, or not yet: no tables can be made from it."""


class TransactionOpen(LapstreamError):
    """Records that the live tables say are those of a transaction that is not committed."""


class LogEndsEarly(LapstreamError):
    """The broker does not hand out records that must be there."""


def reading(broker: BrokerAccess) -> AbstractAsyncContextManager[CommittedConsumer]:
    """A consumer in no group; what it reads is said later. Raises KafkaError where the broker is away."""
    return clients.reading(
        make_reader(
            broker,
            partition_bytes=PARTITION_BYTES,
            gather_bytes=FETCH_BYTES,
            gather_ms=50,
        )
    )


async def check_begins(
    broker: BrokerAccess, prefix: str, topics: Sequence[str], copy: Beginning | None
) -> dict[Place, Bounds]:
    """The bounds of each partition, all of whose records are there, or in the copy.

    Raises `TopicBeginGone` where one does not begin with its first record and no copy fills the gap, or what
    `Beginning.check` raises where the copy is not right.
    """
    held = await bounds(broker, topics)
    if gone := {place: found for place, found in held.items() if found.begin > 0}:
        _check_filled({place: found.begin for place, found in gone.items()}, copy)
        if copy is not None:
            async with cluster(broker) as found:
                await copy.check(found, prefix, gone)
    return held


async def bounds(broker: BrokerAccess, topics: Sequence[str]) -> dict[Place, Bounds]:
    """Where each partition of these topics begins and ends."""
    async with reading(broker) as consumer:
        held = {topic: await partitions_of(consumer, topic) for topic in topics}
        if missing := [topic for topic, tps in held.items() if not tps]:
            names = ", ".join(missing)
            raise TopicBeginGone(f"the broker has no topic {names}: run `lapstream topics create`")
        tps = [tp for found in held.values() for tp in found]
        return {_place(tp): found for tp, found in (await bounds_of(consumer, tps)).items()}


def _check_filled(begins: Mapping[Place, int], copy: Beginning | None) -> None:
    """Raise `TopicBeginGone` where records before these offsets are in no copy either."""
    missing = {place: copy.lacks(place, begin) if copy else "" for place, begin in begins.items()}
    found = ", ".join(
        f"{place.topic}[{place.partition}] begins at {begins[place]}" + (f", and {lack}" if lack else "")
        for place, lack in missing.items()
        if lack is not None
    )
    if found:
        raise TopicBeginGone(
            f"{found}: the records before are gone, and tables made from it would lack them. Nothing was "
            "changed; `--export DIR` names a folder of `lapstream log export` that holds them"
        )


def check_targets(targets: Mapping[Place, int], held: Mapping[Place, Bounds]) -> None:
    """Raise `TopicBeginGone` where the log ends before the place that it is to be read up to.

    Raises `TransactionOpen` where it can't be read up to there as long as a transaction is open.
    """
    nothing = Bounds(0, 0, 0)
    there = {place: held.get(place, nothing) for place in targets}
    if ended := {place: found.end for place, found in there.items() if targets[place] > found.end}:
        raise TopicBeginGone(
            f"{_each(ended, 'ends at')}, but the live tables say more: this is not the log that they were "
            "made from, or it lost records"
        )
    if waiting := {place: found.stable for place, found in there.items() if targets[place] > found.stable}:
        raise TransactionOpen(
            f"{_each(waiting, 'has a transaction open from offset')}, and the live tables say more: "
            "`lapstream lag` says what to do about it; then the same command goes on"
        )


def _each(offsets: Mapping[Place, int], what: str) -> str:
    return ", ".join(f"{place.topic}[{place.partition}] {what} {at}" for place, at in offsets.items())


async def batches(
    consumer: CommittedConsumer,
    begin: Mapping[Place, int],
    targets: Mapping[Place, int],
    copy: Beginning | None,
) -> AsyncIterator[list[Record]]:
    """The records between these places, each partition's in its order; raises `LogEndsEarly`."""
    begin = dict(begin)
    if copy:
        async for records in _lost(consumer, begin, targets, copy):
            yield records
    spans = {TopicPartition(*place): Span(begin.get(place, 0), target) for place, target in targets.items()}
    try:
        async for records in records_between(consumer, spans, at_once=BATCH_RECORDS):
            if records:
                yield records
    except OffsetOutOfRangeError as error:
        raise TopicBeginGone(f"the log lost records while it was read: {said_by(error)}") from error
    except BrokerSilent as error:
        raise LogEndsEarly(f"{error}, though the log goes on. Is the broker well?") from error


async def _lost(
    consumer: CommittedConsumer,
    begin: dict[Place, int],
    targets: Mapping[Place, int],
    copy: Beginning,
) -> AsyncIterator[list[Record]]:
    """What is to be read and the topic has lost, out of the copy; brings `begin` to what the topic holds."""
    begins = await consumer.beginning_offsets([TopicPartition(*place) for place in targets])
    for place, target in sorted(targets.items()):
        end = min(begins[TopicPartition(*place)], target)
        if (at := begin.get(place, 0)) < end:
            _check_filled({place: end}, copy)
            async for records in copy.batches(place, at, end):
                yield records
            begin[place] = end


def _place(tp: TopicPartition) -> Place:
    return Place(tp.topic, tp.partition)
