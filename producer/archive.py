"""The archive of pages: an address goes in, the newest page that was fetched from it comes out of its topic.

With it a page is asked for only if it changed; what it says is then read from the archive again. Where the
archive can't give the page that its index names, the page is fetched as if there were none.
"""

import asyncio
import datetime as dt
import email.utils
from collections.abc import Mapping
from typing import Any

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from schemas.envelope import BadRecord
from schemas.pages import ArchivedPage, unpack_page
from schemas.records import Record
from store import pages
from store.pages import PageRow
from store.pool import Pool

READ_SECONDS = 5.0
"""How long the broker may take to give a page."""

SETTLED = dt.timedelta(minutes=1)
"""So much older than its answer must a `Last-Modified` be: the page may change twice in its second."""

log = structlog.get_logger("lapstream.fetcher")


class Archive:
    """Reads single pages from their topic; `consumer` is in no group, and started."""

    def __init__(self, pool: Pool, consumer: Any) -> None:  # noqa: ANN401 - aiokafka is untyped
        self._pool = pool
        self._consumer = consumer
        self._reading = asyncio.Lock()

    async def newest(self, url: str) -> PageRow | None:
        """The newest page of an address, if the site gave something to ask for it again with."""
        async with self._pool.acquire() as connection:
            found = await pages.newest(connection, url)
        return found if found and validators(found) else None

    async def read(self, row: PageRow) -> ArchivedPage | None:
        """The page itself; None where it does not lie there, or is another one than the index says."""
        try:
            async with self._reading, asyncio.timeout(READ_SECONDS):
                page = _page(await self._record(row))
        except (KafkaError, TimeoutError) as error:
            log.warning("page_not_in_archive", url=row.url, error=repr(error))
            return None
        if page is None or (page.url, page.sha256) != (row.url, row.sha256):
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


def validators(row: PageRow) -> Mapping[str, str]:
    """The headers that ask for a page only if it is another one now."""
    since = row.last_modified if row.last_modified and _is_settled(row.last_modified, row) else None
    given = {"If-None-Match": row.etag, "If-Modified-Since": since}
    return {name: value for name, value in given.items() if value}


def _is_settled(last_modified: str, row: PageRow) -> bool:
    """Whether a change after the page was answered would show in its `Last-Modified`."""
    try:
        modified = email.utils.parsedate_to_datetime(last_modified)
    except ValueError:
        return False
    return row.observed_at - modified.replace(tzinfo=modified.tzinfo or dt.UTC) >= SETTLED


def _page(record: Record) -> ArchivedPage | None:
    try:
        return unpack_page(record.headers, record.value)
    except BadRecord:
        return None
