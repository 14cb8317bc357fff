"""A look at the lag of every group, over connections that are opened when they are needed, and kept.

A projection's own measure is its position in PostgreSQL; Kafka's committed offset stands beside it, for every
group. What can't be found out is said in words, and the rest is found out nevertheless.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Generic, NamedTuple, TypeVar

import asyncpg
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from broker.access import BrokerAccess
from broker.clients import GroupAtBroker
from consumers.projection import Projection
from ops.lag import asking
from ops.lag.asking import Broker, Firsts, Topic
from ops.lag.figures import (
    UNREAD,
    FleetLag,
    GroupLag,
    GroupOffsets,
    group_lag,
    partition_lag,
)
from runtime.faults import explained
from runtime.wiring import Group, groups
from schemas.errors import LapstreamError
from schemas.topics import Topics
from store import positions
from store.faults import said_by
from store.pool import TRANSIENT, Pool, use_schema
from store.waiting import cancelled

LOOK_SECONDS = 30.0
"""How long the broker may take to answer all that is asked at a look; then it counts as away."""

CLOSE_SECONDS = 1.0

AGAIN_SECONDS = 1.0
"""So soon after it could not be opened, a server is not tried again: one look asks for it several times."""

ValueT = TypeVar("ValueT")

Positions = Mapping[TopicPartition, int]


class Kept(Generic[ValueT]):
    """Something that is opened when it is first needed, and kept until it is of no use any more."""

    def __init__(self, opening: Callable[[], AbstractAsyncContextManager[ValueT]]) -> None:
        self._opening = opening
        self._stack = contextlib.AsyncExitStack()
        self._value: ValueT | None = None
        self._failed: tuple[float, Exception] | None = None

    async def get(self) -> ValueT:
        """It, opened; raises what opening raises, and has raised a moment ago."""
        if self._value is None:
            if self._failed and time.monotonic() - self._failed[0] < AGAIN_SECONDS:
                raise self._failed[1]
            try:
                self._value = await self._stack.enter_async_context(self._opening())
            except Exception as error:
                self._failed = time.monotonic(), error
                raise
        return self._value

    async def drop(self) -> None:
        """Close it; what is asked for next is a new one."""
        self._value = None
        await self._stack.aclose()


class _Group(NamedTuple):
    """A group as it was found, or why it was not: where its tables stand, and what the broker knows of it."""

    group: Group
    stored: Positions | str
    at_broker: GroupAtBroker | str

    @property
    def troubles(self) -> list[str]:
        return [found for found in (self.stored, self.at_broker) if isinstance(found, str)]

    @property
    def seen_at_broker(self) -> GroupAtBroker | None:
        return None if isinstance(self.at_broker, str) else self.at_broker

    def offsets(self, topics: Mapping[str, Topic]) -> list[GroupOffsets]:
        """Where it stands in each partition of its topics."""
        stored: Positions = {} if isinstance(self.stored, str) else self.stored
        committed: Positions = self.seen_at_broker.committed if self.seen_at_broker else {}
        known = not isinstance(self.stored if self.group.projection else self.at_broker, str)
        return [
            GroupOffsets(self.group, tp, bounds, stored.get(tp), committed.get(tp), known)
            for name in self.group.topics
            for tp, bounds in topics[name].bounds.items()
        ]


class Lag:
    """Looks at the lag of all groups; `close` it in the end, and the pool."""

    def __init__(
        self, broker: BrokerAccess, topics: Topics, pool: Kept[Pool], *, seconds: float = LOOK_SECONDS
    ) -> None:
        self._groups = groups(topics)
        self._retention = {
            spec.name: spec.retention_ms / 1000 for spec in topics.specs() if spec.retention_ms > 0
        }
        self._pool = pool
        self._broker = Kept(lambda: asking.asking(broker))
        self._seconds = seconds

    async def close(self) -> None:
        """Close the connections to the broker; the next look opens others."""
        await self._broker.drop()

    async def look(self) -> FleetLag:
        """The lag of every group now; a server that is away is said in words, and is no error."""
        stored = [await self._stored(group) for group in self._groups]
        work = asyncio.create_task(self._ask(stored))
        try:
            await asyncio.wait({work}, timeout=self._seconds)
        finally:
            await cancelled(work, CLOSE_SECONDS)
        answered = work.done() and not work.cancelled()
        error = work.exception() if answered else None
        if answered and error is None:
            return work.result()
        await self._broker.drop()
        late = f"the broker did not answer all that was asked within {self._seconds:.0f} s"
        return self._without_broker(stored, in_words(error) if error else late)

    def _without_broker(self, stored: list[Positions | str], trouble: str) -> FleetLag:
        troubles = [[trouble, *([found] if isinstance(found, str) else [])] for found in stored]
        return FleetLag(
            groups=[
                group_lag(group, None, [], told, {})
                for group, told in zip(self._groups, troubles, strict=True)
            ],
            trouble=trouble,
        )

    async def _stored(self, group: Group) -> Positions | str:
        """Where a projection stands, or why that is not known."""
        if group.projection is None:
            return {}
        try:
            return await self._positions(group.name, group.projection)
        except (LapstreamError, asyncpg.PostgresError, *TRANSIENT) as error:
            await self._pool.drop()
            return f"where the tables of {group.projection.name} stand: {in_words(error)}"

    async def _positions(self, name: str, projection: Projection[object]) -> Positions:
        pool = await self._pool.get()
        async with pool.acquire() as connection, connection.transaction():
            await use_schema(connection, projection.schema)
            found = await positions.read(connection, name)
        return {TopicPartition(*place): at for place, at in found.items()}

    async def _ask(self, stored: list[Positions | str]) -> FleetLag:
        """Ask the broker: where groups stand before the ends, so that none seems ahead of its topic."""
        broker = await self._broker.get()
        at_broker = await asyncio.gather(*(broker.group(group.name) for group in self._groups))
        found = [_Group(*one) for one in zip(self._groups, stored, at_broker, strict=True)]
        topics = await broker.topics(
            list(dict.fromkeys(topic for group in self._groups for topic in group.topics))
        )
        offsets = [one.offsets(topics) for one in found]
        until = time.monotonic() + asking.RECORD_SECONDS
        broker.forget(look for looks in offsets for look in looks)
        return FleetLag(
            groups=[
                self._group_lag(one, looks, topics, await _firsts(broker, looks, topics, until))
                for one, looks in zip(found, offsets, strict=True)
            ]
        )

    def _group_lag(
        self, found: _Group, looks: list[GroupOffsets], topics: Mapping[str, Topic], firsts: Firsts
    ) -> GroupLag:
        partitions = [
            partition_lag(look, firsts.get(look.tp, UNREAD), topics[look.tp.topic].notes.get(look.tp))
            for look in looks
        ]
        troubles = [*found.troubles, *(one for name in found.group.topics for one in topics[name].troubles)]
        return group_lag(found.group, found.seen_at_broker, partitions, troubles, self._retention)


async def _firsts(
    broker: Broker, looks: list[GroupOffsets], topics: Mapping[str, Topic], until: float
) -> Firsts:
    readable = (look for look in looks if look.known and topics[look.tp.topic].readable)
    return await broker.firsts(readable, until)


def in_words(error: BaseException) -> str:
    """What an error of a server means; raises one that is a mistake of Lapstream's."""
    if isinstance(error, NotImplementedError):  # aiokafka's, where the broker does not know a request
        return "the broker is older than Kafka 2.3, which can't be asked what its user may do"
    told = explained(error)
    if told is None and not isinstance(error, KafkaError):
        raise error
    return str(told or said_by(error))


@contextlib.asynccontextmanager
async def looking(broker: BrokerAccess, topics: Topics, pool: Pool) -> AsyncGenerator[Lag]:
    """What looks, for the length of a block."""
    lag = Lag(broker, topics, Kept(lambda: contextlib.nullcontext(pool)))
    try:
        yield lag
    finally:
        await lag.close()
