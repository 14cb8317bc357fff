"""A projection's topic as a replay reads it: from its beginning, by places, in no group.

A topic goes in; where it ends comes out, then its records up to given places, in batches; what its beginning
has lost comes from a copy, if there is one.
"""

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import OffsetOutOfRangeError

from ops.kafka import make_reader, partitions_of
from ops.logcopy.cluster import Bounds
from ops.replay.beginning import Beginning
from ops.settings import Settings
from schemas.errors import LapstreamError
from schemas.records import Record
from store.positions import Place

BATCH_RECORDS = 1_000
POLL_MS = 500

PARTITION_BYTES = 2 * 1024 * 1024
"""Of a partition, in one answer of the broker: days are long, and best written whole."""

FETCH_BYTES = 512 * 1024
"""How much the broker gathers before it answers, for a moment."""

SILENCE_SECONDS = 60.0
"""So long without a record before the end, and the log counts as broken."""


class TopicBeginGone(LapstreamError):
    """A topic has not all its records any more, or not yet: no tables can be made from it."""


class LogEndsEarly(LapstreamError):
    """The broker does not hand out records that must be there."""


@contextlib.asynccontextmanager
async def reading(settings: Settings) -> AsyncGenerator[Any]:
    """A consumer in no group; what it reads is said later. Raises KafkaError where the broker is away."""
    consumer = make_reader(
        settings.kafka_bootstrap,
        partition_bytes=PARTITION_BYTES,
        gather_bytes=FETCH_BYTES,
        gather_ms=50,
    )
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


async def ends_of(settings: Settings, topic: str, copy: Beginning | None) -> dict[Place, int]:
    """Where each partition ends.

    Raises `TopicBeginGone` where one does not begin with its first record and no copy fills the gap, or what
    `Beginning.check` raises where the copy is not right.
    """
    async with reading(settings) as consumer:
        held = await _bounds(consumer, topic)
    if gone := {place: bounds for place, bounds in held.items() if bounds.begin > 0}:
        _check_filled({place: bounds.begin for place, bounds in gone.items()}, copy)
        if copy is not None:
            await copy.check(settings, gone)
    return {place: bounds.end for place, bounds in held.items()}


async def _bounds(consumer: Any, topic: str) -> dict[Place, Bounds]:  # noqa: ANN401 - aiokafka is untyped
    tps = await partitions_of(consumer, topic)
    if not tps:
        raise TopicBeginGone(f"the broker has no topic {topic}: run `lapstream topics create`")
    begins = await consumer.beginning_offsets(tps)
    ends = await consumer.end_offsets(tps)
    return {_place(tp): Bounds(begins[tp], ends[tp]) for tp in tps}


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


def check_targets(targets: Mapping[Place, int], ends: Mapping[Place, int]) -> None:
    """Raise `TopicBeginGone` where the log ends before the place that it is to be read up to."""
    short = {place: ends.get(place, 0) for place, at in targets.items() if at > ends.get(place, 0)}
    if short:
        found = ", ".join(f"{one.topic}[{one.partition}] ends at {end}" for one, end in short.items())
        raise TopicBeginGone(
            f"{found}, but the live tables say more: this is not the log that they were made from, or it "
            "lost records"
        )


async def batches(
    consumer: Any,  # noqa: ANN401 - aiokafka is untyped
    begin: Mapping[Place, int],
    targets: Mapping[Place, int],
    copy: Beginning | None,
) -> AsyncIterator[list[Record]]:
    """The records between these places, each partition's in its order; raises `LogEndsEarly`."""
    begin = dict(begin)
    if copy:
        async for records in _lost(consumer, begin, targets, copy):
            yield records
    left = {TopicPartition(*place): at for place, at in targets.items() if begin.get(place, 0) < at}
    consumer.assign(list(left))
    for tp in left:
        consumer.seek(tp, begin.get(_place(tp), 0))
    silence = 0.0
    while left:
        polled = await _poll(consumer)
        batch = [one for tp in sorted(polled) for one in polled[tp] if one.offset < targets[_place(tp)]]
        if batch:
            silence = 0.0
            yield batch
        for tp in [tp for tp, at in left.items() if await consumer.position(tp) >= at]:
            del left[tp]
            consumer.pause(tp)
        silence += 0 if batch else POLL_MS / 1000
        if silence > SILENCE_SECONDS:
            raise LogEndsEarly(
                f"{', '.join(f'{tp.topic}[{tp.partition}]' for tp in left)}: nothing came for "
                f"{SILENCE_SECONDS:.0f} s, though the log goes on. Is the broker well?"
            )


async def _lost(
    consumer: Any,  # noqa: ANN401 - aiokafka is untyped
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


async def _poll(consumer: Any) -> Mapping[TopicPartition, Sequence[Record]]:  # noqa: ANN401 - aiokafka is untyped
    try:
        return await consumer.getmany(timeout_ms=POLL_MS, max_records=BATCH_RECORDS)
    except OffsetOutOfRangeError as error:
        raise TopicBeginGone(f"the log lost records while it was read: {error}") from error


def _place(tp: TopicPartition) -> Place:
    return Place(tp.topic, tp.partition)
