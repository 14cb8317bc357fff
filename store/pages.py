"""The index of pages: where each fetched page lies in its topic; written in the schema `page_index`."""

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

from store.pool import Connection
from store.statements import statements_of

statement = statements_of(__file__)


class PageRow(NamedTuple):
    """A fetched page: what it can be asked for again with, and the place of its record."""

    url: str
    observed_at: dt.datetime
    sha256: str
    status: int
    etag: str | None
    last_modified: str | None
    body_bytes: int
    topic: str
    partition: int
    record_offset: int


async def save(connection: Connection, rows: Sequence[PageRow]) -> None:
    """Note where pages lie; once noted, a page stays where it was first."""
    if rows:
        await connection.execute(statement("save_pages"), *zip(*rows, strict=True))


async def newest(connection: Connection, url: str) -> PageRow | None:
    """The newest page that was fetched from an address."""
    row = await connection.fetchrow(statement("newest_page"), url)
    return PageRow(*row) if row else None
