"""Kafka clients as this project uses them: made here, with the settings that lose nothing.

Every consumer reads committed records only: those of an aborted transaction are never handed out, those of an
open one when it is committed. Whatever consumer a process makes once this is imported reads batches as
`broker.batches` does.
"""

import asyncio
import contextlib
import copy
import datetime as dt
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, TypeVar, cast

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.consumer.fetcher import READ_UNCOMMITTED
from aiokafka.errors import (
    GroupCoordinatorNotAvailableError,
    GroupLoadInProgressError,
    KafkaConnectionError,
    KafkaError,
    NotCoordinatorForGroupError,
    OffsetOutOfRangeError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
    for_code,
)
from aiokafka.protocol.metadata import MetadataRequest

from broker.access import BrokerAccess
from broker.batches import read_batches_here
from broker.reaching import telling_why
from broker.tokens import see_refusals
from broker.types import Consumer, Producer
from schemas.topics import RECORD_BYTES

ONE_RECORD_BYTES = 64 * 1024
"""Of a partition, for one record: the broker sends a larger one whole."""

PARTITION_BYTES = 2 * 1024 * 1024
"""Of a partition, for a projector, packed: about as much as is unpacked of it at once."""

FETCH_BYTES = 256 * 1024
"""How much the broker gathers for a projector at most: a transaction for each record costs more."""

OPEN_SECONDS = 2.0
"""How long the broker may take to hand out a record of an open transaction, which is read for its time."""

REQUEST_MS = 12_000
"""How long the broker may take to answer a request; then the connection is given up, and another one opened.

Longer than a rebalance waits for members that are gone, which the broker answers only afterwards.
"""

COORDINATOR_SECONDS = 30.0
"""How long a group's coordinator may take to be there: a fresh broker first makes the topic of offsets."""

COORDINATOR_LOOK_SECONDS = 0.1

STOP_SECONDS = 3.0
"""How long a client may take to stop; one whose broker is away goes on stopping by itself."""

ResultT = TypeVar("ResultT")

read_batches_here()
see_refusals()

_stopping: set[asyncio.Task[None]] = set()

_AIOKafkaConsumer: Any = AIOKafkaConsumer
"""aiokafka carries no types."""

_AIOKafkaProducer: Any = AIOKafkaProducer

_AIOKafkaAdminClient: Any = AIOKafkaAdminClient

log = structlog.get_logger("lapstream.kafka")


async def bounded(stop: Coroutine[Any, Any, None], seconds: float = STOP_SECONDS) -> None:
    """Let a client stop; one whose broker does not answer goes on stopping by itself.

    aiokafka's `stop` can end as if it had been cancelled: as a task of its own it takes nothing with it.
    """
    stopping = asyncio.create_task(stop)
    _stopping.add(stopping)
    stopping.add_done_callback(_stopped)
    await asyncio.wait({stopping}, timeout=seconds)
    if not stopping.done():
        log.warning("kafka_client_not_stopped", seconds=seconds)


def _stopped(stopping: asyncio.Task[None]) -> None:
    _stopping.discard(stopping)
    if not stopping.cancelled() and (error := stopping.exception()):
        log.warning("kafka_client_stopped_with_error", error=repr(error))


class Admin(_AIOKafkaAdminClient):
    """What asks the brokers about topics and groups."""


