"""Two do the same thing at once: the check and the change are one step, whoever of them comes first."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar
from uuid import UUID

import pytest

from ops.backfill import queries as backfills
from ops.backfill.queries import Months
from ops.imports import follow
from ops.rebuild import queries as rebuilds
from runs import changes as run_changes
from runs.changes import RunStillRunning
from runs.marks import Marks
from runs.run import Run, RunError
from runtime.database import connected
from schemas.events import PracticeDayRequested
from schemas.scopes import Scope
from server.http import api_keys
from server.http.api_keys import NameTaken
from store.pool import Connection
from tests.api import asking, data_of, error_of, settings_of
from tests.events import DATE
from tests.members import ANYBODY_WAITS, until

FirstT = TypeVar("FirstT")
SecondT = TypeVar("SecondT")
Act = Callable[[Connection], Awaitable[FirstT]]
MONTH = DATE.replace(day=1)
MONTHS = Months("liverc", "track", MONTH, MONTH, "all")


async def at_once(dsn: str, first: Act[FirstT], second: Act[SecondT]) -> tuple[FirstT, SecondT]:
    """Do both: the second begins when the first is done, but not yet committed."""
    settings = settings_of(dsn)
    async with connected(settings) as one, connected(settings) as other:

        async def waits_or_is_done() -> bool:
            return task.done() or await one.fetchval(ANYBODY_WAITS)

        async with one.transaction():
            done = await first(one)
            task = asyncio.ensure_future(second(other))
            await until(waits_or_is_done)
        return done, await task


def request() -> PracticeDayRequested:
    return follow.request("liverc", "track", DATE)


async def ask(connection: Connection) -> Run:
    return (await run_changes.request(connection, request()))[0]


async def failed_run(connection: Connection) -> UUID:
    """A run of the day, which failed."""
    run = await ask(connection)
    error = RunError(code="unreachable", message="no answer")
    async with connection.transaction():
        await run_changes.mark(connection, Marks(list_failed={run.id: error}))
    return run.id


def retry(run_id: UUID) -> Act[Run]:
    return lambda connection: run_changes.retry_failed(connection, run_id)


async def test_of_two_runs_of_a_day_one_is_retried(dsn: str, connection: Connection) -> None:
    one, other = await failed_run(connection), await failed_run(connection)
    with pytest.raises(RunStillRunning, match="runs list --state running"):
        await at_once(dsn, retry(one), retry(other))
    rows = await connection.fetch("SELECT id FROM ingest_runs WHERE state = 'running'")
    assert [row["id"] for row in rows] == [one]


async def test_a_run_is_retried_once(dsn: str, connection: Connection) -> None:
    run_id = await failed_run(connection)
    with pytest.raises(RunStillRunning):
        await at_once(dsn, retry(run_id), retry(run_id))
    assert await connection.fetchval("SELECT attempt FROM ingest_runs") == 2


async def test_who_asks_for_a_day_joins_its_retry(dsn: str, connection: Connection) -> None:
    again, joined = await at_once(dsn, retry(await failed_run(connection)), ask)
    assert again.id == joined.id


async def test_a_run_is_not_retried_beside_a_new_one(dsn: str, connection: Connection) -> None:
    run_id = await failed_run(connection)
    with pytest.raises(RunStillRunning):
        await at_once(dsn, ask, retry(run_id))


async def test_a_day_has_one_run(dsn: str) -> None:
    one, other = await at_once(dsn, ask, ask)
    assert one.id == other.id


async def test_a_run_is_cancelled_once(dsn: str, connection: Connection) -> None:
    run_id = (await ask(connection)).id

    async def cancel(connection: Connection) -> bool:
        return (await run_changes.cancel(connection, run_id))[1]

    assert await at_once(dsn, cancel, cancel) == (True, False)


async def test_a_name_is_taken_once(dsn: str) -> None:
    async def create(connection: Connection) -> object:
        return await api_keys.create(connection, "website", [Scope.read])

    with pytest.raises(NameTaken):
        await at_once(dsn, create, create)


async def test_months_have_one_backfill(dsn: str) -> None:
    async def open_it(connection: Connection) -> UUID:
        return (await backfills.open_backfill(connection, MONTHS)).id

    one, other = await at_once(dsn, open_it, open_it)
    assert one == other


async def test_a_schema_has_one_rebuild(dsn: str) -> None:
    async def open_it(connection: Connection) -> UUID:
        found = await rebuilds.open_rebuild(connection, "practice-days", "swap", "practice_days_next", None)
        return found.id

    one, other = await at_once(dsn, open_it, open_it)
    assert one == other


async def test_the_api_retries_one_of_two_runs_and_refuses_the_other(
    dsn: str, connection: Connection
) -> None:
    ids = [await failed_run(connection), await failed_run(connection)]
    async with asking(settings_of(dsn), Scope.ingest) as api:
        answers = await asyncio.gather(*(api.post(f"/ingest-runs/{one}/retry-failed") for one in ids))
    accepted, refused = sorted(answers, key=lambda answer: answer.status_code)
    assert data_of(accepted, 202)["attempt"] == 2
    assert error_of(refused, 409)["code"] == "run_still_running"


async def test_keys_that_are_tried_out_at_once_are_counted_before_they_are_looked_up(dsn: str) -> None:
    settings = settings_of(dsn, api_requests_per_minute=5)
    async with asking(settings) as api:
        tries = [api.get("/tracks", headers={"X-Api-Key": f"lapstream_{number}"}) for number in range(20)]
        statuses = [answer.status_code for answer in await asyncio.gather(*tries)]
    assert statuses.count(401) == 5
    assert statuses.count(429) == 15
