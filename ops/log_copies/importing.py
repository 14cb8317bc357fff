"""The import: from a copy of the event log to the topics of an empty cluster, with the same records.

Partitions, order, keys, headers, values and times stay as they were. Partitions are written one after
another, each in its order, so that what a topic holds is always the beginning of its copy: that is also how
an import that was ended goes on. Offsets follow each other without gaps, from 0 on.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from aiokafka.errors import KafkaError, KafkaTimeoutError
from msgspec import Struct

from broker.access import BrokerAccess
from broker.clients import AcknowledgedProducer, Bounds
from broker.topics import adding_partitions, create_topics
from ops.log_copies.cluster import Cluster, cluster, event_log_topics
from ops.log_copies.errors import NotEmpty, RecordRefused, TargetDiffers
from ops.log_copies.exporting import Show
from ops.log_copies.folder import Folder
from ops.log_copies.form import Entry, entry_of
from ops.log_copies.manifest import Manifest, PartitionCopy, Segment
from runtime.settings import Settings
from store.faults import said_by

WINDOW = 1_000
"""Records on their way at a time."""

BATCH_BYTES = 1024 * 1024
LARGEST_BYTES = 2**30
"""Of a record: the broker, not the client, says what is too large."""


class Imported(Struct, frozen=True, kw_only=True):
    """What an import came to: how many records the topics hold of the copy, and how many of them it sent."""

    cluster_id: str
    records: int
    sent: int


class _Target(NamedTuple):
    """A partition to write: its copy, and how many of the copy's records it holds already."""

    topic: str
    copy: PartitionCopy
    held: int


async def import_log(settings: Settings, path: Path, show: Show) -> Imported:
    """Bring a copy into topics that are empty, or hold the beginning of the same copy.

    The whole folder is held against its checksums before the first record is sent; topics that are missing
    are created. Raises a `CopyError`, KafkaError or `ServerAway`; the same call goes on with what is left.
    """
    folder = Folder(path)
    manifest = folder.manifest()
    for segment in manifest.segments:
        await asyncio.to_thread(folder.check_file, segment)
    await _make_topics(settings, manifest)
    async with cluster(settings.broker) as found:
        targets = [one async for one in _targets(settings, folder, manifest, found)]
        cluster_id = await found.id()
    async with _sending(settings.broker) as producer:
        sent = await _Import(folder, producer, show).run(targets)
    return Imported(cluster_id=cluster_id, records=manifest.records, sent=sent)


async def _make_topics(settings: Settings, manifest: Manifest) -> None:
    """Create topics that are missing; raises `TargetDiffers` where one can't hold its copy."""
    states = await create_topics(
        settings.broker,
        settings.topics,
        replication_factor=settings.replication_factor,
        at_least={settings.topic_prefix + topic.name: len(topic.partitions) for topic in manifest.topics},
    )
    record = {spec.name for spec in event_log_topics(settings.topics)}
    found = {state.name: state for state in states if state.name in record}
    for topic in manifest.topics:
        state = found.get(settings.topic_prefix + topic.name)
        if state is None:
            raise TargetDiffers(f"the copy holds a topic {topic.name}, which this version does not know")
        if state.differences:
            raise TargetDiffers(f"{state.name} is not as it is declared: {'; '.join(state.differences)}")
        if state.partitions < len(topic.partitions):
            raise TargetDiffers(
                f"{state.name} has {state.partitions} partitions, its copy {len(topic.partitions)}: "
                f"`{adding_partitions(state.name, len(topic.partitions))}`"
            )


async def _targets(
    settings: Settings, folder: Folder, manifest: Manifest, found: Cluster
) -> AsyncGenerator[_Target]:
    """Every partition to write; raises `NotEmpty` where one holds other records than its copy's first."""
    for topic in manifest.topics:
        name = settings.topic_prefix + topic.name
        bounds = await found.bounds(name)
        copies = {copy.partition: copy for copy in topic.partitions}
        for partition, here in bounds.items():
            copy = copies.get(partition) or PartitionCopy(partition=partition, segments=[])
            if not await _is_beginning(folder, copy, here, found, name):
                raise NotEmpty(
                    f"{name}[{partition}] holds offsets {here.begin} to {here.end - 1}, which are not "
                    "the first records of its copy: import into an empty cluster, or with an unused "
                    "LAPSTREAM_TOPIC_PREFIX"
                )
            yield _Target(name, copy, here.end)


