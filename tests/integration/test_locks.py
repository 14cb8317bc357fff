"""Locks: taken in one order everywhere, so that nothing that is done at once waits for each other."""

import asyncio
import contextlib
import random
from collections.abc import Sequence
from typing import Any

import pytest

from ops.backfill.running import backfill
from ops.imports import follow
from ops.parked import queries as parked
from ops.parked.queries import Selection
from ops.parked.redrive import Redrive
from producer import planning
from producer.site import SOURCE
from runs import changes as run_changes
from runs import run as runs
from runs.changes import LARGEST_RESUMES, RunStillRunning
from runs.run import Run
from runtime.database import database
from runtime.settings import Settings
from sandbox.sample_site.site import SampleSite
from schemas.envelope import Context, pack
from schemas.events import Event, PracticeDayIngested
from schemas.scopes import Scope
from store.pool import Connection, Pool
from tests import locks
from tests.api import asking, data_of
from tests.conftest import DAY, TRACK, at, working
from tests.events import fetched, laps
from tests.imports import import_day
from tests.integration.test_backfill import Seen, months, put_days
from tests.integration.test_runs import LISTED, announced, apply, failed, now_of, of, planned
from tests.members import member, until, waits_for_a_lock
from tests.producers import producing

ROUNDS = 40
"""How often each does its part while the others do theirs."""


async def sent(settings: Settings, run: Run, *events: Event) -> None:
    """Publish events of a run."""
    context = Context(source="test", correlation_id=str(run.id))
    async with producing(settings) as producer:
        for record in (pack(event, context) for event in events):
            await producer.send_and_wait(
                settings.topics.days, key=record.key, value=record.value, headers=list(record.headers)
            )


async def test_a_run_is_cancelled_while_a_batch_of_it_is_projected(settings: Settings, pool: Pool) -> None:
    """The batch has written its day, and waits for the run; what the cancelling asks for is still free."""
    async with database(settings, size=2) as side, side.acquire() as other, pool.acquire() as connection:
        run = await planned(connection)
        async with member(settings, pool) as watched:
            async with other.transaction():
                await other.execute("SELECT FROM ingest_runs WHERE id = $1 FOR UPDATE", run.id)
                await sent(settings, run, LISTED, fetched(2, "1"))
                await until(lambda: waits_for_a_lock(side))
                await run_changes.end(other, run, "cancelled")
            await until(lambda: _has_sessions(connection))
        assert (await now_of(connection, run)).state == "cancelled"
    assert watched.setbacks == []


async def _has_sessions(connection: Connection) -> bool:
    return await connection.fetchval("SELECT count(*) FROM laps") > 0


async def test_projecting_cancelling_and_trying_again_at_once_wait_for_each_other_nowhere(
    settings: Settings,
) -> None:
    """Each on a connection of its own, over and over: none meets a deadlock, and the run comes to its end."""
    async with (
        database(settings, size=4) as pool,
        pool.acquire() as one,
        pool.acquire() as two,
        pool.acquire() as three,
    ):
        run = await planned(one)
        await apply(one, [await of(one, run, LISTED)])
        async with asyncio.TaskGroup() as group:
            for work in (_projecting(one, run, 1), _projecting(two, run, 2), _meddling(three, run)):
                group.create_task(work)
        await _finish(one, run)
        assert (await now_of(one, run)).state == "completed"
        outcomes = await announced(one, PracticeDayIngested)
        assert [one.attempt for one in outcomes] == sorted(one.attempt for one in outcomes)


async def _projecting(connection: Connection, run: Run, seed: int) -> None:
    """Details that change each time, and failures, of the run's sessions."""
    rng = random.Random(seed)
    for number in range(ROUNDS):
        sessions = rng.sample("123", 2)
        events: Sequence[Event] = [
            failed(sessions[0]),
            fetched(10 + ROUNDS * seed + number, sessions[1], laps=laps(rng.randrange(1, 6))),
        ]
        await apply(connection, [await of(connection, run, event) for event in events])


async def _meddling(connection: Connection, run: Run) -> None:
    """Cancel the run, or take it up anew, and try all of it again."""
    for number in range(ROUNDS):
        if number % 2:
            await run_changes.cancel(connection, run.id)
        else:
            await run_changes.resume(connection, run.id, 0)
        await _all_again(connection, run)


async def _all_again(connection: Connection, run: Run) -> None:
    """Have every session of the run fetched again, unless the run is at work."""
    async with connection.transaction():
        await connection.execute("SELECT FROM ingest_runs WHERE id = $1 FOR UPDATE", run.id)
        await connection.execute("UPDATE ingest_run_sessions SET state = 'failed', code = 'x', laps = NULL")
    with contextlib.suppress(RunStillRunning):
        await run_changes.retry_failed(connection, run.id)


async def _finish(connection: Connection, run: Run) -> None:
    """Bring the run to its end, whatever the others left."""
    await run_changes.cancel(connection, run.id)
    await _all_again(connection, run)
    await apply(connection, [await of(connection, run, fetched(1_000, one)) for one in "123"])


async def test_every_transaction_of_an_import_keeps_the_order(
    settings: Settings, site: SampleSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An import, a session that is parked and redriven, a retry, a backfill, the API, a cancelled run."""
    noted = locks.noting(monkeypatch)
    put_days(site, {DAY: 3})
    with monkeypatch.context() as patch:
        patch.setattr(planning, "detail_fetched", _unforeseen)
        async with working(settings):
            summary = await import_day(settings)
            assert summary.status == "failed"
    async with working(settings), database(settings, size=2) as pool, pool.acquire() as connection:
        heads = await parked.find(connection, Selection())
        await Redrive(pool, settings.broker, settings.topics, "somebody").redrive(heads, lambda _: None)
        await until(lambda: _is(connection, summary.run_id, "completed"))
        await _ask_and_cancel(settings)
        await backfill(settings, months(), Seen())
    await _given_up(settings)
    assert noted.broken == []
    assert noted.seen == set(range(1, 9))


def _unforeseen(*_: Any) -> Any:
    raise RuntimeError("nobody foresaw this")


async def _is(connection: Connection, run_id: Any, state: str) -> bool:
    found = await runs.read(connection, run_id)
    return found is not None and found.state == state


async def _ask_and_cancel(settings: Settings) -> None:
    """Over the API, with a key that makes the request one however often it comes."""
    async with asking(at(settings, api_port=0), Scope.ingest) as api:
        body = {"track_slug": TRACK, "date": str(DAY), "wait_seconds": 0}
        asked = await api.post(
            "/practice-days/ingest", json=body, headers={"Idempotency-Key": "k", "Prefer": "respond-async"}
        )
        run_id = data_of(asked, 202)["run_id"]
        data_of(await api.delete(f"/ingest-runs/{run_id}"))


async def _given_up(settings: Settings) -> None:
    """A run that nobody works at, until it is given up."""
    async with database(settings, size=1) as pool, pool.acquire() as connection:
        run, _ = await run_changes.request(connection, follow.request(SOURCE, "elsewhere", DAY))
        for _ in range(LARGEST_RESUMES + 1):
            await run_changes.resume(connection, run.id, 0)
        assert (await now_of(connection, run)).state == "failed"
