"""Lag: how far each consumer group is behind the end of its topic, in records and in time.

A projection's own measure is its position in PostgreSQL; Kafka's committed offset stands beside it, for every
group. A look asks the database and the broker, over connections that are kept from one look to the next.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from aiokafka import TopicPartition

from broker.access import BrokerAccess
from broker.clients import (
    Bounds,
    CommittedConsumer,
    administering,
    bounds_of,
    committed_offsets,
    describe_group,
    make_reader,
    reading,
    time_of_open,
)
from ops.lag.figures import UNKNOWN, GroupLag, GroupOffsets, age, group_lag, partition_lag
from runtime.database import database
from runtime.settings import Settings
from runtime.wiring import Group, groups
from schemas.errors import LapstreamError
from schemas.records import Record
from schemas.topics import Topics
from store import positions
from store.pool import Pool, use_schema

POLL_MS = 200
RECORD_SECONDS = 5.0
"""How long the oldest record that is not applied may take to come, before its age counts as unknown."""


class TopicMissing(LapstreamError):
    """A group's topic is not there."""


class Lag:
    """Looks at the lag of all groups."""

    def __init__(
        self,
        broker: BrokerAccess,
        topics: Topics,
        pool: Pool,
        admin: Any,  # noqa: ANN401 - aiokafka is untyped
        consumer: CommittedConsumer,
    ) -> None:
        self._access = broker
        self._groups = groups(topics)
        self._pool = pool
        self._admin = admin
        self._consumer = consumer

    async def look(self) -> list[GroupLag]:
        """The lag of every group now; raises KafkaError, or a database's error."""
        names = {topic for one in self._groups for topic in one.topics}
        topics = {topic: await self._partitions(topic) for topic in names}
        everywhere = {tp for tps in topics.values() for tp in tps}
        self._assign(everywhere)
        opened = await self._open(sorted(everywhere))
        return [
            await self._group(group, [tp for topic in group.topics for tp in topics[topic]], opened)
            for group in self._groups
        ]

    def _assign(self, tps: AbstractSet[TopicPartition]) -> None:
        """Read these partitions, and none of them yet; assigned anew only where a topic has grown."""
        if tps != self._consumer.assignment():
            self._consumer.assign(tps)
            self._consumer.pause(*tps)

    async def _open(self, tps: Sequence[TopicPartition]) -> dict[TopicPartition, str]:
        """What there is to say of the partitions that have a transaction open."""
        held = await bounds_of(self._consumer, tps)
        return {tp: await self._note(tp, one) for tp, one in held.items() if one.stable < one.end}

    async def _note(self, tp: TopicPartition, bounds: Bounds) -> str:
        began = await time_of_open(self._access, tp, bounds.stable)
        seconds = None if began is None else age(began)
        since = "" if seconds is None else f" for {seconds:.0f} s"
        return (
            f"{tp.topic}[{tp.partition}]: a transaction is open{since} from offset {bounds.stable} on; "
            f"{bounds.end - bounds.stable} offsets wait for its end. Its producer ends it, or the broker "
            "after the producer's transaction.timeout.ms. Where neither does: `kafka-transactions.sh "
            f'--bootstrap-server "$LAPSTREAM_KAFKA_BOOTSTRAP" abort --topic {tp.topic} --partition '
            f"{tp.partition} --start-offset {bounds.stable}`"
        )

    async def _group(
        self, group: Group, tps: Sequence[TopicPartition], opened: Mapping[TopicPartition, str]
    ) -> GroupLag:
        """One group's lag: where it stands is read before the ends, so that none seems ahead of its topic."""
        stored = await self._stored(group)
        committed = await committed_offsets(self._admin, group.name)
        state, members = await self._members(group)
        held = await bounds_of(self._consumer, tps)
        looks = [GroupOffsets(group, tp, held[tp], stored.get(tp), committed.get(tp)) for tp in tps]
        firsts = await self._firsts({one.tp: one for one in looks})
        partitions = [partition_lag(one, firsts.get(one.tp, UNKNOWN), opened.get(one.tp)) for one in looks]
        return group_lag(group, state, members, partitions)

    async def _stored(self, group: Group) -> dict[TopicPartition, int]:
        if group.projection is None:
            return {}
        async with self._pool.acquire() as connection, connection.transaction():
            await use_schema(connection, group.projection.schema)
            found = await positions.read(connection, group.name)
        return {TopicPartition(*place): at for place, at in found.items()}

    async def _members(self, group: Group) -> tuple[str, int]:
        state, members = await describe_group(self._admin, group.name)
        return ("absent" if state == "Dead" else state.lower()), members

    async def _partitions(self, topic: str) -> list[TopicPartition]:
        [described] = await self._admin.describe_topics([topic])
        if not described["partitions"]:
            raise TopicMissing(f"the broker has no topic {topic}: run `lapstream topics create`")
        return sorted(TopicPartition(topic, found["partition"]) for found in described["partitions"])

    async def _firsts(
        self, looks: Mapping[TopicPartition, GroupOffsets]
    ) -> dict[TopicPartition, Record | None]:
        """The first record of each partition that is not applied; None where nothing but gaps is left.

        A partition of which the broker says nothing in time is left out.
        """
        found: dict[TopicPartition, Record | None] = {}
        found |= {tp: None for tp, one in looks.items() if one.begin >= one.bounds.stable}
        waiting = {tp: one for tp, one in looks.items() if tp not in found}
        for tp, one in waiting.items():
            self._consumer.seek(tp, one.begin)
        self._consumer.resume(*waiting)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(RECORD_SECONDS):
                while missing := [tp for tp in waiting if tp not in found]:
                    found |= await self._poll(missing)
                    found |= {tp: None for tp in missing if tp not in found and await self._read(looks[tp])}
                    self._consumer.pause(*(tp for tp in missing if tp in found))
        self._consumer.pause(*waiting)
        return found

    async def _poll(self, tps: Sequence[TopicPartition]) -> dict[TopicPartition, Record]:
        polled: dict[TopicPartition, Sequence[Record]]
        polled = await self._consumer.getmany(*tps, timeout_ms=POLL_MS)
        return {tp: records[0] for tp, records in polled.items()}

    async def _read(self, look: GroupOffsets) -> bool:
        """Whether the client has read a partition as far as it can be read."""
        return await self._consumer.position(look.tp) >= look.bounds.stable


@contextlib.asynccontextmanager
async def watching(settings: Settings) -> AsyncGenerator[Lag]:
    """What looks at the lag, with its connections open; raises `ServerAway`, or KafkaError."""
    async with contextlib.AsyncExitStack() as stack:
        pool = await stack.enter_async_context(database(settings, size=1))
        admin = await stack.enter_async_context(administering(settings.broker))
        reader = make_reader(settings.broker, reset="earliest")
        consumer = await stack.enter_async_context(reading(reader))
        yield Lag(settings.broker, settings.topics, pool, admin, consumer)
