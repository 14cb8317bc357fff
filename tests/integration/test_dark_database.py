"""Connections to the database that die without a word: work goes on, and ends when it is told to."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Awaitable, Generator

import pytest

from bench.kills.roads import Dark, Proxy, before
from store import session
from store.notifications import listening
from store.pool import TRANSIENT, Pool, connect, open_pool
from store.session import statement
from tests.dark import shorten

SOON = 10.0
"""Much longer than the shortened time-outs together, much shorter than the real ones."""


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time-outs that a test can wait for."""
    shorten(monkeypatch)


@pytest.fixture(params=["stops reading", "swallows"])
def dark(request: pytest.FixtureRequest) -> Dark:
    return request.param


@pytest.fixture
async def road(dsn: str, quick: None) -> AsyncGenerator[tuple[Proxy, Pool]]:
    """A pool whose connections go through a proxy."""
    async with before(dsn) as (road, through):
        found = await open_pool(through, size=3)
        yield road, found
        await found.close()


@contextlib.contextmanager
def soon() -> Generator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < SOON


async def fails(work: Awaitable[object]) -> None:
    """The work ends soon, with an error of the moment."""
    with soon(), pytest.raises(TRANSIENT):
        await work


async def ask(pool: Pool, query: str = "SELECT 1") -> int:
    async with pool.acquire() as connection:
        return await connection.fetchval(query)


async def use_all(pool: Pool) -> None:
    """Open every connection of a pool."""
    async with pool.acquire() as one, pool.acquire() as two, pool.acquire() as three:
        for connection in (one, two, three):
            await connection.fetchval("SELECT 1")


# A statement, and what follows it


async def test_a_connection_that_died_idle_fails_one_statement_and_all_others_are_replaced(
    road: tuple[Proxy, Pool], dark: Dark
) -> None:
    way, pool = road
    await use_all(pool)
    way.cut(dark)
    await fails(ask(pool))
    for _ in range(3):
        assert await ask(pool) == 1


async def test_a_statement_whose_connection_dies_under_it_fails_once_the_server_is_done(
    road: tuple[Proxy, Pool], dark: Dark
) -> None:
    way, pool = road
    asking = asyncio.create_task(ask(pool, "SELECT pg_sleep(1)::text"))
    await begun(pool, "pg_sleep")
    way.cut(dark)
    await fails(asking)
    assert await ask(pool) == 1


async def begun(pool: Pool, text: str) -> None:
    """Return when another connection's statement is at work."""
    query = f"""
        SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND state = 'active' AND query ~ '{text}'
    """
    async with asyncio.timeout(SOON):
        while await ask(pool, query) < 2:  # noqa: ASYNC110 - what is waited for lies in the database
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("last", ["UPDATE", "COMMIT", "ROLLBACK"])
async def test_a_transaction_whose_connection_dies_ends_with_its_next_statement(
    road: tuple[Proxy, Pool], dark: Dark, last: str
) -> None:
    way, pool = road

    async def write() -> None:
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute("INSERT INTO sites (site, next_request_at) VALUES ('a', now())")
            way.cut(dark)
            if last == "UPDATE":
                await connection.execute("UPDATE sites SET paused = true")
            if last == "ROLLBACK":
                raise OSError("a fault of the moment")

    await fails(write())
    assert await ask(pool, "SELECT count(*) FROM sites WHERE paused") == 0


@pytest.mark.parametrize("rows", [1, 200_000])
async def test_a_copy_whose_connection_dies_fails_however_much_is_left_to_send(
    road: tuple[Proxy, Pool], dark: Dark, rows: int
) -> None:
    way, pool = road
    values = ((number, "x" * 100) for number in range(rows))

    async def copy() -> None:
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute("CREATE TEMPORARY TABLE copied (number integer, text text)")
            way.cut(dark)
            await connection.copy_records_to_table("copied", records=values, columns=("number", "text"))

    await fails(copy())
    assert await ask(pool) == 1


async def test_what_is_done_stays_done_where_the_connection_dies_before_it_is_given_back(
    road: tuple[Proxy, Pool], dark: Dark
) -> None:
    way, pool = road
    with soon():
        async with pool.acquire() as connection:
            await connection.execute("INSERT INTO sites (site, next_request_at) VALUES ('a', now())")
            way.cut(dark)
        assert await ask(pool, "SELECT count(*) FROM sites") == 1


