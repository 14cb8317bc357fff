"""Any order, any number of times, the same tables: PostgreSQL against the model, with one writer and two."""

import asyncio
import itertools
import random
from collections.abc import AsyncGenerator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.clients import make_producer
from runtime.settings import Settings
from schemas.envelope import Context, Received, pack
from schemas.events import Event, Lap
from schemas.topics import LogTopic
from store.digest import TableDigest
from store.pool import Connection, Pool, open_pool
from tests.conftest import at, create_topics, working
from tests.events import detail_failed, fetched, laps, list_failed, listed, received, row
from tests.model.database import EVERYTHING, apply, apply_by_turns, digests, empty, tables
from tests.model.deliveries import Delivery, batches, deliveries, trying
from tests.model.histories import FIRST_MOMENT, HISTORIES, LAST_MOMENT
from tests.model.reference import expected

ROUNDS = 3
"""How many histories go through the broker."""

MANY = 30
"""How many events such a history has at least."""


@pytest.fixture
async def two(dsn: str) -> AsyncGenerator[Pool]:
    """Connections for two writers to one database."""
    pool = await open_pool(dsn, size=2)
    yield pool
    await pool.close()


async def written(connection: Connection, *deliveries: list[Received]) -> list[TableDigest]:
    """The digests that these batches leave in empty tables."""
    await empty(connection)
    await apply(connection, deliveries)
    return await digests(connection)


@pytest.mark.slow
@trying(250)
@given(deliveries())
async def test_any_order_any_repetition_and_any_batches_leave_what_the_laws_say(
    connection: Connection, delivery: Delivery
) -> None:
    await empty(connection)
    await apply(connection, delivery.batches)
    assert await tables(connection) == expected(delivery.events)
    assert await digests(connection) == await written(connection, delivery.events)


WRITERS = st.sampled_from(((0,), (1,), (0, 1)))


@st.composite
def shared_out(draw: st.DrawFn) -> tuple[list[Received], list[list[list[Received]]]]:
    """A history, and the batches of two writers who share its events out anyhow; some events both have."""
    events = draw(HISTORIES)
    halves: list[list[Received]] = [[], []]
    for event in events:
        for half in draw(WRITERS):
            halves[half].append(event)
    return events, [draw(batches(half)) for half in halves]


@trying(100)
@given(shared_out(), st.integers(0, 2**16))
async def test_two_writers_at_once_leave_what_one_leaves(
    two: Pool, shares: tuple[list[Received], list[list[list[Received]]]], seed: int
) -> None:
    events, parts = shares
    rng = random.Random(seed)
    async with two.acquire() as one, two.acquire() as other:
        await empty(one)
        await asyncio.gather(
            *(apply_by_turns(writer, part, rng) for writer, part in zip((one, other), parts, strict=True))
        )
        assert await tables(one) == expected(events)
        assert await digests(one) == await written(one, events)


LOG = (LogTopic("practice-days"), LogTopic("second"), LogTopic("third"))
"""Topics that speak for the same sources: by the authorities of the histories."""


async def published(settings: Settings, events: list[Received], rng: random.Random) -> None:
    """Publish events, each to its topic, onto a partition that has nothing to do with its day."""
    specs = {spec.name: spec for spec in settings.topics.specs()}
    producer = make_producer(settings.broker)
    await producer.start()
    for event in events:
        record = pack(event.written, Context(source="test"))
        spec = specs[settings.topics.event_log[-event.standing.authority]]
        partition = rng.randrange(spec.partitions)
        await (
            await producer.send(
                spec.name,
                key=record.key,
                value=record.value,
                headers=list(record.headers),
                partition=partition,
            )
        )
    await producer.stop()


async def records_read(connection: Connection) -> int:
    """How many records the group has gone through."""
    return int(await connection.fetchval("SELECT coalesce(sum(next_offset), 0) FROM positions"))


SEVERAL = st.lists(HISTORIES, min_size=8, max_size=12)


@st.composite
def long_histories(draw: st.DrawFn) -> list[Received]:
    """Several histories of the same days, each event under the id that its envelope will carry."""
    several = draw(SEVERAL)
    return [received(one.written, one.standing.authority) for history in several for one in history]


@trying(ROUNDS)
@given(long_histories().filter(lambda history: len(history) >= MANY), st.integers(0, 2**16))
async def test_days_spread_over_all_partitions_and_two_members_are_as_if_read_in_order(
    settings: Settings, pool: Pool, in_order: list[Received], seed: int
) -> None:
    """The rounds share the topics: the group goes on where the round before ended."""
    settings = at(settings, log_topics=LOG)
    await create_topics(settings)
    rng = random.Random(seed)
    sent = [*in_order, *in_order[::4]]
    rng.shuffle(sent)
    async with pool.acquire() as connection:
        await empty(connection)
        end = await records_read(connection) + len(sent)
        async with working(settings, "projector"):
            await published(settings, sent, rng)
            while await records_read(connection) < end:  # noqa: ASYNC110 - what is waited for lies in the database
                await asyncio.sleep(0.02)
        assert await tables(connection) == expected(in_order)
        assert await connection.fetchval("SELECT count(*) FROM parked_records") == 0
        assert await digests(connection) == await written(connection, *([one] for one in in_order))


async def assert_same_in_any_order(connection: Connection, *events: Event) -> None:
    """These events leave what the model says, and the same digests, in each order, one by one and at once."""
    records = [received(event) for event in events]
    found: list[list[TableDigest]] = []
    for order in itertools.permutations(records):
        found += [
            await written(connection, list(order)),
            await written(connection, *([one] for one in order)),
        ]
        assert await tables(connection) == expected(records)
    assert all(digests == found[0] for digests in found)


async def test_a_start_that_utc_has_no_moment_for_holds_up_no_list(connection: Connection) -> None:
    await assert_same_in_any_order(
        connection,
        listed(1, row("2"), time_zone="Australia/Sydney"),
        fetched(2, "1", start_time=FIRST_MOMENT, end_time=LAST_MOMENT),
        listed(3, row("3", start_time=LAST_MOMENT), time_zone="America/New_York", complete=False),
    )


async def test_laps_that_an_event_has_out_of_order_lie_on_the_shelf_by_number(connection: Connection) -> None:
    backwards = tuple(reversed(laps(3)))
    await assert_same_in_any_order(
        connection, listed(1, row("1")), fetched(2, "1", laps=backwards), listed(5)
    )


async def test_a_zero_with_a_sign_is_a_zero(connection: Connection) -> None:
    """Between 0.0 and -0.0 neither Python nor PostgreSQL sees a change to write."""
    signed = Lap(lap_number=1, lap_time_seconds=-0.0, segments=(-0.0,))
    plain = Lap(lap_number=1, lap_time_seconds=0.0, segments=(0.0,))
    await assert_same_in_any_order(
        connection,
        fetched(1, "1", fastest_lap=0.0, avg_top_5=0.0, laps=(plain,)),
        fetched(2, "1", fastest_lap=-0.0, avg_top_5=-0.0, laps=(signed,)),
        listed(3, row("1", average_lap=-0.0)),
    )


async def test_failed_pages_leave_no_row(connection: Connection) -> None:
    failed = [list_failed(9), detail_failed(9, "1")]
    await assert_same_in_any_order(connection, *failed)
    assert [one.rows for one in await digests(connection)] == [0] * len(EVERYTHING)
    await assert_same_in_any_order(connection, *failed, fetched(1, "1"))
