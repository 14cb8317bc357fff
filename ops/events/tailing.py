"""Following topics: each record's event as a line, as it comes; what is no event is reported, not shown."""

import datetime as dt
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from typing import NamedTuple

from aiokafka import TopicPartition
from msgspec import Struct

from broker.access import BrokerAccess
from broker.between import Span, records_between
from broker.clients import (
    PARTITION_BYTES,
    CommittedConsumer,
    bounds_of,
    make_reader,
    offsets_at,
    partitions_of,
    reading,
)
from ops.events.since import END, START
from schemas.cloudevents import PLACE, opened
from schemas.envelope import unpack
from schemas.errors import LapstreamError
from schemas.headers import BadRecord, readable
from schemas.lines import line_of
from schemas.records import Record

POLL_MS = 200
AT_ONCE = 500


class NoTopic(LapstreamError):
    """The broker lacks a topic that is to be followed."""


class Wanted(Struct, frozen=True, kw_only=True):
    """Which records are shown: of a type, with a key that begins so, of a timing service."""

    type: str | None = None
    key: str | None = None
    source: str | None = None

    def takes(self, record: Record) -> bool:
        """Whether a record is wanted; raises `BadRecord` where that can't be told of an event."""
        if self.key is not None and not (record.key or b"").startswith(self.key.encode()):
            return False
        if self.type is not None and self.type != _type_of(record):
            return False
        return self.source is None or self.source == _source_of(record)


class Shown(NamedTuple):
    """A record's event as a line; or the place of one that is none, and why."""

    line: bytes | None
    place: str
    fault: str = ""


async def tail(
    broker: BrokerAccess, topics: Sequence[str], wanted: Wanted, start: dt.datetime, *, follow: bool
) -> AsyncGenerator[Shown]:
    """The records of these topics from a moment on; without `follow` up to where they end now.

    Raises `NoTopic`.
    """
    reader = make_reader(broker, partition_bytes=PARTITION_BYTES, reset="earliest")
    async with reading(reader) as consumer:
        places = await _places(consumer, topics)
        bounds = await bounds_of(consumer, places)
        ends = {place: one.stable for place, one in bounds.items()}
        begins = {place: one.begin for place, one in bounds.items()}
        starts = await _starts(consumer, start, begins, ends)
        async for record in _followed(consumer, starts) if follow else _ended(consumer, starts, ends):
            if (shown := _shown(record, wanted)) is not None:
                yield shown


async def _places(consumer: CommittedConsumer, topics: Sequence[str]) -> list[TopicPartition]:
    found = {topic: await partitions_of(consumer, topic) for topic in topics}
    if missing := [topic for topic, partitions in found.items() if not partitions]:
        raise NoTopic(
            f"the broker has no topic {', '.join(missing)}, or doesn't show it to this user: "
            "`lapstream topics create` makes Lapstream's own, `--topic` chooses among them"
        )
    return [place for partitions in found.values() for place in partitions]


async def _starts(
    consumer: CommittedConsumer,
    start: dt.datetime,
    begins: Mapping[TopicPartition, int],
    ends: Mapping[TopicPartition, int],
) -> Mapping[TopicPartition, int]:
    if start in {START, END}:
        return begins if start == START else ends
    return await offsets_at(consumer, ends, start)


async def _followed(
    consumer: CommittedConsumer, starts: Mapping[TopicPartition, int]
) -> AsyncIterator[Record]:
    """Records as they come."""
    consumer.assign(list(starts))
    for place, offset in starts.items():
        consumer.seek(place, offset)
    while True:
        polled = await consumer.getmany(timeout_ms=POLL_MS, max_records=AT_ONCE)
        for records in polled.values():
            for record in records:
                yield record


async def _ended(
    consumer: CommittedConsumer, starts: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]
) -> AsyncIterator[Record]:
    """Records up to where they end."""
    spans = {place: Span(offset, ends[place]) for place, offset in starts.items()}
    async for records in records_between(consumer, spans, at_once=AT_ONCE):
        for record in records:
            yield record


def _shown(record: Record, wanted: Wanted) -> Shown | None:
    """A record that is wanted; one that is no event counts as wanted where its key does."""
    place = f"{record.topic}/{record.partition}/{record.offset}"
    try:
        if not wanted.takes(record):
            return None
        more = dict(zip(PLACE, (record.topic, record.partition, record.offset), strict=True))
        return Shown(line_of(record.headers, record.value, **more), place)
    except BadRecord as fault:
        return Shown(None, place, str(fault))


def _type_of(record: Record) -> str | None:
    return readable(opened(record.headers, record.value).attributes, "ce_type")


def _source_of(record: Record) -> str | None:
    """The timing service that an event is of; None for another vendor's event."""
    received = unpack(record.headers, record.value)
    return received and received.event.source
