"""The Kafka side of copies: which topics are the event log, where they begin and end, their records in order.

Records are read as the projections read them: those that are committed.
"""

import contextlib
from collections.abc import AsyncGenerator, Sequence

from aiokafka import TopicPartition
from aiokafka.errors import OffsetOutOfRangeError

from broker.access import BrokerAccess
from broker.between import BrokerSilent, Span, records_between
from broker.clients import (
    Admin,
    Bounds,
    CommittedConsumer,
    administering,
    bounds_of,
    cluster_id,
    make_reader,
    partitions_of,
)
from ops.log_copies.errors import TopicGone
from runtime.database import ServerAway
from schemas.records import Record
from schemas.topics import FOREVER, Topics, TopicSpec

FETCH_BYTES = 2 * 1024 * 1024
"""Of a partition, compressed; the broker sends a larger record whole."""

POLL_RECORDS = 32
"""At a time: so few that the largest of them fit into memory."""


def event_log_topics(topics: Topics) -> tuple[TopicSpec, ...]:
    """The topics that are the event log: those that are kept for ever. Work queues are not."""
    return tuple(spec for spec in topics.specs() if spec.retention_ms == FOREVER)


class Cluster:
    """A cluster, to be read."""

    def __init__(self, access: BrokerAccess, admin: Admin, consumer: CommittedConsumer) -> None:
        self._access = access
        self._admin = admin
        self._consumer = consumer

    async def close(self) -> None:
        """Give back what the newest reading holds."""
        await self._consumer.stop()

    async def id(self) -> str:
        """The cluster's own id."""
        return await cluster_id(self._admin)

    async def bounds(self, topic: str) -> dict[int, Bounds]:
        """Where each of a topic's partitions begins and ends; raises `TopicGone` where there is none."""
        tps = await partitions_of(self._consumer, topic)
        if not tps:
            raise TopicGone(f"the broker has no topic {topic}: is LAPSTREAM_TOPIC_PREFIX right?")
        return {tp.partition: found for tp, found in (await bounds_of(self._consumer, tps)).items()}

    async def read(
        self, topic: str, partition: int, begin: int, end: int
    ) -> AsyncGenerator[Sequence[Record]]:
        """The records of a partition from one offset to before another, in order, some at a time.

        Neither lies behind the last stable offset: records from there on are not handed out. Raises
        `TopicGone`, or `ServerAway` where the broker has nothing more to say.
        """
        if begin >= end:
            return
        tp = TopicPartition(topic, partition)
        await self._renew()
        try:
            async for records in records_between(
                self._consumer, {tp: Span(begin, end)}, at_once=POLL_RECORDS
            ):
                yield records
        except OffsetOutOfRangeError as error:
            raise TopicGone(f"{topic}[{partition}] lost records while it was read") from error
        except BrokerSilent as error:
            raise ServerAway(str(error)) from error

    async def _renew(self) -> None:
        """Take a new consumer: one that is given another partition may never stop again."""
        await self._consumer.stop()
        self._consumer = _consumer(self._access)
        await self._consumer.start()


def _consumer(access: BrokerAccess) -> CommittedConsumer:
    return make_reader(access, partition_bytes=FETCH_BYTES, gather_ms=50)


@contextlib.asynccontextmanager
async def cluster(access: BrokerAccess) -> AsyncGenerator[Cluster]:
    """A cluster, to be read for the length of a block, one partition at a time."""
    async with contextlib.AsyncExitStack() as stack:
        admin = await stack.enter_async_context(administering(access))
        consumer = _consumer(access)
        found = Cluster(access, admin, consumer)
        stack.push_async_callback(found.close)
        await consumer.start()
        yield found
