"""Rebuilds that are killed, paused or cancelled, and such as of a moment."""

import asyncio
import contextlib
import datetime as dt
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncGenerator, Sequence
from types import MappingProxyType
from typing import Any

import msgspec
import pytest

from broker.clients import make_producer
from consumers.live import PRACTICE_DAYS
from consumers.track_records import TRACK_RECORDS
from ops.rebuild import operating, shadow, states
from ops.rebuild.log import TopicBeginGone
from ops.rebuild.operating import NoSuchRebuild
from ops.rebuild.queries import Purpose, Rebuild
from ops.rebuild.states import NothingProjected
from ops.rebuild.work import RebuildAtWork, holding, shadow_name
from runtime.database import database
from runtime.settings import Settings, environment
from schemas.envelope import Context, pack
from schemas.events import Event
from store import session
from store.digest import OBSERVATION_TABLES, READ_TABLES, digest
from store.pool import Pool
from store.session import statement
from tests.commands import ended_beside
from tests.conftest import projecting, working
from tests.events import fetched, laps
from tests.integration.test_rebuild import execute, fetch, rebuild, send_bad, unseen, verified
from tests.members import EVENTS, PARTITION, send, tables, undisturbed, until, until_at, waits_for_a_lock
from tests.topics import lose

BLOCKS = MappingProxyType(
    {
        "prepared": "LOCK TABLE practice_days.laps IN ACCESS EXCLUSIVE MODE",
        "replaying": "LOCK TABLE lapstream.rebuild_refused IN EXCLUSIVE MODE",
        "catching_up": "LOCK TABLE practice_days.positions IN ROW EXCLUSIVE MODE",
        "verified": "LOCK TABLE practice_days.laps IN ROW EXCLUSIVE MODE",
    }
)
"""What makes a rebuild wait in each state: a lock that it needs to leave it."""

ALL = len(EVENTS) + 1
"""The tests' events, and a record that is none."""


async def state_is(pool: Pool, state: str) -> bool:
    return [one["state"] for one in await fetch(pool, "SELECT state FROM rebuilds")] == [state]


@contextlib.asynccontextmanager
async def waiting_in(settings: Settings, state: str) -> AsyncGenerator[asyncio.Event]:
    """A rebuild that begins now stays in this state until the event is set, or the block ends."""
    async with database(settings, size=3) as side:
        free = asyncio.Event()

        async def hold() -> None:
            async with side.acquire() as connection, connection.transaction():
                await connection.execute(BLOCKS[state])
                held.set()
                await free.wait()

        held = asyncio.Event()
        task = asyncio.create_task(hold())
        await held.wait()
        try:
            yield free
        finally:
            free.set()
            await task


async def until_waiting(pool: Pool, state: str) -> None:
    async def there() -> bool:
        return await state_is(pool, state) and await waits_for_a_lock(pool)

    await until(there)


@pytest.fixture
async def filled(settings: Settings, pool: Pool) -> None:
    """The events of the tests are in the live tables, and a bad record is parked."""
    await send(settings, EVENTS)
    await send_bad(settings)
    async with projecting(settings):
        await until_at(pool, settings, ALL)


async def in_a_process(settings: Settings, *arguments: str) -> Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "lapstream.cli", *arguments),
        env=environment(settings),
        stdout=DEVNULL,
        stderr=DEVNULL,
    )


@pytest.mark.parametrize("state", BLOCKS)
async def test_a_rebuild_killed_in_any_state_goes_on_there(
    filled: None, settings: Settings, pool: Pool, state: str
) -> None:
    news = fetched(9, "1", laps=laps(7))
    async with waiting_in(settings, state):
        process = await in_a_process(settings, "rebuild", "start", "practice-days")
        await until_waiting(pool, state)
        process.send_signal(signal.SIGKILL)
        await process.wait()
    async with projecting(settings):
        await send(settings, [news])
        await until_at(pool, settings, ALL + 1)
        assert (await rebuild(settings)).state == "swapped"
    assert len(await fetch(pool, "SELECT FROM rebuilds")) == 1
    async with pool.acquire() as connection:
        assert not await shadow.exists(connection, "practice_days_shadow")
    left = await tables(pool)
    assert (await verified(settings)).equal
    assert left == await undisturbed(pool, [*EVENTS, news])


