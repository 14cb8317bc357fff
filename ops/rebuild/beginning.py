"""The beginning of a topic out of a copy, where the topic itself has lost it.

The folder of `lapstream log export` and where partitions begin go in; whether the copy reaches from the first
record to there, and is of the same log, comes out, then its records as the broker would hand them out.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from broker.clients import Bounds
from ops.log_copies.cluster import Cluster
from ops.log_copies.errors import Damaged, OtherLog
from ops.log_copies.folder import Folder
from ops.log_copies.form import entry_of
from ops.log_copies.manifest import Manifest, PartitionCopy, Segment
from schemas.records import HeldRecord, Record
from store.positions import Place

BATCH_RECORDS = 1_000


class Beginning(NamedTuple):
    """A copy that stands in for what a topic lost."""

    folder: Folder
    manifest: Manifest

    def lacks(self, place: Place, begin: int) -> str | None:
        """What the copy lacks of a partition's records before this offset; None where it has them all."""
        at = 0
        for segment in self._segments(place):
            contents = segment.contents
            if contents.start_offset > at:
                return f"the copy has none of its offsets {at} to {contents.start_offset - 1}"
            at = max(at, contents.next_offset)
        return None if at >= begin else f"the copy ends before offset {at}"

    async def check(self, found: Cluster, prefix: str, held: Mapping[Place, Bounds]) -> None:
        """Hold the copy against partitions that lost records, as far as both reach, and its files.

        `held` is what the topic holds of them now. Raises `OtherLog`, `Damaged`, `FolderUnusable`.
        """
        self._check_same(await found.id(), prefix)
        for place, bounds in held.items():
            await self._check_overlap(found, place, bounds)
        for place, bounds in held.items():
            for segment in self._segments(place):
                if segment.contents.start_offset < bounds.begin:
                    await asyncio.to_thread(self.folder.check_file, segment)

    def _check_same(self, cluster_id: str, prefix: str) -> None:
        if (self.manifest.cluster_id, self.manifest.topic_prefix) != (cluster_id, prefix):
            raise OtherLog(
                f"{self.folder.path} was taken from cluster {self.manifest.cluster_id} with the topic prefix "
                f"{self.manifest.topic_prefix!r}, this is cluster {cluster_id} with "
                f"{prefix!r}: its offsets are others. Name a copy of this cluster's log"
            )

    async def _check_overlap(self, found: Cluster, place: Place, bounds: Bounds) -> None:
        """Raise `OtherLog` where the topic goes on, but not with the copy's last record."""
        last = await asyncio.to_thread(self.folder.last, self._copy(place))
        if last is None or last.offset < bounds.begin:
            return
        reading = found.read(*place, last.offset, min(last.offset + 1, bounds.stable))
        if [entry_of(record) async for records in reading for record in records] != [last]:
            raise OtherLog(
                f"{place.topic}[{place.partition}] does not hold the record at offset {last.offset} that "
                f"{self.folder.path} holds: that is no copy of this log"
            )

    async def batches(self, place: Place, begin: int, end: int) -> AsyncIterator[list[Record]]:
        """A partition's records from one offset to before another, in order; one segment is in memory.

        Raises `Damaged`, `FolderUnusable`.
        """
        for segment in self._segments(place):
            contents = segment.contents
            if contents.next_offset > begin and contents.start_offset < end:
                records = self._records(place, segment, begin, end)
                while batch := await asyncio.to_thread(list, itertools.islice(records, BATCH_RECORDS)):
                    yield batch

    def _records(self, place: Place, segment: Segment, begin: int, end: int) -> Iterator[Record]:
        """What a segment holds between two offsets; raises `Damaged` where it is not what it should be."""
        count = 0
        for entry in self.folder.each(segment):
            count += 1
            if begin <= entry.offset < end:
                timestamp, key, headers, value = entry.content
                yield HeldRecord(*place, entry.offset, timestamp, key, value, headers)
        if count != segment.contents.records:
            raise Damaged(
                f"{self.folder.path / segment.file} holds {count} records, the manifest says "
                f"{segment.contents.records}: see `lapstream log check {self.folder.path}`"
            )

    def _segments(self, place: Place) -> list[Segment]:
        return self._copy(place).segments

    def _copy(self, place: Place) -> PartitionCopy:
        copies = (copy for topic, copy in self.manifest.partitions() if topic == place.topic)
        empty = PartitionCopy(partition=place.partition, segments=[])
        return next((copy for copy in copies if copy.partition == place.partition), empty)


def beginning(folder: Path) -> Beginning:
    """The copy in a folder; raises `NoCopy`, `FolderUnusable`."""
    found = Folder(folder)
    return Beginning(found, found.manifest())
