"""Lag: how far each consumer group is behind the end of its topic, in records and in time.

A projection's own measure is its position in PostgreSQL; Kafka's committed offset stands beside it, for every
group. A look asks the database and the broker, over connections that are kept from one look to the next.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from msgspec import Struct

from ops.kafka import describe_group
from ops.settings import Settings
from ops.wiring import Group, database, groups
from schemas.errors import LapstreamError
from schemas.records import Record
from store import positions
from store.pool import Pool, use_schema

FETCH_BYTES = 64 * 1024
"""Of a partition, to see one record's time; the broker sends a larger one whole."""

POLL_MS = 200
RECORD_SECONDS = 5.0
"""How long the oldest record that is not applied may take to come, before its age counts as unknown."""


class TopicMissing(LapstreamError):
    """A group's topic is not there."""


class PartitionLag(Struct, frozen=True, kw_only=True):
    """A group's lag in one partition.

    `position` is the stored one, None where the group has none; `behind` counts from it, and from the topic's
    beginning where there is none. A group that is no projection counts from `committed`, Kafka's offset. What
    Kafka knows no offset for has no `kafka_behind`. `oldest_seconds` is the age of the first record that is
    not applied; None where there is none, or it carries no time.
    """

    topic: str
    partition: int
    begin_offset: int
    end_offset: int
    position: int | None
    committed: int | None
    behind: int
    kafka_behind: int | None
    oldest_seconds: float | None


class GroupLag(Struct, frozen=True, kw_only=True):
    """A group's lag over all partitions of its topic.

    `state` is what the broker says of the group (`stable`, `empty`, …), `absent` where it knows none.
    """

    group: str
    topic: str
    state: str
    members: int
    behind: int
    kafka_behind: int | None
    oldest_seconds: float | None
    partitions: list[PartitionLag]


class Lag:
    """Looks at the lag of all groups."""

    def __init__(self, settings: Settings, pool: Pool, admin: Any, consumer: Any) -> None:  # noqa: ANN401 - aiokafka is untyped
        self._groups = groups(settings)
        self._pool = pool
        self._admin = admin
        self._consumer = consumer

    async def look(self) -> list[GroupLag]:
        """The lag of every group now; raises KafkaError, or a database's error."""
        topics = {topic: await self._partitions(topic) for topic in {one.topic for one in self._groups}}
        self._assign({tp for tps in topics.values() for tp in tps})
        return [await self._group(group, topics[group.topic]) for group in self._groups]

    def _assign(self, tps: AbstractSet[TopicPartition]) -> None:
        """Read these partitions, and none of them yet; assigned anew only where a topic has grown."""
        if tps != self._consumer.assignment():
            self._consumer.assign(tps)
            self._consumer.pause(*tps)

    async def _group(self, group: Group, tps: Sequence[TopicPartition]) -> GroupLag:
        """One group's lag: where it stands is read before the ends, so that none seems ahead of its topic."""
        stored = await self._stored(group)
        committed = await self._committed(group)
        state, members = await self._members(group)
        begins = await self._consumer.beginning_offsets(tps)
        ends = await self._consumer.end_offsets(tps)
        own = stored if group.projection else committed
        waiting = {tp: at for tp in tps if (at := max(own.get(tp, 0), begins[tp])) < ends[tp]}
        ages = await self._ages(waiting, ends)
        partitions = [
            _partition(tp, begins[tp], ends[tp], stored.get(tp), committed.get(tp), own.get(tp), ages.get(tp))
            for tp in tps
        ]
        return _totals(group, state, members, partitions)

    async def _stored(self, group: Group) -> dict[TopicPartition, int]:
        if group.projection is None:
            return {}
        async with self._pool.acquire() as connection, connection.transaction():
            await use_schema(connection, group.projection.schema)
            found = await positions.read(connection, group.name)
        return {TopicPartition(*place): at for place, at in found.items()}

    async def _committed(self, group: Group) -> dict[TopicPartition, int]:
        found = await self._admin.list_consumer_group_offsets(group.name)
        return {tp: at.offset for tp, at in found.items() if at.offset >= 0}

    async def _members(self, group: Group) -> tuple[str, int]:
        state, members = await describe_group(self._admin, group.name)
        return ("absent" if state == "Dead" else state.lower()), members

    async def _partitions(self, topic: str) -> list[TopicPartition]:
        [described] = await self._admin.describe_topics([topic])
        if not described["partitions"]:
            raise TopicMissing(f"the broker has no topic {topic}: run `lapstream topics create`")
        return sorted(TopicPartition(topic, found["partition"]) for found in described["partitions"])

    async def _ages(
        self, waiting: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]
    ) -> dict[TopicPartition, float | None]:
        """The age in seconds of the record at each of these offsets, or after it where a gap is.

        Unknown where the broker is too slow, or nothing but a transaction's markers lies before the end.
        """
        for tp, offset in waiting.items():
            self._consumer.seek(tp, offset)
        self._consumer.resume(*waiting)
        ages: dict[TopicPartition, float | None] = {}
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(RECORD_SECONDS):
                while missing := await self._missing(waiting, ages, ends):
                    polled: dict[TopicPartition, Sequence[Record]]
                    polled = await self._consumer.getmany(*missing, timeout_ms=POLL_MS)
                    ages |= {tp: _age(records[0].timestamp) for tp, records in polled.items()}
                    self._consumer.pause(*polled)
        self._consumer.pause(*waiting)
        return ages

    async def _missing(
        self,
        waiting: Iterable[TopicPartition],
        ages: Mapping[TopicPartition, float | None],
        ends: Mapping[TopicPartition, int],
    ) -> list[TopicPartition]:
        """The partitions of which a record may still come: the client has not read up to the end."""
        left = [tp for tp in waiting if tp not in ages]
        return [tp for tp in left if await self._consumer.position(tp) < ends[tp]]