@pytest.mark.slow
async def test_commands_tell_what_they_found_and_did_by_text_and_exit_code(
    filled: None, settings: Settings, pool: Pool
) -> None:
    code, out, _ = await ended_beside(settings, "verify", "practice-days", "--json")
    assert (code, msgspec.json.decode(out)["state"]) == (0, "checked")
    await execute(pool, "UPDATE laps SET lap_time_raw = 'edited' WHERE lap_number = 5")
    code, out, _ = await ended_beside(settings, "verify", "practice-days")
    assert code == 3
    assert 'lap_time_raw: "edited" -> "30.500"' in out
    code, _, err = await ended_beside(settings, "rebuild", "start", "practice-days")
    assert code == 3
    assert 'lap_time_raw: "edited" -> "30.500"' in err
    code, out, _ = await ended_beside(settings, "rebuild", "start", "practice-days", "--yes")
    assert code == 0
    assert "kept in practice_days_before" in out
    code, out, _ = await ended_beside(settings, "rebuild", "rollback", "practice-days")
    assert code == 0
    assert "rolled back" in out
    code, out, _ = await ended_beside(settings, "rebuild", "status")
    assert code == 0
    assert "rolled_back" in out
    assert "5 of 5" in out
    assert (await ended_beside(settings, "rebuild", "start", "nothing-of-ours"))[0] == 2


async def test_events_that_come_in_any_state_are_in_the_swapped_tables(
    filled: None, settings: Settings, pool: Pool
) -> None:
    sent: list[Event] = []
    async with projecting(settings):
        for state in ("replaying", "catching_up", "verified"):
            async with waiting_in(settings, state) as free:
                working = asyncio.create_task(rebuild(settings))
                await until_waiting_newest(pool, state)
                sent.append(fetched(20 + len(sent), "1", laps=laps(2 + len(sent))))
                await send(settings, sent[-1:])
                free.set()
                assert (await working).state == "swapped"
        await until_at(pool, settings, ALL + len(sent))
    assert (await verified(settings)).equal
    assert await tables(pool) == await undisturbed(pool, [*EVENTS, *sent])