async def _is_beginning(
    folder: Folder, copy: PartitionCopy, here: Bounds, found: Cluster, topic: str
) -> bool:
    """Whether a partition holds nothing but its copy's first records: the last of them tells."""
    if here.begin > 0 or here.end > copy.records or here.stable < here.end:
        return False
    if here.end == 0:
        return True
    reading = found.read(topic, copy.partition, here.end - 1, here.end)
    last = [entry_of(record).data async for records in reading for record in records]
    return last == [(await asyncio.to_thread(_nth, folder, copy, here.end - 1)).data]


def _nth(folder: Folder, copy: PartitionCopy, number: int) -> Entry:
    """A partition's record by its number, from 0 on."""
    for segment in copy.segments:
        if number < segment.contents.records:
            return folder.entries(segment)[number]
        number -= segment.contents.records
    raise IndexError(number)


def _value(wrapped: tuple[bytes | None]) -> bytes | None:
    return wrapped[0]


@contextlib.asynccontextmanager
async def _sending(access: BrokerAccess) -> AsyncGenerator[AcknowledgedProducer]:
    """A producer that writes each record once and in order, without key and value where it has neither."""
    producer = AcknowledgedProducer(
        access,
        linger_ms=5,
        max_batch_size=BATCH_BYTES,
        max_request_size=LARGEST_BYTES,
        # The client refuses a record without key and value, unless the value is still to be serialised.
        value_serializer=_value,
    )
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


class _Import:
    """Writes partitions."""

    def __init__(self, folder: Folder, producer: AcknowledgedProducer, show: Show) -> None:
        self._folder = folder
        self._producer = producer
        self._show = show
        self._done = 0
        self._total = 0

    async def run(self, targets: Sequence[_Target]) -> int:
        """Write what is missing; returns how many records that were."""
        self._total = sum(one.copy.records - one.held for one in targets)
        for target in targets:
            number = 0
            for segment in target.copy.segments:
                behind = number + segment.contents.records
                if behind > target.held:
                    await self._segment(target, segment, number)
                number = behind
        return self._done

    async def _segment(self, target: _Target, segment: Segment, number: int) -> None:
        """Write what the target lacks of a segment, whose first record is to have this number as offset."""
        entries = await asyncio.to_thread(self._folder.entries, segment)
        for begin in range(max(0, target.held - number), len(entries), WINDOW):
            try:
                await self._send(target, entries[begin : begin + WINDOW], number + begin)
            except KafkaError as error:
                if error.retriable or isinstance(error, KafkaTimeoutError):
                    raise
                raise RecordRefused(
                    f"the broker does not take what follows {target.topic}[{target.copy.partition}] "
                    f"offset {number + begin}, of {segment.file}: {said_by(error)}; with the cause mended, "
                    "the same command goes on"
                ) from error

    async def _send(self, target: _Target, entries: Sequence[Entry], offset: int) -> None:
        """Write records that are to lie from this offset on, and wait until all are there."""
        sending = [await self._sending(target, entry) for entry in entries]
        for expected, sent in enumerate(await asyncio.gather(*sending), offset):
            if sent.offset != expected:
                raise NotEmpty(
                    f"{sent.topic}[{sent.partition}]: a record came to lie at offset {sent.offset} in place "
                    f"of {expected}: somebody else writes into this topic. Delete it, and import again"
                )
            if sent.timestamp_type:
                raise TargetDiffers(
                    f"{sent.topic} gives records times of its own: delete it, and create it with "
                    "message.timestamp.type=CreateTime"
                )
        self._done += len(entries)
        self._show(self._done, self._total)

    async def _sending(self, target: _Target, entry: Entry) -> Any:  # noqa: ANN401 - a future
        content = entry.content
        return await self._producer.send(
            target.topic,
            value=(content.value,),
            key=content.key,
            partition=target.copy.partition,
            timestamp_ms=content.timestamp,
            headers=list(content.headers),
        )