class CommittedConsumer(_AIOKafkaConsumer):
    """A consumer of committed records, which commits only the offsets that it is told to.

    Its `end_offsets` are the last stable ones: nothing from there on is handed out before the oldest open
    transaction of the partition ends.
    """

    def __init__(self, access: BrokerAccess, **options: Any) -> None:
        self._access = access
        base: Any = super()
        base.__init__(
            **access.options(),
            isolation_level="read_committed",
            enable_auto_commit=False,
            request_timeout_ms=REQUEST_MS,
            **options,
        )

    async def start(self) -> None:
        """Connect, and join the group if there is one; raises KafkaError, of which `NotReached` says why."""
        base: Any = super()
        async with telling_why(self._access):
            await base.start()

    async def stop(self) -> None:
        """Leave the group, and stop; a broker that does not answer is not waited for."""
        base: Any = super()
        await bounded(base.stop())

    async def log_ends(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        """Where these partitions end, the records of open transactions included."""
        asking = copy.copy(self._fetcher)
        asking._isolation_level = READ_UNCOMMITTED  # noqa: SLF001 - aiokafka has no other way to ask
        return await asking.end_offsets(partitions, self._request_timeout_ms)


class AcknowledgedProducer(_AIOKafkaProducer):
    """An idempotent producer that waits for all replicas, and packs by gzip, which every client can read."""

    def __init__(self, access: BrokerAccess, **options: Any) -> None:
        self._access = access
        base: Any = super()
        base.__init__(
            **access.options(),
            enable_idempotence=True,
            acks="all",
            compression_type="gzip",
            request_timeout_ms=REQUEST_MS,
            **options,
        )

    async def start(self) -> None:
        """Connect; raises as a consumer's, and is stopped then."""
        base: Any = super()
        try:
            async with telling_why(self._access):
                await base.start()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Wait for what was sent, and stop; a broker that does not answer is not waited for."""
        base: Any = super()
        await bounded(base.stop())


class Bounds(NamedTuple):
    """A partition's first offset, its last stable one, and the one behind its last.

    Records from `stable` on wait for an open transaction; without one `stable` is `end`.
    """

    begin: int
    stable: int
    end: int


async def bounds_of(
    consumer: CommittedConsumer, partitions: Sequence[TopicPartition]
) -> dict[TopicPartition, Bounds]:
    """The bounds of partitions; the later figure is never behind the earlier one."""
    begins = await consumer.beginning_offsets(partitions)
    stable = await consumer.end_offsets(partitions)
    ends = await consumer.log_ends(partitions)
    return {tp: Bounds(begins[tp], stable[tp], ends[tp]) for tp in partitions}


def make_producer(access: BrokerAccess) -> Producer:
    """A producer of records as large as a topic takes."""
    producer = AcknowledgedProducer(access, max_request_size=RECORD_BYTES)
    return cast("Producer", producer)


def make_consumer(access: BrokerAccess, group: str, *, gather_ms: int) -> Consumer:
    """A member of a group that commits only what it is told to, and begins at the beginning.

    The broker gathers records for it for so long.
    """
    consumer: Any = CommittedConsumer(
        access,
        group_id=group,
        auto_offset_reset="earliest",
        heartbeat_interval_ms=500,
        session_timeout_ms=10_000,
        max_partition_fetch_bytes=PARTITION_BYTES,
        fetch_min_bytes=FETCH_BYTES,
        fetch_max_wait_ms=gather_ms,
    )
    return cast("Consumer", consumer)


def make_reader(
    access: BrokerAccess,
    *,
    partition_bytes: int = ONE_RECORD_BYTES,
    gather_bytes: int = 1,
    gather_ms: int = 500,
    reset: Literal["none", "earliest"] = "none",
) -> CommittedConsumer:
    """A consumer in no group, which reads from places that it is told.

    The broker answers with so much of a partition at most, when it has gathered so much or waited so long.
    `reset` says what becomes of a place that is gone: an error, or the beginning in its stead.
    """
    return CommittedConsumer(
        access,
        auto_offset_reset=reset,
        max_partition_fetch_bytes=partition_bytes,
        fetch_min_bytes=gather_bytes,
        fetch_max_wait_ms=gather_ms,
    )


@contextlib.asynccontextmanager
async def reading(reader: CommittedConsumer) -> AsyncGenerator[CommittedConsumer]:
    """A consumer, started, for the length of a block; raises KafkaError where no broker answers."""
    try:
        await reader.start()
        yield reader
    finally:
        await reader.stop()


async def offsets_at(
    consumer: CommittedConsumer, ends: Mapping[TopicPartition, int], moment: dt.datetime
) -> dict[TopicPartition, int]:
    """The first offset of each partition that was written at this moment or later, or else its end."""
    milliseconds = max(0, int(moment.timestamp() * 1000))
    found = await consumer.offsets_for_times(dict.fromkeys(ends, milliseconds))
    return {tp: at.offset if (at := found.get(tp)) else end for tp, end in ends.items()}


@contextlib.asynccontextmanager
async def administering(access: BrokerAccess) -> AsyncGenerator[Admin]:
    """What asks the brokers about topics and groups, for the length of a block."""
    admin = Admin(**access.options(), request_timeout_ms=REQUEST_MS)
    try:
        async with telling_why(access):
            await admin.start()
        yield admin
    finally:
        await bounded(admin.close())


async def time_of_open(access: BrokerAccess, tp: TopicPartition, offset: int) -> int | None:
    """The time stamp of an open transaction's record, in milliseconds since 1970; None where none comes.

    The only reading of records that are not committed, and nothing but their time is read.
    """
    consumer = _AIOKafkaConsumer(
        **access.options(),
        isolation_level="read_uncommitted",
        enable_auto_commit=False,
        auto_offset_reset="none",
        max_partition_fetch_bytes=ONE_RECORD_BYTES,
        request_timeout_ms=REQUEST_MS,
    )
    await consumer.start()
    try:
        consumer.assign([tp])
        consumer.seek(tp, offset)
        with contextlib.suppress(TimeoutError, OffsetOutOfRangeError):
            async with asyncio.timeout(OPEN_SECONDS):
                return (await consumer.getone()).timestamp
    finally:
        await bounded(consumer.stop())
    return None


async def partitions_of(consumer: CommittedConsumer, topic: str) -> list[TopicPartition]:
    """A topic's partitions, in order; none where it is not there. Raises KafkaError."""
    found = (await described(consumer, [topic])).get(topic)
    if found is None:
        return []
    # where their leaders are: else the first record would wait half a second for that
    await consumer._client.add_topic(topic)  # noqa: SLF001 - no other way without a group
    return sorted(TopicPartition(topic, one["partition"]) for one in found["partitions"])


_NOT_SHOWN = {UnknownTopicOrPartitionError.errno, TopicAuthorizationFailedError.errno}


async def described(asker: object, topics: Iterable[str]) -> dict[str, Any]:
    """Those of these topics that exist and are shown to this user, by name; no broker creates one for it.

    Others are not asked for: a broker may have thousands. `asker` is any client that was started. Raises
    KafkaError.
    """
    answer = await answer_of(asker, MetadataRequest(list(topics), allow_auto_topic_creation=False))
    return {one["topic"]: one for one in answer.to_object()["topics"] if one["error_code"] not in _NOT_SHOWN}


async def cluster_id(asker: object) -> str:
    """The id of the cluster that a client is connected to; raises KafkaError."""
    return (await answer_of(asker, MetadataRequest([]))).to_object()["cluster_id"]


async def answer_of(asker: object, request: object, node: int | None = None) -> Any:  # noqa: ANN401 - an answer of the protocol
    """The answer of a broker, or of the first one that gives any; raises KafkaError.

    For requests that aiokafka has no method for, or only one that asks for all topics, or creates them.
    """
    client = getattr(asker, "client" if isinstance(asker, _AIOKafkaProducer) else "_client")
    if node is not None:
        return await client.send(node, request)
    failure: KafkaError = KafkaConnectionError("no broker is known")
    for broker in client.cluster.brokers():
        try:
            return await client.send(broker.nodeId, request)
        except KafkaError as error:
            failure = error
    raise failure


async def describe_group(admin: Admin, group: str) -> tuple[str, int]:
    """A group's state as the broker names it, and the number of its members."""
    return await from_coordinator(lambda: _describe(admin, group))


async def _describe(admin: Admin, group: str, node: int | None = None) -> tuple[str, int]:
    """The same, asked once, of the group's coordinator where that is known."""
    [response] = await admin.describe_consumer_groups([group], node)
    error, _, state, _, _, members, *_ = response.groups[0]
    raise_for(error)
    return state, len(members)


class GroupAtBroker(NamedTuple):
    """What the broker knows of a group: its state, how many members it has, and where it has committed."""

    state: str
    members: int
    committed: dict[TopicPartition, int]


async def group_at_broker(admin: Admin, group: str, seconds: float | None = None) -> GroupAtBroker:
    """A group as its coordinator knows it, which may take so many seconds to be there; raises KafkaError."""

    async def ask() -> GroupAtBroker:
        node = await admin.find_coordinator(group)
        # first, for its errors: aiokafka takes a coordinator that still loads for one without offsets
        state, members = await _describe(admin, group, node)
        found = await admin.list_consumer_group_offsets(group, node)
        committed = {tp: at.offset for tp, at in found.items() if at.offset >= 0}
        return GroupAtBroker(state, members, committed)

    return await from_coordinator(ask, seconds)


def raise_for(code: int) -> None:
    """Raise the KafkaError of a code that a broker answers with; 0 is none."""
    if code:
        raise for_code(code)


async def from_coordinator(ask: Callable[[], Awaitable[ResultT]], seconds: float | None = None) -> ResultT:
    """The answer of a group's coordinator, which may still be made, load or move; raises KafkaError.

    It may take so many seconds, or else `COORDINATOR_SECONDS`.
    """
    deadline = time.monotonic() + (COORDINATOR_SECONDS if seconds is None else seconds)
    while True:
        try:
            return await ask()
        except (GroupCoordinatorNotAvailableError, GroupLoadInProgressError, NotCoordinatorForGroupError):
            if time.monotonic() > deadline:
                raise
        await asyncio.sleep(COORDINATOR_LOOK_SECONDS)