async def test_a_comparison_waits_for_locks_longer_than_a_transaction_may_do_nothing(
    filled: None, settings: Settings, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def impatient(name: str) -> str:
        return statement(name).replace("session_timeout', '30s'", "session_timeout', '200ms'")

    async with waiting_in(settings, "catching_up") as free:
        monkeypatch.setattr(session, "statement", impatient)
        working = asyncio.create_task(rebuild(settings))
        await until(lambda: has_done_nothing(pool, working))
        free.set()
        assert (await working).state == "swapped"


async def has_done_nothing(pool: Pool, working: asyncio.Task[object]) -> bool:
    """Whether a transaction with a snapshot to take has waited for a while, or the work is over."""
    query = """
        SELECT EXISTS (
            SELECT FROM pg_stat_activity
            WHERE datname = current_database()
                AND query ~ 'SET LOCAL' AND state = 'idle in transaction'
                AND state_change < now() - interval '0.5s'
        )
    """
    return working.done() or (await fetch(pool, query))[0][0]


async def until_waiting_newest(pool: Pool, state: str) -> None:
    async def there() -> bool:
        newest = await fetch(pool, "SELECT state FROM rebuilds ORDER BY created_at DESC LIMIT 1")
        return [one["state"] for one in newest] == [state] and await waits_for_a_lock(pool)

    await until(there)


async def pause(pool: Pool, *, paused: bool) -> Rebuild:
    async with pool.acquire() as connection:
        return await operating.pause(connection, PRACTICE_DAYS, "swap", paused=paused)


async def cancel(pool: Pool, purpose: Purpose, until: dt.datetime | None = None) -> Rebuild:
    async with pool.acquire() as connection:
        return await operating.cancel(connection, PRACTICE_DAYS, purpose, until)


async def test_a_paused_rebuild_waits_for_resume(filled: None, settings: Settings, pool: Pool) -> None:
    async with waiting_in(settings, "replaying") as free:
        working = asyncio.create_task(rebuild(settings))
        await until_waiting(pool, "replaying")
        assert (await pause(pool, paused=True)).paused
        free.set()
        assert (await working).paused
    assert (await rebuild(settings)).open
    await pause(pool, paused=False)
    assert (await rebuild(settings)).state == "swapped"


@pytest.mark.parametrize("purpose", ["swap", "verify"])
async def test_a_cancelled_rebuild_leaves_nothing(
    filled: None, settings: Settings, pool: Pool, purpose: Purpose
) -> None:
    before = await tables(pool)
    name = shadow_name(PRACTICE_DAYS, purpose, None)
    async with waiting_in(settings, "replaying") as free:
        working = asyncio.create_task(rebuild(settings, purpose))
        await until_waiting(pool, "replaying")
        cancelling = asyncio.create_task(cancel(pool, purpose))

        async def cancelled() -> bool:
            return await state_is(pool, "cancelled")

        await until(cancelled)
        free.set()
        assert (await working).state == "cancelled"
        assert (await cancelling).state == "cancelled"
    async with pool.acquire() as connection:
        assert not await shadow.exists(connection, name)
    assert await tables(pool) == before
    with pytest.raises(NoSuchRebuild):
        await cancel(pool, purpose)


async def test_two_processes_do_not_work_at_one_rebuild(settings: Settings) -> None:
    async with holding(settings.postgres_dsn, "practice_days_shadow"):
        with pytest.raises(RebuildAtWork):
            await rebuild(settings)


async def test_tables_that_nobody_filled_are_not_made_anew(settings: Settings) -> None:
    with pytest.raises(NothingProjected):
        await rebuild(settings)


async def test_several_projections_are_made_anew_at_once(settings: Settings, pool: Pool) -> None:
    await send(settings, EVENTS)
    async with working(settings, "projector"), database(settings, schema="track_records") as other:
        await until_at(pool, settings, len(EVENTS))

        async def both() -> bool:
            return [one[0] for one in await fetch(other, "SELECT sum(next_offset) FROM positions")] == [4]

        await until(both)
        found = await asyncio.gather(
            *(states.rebuild(settings, one, "swap", unseen) for one in (PRACTICE_DAYS, TRACK_RECORDS))
        )
    assert [one.state for one in found] == ["swapped", "swapped"]
    reports = [states.report_of(one) for one in found]
    assert all(report and report.equal for report in reports)


async def send_at(settings: Settings, event: Event, moment: dt.datetime) -> None:
    """Put an event into the event log as if it had been sent at this moment."""
    producer: Any = make_producer(settings.broker)
    await producer.start()
    record = pack(event, Context(source="test"))
    await producer.send(
        settings.topics.days,
        key=record.key,
        value=record.value,
        headers=list(record.headers),
        partition=PARTITION,
        timestamp_ms=int(moment.timestamp() * 1000),
    )
    await producer.stop()


MOMENTS = [dt.datetime(2026, 2, day, tzinfo=dt.UTC) for day in (1, 2, 3)]


async def test_tables_as_of_three_moments_hold_what_was_known_then_wherever_it_stands_in_the_log(
    settings: Settings, pool: Pool
) -> None:
    known = {MOMENTS[0]: EVENTS[:1], MOMENTS[1]: EVENTS[1:2], MOMENTS[2]: EVENTS[2:]}
    for moment, events in sorted(known.items(), reverse=True):
        for event in events:
            await send_at(settings, event, moment)
    async with projecting(settings):
        await until_at(pool, settings, len(EVENTS))
    so_far: list[Event] = []
    for moment in MOMENTS:
        found = await states.rebuild(settings, PRACTICE_DAYS, "until", unseen, until=moment)
        assert (found.state, found.shadow) == ("built", f"practice_days_until_{moment:%Y%m%dt%H%M%S}")
        so_far += known[moment]
        assert await tables_of(pool, found.shadow) == await as_applied(pool, so_far)
    cancelled = await cancel(pool, "until", MOMENTS[0])
    assert cancelled.state == "cancelled"
    async with pool.acquire() as connection:
        assert not await shadow.exists(connection, cancelled.shadow)


async def tables_of(pool: Pool, schema: str) -> list[tuple[int, str]]:
    names = tuple(f"{schema}.{name}" for name in READ_TABLES + OBSERVATION_TABLES)
    async with pool.acquire() as connection:
        return [(one.rows, one.digest) for one in await digest(connection, names)]


async def as_applied(pool: Pool, events: Sequence[Event]) -> list[tuple[int, str]]:
    return [(one.rows, one.digest) for one in await undisturbed(pool, events)]


async def test_a_log_that_ends_before_the_live_tables_is_refused(
    filled: None, settings: Settings, pool: Pool
) -> None:
    await execute(pool, "UPDATE positions SET next_offset = 999 WHERE next_offset > 0")
    with pytest.raises(TopicBeginGone, match="ends at"):
        await verified(settings)
    [row] = await fetch(pool, "SELECT error FROM rebuilds")
    assert "ends at" in row["error"]


async def test_a_topic_whose_beginning_is_gone_is_refused(filled: None, settings: Settings) -> None:
    await lose(settings, 2)
    with pytest.raises(TopicBeginGone, match="begins at 2"):
        await rebuild(settings)
