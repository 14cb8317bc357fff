"""The check: a folder goes in, what is wrong with it comes out; with a broker also where topics differ."""

import asyncio
import hashlib
from pathlib import Path

import msgspec
from msgspec import Struct

from broker.clients import Bounds
from ops.log_copies.cluster import Cluster
from ops.log_copies.errors import Damaged, FolderUnusable, TopicGone
from ops.log_copies.exporting import Show
from ops.log_copies.folder import Folder
from ops.log_copies.form import Draft, entry_of
from ops.log_copies.manifest import Contents, Manifest, PartitionCopy, Segment

NOTHING = Bounds(0, 0, 0)
"""The bounds of a partition that is not there."""


class CopyProblem(Struct, frozen=True, kw_only=True):
    """Something that is not as it should be: in which file or partition, and what was found."""

    place: str
    found: str


class Checked(Struct, frozen=True, kw_only=True):
    """What a check found; `newer_offsets` is how many the topics hold beyond the copy."""

    manifest: Manifest
    problems: list[CopyProblem]
    newer_offsets: int | None = None


async def check_folder(path: Path, show: Show) -> Checked:
    """Hold a folder's files against its manifest; raises `NoCopy`, or `Damaged` where that was changed."""
    folder = Folder(path)
    manifest = folder.manifest()
    problems = [problem for _, copy in manifest.partitions() for problem in _joints(copy)]
    if manifest.finished_at:
        problems += [
            CopyProblem(place=file, found="the manifest does not name it")
            for file in folder.unnamed(manifest)
        ]
    done = 0
    for segment in manifest.segments:
        problems += await asyncio.to_thread(_segment_problems, folder, segment)
        done += segment.contents.records
        show(done, manifest.records)
    return Checked(manifest=manifest, problems=problems)


def _joints(copy: PartitionCopy) -> list[CopyProblem]:
    """Where a partition's segments do not follow each other."""
    return [
        CopyProblem(
            place=later.file,
            found=f"it begins at offset {later.contents.start_offset}, the one before it ends at "
            f"{earlier.contents.next_offset}",
        )
        for earlier, later in zip(copy.segments, copy.segments[1:], strict=False)
        if later.contents.start_offset != earlier.contents.next_offset
    ]


def _segment_problems(folder: Folder, segment: Segment) -> list[CopyProblem]:
    try:
        found = _contents(folder, segment)
    except (Damaged, FolderUnusable, msgspec.DecodeError, ValueError) as error:
        return [CopyProblem(place=segment.file, found=str(error))]
    return [
        CopyProblem(
            place=segment.file,
            found=f"{name} is {getattr(found, name)}, the manifest says {getattr(segment.contents, name)}",
        )
        for name in Contents.__struct_fields__
        if getattr(found, name) != getattr(segment.contents, name)
    ]


def _contents(folder: Folder, segment: Segment) -> Contents:
    """What is in a segment, read from its file."""
    draft = Draft(segment.contents.start_offset)
    for entry in folder.entries(segment):
        draft.add(entry, entry.content.timestamp)
    draft.pass_over(segment.contents.next_offset)
    return draft.contents()


async def check_topics(found: Cluster, prefix: str, manifest: Manifest, show: Show) -> Checked:
    """Hold the topics against a copy: by the digest over key, headers, value and time of every record.

    Offsets count where the topics are those that the copy was taken from; elsewhere the record's number does.
    """
    same = (await found.id(), prefix) == (manifest.cluster_id, manifest.topic_prefix)
    comparison = _Comparison(found, show, manifest.records, by_offset=same)
    for topic in manifest.topics:
        name = prefix + topic.name
        bounds = await found.bounds(name)
        for copy in topic.partitions:
            await comparison.partition(name, copy, bounds.pop(copy.partition, NOTHING))
        comparison.newer += sum(one.end - one.begin for one in bounds.values())
    return Checked(manifest=manifest, problems=comparison.problems, newer_offsets=comparison.newer)


class _Comparison:
    """Compares partitions with their copies."""

    def __init__(self, found: Cluster, show: Show, total: int, *, by_offset: bool) -> None:
        self.problems: list[CopyProblem] = []
        self.newer = 0
        self._found = found
        self._show = show
        self._total = total
        self._done = 0
        self._by_offset = by_offset

    async def partition(self, topic: str, copy: PartitionCopy, bounds: Bounds) -> None:
        """Compare a partition, segment by segment."""
        end = 0
        for segment in copy.segments:
            contents = segment.contents
            begin, end = end, end + contents.records
            if self._by_offset:
                begin, end = contents.start_offset, contents.next_offset
            if why := await self._difference(topic, copy.partition, range(begin, end), bounds, contents):
                place = f"{topic}[{copy.partition}] offsets {begin} to {end - 1}"
                self.problems.append(CopyProblem(place=place, found=f"{why} {segment.file}"))
            self._done += contents.records
            self._show(self._done, self._total)
        self.newer += max(0, bounds.end - max(end, bounds.begin))

    async def _difference(
        self, topic: str, partition: int, wanted: range, there: Bounds, contents: Contents
    ) -> str | None:
        """How a stretch of a partition differs from a segment; None where it does not."""
        if wanted.start < there.begin or wanted.stop > there.stable:
            return f"the topic holds offsets {there.begin} to {there.stable - 1} only; the rest is in"
        digest = hashlib.sha256()
        try:
            async for records in self._found.read(topic, partition, wanted.start, wanted.stop):
                for record in records:
                    digest.update(entry_of(record).data)
        except TopicGone as error:
            return f"{error}; they are in"
        return None if digest.hexdigest() == contents.content_sha256 else "other records lie there than in"
