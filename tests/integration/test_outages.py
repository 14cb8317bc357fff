"""What projector and rebuild do while their servers are away, and when waiting can't mend what they find."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest
from aiokafka.errors import TopicAuthorizationFailedError

from bench.kills import trial
from bench.kills.disturbances import (
    crash_database,
    kill,
    kill_all,
    restart_broker,
    restart_database,
    stop_short,
)
from bench.kills.trial import Plan
from consumers import projector
from consumers.live import PRACTICE_DAYS
from consumers.practice_days import apply, fill
from consumers.projector import BrokerRefuses, DatabaseRefuses
from consumers.standing import LogRewound
from ops.rebuild import states
from ops.rebuild.queries import Rebuild
from runtime.database import ServerAway, database
from runtime.settings import Settings
from sandbox.embedded import stack
from store import waiting
from store.pool import Connection, Pool
from tests import homes
from tests.commands import ended_beside
from tests.events import DAY_ID, fetched, laps, listed, received
from tests.integration.test_rebuild import unseen
from tests.members import (
    EVENTS,
    PARTITION,
    BaseConsumer,
    Noted,
    consumer_of,
    member,
    members_of,
    send,
    stored,
    tables,
    undisturbed,
    until,
    until_at,
    waits_for_a_lock,
)
from tests.processes import crash
from tests.servers import running
from tests.topics import lose, make_anew

AWAY = "projector_database_away"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A projector that polls often while it waits, so that a test's short poll interval is kept."""
    monkeypatch.setattr(projector, "KEEP_POLLING_SECONDS", 0.2)
    monkeypatch.setattr(waiting, "LONGEST_WAIT_SECONDS", 0.4)


def strict(settings: Settings) -> Any:
    """A member that is thrown out when it hasn't polled for two seconds."""
    return consumer_of(settings, max_poll_interval_ms=2_000)


