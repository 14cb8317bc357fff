"""Runs that are followed: however many follow one, the database is asked by one of them."""

import asyncio
import contextlib
import datetime as dt
from collections.abc import AsyncGenerator

import pytest

from runs import changes as run_changes
from runs.day_watch import watching_days
from runs.following import DayName
from runs.run import Run
from runs.watch import CHANNEL, RunVanished, RunWatch, watching
from runtime.database import database
from runtime.settings import Settings
from store.pool import Connection, Pool
from tests.api import settings_of
from tests.integration.test_runs import request

VIEWERS = 20
SECONDS = 30.0


class Counting:
    """A pool that counts how often it was asked for a connection."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.count = 0

    @contextlib.asynccontextmanager
    async def acquire(self) -> AsyncGenerator[Connection]:
        self.count += 1
        async with self._pool.acquire() as connection:
            yield connection

    async def close(self) -> None:
        await self._pool.close()


@pytest.fixture
async def settings(dsn: str) -> Settings:
    return settings_of(dsn)


@pytest.fixture
async def counting(settings: Settings) -> AsyncGenerator[Counting]:
    async with database(settings, size=2) as pool:
        yield Counting(pool)


@pytest.fixture
async def run(connection: Connection) -> Run:
    return (await run_changes.request(connection, request()))[0]


async def the_end_of(watch: RunWatch, run: Run, seen: asyncio.Semaphore) -> list[str]:
    """The states of a run as somebody sees it who follows it to its end."""
    states = list[str]()
    async for found, _ in watch.updates(run.id):
        states.append(found.state)
        seen.release()
    return states


async def test_viewers_of_a_run_share_one_look(
    settings: Settings, counting: Counting, run: Run, connection: Connection
) -> None:
    seen = asyncio.Semaphore(0)
    async with asyncio.timeout(SECONDS), watching(settings.postgres_dsn, counting) as watch:
        viewers = [asyncio.create_task(the_end_of(watch, run, seen)) for _ in range(VIEWERS)]
        for _ in range(VIEWERS):
            await seen.acquire()
        assert counting.count <= 2  # the look that the first one began may be too old for the others
        for _ in range(100):
            watch.heard(str(run.id))
        await run_changes.cancel(connection, run.id)
        states = await asyncio.gather(*viewers)
    assert {states[-1] for states in states} == {"cancelled"}
    assert counting.count <= 2 + max(map(len, states))


async def test_who_comes_later_sees_what_happened_before(
    settings: Settings, counting: Counting, run: Run, connection: Connection
) -> None:
    async with asyncio.timeout(SECONDS), watching(settings.postgres_dsn, counting) as watch:
        viewer = asyncio.create_task(the_end_of(watch, run, asyncio.Semaphore(0)))
        await run_changes.cancel(connection, run.id)
        assert (await watch.ended(run.id, 0)).state == "cancelled"
        await viewer
        again = await run_changes.request(connection, request())
        assert (await watch.ended(again[0].id, 0)).state == "running"


async def test_a_wait_ends_with_the_time_or_the_run(
    settings: Settings, counting: Counting, run: Run, connection: Connection
) -> None:
    async with asyncio.timeout(SECONDS), watching(settings.postgres_dsn, counting) as watch:
        assert (await watch.ended(run.id, 0.01)).state == "running"
        waiting = asyncio.create_task(watch.ended(run.id, SECONDS))
        await run_changes.cancel(connection, run.id)
        await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, str(run.id))
        assert (await waiting).state == "cancelled"


async def test_a_run_that_is_gone_is_an_error_for_each_viewer(
    settings: Settings, counting: Counting, run: Run, connection: Connection
) -> None:
    seen = asyncio.Semaphore(0)
    async with asyncio.timeout(SECONDS), watching(settings.postgres_dsn, counting) as watch:
        viewers = [asyncio.create_task(the_end_of(watch, run, seen)) for _ in range(2)]
        for _ in viewers:
            await seen.acquire()
        await connection.execute("DELETE FROM ingest_runs")
        ends = await asyncio.gather(*viewers, return_exceptions=True)
    assert [type(end) for end in ends] == [RunVanished, RunVanished]


async def test_a_watch_that_closes_looks_no_more(settings: Settings, counting: Counting, run: Run) -> None:
    async with watching(settings.postgres_dsn, counting) as watch:
        updates = watch.updates(run.id)
        await anext(updates)
        looks = counting.count
    await asyncio.sleep(0)
    assert counting.count == looks
    await updates.aclose()


async def test_viewers_of_a_day_share_one_look(counting: Counting) -> None:
    day = DayName("liverc", "track", dt.date(2025, 10, 25))
    async with asyncio.timeout(SECONDS), watching_days(counting) as watch:
        viewers = [watch.updates(day) for _ in range(VIEWERS)]
        seen = await asyncio.gather(*(anext(viewer) for viewer in viewers))
        assert counting.count <= 2  # the look that the first one began may be too old for the others
        for viewer in viewers:
            await viewer.aclose()
    assert {one.followed for one in seen} == {None}
