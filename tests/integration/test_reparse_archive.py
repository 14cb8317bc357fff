"""Many archived pages in one go: in the order of the log, over gaps, and what is not there said."""

import datetime as dt
import hashlib

import pytest

from broker.clients import make_producer
from ops.rebuild.log import reading
from producer import archive
from producer.archive import Found, read_pages
from runtime.settings import Settings
from schemas.envelope import Context
from schemas.pages import pack_page
from store.pages import PageRow
from tests.topics import lose

PAGES = 30
BODY = b"<html>%d</html>"
SEEN_AT = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


async def put_pages(settings: Settings, partition: int) -> None:
    """Put pages with their numbers as their bodies onto a partition."""
    producer = make_producer(settings.broker)
    await producer.start()
    for number in range(PAGES):
        record = pack_page(
            url=url(number),
            status=200,
            headers={},
            body=BODY % number,
            observed_at=SEEN_AT,
            context=Context(source="test"),
        )
        await producer.send(
            settings.topics.pages,
            key=record.key,
            value=record.value,
            headers=list(record.headers),
            partition=partition,
        )
    await producer.stop()


def url(number: int) -> str:
    return f"https://track.liverc.com/practice/?p=view_session&id={number}"


def row(settings: Settings, number: int, partition: int = 0, *, offset: int | None = None) -> PageRow:
    sha256 = hashlib.sha256(BODY % number).hexdigest()
    place = (settings.topics.pages, partition, number if offset is None else offset)
    return PageRow(url(number), SEEN_AT, sha256, 200, None, None, 20, *place)


async def read(settings: Settings, *rows: PageRow) -> list[Found]:
    async with reading(settings.broker) as consumer:
        return [found async for found in read_pages(consumer, rows)]


@pytest.mark.parametrize("gap", [1, 5, 1_000])
async def test_pages_come_in_the_order_of_the_log_whether_gaps_are_read_or_passed(
    settings: Settings, gap: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "GAP_RECORDS", gap)
    monkeypatch.setattr(archive, "POLL_RECORDS", 3)
    await put_pages(settings, 0)
    await put_pages(settings, 2)
    wanted = [row(settings, number, partition) for partition in (2, 0) for number in (29, 0, 13, 14, 22)]
    found = await read(settings, *wanted)
    assert [one for one, _ in found] == sorted(wanted, key=lambda one: (one.partition, one.record_offset))
    assert [page.body for _, page in found if page] == [BODY % number for number in (0, 13, 14, 22, 29)] * 2


async def test_what_does_not_lie_there_is_said_and_the_others_come(settings: Settings) -> None:
    await put_pages(settings, 0)
    there = row(settings, 7)
    another = row(settings, 8, offset=7)
    beyond = row(settings, 9, offset=PAGES)
    elsewhere = row(settings, 10)._replace(topic="no-such-topic")
    other_bytes = row(settings, 11)._replace(sha256="0" * 64)
    found = dict(await read(settings, beyond, there, another, elsewhere, other_bytes))
    assert {one for one, page in found.items() if page} == {there}
    assert set(found) == {there, another, beyond, elsewhere, other_bytes}


async def test_two_rows_of_one_place_are_both_answered(settings: Settings) -> None:
    await put_pages(settings, 0)
    first, second = row(settings, 3), row(settings, 3)._replace(observed_at=SEEN_AT + dt.timedelta(days=1))
    found = await read(settings, first, second)
    assert [page is not None for _, page in found] == [True, True]


async def test_no_rows_are_no_pages(settings: Settings) -> None:
    assert await read(settings) == []


async def test_records_whose_beginning_is_gone_are_said_to_be_missing(settings: Settings) -> None:
    await put_pages(settings, 0)
    await lose(settings, 10, topic=settings.topics.pages, partition=0)
    found = await read(settings, *(row(settings, number) for number in (2, 9, 10)))
    assert [(one.record_offset, page is not None) for one, page in found] == [
        (2, False),
        (9, False),
        (10, True),
    ]
