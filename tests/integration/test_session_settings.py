"""What a database sets for its sessions by default changes nothing of what Lapstream does."""

import asyncio
import contextlib
import datetime as dt
from collections.abc import AsyncGenerator
from typing import cast
from uuid import uuid4

import pytest

from bench.kills.hostile import HOSTILE, by_default
from consumers.practice_days import apply as project
from runtime import migrate
from runtime.database import connected
from runtime.settings import Settings
from sandbox.sample_site.generate import generate_day
from sandbox.sample_site.site import SampleSite
from schemas.envelope import Received
from store import built_in_types
from store.digest import READ_TABLES, TableDigest, digest
from store.pool import Connection, Pool, connect, open_pool
from store.session import Session
from tests import databases
from tests.conftest import DAY, TRACK, at, create_topics, working
from tests.events import fetched, listed, received, row
from tests.imports import import_day
from tests.integration.test_rebuild import rebuilt
from tests.members import until, waits_for_a_lock
from tests.model.database import digests, empty

HARMLESS = {
    "default_transaction_deferrable": "on",
    "plan_cache_mode": "force_generic_plan",
    "enable_indexscan": "off",
    "enable_hashjoin": "off",
    "jit_above_cost": "0",
    "client_min_messages": "debug1",
    "work_mem": "64kB",
    "track_activities": "off",
}
"""Settings that are left as they are: they may only make a statement slow, or the server talkative."""


@contextlib.asynccontextmanager
async def writers(dsn: str) -> AsyncGenerator[tuple[Pool, Connection, Connection]]:
    """Two connections, and a pool to watch them from."""
    pool = await open_pool(dsn, size=3)
    async with pool.acquire() as one, pool.acquire() as other:
        yield pool, one, other
    await pool.close()


async def left_by_two_writers(dsn: str) -> list[TableDigest]:
    """What two writers leave, of whom one waits for a day while the other writes its newest list.

    The waiting one holds older details of sessions that this list does not have.
    """
    gone = [received(fetched(2, str(number))) for number in range(2, 8)]
    async with writers(dsn) as (pool, one, other):
        await empty(one)
        await projected(one, [received(listed(1, row("1"))), received(fetched(3, "1"))])
        async with one.transaction():
            await project(one, [received(listed(9, row("1")))])
            waiting = asyncio.create_task(projected(other, gone))
            await until(lambda: waits_for_a_lock(pool))
        await waiting
        assert await one.fetchval("SELECT count(*) FROM races") == 1
        return await digests(one)


async def projected(connection: Connection, events: list[Received]) -> None:
    async with connection.transaction():
        await project(connection, events)


@pytest.mark.parametrize("setting", HOSTILE)
async def test_two_writers_leave_the_same_under_a_hostile_default(dsn: str, setting: str) -> None:
    undisturbed = await left_by_two_writers(dsn)
    await by_default(dsn, {setting: HOSTILE[setting]})
    assert await left_by_two_writers(dsn) == undisturbed


async def test_two_writers_leave_the_same_under_all_of_them(dsn: str) -> None:
    undisturbed = await left_by_two_writers(dsn)
    await by_default(dsn, HOSTILE | HARMLESS)
    assert await left_by_two_writers(dsn) == undisturbed


@pytest.fixture
async def hostile(settings: Settings, dsn: str) -> AsyncGenerator[Settings]:
    """Settings for a second database, whose defaults were hostile before its tables were made."""
    async with databases.made(dsn) as other:
        await by_default(other, HOSTILE | HARMLESS)
        await migrate.apply(other)
        hostile = at(settings, postgres_dsn=other, topic_prefix=f"{settings.topic_prefix}hostile-")
        await create_topics(hostile)
        yield hostile


async def imported(settings: Settings) -> list[TableDigest]:
    """What an import leaves in the tables that people read."""
    async with working(settings):
        await import_day(settings)
    async with connected(settings) as connection:
        return await digest(connection, READ_TABLES)


async def test_an_import_and_a_rebuild_are_the_same_in_a_hostile_database(
    settings: Settings, hostile: Settings, site: SampleSite
) -> None:
    site.put(generate_day(TRACK, DAY, seed=1, sessions=30, laps_per_session=5))
    assert await imported(hostile) == await imported(settings)
    assert (await rebuilt(hostile, "verify")).equal
    assert (await rebuilt(hostile, "swap")).equal
    assert (await rebuilt(hostile, "verify")).equal


# Every connection


async def wrong(connection: Connection) -> list[str]:
    """The settings that this connection has from the database."""
    rows = await connection.fetch(
        "SELECT name FROM pg_settings WHERE source = 'database' AND name = ANY ($1)", list(HOSTILE)
    )
    return [row["name"] for row in rows]


async def test_a_pooled_connection_keeps_its_settings_from_one_use_to_the_next(dsn: str) -> None:
    await by_default(dsn, HOSTILE)
    pool = await open_pool(dsn, size=1)
    for _ in range(2):
        async with pool.acquire() as connection:
            assert await wrong(connection) == []
    await pool.close()


async def test_a_single_connection_has_the_same_settings(dsn: str) -> None:
    await by_default(dsn, HOSTILE)
    connection = await connect(dsn)
    assert await wrong(connection) == []
    await connection.close()


async def test_a_commit_that_waits_for_replicas_still_does(dsn: str) -> None:
    await by_default(dsn, {"synchronous_commit": "remote_apply"})
    connection = await connect(dsn)
    assert await connection.fetchval("SHOW synchronous_commit") == "remote_apply"
    await connection.close()


# Types


@contextlib.asynccontextmanager
async def listened_to(dsn: str) -> AsyncGenerator[tuple[Connection, list[str]]]:
    """A session, and the statements that asyncpg sends in it."""
    sent: list[str] = []
    async with databases.administered(dsn) as session:
        with cast("Session", session).query_logger(lambda query: sent.append(query.query)):
            yield session, sent


async def test_a_built_in_type_is_asked_for_once(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(built_in_types, "_known", {})
    day, ids = dt.date(2025, 10, 25), [uuid4()]
    for asked in (True, False, False):
        async with listened_to(dsn) as (session, sent):
            assert await session.fetchval("SELECT $1::date[]", [day, None]) == [day, None]
            assert await session.fetchval("SELECT $1::uuid[]", ids) == ids
            assert await session.fetchval("SELECT $1::date[]", [[day], [day]]) == [[day], [day]]
            assert any("typeinfo_tree" in query for query in sent) == asked


async def test_a_type_of_the_databases_own_is_asked_for_in_each_session(dsn: str) -> None:
    async with listened_to(dsn) as (session, _):
        await session.execute("CREATE TYPE compound AS ENUM ('soft', 'hard')")
        await session.execute("CREATE TYPE stint AS (number integer, days date[])")
    for _ in range(2):
        async with listened_to(dsn) as (session, sent):
            assert await session.fetchval("SELECT $1::compound[]", ["soft"]) == ["soft"]
            stint = await session.fetchval("SELECT ROW (1, '{2025-10-25}')::stint")
            assert stint == (1, [dt.date(2025, 10, 25)])
            assert sum("typeinfo_tree" in query for query in sent) == 2
