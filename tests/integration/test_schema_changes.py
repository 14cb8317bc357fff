"""The database's schema changes under roles that are at work, or one release older: they go on."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable

import asyncpg
import httpx
import pytest

from consumers.live import PRACTICE_DAYS
from ops.imports.follow import ImportSummary
from ops.rebuild import states
from runtime.settings import Settings
from sandbox.sample_site.generate import generate_day
from sandbox.sample_site.site import SampleSite
from sandbox.sample_site.site import Settings as SiteSettings
from schemas.scopes import Scope
from store.pool import Connection, Pool
from tests.api import asking, data_of
from tests.conftest import DAY, TRACK, at, working
from tests.imports import import_day
from tests.processes import until

SESSIONS = 12

TABLES = """
    SELECT n.nspname || '.' || c.relname AS name,
        array_agg(format('ALTER COLUMN %I TYPE timestamptz(6)', a.attname))
            FILTER (WHERE a.atttypid = 'timestamptz'::regtype) AS retyped
    FROM pg_class AS c
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_attribute AS a ON a.attrelid = c.oid
    WHERE c.relkind = 'r' AND a.attnum > 0 AND n.nspname = ANY ($1)
    GROUP BY n.nspname, c.relname ORDER BY 1
"""
COLUMNS = "ADD COLUMN later text, ADD COLUMN counted int NOT NULL DEFAULT 0"
SCHEMAS = ["lapstream", "practice_days", "track_records", "page_index"]

Change = Callable[[Connection], Awaitable[None]]


async def expand(connection: Connection) -> None:
    """Add columns to every table, as a newer release's migration may."""
    for table in await connection.fetch(TABLES, SCHEMAS):
        await altered(connection, table["name"], COLUMNS)


async def retype(connection: Connection) -> None:
    """Change a type in every table that has moments: what a statement returns changes under its plan."""
    for table in await connection.fetch(TABLES, SCHEMAS):
        if table["retyped"]:
            await altered(connection, table["name"], ", ".join(table["retyped"]))


async def altered(connection: Connection, table: str, changes: str) -> None:
    """Alter a table as a migration does: not waiting for long, so that nobody queues behind it."""
    while True:
        with contextlib.suppress(asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
            async with connection.transaction():
                await connection.execute("SET LOCAL lock_timeout = '100ms'")
                await connection.execute(f"ALTER TABLE {table} {changes}")
            return


@pytest.fixture
async def busy(settings: Settings, site: SampleSite) -> AsyncGenerator[httpx.AsyncClient]:
    """A client of an API beside which all roles are at work; each has run its statements once."""
    site.put(generate_day(TRACK, DAY, seed=1, sessions=SESSIONS, laps_per_session=3))
    async with working(settings), asking(at(settings, api_port=0), Scope.ingest) as client:
        await imported(settings)
        await read(client)
        yield client


async def imported(settings: Settings) -> ImportSummary:
    summary = await import_day(settings)
    assert summary.status == "completed"
    assert summary.sessions_with_laps == SESSIONS
    return summary


async def read(api: httpx.AsyncClient) -> list[object]:
    """What the API says of everything that was imported."""
    day = data_of(await api.get(f"/practice-days/{TRACK}/{DAY}"))
    session = data_of(await api.get(f"/sessions/{day['sessions'][0]['id']}"))
    paths = [
        "/tracks",
        f"/tracks/{TRACK}/records",
        f"/drivers/{session['driver_id']}",
        "/ingest-runs",
        f"/provenance/races?key={session['id']}",
    ]
    return [day, session, *[data_of(await api.get(path)) for path in paths]]


@pytest.mark.parametrize("change", [expand, retype])
async def test_roles_go_on_when_every_table_changes_under_an_import(
    settings: Settings, site: SampleSite, pool: Pool, busy: httpx.AsyncClient, change: Change
) -> None:
    seen = site.ledger.count("session")
    site.settings = SiteSettings(latency_seconds=0.1)
    importing = asyncio.create_task(imported(settings))
    await until(lambda: site.ledger.count("session") > seen + SESSIONS / 3)
    async with pool.acquire() as connection:
        await change(connection)
    await importing
    await imported(settings)
    await read(busy)


async def test_a_rebuild_takes_added_columns_over(
    settings: Settings, pool: Pool, busy: httpx.AsyncClient
) -> None:
    async with pool.acquire() as connection:
        await expand(connection)
    rebuilt = await states.rebuild(settings, PRACTICE_DAYS, "swap", lambda _state, _progress: None)
    assert rebuilt.state == "swapped"
    await imported(settings)
    await read(busy)
