"""Partitions from one offset to before another: the reader of all who read so much of a topic and no more."""

import time
from collections.abc import AsyncGenerator, Mapping
from typing import NamedTuple

from aiokafka import TopicPartition

from broker.clients import CommittedConsumer
from schemas.errors import LapstreamError
from schemas.records import Record

POLL_MS = 100
"""How long one poll waits; a partition that ends with a transaction's marker takes so long at least."""

SILENCE_SECONDS = 60.0
"""So long without a record before the end, and the broker counts as silent."""


class Span(NamedTuple):
    """From this offset to before that one."""

    begin: int
    end: int


class BrokerSilent(LapstreamError):
    """The broker hands out no record from these offsets on, though there must be some."""

    def __init__(self, at: Mapping[TopicPartition, int]) -> None:
        where = (f"{tp.topic}[{tp.partition}] from offset {offset} on" for tp, offset in at.items())
        super().__init__(f"nothing came of {', '.join(where)} for {SILENCE_SECONDS:.0f} s")


async def records_between(
    consumer: CommittedConsumer,
    spans: Mapping[TopicPartition, Span],
    *,
    at_once: int,
) -> AsyncGenerator[list[Record]]:
    """The records of these spans, each partition's in order, so many at a time, or none after each poll.

    No end lies behind the last stable offset. `consumer` is in no group, started, and used by nobody else.
    Raises `BrokerSilent`, and OffsetOutOfRangeError where records are gone.
    """
    left = {tp: span.end for tp, span in spans.items() if span.begin < span.end}
    at = {tp: spans[tp].begin for tp in left}
    if left:
        consumer.assign(list(left))
    for tp, offset in at.items():
        consumer.seek(tp, offset)
    moved = time.monotonic()
    while left:
        polled = await consumer.getmany(timeout_ms=POLL_MS, max_records=at_once)
        yield [one for tp in sorted(polled) for one in polled[tp] if one.offset < left[tp]]
        before, at = at, {tp: await consumer.position(tp) for tp in left}
        moved = time.monotonic() if at != before else moved
        if time.monotonic() - moved > SILENCE_SECONDS:
            raise BrokerSilent(at)
        for tp in [tp for tp, end in left.items() if at[tp] >= end]:
            del left[tp], at[tp]
            consumer.pause(tp)
