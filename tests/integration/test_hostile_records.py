"""Records with hostile headers and bodies: each projection parks them, and they cost no other record."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.pages import PAGE_INDEX
from consumers.projection import Projection
from lapstream.roles import run_projector
from ops.parked import queries as parked
from ops.parked.queries import Parked
from runs.run import Run
from runtime.database import database
from runtime.projections import PROJECTIONS
from runtime.settings import Settings
from schemas.cloudevents import STRUCTURED
from schemas.envelope import Context, Outgoing, pack
from schemas.headers import UNREADABLE
from schemas.pages import pack_page
from store import positions
from store.pool import Pool
from store.positions import Place
from tests.events import fetched, listed, row, seen
from tests.integration.test_runs import planned
from tests.members import until
from tests.model.deliveries import trying
from tests.raw_records import CODECS, ZSTD, RawRecord, batch, produce, raw

PARTITION = 1
CONTEXT = Context(source="test")


def page(number: int) -> Outgoing:
    """A page of an address of its own."""
    return pack_page(
        url=f"https://track.example/{number}",
        status=200,
        headers={"etag": f'"{number}"'},
        body=b"<html></html>",
        observed_at=seen(1),
        context=CONTEXT,
    )


GOOD = [pack(listed(1, row("1")), CONTEXT), pack(fetched(2, "1"), CONTEXT), page(1)]
"""A record of each kind that the topics hold."""

NAMES = [
    b"ce_specversion",
    b"ce_id",
    b"ce_type",
    b"ce_source",
    b"ce_time",
    b"ce_correlationid",
    b"ce_causationid",
    b"ce_subject",
    b"ce_httpstatus",
    b"ce_httpheaders",
    b"content-type",
    b"traceparent",
    UNREADABLE.encode(),
    b"",
]


class Long(bytes):
    """Bytes of which one is enough to see."""

    def __repr__(self) -> str:
        return f"{len(self)} times {bytes(self[:1])!r}"


HOSTILE = [
    None,
    b"",
    b"a\0b",
    b"\0",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"\xf0\x9f",
    Long(b"x" * 3_000),
    Long("é".encode() * 1_001),
    Long(b"x" * 30_000),
    b"00-" + b"f" * 32 + b"-" + b"f" * 16 + b"-01",
    STRUCTURED.encode(),
    b'{"etag":"\\ud800"}',
    b"practice_day.listed.v1",
    b"session_detail.fetched.v1",
    b"session_detail.fetched.v2",
    b"session_detail.fetched.v9",
    b"page.fetched.v1",
    b"infinity",
    b"0001-01-01T00:00:00Z",
    Long(b"{" * 5_000),
]

AS_IT_IS = b"as it is"

BODIES = [
    None,
    b"",
    b"{}",
    Long(b"[" * 50_000),
    b'{"specversion":"1.0","id":"a\\u0000b","type":"t","source":"s","data":{}}',
    b'{"specversion":"1.0","id":"\\ud800","type":"t","source":"s","data":{}}',
    Long(b"\xff" * 100),
]


def hostile_records(run: Run, request_id: str) -> st.SearchStrategy[RawRecord]:
    """Records of our own types, mostly of this run, whose headers and body somebody has had his way with."""
    run_id = str(run.id).encode()
    names = st.sampled_from(NAMES) | st.binary(max_size=8)
    values = st.sampled_from([*HOSTILE, run_id, request_id.encode()]) | st.binary(max_size=8)
    headers = st.lists(st.tuples(names, values), max_size=4)

    def of(
        good: Outgoing, cause: bytes | None, more: list[tuple[bytes, bytes | None]], body: bytes | None
    ) -> RawRecord:
        record = raw(good, (b"ce_correlationid", run_id), (b"ce_causationid", cause), *more)
        return record if body == AS_IT_IS else record._replace(value=body)

    bodies = st.sampled_from(BODIES) | st.just(AS_IT_IS)
    return st.builds(of, st.sampled_from(GOOD), values, headers, bodies)


class Groups:
    """The groups of all projections at work on topics of a test's own."""

    def __init__(self, settings: Settings, pools: dict[str, Pool], work: asyncio.Task[None]) -> None:
        self.settings = settings
        self._pools = pools
        self._work = work

    async def take(self, data: bytes, count: int) -> int:
        """Append a batch to the topics, and return its first offset when each group has gone through it."""
        topics = self.settings.topics
        for topic in (topics.days, topics.pages):
            first = await produce(self.settings.kafka_bootstrap, topic, data, PARTITION)
        await until(lambda: self._are_at(first + count))
        return first

    async def _are_at(self, offset: int) -> bool:
        assert not self._work.done(), self._work.exception()
        return all([await self._stands_at(one) == offset for one in PROJECTIONS])

    async def _stands_at(self, projection: Projection[Any]) -> int | None:
        place = Place(projection.topics(self.settings.topics)[0], PARTITION)
        async with self._pools[projection.name].acquire() as connection:
            group = projection.group(self.settings.topic_prefix)
            return (await positions.read(connection, group)).get(place)

    async def parked(self, projection: Projection[Any], offset: int) -> Parked | None:
        """What a group has parked at an offset."""
        topic = projection.topics(self.settings.topics)[0]
        group = projection.group(self.settings.topic_prefix)
        async with self._pools[projection.name].acquire() as connection:
            found = await parked.read(connection, [parked.Key(group, topic, PARTITION, offset)])
        return found[0] if found else None


