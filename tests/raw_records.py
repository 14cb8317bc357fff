"""Records that no client would write: batches are put together here, and sent to the broker as they are."""

import struct
from collections.abc import Sequence
from typing import Any, NamedTuple

from aiokafka import TopicPartition, codec
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import for_code
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.util import calc_crc32c

from schemas.envelope import Outgoing

CODECS = NONE, GZIP, SNAPPY, LZ4, ZSTD = tuple(range(5))
"""The codecs by their numbers."""

_PACK: Any = {
    NONE: bytes,
    GZIP: codec.gzip_encode,
    SNAPPY: codec.snappy_encode,
    LZ4: codec.lz4_encode,
    ZSTD: codec.zstd_encode,
}

NOON_MS = 1_767_268_800_000
"""Of the day that events are observed on: an observation is no later than its record."""


class RawRecord(NamedTuple):
    """A record whose headers' names are bytes."""

    value: bytes | None = b"{}"
    headers: Sequence[tuple[bytes, bytes | None]] = ()
    key: bytes | None = b"key"


def raw(record: Outgoing, *more: tuple[bytes, bytes | None]) -> RawRecord:
    """A record with some more headers."""
    headers = [(name.encode(), text) for name, text in record.headers]
    return RawRecord(record.value, [*headers, *more], record.key)


def varint(number: int) -> bytes:
    """A number of varying length, zigzag-encoded."""
    left = (number << 1) ^ (number >> 63)
    found = bytearray()
    while left >= 0x80:
        found.append(left & 0x7F | 0x80)
        left >>= 7
    return bytes(found) + bytes([left])


def _sized(data: bytes | None) -> bytes:
    return varint(-1) if data is None else varint(len(data)) + data


def _record(number: int, record: RawRecord) -> bytes:
    headers = b"".join(_sized(name) + _sized(text) for name, text in record.headers)
    body = (
        b"\0"
        + varint(number)
        + varint(number)
        + _sized(record.key)
        + _sized(record.value)
        + varint(len(record.headers))
        + headers
    )
    return varint(len(body)) + body


def batch(records: Sequence[RawRecord], packed_by: int = NONE, first_ms: int = NOON_MS) -> bytes:
    """Records as one batch; the time of each is a millisecond after the one before."""
    data = b"".join(_record(number, one) for number, one in enumerate(records))
    return batch_of(data, len(records), packed_by, first_ms)


def batch_of(data: bytes, count: int, packed_by: int = NONE, first_ms: int = NOON_MS) -> bytes:
    """What is said to be so many records, as one batch."""
    last = first_ms + count - 1
    head = struct.pack(">hiqqqhii", packed_by, count - 1, first_ms, last, -1, -1, -1, count)
    checked = head + _PACK[packed_by](data)
    after_length = struct.pack(">ibI", -1, 2, calc_crc32c(checked)) + checked
    return struct.pack(">qi", 0, len(after_length)) + after_length


async def produce(bootstrap: str, topic: str, data: bytes, partition: int = 0) -> int:
    """Have the broker append a batch; returns its first record's offset, or raises what the broker says."""
    client: Any = AIOKafkaClient(bootstrap_servers=bootstrap)
    await client.bootstrap()
    try:
        await client.add_topic(topic)
        while (offset := await _appended(client, TopicPartition(topic, partition), data)) is None:
            await client.force_metadata_update()
        return offset
    finally:
        await client.close()


async def _appended(client: Any, place: TopicPartition, data: bytes) -> int | None:
    """The offset of the batch's first record; None where another attempt may succeed."""
    node = client.cluster.leader_for_partition(place)
    request = ProduceRequest(None, -1, 10_000, [(place.topic, [(place.partition, data)])])
    [(_, [(_, code, offset, *_)])] = (await client.send(node, request)).topics
    error: Any = for_code(code)
    if code and not error.retriable:
        raise error(f"the broker does not take the batch: {place}")
    return None if code else offset
