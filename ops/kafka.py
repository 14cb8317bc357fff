"""Kafka clients as this project uses them: made here, with the settings that lose nothing."""

from typing import Any, cast

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from consumers.kafka import Consumer
from producer.publisher import Producer
from schemas.topics import RECORD_BYTES

ONE_RECORD_BYTES = 64 * 1024
"""Of a partition, for one record: the broker sends a larger one whole."""

FETCH_BYTES = 256 * 1024
FETCH_WAIT_MS = 60
"""How much the broker gathers for a projector, and how long: a transaction for each record costs more."""


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


def make_consumer(bootstrap: str, group: str) -> Consumer:
    """A member of a group that commits only what it is told to, and begins at the beginning."""
    consumer: Any = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        heartbeat_interval_ms=500,
        session_timeout_ms=10_000,
        max_partition_fetch_bytes=RECORD_BYTES,
        fetch_min_bytes=FETCH_BYTES,
        fetch_max_wait_ms=FETCH_WAIT_MS,
    )
    return cast("Consumer", consumer)


def make_reader(bootstrap: str) -> Any:  # noqa: ANN401 - aiokafka is untyped
    """A consumer in no group, for single records at known places."""
    return AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        enable_auto_commit=False,
        auto_offset_reset="none",
        max_partition_fetch_bytes=ONE_RECORD_BYTES,
    )


async def describe_group(admin: Any, group: str) -> tuple[str, int]:  # noqa: ANN401 - aiokafka is untyped
    """A group's state as the broker names it, and the number of its members."""
    [response] = await admin.describe_consumer_groups([group])
    _, _, state, _, _, members, *_ = response.groups[0]
    return state, len(members)