@pytest.fixture
async def groups(settings: Settings) -> AsyncGenerator[Groups]:
    """All projections at work."""
    stop = asyncio.Event()
    async with contextlib.AsyncExitStack() as stack:
        pools = {
            one.name: await stack.enter_async_context(database(settings, size=1, schema=one.schema))
            for one in PROJECTIONS
        }
        work = asyncio.create_task(run_projector(settings, stop))
        yield Groups(settings, pools, work)
        stop.set()
        await work


@pytest.fixture
async def run(pool: Pool) -> Run:
    """A run whose sessions are waited for."""
    async with pool.acquire() as connection:
        return await planned(connection)


@pytest.fixture
async def request_id(pool: Pool, run: Run) -> str:
    """The id of a request of the run."""
    async with pool.acquire() as connection:
        return await connection.fetchval(
            "SELECT request_id FROM ingest_run_sessions WHERE run_id = $1 AND session_id = '2'", run.id
        )


@trying(15)
@given(st.data(), st.sampled_from(CODECS))
async def test_nothing_in_a_record_fails_the_batch_that_parks_it(
    groups: Groups, run: Run, request_id: str, data: st.DataObject, packed_by: int
) -> None:
    """Good records before, between and behind hostile ones are applied; no group stops."""
    hostile = data.draw(st.lists(hostile_records(run, request_id), min_size=5, max_size=30))
    records = [raw(page(0)), *hostile, raw(GOOD[0]), raw(page(2))]
    await groups.take(batch(records, packed_by), len(records))


async def test_a_header_whose_name_is_not_utf_8_makes_its_record_unreadable(groups: Groups) -> None:
    """The groups go past it; its bytes are kept; the records before and behind it are applied.

    Pages among events, and events among pages, are parked, too.
    """
    bad = [raw(one, (b"\xff\xfe", b"x")) for one in GOOD]
    records = [raw(GOOD[0]), *bad, raw(GOOD[1]), raw(page(2))]
    is_page = {0: False, len(bad) + 1: False, len(bad) + 2: True}
    first = await groups.take(batch(records, ZSTD), len(records))
    for projection in PROJECTIONS:
        for number, sent in enumerate(bad, start=1):
            found = await groups.parked(projection, first + number)
            assert found
            assert (found.code, found.key, found.value) == ("unreadable", sent.key, sent.value)
            assert found.reason == r"the name of a header is not UTF-8: b'\xff\xfe'"
            assert dict(found.headers)["%FF%FE"] == b"x"
        for number, of_pages in is_page.items():
            found = await groups.parked(projection, first + number)
            belongs = of_pages == (projection is PAGE_INDEX)
            assert (found and found.code) == (None if belongs else "unknown_version")
