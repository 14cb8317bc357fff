"""The database through PgBouncer: in session mode as without it; in its other modes it is refused at once."""

import asyncio
import contextlib
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator

import asyncpg
import pytest

from consumers.live import PRACTICE_DAYS
from ops.imports import follow
from ops.rebuild import states
from runtime.database import connected
from runtime.settings import Settings, environment
from sandbox.sample_site.generate import generate_day
from sandbox.sample_site.site import SampleSite
from store import positions, sharing
from store.digest import READ_TABLES, TableDigest, digest
from store.notifications import listening
from store.pool import TRANSIENT, open_pool
from store.positions import Place
from store.sharing import SharedSessions
from tests.bouncer import Mode, bouncing
from tests.conftest import DAY, TRACK, at, working
from tests.dark import shorten
from tests.imports import import_day

SHARING: list[Mode] = ["transaction", "statement"]
GROUP, PLACE = "group", Place("topic", 0)
LOCKS_OF_THIS_SESSION = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"


# Session mode


async def digests(settings: Settings) -> list[TableDigest]:
    async with connected(settings) as connection:
        return await digest(connection, READ_TABLES)


async def imported(settings: Settings) -> follow.ImportSummary:
    async with working(settings):
        return await import_day(settings)


async def test_the_sample_day_is_imported_rebuilt_and_imported_again(
    settings: Settings, site: SampleSite
) -> None:
    site.put(generate_day(TRACK, DAY, seed=1, sessions=56, laps_per_session=9))
    async with bouncing(settings.postgres_dsn, "session") as dsn:
        through = at(settings, postgres_dsn=dsn)
        first = await imported(through)
        assert (first.status, first.laps_ingested) == ("completed", 56 * 9)
        before = await digests(settings)
        rebuild = await states.rebuild(through, PRACTICE_DAYS, "swap", lambda _state, _progress: None)
        assert (report := states.report_of(rebuild))
        assert report.equal
        assert (await imported(through)).status == "completed"
    assert await digests(settings) == before


async def test_a_session_is_as_it_must_be_whoever_had_it_before(dsn: str) -> None:
    async with bouncing(dsn, "session", size=1) as through:
        other = await asyncpg.connect(through)
        await other.execute("SET search_path = elsewhere; SELECT pg_advisory_lock(7)")
        await other.close()
        pool = await open_pool(through, size=1)
        async with pool.acquire() as connection:
            assert await connection.fetchval("SHOW search_path") == "practice_days, lapstream"
            assert await connection.fetchval(LOCKS_OF_THIS_SESSION) == 0
        await pool.close()


async def test_a_statement_that_takes_long_is_not_taken_for_dead(
    monkeypatch: pytest.MonkeyPatch, dsn: str
) -> None:
    shorten(monkeypatch)
    async with bouncing(dsn, "session") as through:
        pool = await open_pool(through, size=1)
        async with pool.acquire() as connection:
            assert await connection.fetchval("SELECT 7 FROM pg_sleep(2)") == 7
        await pool.close()


async def test_who_takes_a_partition_over_ends_the_one_who_holds_it(
    monkeypatch: pytest.MonkeyPatch, dsn: str
) -> None:
    monkeypatch.setattr(positions, "PATIENCE_SECONDS", 0.1)
    async with bouncing(dsn, "session") as through:
        pool = await open_pool(through, size=2)
        async with pool.acquire() as holder, pool.acquire() as next_one:
            await positions.claim(holder, GROUP, [PLACE])
            await holder.execute("BEGIN")
            await holder.execute("SELECT FROM positions FOR UPDATE")
            with pytest.raises(asyncpg.LockNotAvailableError):
                await positions.claim(next_one, GROUP, [PLACE])
            assert (await positions.claim(next_one, GROUP, [PLACE]))[PLACE].epoch == 2
            with pytest.raises((asyncpg.PostgresError, *TRANSIENT)):
                await holder.execute("COMMIT")
        await pool.close()


async def test_what_is_notified_is_heard(dsn: str) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()
    async with bouncing(dsn, "session") as through, listening(through, "channel", heard.put_nowait):
        pool = await open_pool(through, size=1)
        async with pool.acquire() as connection:
            await connection.execute("SELECT pg_notify('channel', 'a word')")
        assert await asyncio.wait_for(heard.get(), 10) == "a word"
        await pool.close()


async def test_a_pooler_that_has_no_second_session_lets_us_in(
    monkeypatch: pytest.MonkeyPatch, dsn: str
) -> None:
    monkeypatch.setattr(sharing, "COMPARE_SECONDS", 0.2)
    async with bouncing(dsn, "session", size=1) as through:
        pool = await open_pool(through, size=1)
        async with pool.acquire() as connection:
            assert await connection.fetchval("SELECT 1") == 1
        await pool.close()


# Other modes


async def refused(dsn: str) -> None:
    with pytest.raises(SharedSessions, match="pool_mode=session"):
        await open_pool(dsn, size=2)


async def setting_of_others(dsn: str) -> str:
    """The search path that the pooler's next client finds."""
    other = await asyncpg.connect(dsn, statement_cache_size=0)
    found = await other.fetchval("SHOW search_path")
    await other.close()
    return found


@pytest.mark.parametrize("mode", SHARING)
@pytest.mark.parametrize("settings_of", [{}, {"server_round_robin": 1}, {"size": 1}], ids=str)
async def test_sessions_that_clients_share_are_refused_each_time_and_left_as_they_are(
    dsn: str, mode: Mode, settings_of: dict[str, int]
) -> None:
    async with bouncing(dsn, mode, **settings_of) as through:
        for _ in range(3):
            await refused(through)
            assert await setting_of_others(through) == '"$user", public'


async def test_nothing_is_listened_to_in_a_session_that_clients_share(dsn: str) -> None:
    async with bouncing(dsn, "transaction") as through, asyncio.timeout(10):
        with pytest.raises(SharedSessions):
            async with listening(through, "channel", lambda _: None):
                pass


@contextlib.asynccontextmanager
async def busy(dsn: str, clients: int) -> AsyncGenerator[None]:
    """So many clients that ask all the time."""

    async def ask() -> None:
        connection = await asyncpg.connect(dsn, statement_cache_size=0)
        try:
            while True:
                await connection.fetchval("SELECT 1 FROM pg_sleep(0.001)")
        finally:
            connection.terminate()

    asking = [asyncio.create_task(ask()) for _ in range(clients)]
    try:
        yield
    finally:
        for task in asking:
            task.cancel()
        await asyncio.wait(asking)


@pytest.mark.parametrize("mode", SHARING)
async def test_sessions_that_clients_share_are_refused_while_others_use_them(dsn: str, mode: Mode) -> None:
    async with bouncing(dsn, mode) as through, busy(through, 8):
        for _ in range(10):
            await refused(through)


async def test_a_command_says_it_in_one_line(settings: Settings) -> None:
    async with bouncing(settings.postgres_dsn, "transaction") as through:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "lapstream.cli",
            "digest",
            env=environment(at(settings, postgres_dsn=through)),
            stdout=PIPE,
            stderr=PIPE,
        )
        said, complaint = await process.communicate()
    assert (process.returncode, said) == (2, b"")
    [line] = complaint.decode().splitlines()
    assert line.startswith("error: LAPSTREAM_POSTGRES_DSN leads to a pooler")
