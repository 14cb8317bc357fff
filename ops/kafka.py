"""Kafka clients as this project uses them: made here, with the settings that lose nothing.

Whatever consumer a process makes once this is imported reads batches as `ops.batches` does.
"""

from typing import Any, Literal, cast

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from consumers.kafka import Consumer
from ops.batches import read_batches_here
from producer.publisher import Producer
from schemas.topics import RECORD_BYTES

ONE_RECORD_BYTES = 64 * 1024
"""Of a partition, for one record: the broker sends a larger one whole."""

PARTITION_BYTES = 2 * 1024 * 1024
"""Of a partition, for a projector, packed: about as much as is unpacked of it at once."""

FETCH_BYTES = 256 * 1024
"""How much the broker gathers for a projector at most: a transaction for each record costs more."""

read_batches_here()


def make_producer(bootstrap: str) -> Producer:
    """An idempotent producer that waits for all replicas."""
    producer: Any = AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        enable_idempotence=True,
        acks="all",
        compression_type="zstd",
        max_request_size=RECORD_BYTES,
    )
    return cast("Producer", producer)


def make_consumer(bootstrap: str, group: str, *, gather_ms: int) -> Consumer:
    """A member of a group that commits only what it is told to, and begins at the beginning.

    The broker gathers records for it for so long.
    """
    consumer: Any = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        heartbeat_interval_ms=500,
        session_timeout_ms=10_000,
        max_partition_fetch_bytes=PARTITION_BYTES,
        fetch_min_bytes=FETCH_BYTES,
        fetch_max_wait_ms=gather_ms,
    )
    return cast("Consumer", consumer)


def make_reader(
    bootstrap: str,
    *,
    partition_bytes: int = ONE_RECORD_BYTES,
    gather_bytes: int = 1,
    gather_ms: int = 500,
    reset: Literal["none", "earliest"] = "none",
) -> Any:  # noqa: ANN401 - aiokafka is untyped
    """A consumer in no group, which reads from places that it is told.

    The broker answers with so much of a partition at most, when it has gathered so much or waited so long.
    `reset` says what becomes of a place that is gone: an error, or the beginning in its stead.
    """
    return AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        enable_auto_commit=False,
        auto_offset_reset=reset,
        max_partition_fetch_bytes=partition_bytes,
        fetch_min_bytes=gather_bytes,
        fetch_max_wait_ms=gather_ms,
    )


async def partitions_of(consumer: Any, topic: str) -> list[TopicPartition]:  # noqa: ANN401 - as above
    """A topic's partitions as a consumer in no group finds them, in order; none where it is not there."""
    await consumer._client.force_metadata_update()  # noqa: SLF001 - no other way without a group
    found: set[int] = consumer.partitions_for_topic(topic) or set()
    return [TopicPartition(topic, number) for number in sorted(found)]


async def describe_group(admin: Any, group: str) -> tuple[str, int]:  # noqa: ANN401 - aiokafka is untyped
    """A group's state as the broker names it, and the number of its members."""
    [response] = await admin.describe_consumer_groups([group])
    _, _, state, _, _, members, *_ = response.groups[0]
    return state, len(members)
