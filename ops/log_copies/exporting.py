"""The export: from the topics of the event log to segments and a manifest, as far as the topics go now.

It goes on where the manifest ends: after a kill as after an earlier export. The manifest is written after
each segment, so that a kill costs no more than the segment at hand.
"""

import asyncio
import datetime as dt
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct

from broker.access import BrokerAccess
from broker.clients import Bounds
from ops.log_copies.cluster import Cluster, cluster, event_log_topics
from ops.log_copies.errors import OtherLog, TopicGone
from ops.log_copies.folder import Folder
from ops.log_copies.form import Draft, entry_of
from ops.log_copies.manifest import Manifest, PartitionCopy, new_manifest
from schemas.topics import Topics

SEGMENT_BYTES = 32 * 1024 * 1024
"""Of a segment before compression; its last record may lie beyond."""

Show = Callable[[int, int], None]
"""Is told how much is done, of how much."""


class Exported(Struct, frozen=True, kw_only=True):
    """What an export added to its folder, and what the folder holds now."""

    new_records: int
    new_files: int
    manifest: Manifest


class _Stretch(NamedTuple):
    """What is to be copied of a partition; `name` is the topic's without prefix."""

    name: str
    topic: str
    copy: PartitionCopy
    begin: int
    end: int


async def export_log(
    broker: BrokerAccess, topics: Topics, path: Path, show: Show, segment_bytes: int = SEGMENT_BYTES
) -> Exported:
    """Copy into a folder what the topics of the event log hold beyond it.

    Raises a `CopyError`, KafkaError or `ServerAway`; the same call goes on with what is left.
    """
    folder = Folder(path)
    with folder.held():
        async with cluster(broker) as source:
            return await _Export(topics, folder, source, show, segment_bytes).run()


class _Export:
    """One export into a folder that is held."""

    def __init__(
        self, topics: Topics, folder: Folder, source: Cluster, show: Show, segment_bytes: int
    ) -> None:
        self._topics = topics
        self._folder = folder
        self._source = source
        self._show = show
        self._segment_bytes = segment_bytes
        self._done = 0

    async def run(self) -> Exported:
        manifest = self._begun(await self._source.id())
        held = manifest.records
        files = len(manifest.segments)
        stretches = await self._stretches(manifest)
        total = sum(one.end - one.begin for one in stretches)
        manifest.finished_at = None
        self._folder.save(manifest)
        for one in stretches:
            await self._copy(manifest, one, total)
        manifest.finished_at = dt.datetime.now(dt.UTC)
        self._folder.save(manifest)
        return Exported(
            new_records=manifest.records - held, new_files=len(manifest.segments) - files, manifest=manifest
        )

    def _begun(self, cluster_id: str) -> Manifest:
        """The folder's manifest, or the first one of a new folder."""
        found = self._folder.find()
        if found is None:
            self._folder.check_empty()
            return new_manifest(_tool(), cluster_id, self._topics.prefix)
        if (found.cluster_id, found.topic_prefix) != (cluster_id, self._topics.prefix):
            raise OtherLog(
                f"{self._folder.path} was taken from cluster {found.cluster_id} with the topic prefix "
                f"{found.topic_prefix!r}, this is cluster {cluster_id} with {self._topics.prefix!r}: "
                "export into another folder"
            )
        found.tool = _tool()
        return found

    async def _stretches(self, manifest: Manifest) -> list[_Stretch]:
        """What is to be copied: from where each partition's copy ends to where it can be read up to now."""
        found: list[_Stretch] = []
        for spec in event_log_topics(self._topics):
            name = spec.name.removeprefix(self._topics.prefix)
            for partition, bounds in (await self._source.bounds(spec.name)).items():
                copy = manifest.copy_of(name, partition)
                begin = await self._begin(spec.name, copy, bounds)
                found.append(_Stretch(name, spec.name, copy, begin, bounds.stable))
        return found

    async def _begin(self, topic: str, copy: PartitionCopy, bounds: Bounds) -> int:
        """Where the copy goes on; raises `OtherLog` or `TopicGone` where the topic does not continue it."""
        if not copy.segments:
            return bounds.begin
        at = copy.next_offset
        place = f"{topic}[{copy.partition}]"
        if bounds.stable < at or not await self._continues(topic, copy, bounds):
            raise OtherLog(
                f"{place} is not the log that {self._folder.path} was taken from, which goes to offset {at}: "
                "export into another folder"
            )
        if bounds.begin > at:
            raise TopicGone(
                f"{place} begins at offset {bounds.begin}, the copy ends before {at}: what lay between is "
                "gone. Keep the folder, and export into another one"
            )
        return at

    async def _continues(self, topic: str, copy: PartitionCopy, bounds: Bounds) -> bool:
        """Whether the copy's last record still lies where it lay, if anything lies there."""
        last = await asyncio.to_thread(self._folder.last, copy)
        if last is None or last.offset < bounds.begin:
            return True
        reading = self._source.read(topic, copy.partition, last.offset, last.offset + 1)
        return [entry_of(record) async for records in reading for record in records] == [last]

    async def _copy(self, manifest: Manifest, one: _Stretch, total: int) -> None:
        draft = Draft(one.begin)
        async for records in self._source.read(one.topic, one.copy.partition, one.begin, one.end):
            for record in records:
                draft.add(entry_of(record), record.timestamp)
                if len(draft.frames) >= self._segment_bytes:
                    await self._seal(manifest, one, draft)
                    draft = Draft(draft.next_offset)
            self._show(self._done + draft.next_offset - one.begin, total)
        self._done += one.end - one.begin
        draft.pass_over(one.end)
        if draft.next_offset > draft.start_offset:
            await self._seal(manifest, one, draft)
        self._show(self._done, total)

    async def _seal(self, manifest: Manifest, one: _Stretch, draft: Draft) -> None:
        segment = await asyncio.to_thread(self._folder.add, one.name, one.copy.partition, draft)
        one.copy.segments.append(segment)
        self._folder.save(manifest)


def _tool() -> str:
    return f"lapstream {version('lapstream')}"
