"""The archive of pages: an address goes in, the newest page that was fetched from it comes out of its topic.

With it a page is asked for only if it changed; what it says is then read from the archive again. Where the
archive can't give the page that its index names, the page is fetched as if there were none.

`read_pages` reads many pages at once, in the order of the log.
"""

import asyncio
import datetime as dt
import email.utils
from collections import deque
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from itertools import groupby

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError, OffsetOutOfRangeError

from broker.clients import CommittedConsumer, partitions_of
from producer.http import LONGEST_HEADER
from schemas.errors import LapstreamError
from schemas.headers import BadRecord
from schemas.pages import ArchivedPage, unpack_page
from schemas.records import Record
from store import pages
from store.faults import said_by
from store.pages import PageRow
from store.pool import Pool

READ_SECONDS = 5.0
"""How long the broker may take to give a page."""

GAP_RECORDS = 100
"""So many records that nobody wants are read over; more are passed by a seek, which costs a round trip."""

POLL_RECORDS = 100
POLL_MS = 500
SILENT_POLLS = 60
"""So often in a row the broker may give nothing where a record must be: half a minute."""

SETTLED = dt.timedelta(minutes=1)
"""So much older than its answer must a `Last-Modified` be: the page may change twice in its second."""

log = structlog.get_logger("lapstream.fetcher")

Found = tuple[PageRow, ArchivedPage | None]
"""A page that was looked for; None where it does not lie where the index says."""


class ArchiveBroken(LapstreamError):
    """The broker does not hand out the records that it says it has."""


class Archive:
    """Reads single pages from their topic; `consumer` is in no group, and started."""

    def __init__(self, pool: Pool, consumer: CommittedConsumer) -> None:
        self._pool = pool
        self._consumer = consumer
        self._reading = asyncio.Lock()

    async def newest(self, url: str) -> PageRow | None:
        """The newest page of an address, as the index has it."""
        async with self._pool.acquire() as connection:
            return await pages.newest(connection, url)

    async def read(self, row: PageRow) -> ArchivedPage | None:
        """The page itself; None where it does not lie there, or is another one than the index says."""
        try:
            async with self._reading, asyncio.timeout(READ_SECONDS):
                page = _page(await self._record(row))
        except (KafkaError, TimeoutError) as error:
            log.warning("page_not_in_archive", url=row.url, error=repr(error))
            return None
        if page is None or not _is_of(row, page):
            log.warning("page_not_in_archive", url=row.url, error="another record lies there")
            return None
        return page

    async def _record(self, row: PageRow) -> Record:
        place = TopicPartition(row.topic, row.partition)
        self._consumer.assign([place])
        self._consumer.seek(place, row.record_offset)
        try:
            return await self._consumer.getone(place)
        finally:
            self._consumer.pause(place)


async def read_pages(
    consumer: CommittedConsumer,
    rows: Iterable[PageRow],
) -> AsyncGenerator[Found]:
    """Each of these pages once, in the order of the log.

    `consumer` is in no group, started, and nobody else's meanwhile. Raises `ArchiveBroken` and KafkaError.
    """
    ordered = sorted(rows, key=lambda row: (row.topic, row.partition, row.record_offset))
    topics = {topic for topic in {row.topic for row in ordered} if await partitions_of(consumer, topic)}
    for place, group in groupby(ordered, lambda row: TopicPartition(row.topic, row.partition)):
        wanted = list(group)
        begin, end = await _bounds(consumer, place) if place.topic in topics else (0, 0)
        for row in wanted:
            if not begin <= row.record_offset < end:
                yield row, None
        there = [row for row in wanted if begin <= row.record_offset < end]
        async for found in _read_on(consumer, place, there, end):
            yield found


async def _bounds(consumer: CommittedConsumer, place: TopicPartition) -> tuple[int, int]:
    """The first offset that is there, and the one up to which records are handed out."""
    consumer.assign([place])
    begins, ends = await consumer.beginning_offsets([place]), await consumer.end_offsets([place])
    return begins[place], ends[place]


async def _read_on(
    consumer: CommittedConsumer,
    place: TopicPartition,
    wanted: Sequence[PageRow],
    end: int,
) -> AsyncGenerator[Found]:
    """The pages of one partition, whose offsets lie within its bounds."""
    left = deque(wanted)
    silent, at = 0, -GAP_RECORDS
    while left:
        if left[0].record_offset - at >= GAP_RECORDS:
            consumer.seek(place, left[0].record_offset)
            at = left[0].record_offset - 1
        records = await _poll(consumer, place)
        for record in records:
            at = record.offset
            while left and left[0].record_offset <= record.offset:
                row = left.popleft()
                yield row, _asked(row, record)
        if await consumer.position(place) >= end:
            while left:
                yield left.popleft(), None
        silent = 0 if records else silent + 1
        if silent > SILENT_POLLS:
            raise ArchiveBroken(
                f"{place.topic}[{place.partition}]: nothing came from offset {left[0].record_offset} on, "
                "though the log goes on. Is the broker well?"
            )


async def _poll(consumer: CommittedConsumer, place: TopicPartition) -> Sequence[Record]:
    try:
        polled = await consumer.getmany(place, timeout_ms=POLL_MS, max_records=POLL_RECORDS)
    except OffsetOutOfRangeError as error:
        raise ArchiveBroken(
            f"the log lost records while it was read ({said_by(error)}): run the command again"
        ) from error
    return polled.get(place, ())


def _asked(row: PageRow, record: Record) -> ArchivedPage | None:
    """The record's page, if it is the one that the index says."""
    page = _page(record) if record.offset == row.record_offset else None
    return page if page and _is_of(row, page) else None


def _is_of(row: PageRow, page: ArchivedPage) -> bool:
    return (page.url, page.sha256) == (row.url, row.sha256)


def validators(row: PageRow) -> Mapping[str, str]:
    """The headers that ask for a page only if it is another one now."""
    since = row.last_modified if row.last_modified and _is_settled(row.last_modified, row) else None
    given = {"If-None-Match": row.etag, "If-Modified-Since": since}
    return {name: value for name, value in given.items() if value and _can_be_sent(value)}


def _can_be_sent(value: str) -> bool:
    """Whether a request can carry what the site wrote: ASCII, and not cut short."""
    return value.isascii() and value.isprintable() and len(value) < LONGEST_HEADER


def _is_settled(last_modified: str, row: PageRow) -> bool:
    """Whether a change after the page was answered would show in its `Last-Modified`."""
    try:
        modified = email.utils.parsedate_to_datetime(last_modified)
        return row.observed_at - modified.replace(tzinfo=modified.tzinfo or dt.UTC) >= SETTLED
    except (ValueError, TypeError, OverflowError):
        return False


def _page(record: Record) -> ArchivedPage | None:
    try:
        return unpack_page(record.headers, record.value)
    except BadRecord:
        return None
