"""Carrying over: positions, pages and parked records come to speak of the log that a copy was brought into.

In: a copy that was imported, its cluster, a database. It is done once for each import, in one transaction.
"""

from collections.abc import Iterator

from ops.log_copies import queries as log_copies
from ops.log_copies.cluster import event_log_topics
from ops.log_copies.errors import CannotTranslate
from ops.log_copies.manifest import Manifest, OffsetRun
from ops.log_copies.queries import Copied, LogReach, LogRun, OffsetTranslation, Translated
from schemas.topics import Topics
from store.pool import Connection


async def check_places(connection: Connection, topics: Topics, manifest: Manifest) -> None:
    """Raise `CannotTranslate` where the database's places are not of the log that a copy was taken from."""
    _check_prefix(topics.prefix, manifest)
    _check_log(await log_copies.newest(connection), manifest)


async def translate_offsets(
    connection: Connection, topics: Topics, manifest: Manifest, cluster_id: str
) -> Translated | None:
    """Carry the database's places over to the cluster that a copy was brought into; None where they are.

    Raises `CannotTranslate` as `check_places` does, or `PlacesInUse`.
    """
    _check_prefix(topics.prefix, manifest)
    to = OffsetTranslation(manifest.export_id, cluster_id)
    record = [spec.name for spec in event_log_topics(topics)]
    queues = [spec.name for spec in topics.specs() if spec.name not in record]
    async with connection.transaction():
        await log_copies.lock(connection)
        newest = await log_copies.newest(connection)
        if newest == to:
            return None
        _check_log(newest, manifest)
        imported = newest is not None and newest.export_id == manifest.export_id
        copied = Copied(_runs(manifest, imported=imported), _reaches(manifest, imported=imported))
        return await log_copies.carry(connection, to, copied, record, queues)


def _runs(manifest: Manifest, *, imported: bool) -> Iterator[LogRun]:
    """Where records lie in the log that the database speaks of, and in the new one.

    An `imported` log is one that the same copy was brought into before: it has no gaps either.
    """
    for topic, copy in manifest.partitions():
        for run in [OffsetRun(0, 0, copy.records)] if imported and copy.records else copy.runs():
            yield LogRun(topic, copy.partition, *run)


def _reaches(manifest: Manifest, *, imported: bool) -> Iterator[LogReach]:
    """From where to where the copy goes, in the log that the database speaks of."""
    for topic, copy in manifest.partitions():
        reach = (0, copy.records) if imported else (copy.start_offset, copy.next_offset)
        yield LogReach(topic, copy.partition, *reach)


def _check_prefix(prefix: str, manifest: Manifest) -> None:
    if prefix != manifest.topic_prefix:
        raise CannotTranslate(
            f"the copy was taken with the topic prefix {manifest.topic_prefix!r}, and these settings have "
            f"{prefix!r}: the offsets in the database can't be translated. Import under the same "
            "prefix, or with --no-translate-offsets"
        )


def _check_log(newest: OffsetTranslation | None, manifest: Manifest) -> None:
    if newest and newest.export_id != manifest.export_id and newest.cluster_id != manifest.cluster_id:
        raise CannotTranslate(
            f"the offsets in the database are those of cluster {newest.cluster_id}, the copy was taken from "
            f"cluster {manifest.cluster_id}: they can't be translated. Import a copy of that cluster's "
            "log, or import with --no-translate-offsets and rebuild the projections"
        )