async def outlast(settings: Settings, seconds: float) -> set[str]:
    """The members of the group after so many seconds in which something is away."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds

    async def over() -> bool:
        return loop.time() > end

    await until(over)
    return await members_of(settings)


# Errors that the database answers


async def test_a_deadlock_with_another_connection_is_tried_again(settings: Settings, pool: Pool) -> None:
    async def found_last(connection: Connection, batch: Any) -> object:
        await connection.execute("SET LOCAL deadlock_timeout = '2s'")
        return await apply(connection, batch)

    await send(settings, EVENTS[:1])
    async with member(settings, pool, apply=found_last) as watched:
        await until_at(pool, settings, 1)
        async with database(settings, size=2) as side, side.acquire() as other:
            await other.execute("SET deadlock_timeout = '1h'")
            await other.execute("BEGIN")
            await other.execute("SELECT FROM events WHERE id = $1 FOR UPDATE", DAY_ID)
            await send(settings, EVENTS[1:])
            await until(lambda: waits_for_a_lock(side))
            await other.execute("SELECT FROM positions FOR UPDATE")
            await other.execute("ROLLBACK")
        await until_at(pool, settings, len(EVENTS))
    assert watched.setbacks == [AWAY]
    assert await tables(pool) == await undisturbed(pool, EVENTS)


@pytest.mark.parametrize("code", ["40001", "25006", "57014", "53100"])
async def test_an_error_of_the_moment_is_waited_for_and_nothing_is_parked(
    settings: Settings, pool: Pool, code: str
) -> None:
    errors = [code]

    async def unlucky(connection: Connection, batch: Any) -> object:
        changed = await apply(connection, batch)
        if errors:
            await connection.execute(f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{errors.pop()}'; END $$")
        return changed

    await send(settings, EVENTS)
    async with member(settings, pool, apply=unlucky) as watched:
        await until_at(pool, settings, len(EVENTS))
    assert watched.setbacks == [AWAY]
    assert await parked(pool) == 0
    assert await tables(pool) == await undisturbed(pool, EVENTS)


async def test_a_connection_that_the_server_ends_in_a_batch_is_no_fault_of_its_records(
    settings: Settings, pool: Pool
) -> None:
    ended: list[int] = []

    async def cut_off(connection: Connection, batch: Any) -> object:
        if not ended:
            ended.append(await connection.fetchval("SELECT pg_backend_pid()"))
            async with pool.acquire() as other:
                await other.execute("SELECT pg_terminate_backend($1)", ended[0])
        return await apply(connection, batch)

    await send(settings, EVENTS[:1])
    async with member(settings, pool, apply=cut_off) as watched:
        await until_at(pool, settings, 1)
    assert watched.setbacks == [AWAY]
    assert await parked(pool) == 0


async def parked(pool: Pool) -> int:
    async with pool.acquire() as connection:
        return await connection.fetchval("SELECT count(*) FROM parked_records")


async def test_a_database_without_its_tables_ends_the_member_and_parks_nothing(
    settings: Settings, pool: Pool
) -> None:
    async with pool.acquire() as connection:
        await connection.execute("ALTER TABLE laps RENAME TO elsewhere")
    await send(settings, EVENTS)
    with pytest.raises(DatabaseRefuses, match=r'relation "laps" does not exist'):
        async with member(settings, pool) as watched:
            await until(lambda: stopped(watched))
    assert (await parked(pool), await stored(pool, settings)) == (0, {})


async def stopped(watched: Any) -> bool:
    return watched._consumer._closed


async def test_a_broker_that_always_refuses_ends_the_member(
    settings: Settings, pool: Pool, impatient: None
) -> None:
    with pytest.raises(BrokerRefuses, match="not authorized to access the requested topic"):
        async with member(settings, pool, consumer_of(settings, Refused)) as watched:
            await until(lambda: stopped(watched))


class Refused(BaseConsumer):
    """A consumer whose broker lets nobody read."""

    async def getmany(self, *_: Any, **__: Any) -> Any:
        raise TopicAuthorizationFailedError("practice-days")


# A database that hangs


async def test_a_database_that_hangs_costs_no_membership(
    settings: Settings, pool: Pool, impatient: None
) -> None:
    await send(settings, EVENTS[:1])
    async with member(settings, pool, strict(settings)) as watched:
        await until_at(pool, settings, 1)
        before = await members_of(settings)
        async with database(settings, size=2) as side, side.acquire() as other:
            await other.execute("BEGIN")
            await other.execute("SELECT FROM events WHERE id = $1 FOR UPDATE", DAY_ID)
            await send(settings, EVENTS[1:])
            await until(lambda: waits_for_a_lock(side))
            assert await outlast(settings, 3.0) == before
            await other.execute("ROLLBACK")
        await until_at(pool, settings, len(EVENTS))
        assert await members_of(settings) == before
    assert watched.setbacks == []
    assert await tables(pool) == await undisturbed(pool, EVENTS)


# A log that is not the one that the tables were made from


async def project_and_leave(settings: Settings, pool: Pool) -> list[Any]:
    await send(settings, EVENTS)
    async with member(settings, pool):
        await until_at(pool, settings, len(EVENTS))
    return await tables(pool)


async def test_a_topic_that_was_made_anew_ends_the_command_and_leaves_the_tables(
    settings: Settings, pool: Pool
) -> None:
    before = await project_and_leave(settings, pool)
    await make_anew(settings)
    await send(settings, [listed(50)])
    code, said = await command(settings)
    assert code == 1
    assert f"stand at offset {len(EVENTS)} of {settings.topics.days}[{PARTITION}]" in said
    assert "the topic ends at 1" in said
    assert "Traceback" not in said
    assert await tables(pool) == before


async def command(settings: Settings) -> tuple[int | None, str]:
    """How `lapstream run projector` ends by itself, and what it says."""
    code, _, said = await ended_beside(settings, "run", "projector")
    return code, " ".join(line for line in said.splitlines() if not line.startswith("{"))


async def test_a_topic_made_anew_under_a_running_member_is_noticed(settings: Settings, pool: Pool) -> None:
    before = await project_and_leave(settings, pool)
    with pytest.raises(LogRewound):
        await live_through_a_new_topic(settings, pool)
    assert await tables(pool) == before


async def live_through_a_new_topic(settings: Settings, pool: Pool) -> None:
    async with member(settings, pool, consumer_of(settings, metadata_max_age_ms=500)) as watched:
        await until(lambda: all_held(watched))
        await make_anew(settings)
        await send(settings, [listed(50)])
        await until(lambda: stopped(watched))


async def all_held(watched: Any) -> bool:
    return len(watched._held) == 8


async def test_records_that_were_deleted_unread_are_noticed(settings: Settings, pool: Pool) -> None:
    before = await project_and_leave(settings, pool)
    await send(settings, [listed(50), listed(60)])
    await lose(settings, len(EVENTS) + 1)
    with pytest.raises(LogRewound, match="begins at 5"):
        async with member(settings, pool) as watched:
            await until(lambda: stopped(watched))
    assert await tables(pool) == before


async def test_a_projector_that_starts_while_the_database_is_away_says_so_and_exits(
    settings: Settings,
) -> None:
    away = msgspec.structs.replace(settings, postgres_dsn="postgresql://nobody@127.0.0.1:1/nothing")
    code, said = await command(away)
    assert code == 1
    assert said.startswith("error: the database at ")


# Servers that are really away: on a broker and a database of these tests' own


@pytest.fixture
async def own_pool(own: Settings) -> AsyncGenerator[Pool]:
    async with database(own, size=3) as pool:
        yield pool


async def test_a_database_that_is_away_is_waited_for_and_costs_no_membership(
    home: Path, own: Settings, own_pool: Pool, impatient: None
) -> None:
    await send(own, EVENTS[:1])
    noted = Noted()
    async with member(own, own_pool, strict(own), apply=noted) as watched:
        await until_at(own_pool, own, 1)
        before = await members_of(own)
        await asyncio.to_thread(stack.stop, home, "postgres")
        await send(own, EVENTS[1:])
        assert await outlast(own, 7.0) == before
        await asyncio.to_thread(stack.start, home, "postgres")
        await until_at(own_pool, own, len(EVENTS))
        assert await members_of(own) == before
    assert set(watched.setbacks) == {AWAY}
    assert noted.ids == [received(event).id for event in EVENTS]
    assert await tables(own_pool) == await undisturbed(own_pool, EVENTS)


async def test_a_database_that_crashes_in_an_open_transaction_loses_nothing(
    home: Path, own: Settings, own_pool: Pool
) -> None:
    await send(own, EVENTS[:1])
    async with member(own, own_pool) as watched:
        await until_at(own_pool, own, 1)
        async with database(own, size=2) as side, side.acquire() as other:
            await other.execute("BEGIN")
            await other.execute("SELECT FROM events WHERE id = $1 FOR UPDATE", DAY_ID)
            await send(own, EVENTS[1:])
            await until(lambda: waits_for_a_lock(side))
            await asyncio.to_thread(crash, home, "postgres")
        await asyncio.to_thread(stack.start, home, "postgres")
        await until_at(own_pool, own, len(EVENTS))
    assert AWAY in watched.setbacks
    assert await tables(own_pool) == await undisturbed(own_pool, EVENTS)


@pytest.mark.parametrize("away", [stack.stop, crash])
async def test_a_broker_that_is_away_is_waited_for(
    home: Path, own: Settings, own_pool: Pool, away: Any
) -> None:
    events = [*EVENTS, *(fetched(10 + number, "1", laps=laps(number)) for number in range(200))]
    noted = Noted()
    await send(own, events[:150])
    async with member(own, own_pool, apply=noted):
        await until(lambda: begun(own_pool, own))
        await asyncio.to_thread(away, home, "kafka")
        await asyncio.to_thread(stack.start, home, "kafka")
        await send(own, events[150:])
        await until_at(own_pool, own, len(events))
    assert noted.ids == [received(event).id for event in events]
    assert await tables(own_pool) == await undisturbed(own_pool, events)


async def begun(pool: Pool, settings: Settings) -> bool:
    return bool(await stored(pool, settings))


async def test_a_member_stops_in_good_time_while_both_servers_are_away(
    home: Path, own: Settings, own_pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projector, "FINISH_SECONDS", 1.0)
    monkeypatch.setattr(projector, "LEAVE_SECONDS", 1.0)
    await send(own, EVENTS)
    async with asyncio.timeout(20), member(own, own_pool):
        await until_at(own_pool, own, len(EVENTS))
        await asyncio.to_thread(stack.down, home)
    await asyncio.to_thread(stack.up, home, report=lambda _: None)


@pytest.mark.parametrize("server", ["postgres", "kafka"])
async def test_a_rebuild_goes_on_after_a_crash_of_its_servers(
    home: Path, own: Settings, own_pool: Pool, server: Literal["postgres", "kafka"]
) -> None:
    crashed: list[str] = []

    async def unlucky_fill(connection: Connection, batch: Any) -> None:
        await fill(connection, batch)
        if not crashed:
            crashed.append(server)
            await asyncio.to_thread(crash, home, server)
            await asyncio.to_thread(stack.start, home, server)

    await send(own, EVENTS)
    async with member(own, own_pool):
        await until_at(own_pool, own, len(EVENTS))
    before = await tables(own_pool)
    projection = msgspec.structs.replace(PRACTICE_DAYS, fill=unlucky_fill)
    assert (await insisting(lambda: states.rebuild(own, projection, "swap", unseen))).state == "swapped"
    assert crashed == [server]
    assert await tables(own_pool) == before
    verified = await states.rebuild(own, PRACTICE_DAYS, "verify", unseen)
    report = states.report_of(verified)
    assert report
    assert report.equal


async def insisting(command: Callable[[], Awaitable[Rebuild]]) -> Rebuild:
    """Give a command again as long as it says that the database went away; three times are enough."""
    for _ in range(3):
        with contextlib.suppress(ServerAway):
            return await command()
    return await command()


@pytest.mark.slow
async def test_tables_are_equal_after_a_handful_of_disturbances_under_load() -> None:
    plan = Plan(kinds=[crash_database, stop_short, restart_database, kill_all, kill, restart_broker], seed=7)
    with running() as home:
        settings = Settings(
            kafka_bootstrap=home.servers.kafka_bootstrap,
            postgres_dsn=home.servers.postgres_dsn,
            site="http://127.0.0.1/{track_slug}",
        )
        outcome = await trial.run(settings, home.folder, plan, homes.silent)
    assert outcome.differing == []
    assert outcome.records > 0