def _age(timestamp: int) -> float | None:
    """The age of a record in seconds, by its time in milliseconds since 1970; None where it has none."""
    return None if timestamp < 0 else round(max(0.0, time.time() - timestamp / 1000), 3)


def _partition(
    tp: TopicPartition,
    begin: int,
    end: int,
    stored: int | None,
    committed: int | None,
    own: int | None,
    age: float | None,
) -> PartitionLag:
    return PartitionLag(
        topic=tp.topic,
        partition=tp.partition,
        begin_offset=begin,
        end_offset=end,
        position=stored,
        committed=committed,
        behind=end - (begin if own is None else own),
        kafka_behind=None if committed is None else end - committed,
        oldest_seconds=age,
    )


def _totals(group: Group, state: str, members: int, partitions: list[PartitionLag]) -> GroupLag:
    by_kafka = [one.kafka_behind for one in partitions if one.kafka_behind is not None]
    return GroupLag(
        group=group.name,
        topic=group.topic,
        state=state,
        members=members,
        behind=sum(one.behind for one in partitions),
        kafka_behind=sum(by_kafka) if by_kafka else None,
        oldest_seconds=max(
            (one.oldest_seconds for one in partitions if one.oldest_seconds is not None), default=None
        ),
        partitions=partitions,
    )


@contextlib.asynccontextmanager
async def watching(settings: Settings) -> AsyncGenerator[Lag]:
    """What looks at the lag, with its connections open; raises `ServerAway`, or KafkaError."""
    async with contextlib.AsyncExitStack() as stack:
        pool = await stack.enter_async_context(database(settings, size=1))
        admin: Any = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap)
        stack.push_async_callback(admin.close)
        await admin.start()
        consumer: Any = AIOKafkaConsumer(
            bootstrap_servers=settings.kafka_bootstrap,
            auto_offset_reset="latest",
            max_partition_fetch_bytes=FETCH_BYTES,
        )
        stack.push_async_callback(consumer.stop)
        await consumer.start()
        yield Lag(settings, pool, admin, consumer)