# What takes its time is not dead


async def test_a_statement_may_take_as_long_as_the_server_works_at_it(road: tuple[Proxy, Pool]) -> None:
    _, pool = road
    async with pool.acquire() as holder, holder.transaction():
        await holder.execute("LOCK TABLE sites")
        waiting = asyncio.create_task(ask(pool, "SELECT count(*) FROM sites"))
        assert await ask(pool, "SELECT pg_sleep(2)::text") == ""
    assert await waiting == 0


async def test_a_server_that_is_there_and_does_not_say_is_waited_for(
    road: tuple[Proxy, Pool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As behind a pooler all of whose connections are in use: it lets in, and no statement gets through."""

    def unanswered(name: str) -> str:
        return "SELECT pg_sleep(10) IS NULL, $1::int" if name == "is_session_at_work" else statement(name)

    monkeypatch.setattr(session, "statement", unanswered)
    assert await ask(road[1], "SELECT pg_sleep(2)::text") == ""


async def test_rows_may_take_as_long_as_they_come_and_go(dsn: str, quick: None) -> None:
    async with before(dsn, chunk_seconds=0.05) as (_, through):
        pool = await open_pool(through, size=1)
        began = time.monotonic()
        async with pool.acquire() as connection:
            await connection.execute("CREATE TEMPORARY TABLE copied (number integer, text text)")
            values = ((number, "x" * 1_000) for number in range(3_000))
            await connection.copy_records_to_table("copied", records=values, columns=("number", "text"))
            assert len(await connection.fetch("SELECT number, text FROM copied")) == 3_000
        assert time.monotonic() - began > 3
        await pool.close()


# Everything is dark


async def test_opening_ends_where_nothing_answers(dsn: str, quick: None, dark: Dark) -> None:
    async with before(dsn) as (way, through):
        way.go_dark(dark)
        await fails(open_pool(through, size=1))
        await fails(connect(through))


async def test_a_pool_works_again_when_the_road_is_back(road: tuple[Proxy, Pool], dark: Dark) -> None:
    way, pool = road
    await use_all(pool)
    way.go_dark(dark)
    await asyncio.gather(*(fails(ask(pool)) for _ in range(3)))
    way.come_back()
    with soon():
        assert await ask(pool) == 1


async def test_closing_ends_while_statements_wait(dsn: str, quick: None, dark: Dark) -> None:
    async with before(dsn) as (way, through):
        pool, single = await open_pool(through, size=3), await connect(through)
        await use_all(pool)
        way.go_dark(dark)
        asking = [asyncio.create_task(ask(pool)) for _ in range(2)]
        await asyncio.sleep(0)
        with soon():
            await pool.close()
            await single.close()
        for one in asking:
            await fails(one)


@pytest.mark.parametrize("within", ["a transaction", "nothing"])
async def test_what_is_cancelled_in_the_dark_ends_as_cancelled(
    road: tuple[Proxy, Pool], dark: Dark, within: str
) -> None:
    way, pool = road

    async def work() -> None:
        async with pool.acquire() as connection, contextlib.AsyncExitStack() as stack:
            if within == "a transaction":
                await stack.enter_async_context(connection.transaction())
            await connection.fetchval("SELECT 1")
            way.go_dark(dark)
            await connection.fetchval("SELECT 1")

    with soon(), pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await work()
    way.come_back()
    working = asyncio.create_task(work())
    await asyncio.sleep(0.2)
    working.cancel()
    with soon(), pytest.raises(asyncio.CancelledError):
        await working


# Listening


async def test_a_listener_hears_again_after_its_connection_died(dsn: str, quick: None, dark: Dark) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()
    speaker = await connect(dsn)
    async with before(dsn) as (way, through), listening(through, "channel", heard.put_nowait):
        await speaker.execute("NOTIFY channel, 'before'")
        assert await heard.get() == "before"
        way.cut(dark)
        with soon():
            while heard.empty():
                await speaker.execute("NOTIFY channel, 'after'")
                await asyncio.sleep(0.05)
    await speaker.close()
