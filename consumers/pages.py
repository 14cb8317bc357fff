"""The index of pages as a projection: records of the topic `pages` in, the places of pages out."""

from collections.abc import Iterable, Sequence

from consumers.projection import Projection
from schemas.pages import unpack_page
from schemas.records import Decoded, Record, read_each
from schemas.topics import Topics
from store import pages
from store.pages import PageRow
from store.pool import Connection


def decode_pages(records: Iterable[Record], topics: Topics) -> Decoded[PageRow]:  # noqa: ARG001 - as all are read
    """Read each record; what is no page of ours is ignored."""
    return read_each(records, _row)


def _row(record: Record) -> PageRow | None:
    page = unpack_page(record.headers, record.value)
    if page is None:
        return None
    return PageRow(
        page.url,
        page.observed_at,
        page.sha256,
        page.status,
        page.headers.get("etag"),
        page.headers.get("last-modified"),
        len(page.body),
        record.topic,
        record.partition,
        record.offset,
    )


async def apply_pages(connection: Connection, rows: Sequence[PageRow]) -> None:
    """Note the places of a batch of pages."""
    await pages.save(connection, rows)


PAGE_INDEX = Projection(
    name="page-index",
    schema="page_index",
    topics=lambda topics: (topics.pages,),
    decode=decode_pages,
    apply=apply_pages,
    gather_ms=500,
)
"""Where each fetched page lies in its topic."""
