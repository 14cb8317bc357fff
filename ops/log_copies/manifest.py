"""The manifest of a copy: which topics, which partitions, which files, and what is in each.

It is the file `manifest.json` of the folder, and is written whole or not at all. Nothing in the folder counts
that it does not name.
"""

import datetime as dt
import hashlib
from collections.abc import Iterator
from typing import Annotated, NamedTuple
from uuid import UUID, uuid4

import msgspec
from msgspec import Meta, Struct

FORMAT = "lapstream-log/1"

Count = Annotated[int, Meta(ge=0)]
SegmentBytes = Annotated[int, Meta(ge=0, le=2**31)]
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
SegmentFile = Annotated[str, Meta(pattern=r"^[a-z][a-z-]*/[0-9]+/[0-9]{20}[.]zst\Z")]


class Gap(NamedTuple):
    """Offsets at which no record lies: the first of them, and how many."""

    first: Count
    offsets: Count


class OffsetRun(NamedTuple):
    """Records whose offsets follow each other, in the old log and in the new one."""

    old_first: int
    new_first: int
    records: int


class Contents(Struct, frozen=True, kw_only=True):
    """What is in a segment: all that lies in its partition from `start_offset` to before `next_offset`.

    `bytes` is its size before compression; timestamps are in milliseconds since 1970, null where no record
    has one. `content_sha256` is taken over the records' contents without their offsets, one after another.
    """

    start_offset: Count
    next_offset: Count
    records: Count
    bytes: SegmentBytes
    earliest_timestamp: int | None
    latest_timestamp: int | None
    content_sha256: Sha256
    gaps: list[Gap]


class Segment(Struct, frozen=True, kw_only=True):
    """A file of the folder; `sha256` and `file_bytes` are of the file as it lies there."""

    file: SegmentFile
    file_bytes: Count
    sha256: Sha256
    contents: Contents


class PartitionCopy(Struct, kw_only=True):
    """A partition's segments, in their order."""

    partition: Count
    segments: list[Segment]

    @property
    def records(self) -> int:
        """How many records they hold."""
        return sum(segment.contents.records for segment in self.segments)

    @property
    def start_offset(self) -> int:
        """Where they begin."""
        return self.segments[0].contents.start_offset if self.segments else 0

    @property
    def next_offset(self) -> int:
        """Up to where they go: nothing that was committed before is missing."""
        return self.segments[-1].contents.next_offset if self.segments else 0

    def runs(self) -> Iterator[OffsetRun]:
        """Where its records lie in a log that holds them without gaps, from offset 0 on."""
        new = 0
        for segment in self.segments:
            for first, count in _stretches(segment.contents):
                yield OffsetRun(first, new, count)
                new += count


def _stretches(contents: Contents) -> Iterator[tuple[int, int]]:
    """The stretches of offsets between a segment's gaps: the first offset, and how many."""
    at = contents.start_offset
    for first, offsets in (*contents.gaps, Gap(contents.next_offset, 0)):
        if first > at:
            yield at, first - at
        at = first + offsets


class TopicCopy(Struct, kw_only=True):
    """A topic's partitions; `name` is without the configured prefix."""

    name: str
    partitions: list[PartitionCopy]


class Manifest(Struct, kw_only=True):
    """A copy of the event log: of which cluster, with which tool, and all of its files.

    `finished_at` is null while an export is under way, and where it was ended before its time. `sha256` is
    that of the manifest itself, as JSON without white space, with an empty `sha256`.
    """

    format: str
    export_id: UUID
    tool: str
    cluster_id: str
    topic_prefix: str
    began_at: dt.datetime
    finished_at: dt.datetime | None
    topics: list[TopicCopy]
    sha256: str = ""

    @property
    def digest(self) -> str:
        """What `sha256` is to be."""
        return hashlib.sha256(msgspec.json.encode(msgspec.structs.replace(self, sha256=""))).hexdigest()

    def partitions(self) -> Iterator[tuple[str, PartitionCopy]]:
        """Every partition, with its topic's name in the cluster that it was taken from."""
        for topic in self.topics:
            for partition in topic.partitions:
                yield self.topic_prefix + topic.name, partition

    def copy_of(self, name: str, partition: int) -> PartitionCopy:
        """The copy of a partition, which is made where it is missing; `name` is without prefix."""
        topic = next((one for one in self.topics if one.name == name), None)
        if topic is None:
            topic = TopicCopy(name=name, partitions=[])
            self.topics.append(topic)
        copy = next((one for one in topic.partitions if one.partition == partition), None)
        if copy is None:
            copy = PartitionCopy(partition=partition, segments=[])
            topic.partitions.append(copy)
        return copy

    @property
    def records(self) -> int:
        """How many records the copy holds."""
        return sum(partition.records for _, partition in self.partitions())

    @property
    def segments(self) -> list[Segment]:
        """All of its files."""
        return [segment for _, partition in self.partitions() for segment in partition.segments]


def new_manifest(tool: str, cluster_id: str, topic_prefix: str) -> Manifest:
    """The manifest of a new folder."""
    return Manifest(
        format=FORMAT,
        export_id=uuid4(),
        tool=tool,
        cluster_id=cluster_id,
        topic_prefix=topic_prefix,
        began_at=dt.datetime.now(dt.UTC),
        finished_at=None,
        topics=[],
    )
