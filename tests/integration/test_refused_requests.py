"""Requests that the fetcher can't serve: parked, counted at once as failures of their run, and redriven."""

from collections.abc import AsyncGenerator
from typing import Any
from uuid import UUID

import pytest

from ops.imports import follow
from ops.imports.follow import ImportFailed
from ops.parked import queries as parked
from ops.parked.queries import Parked, Selection
from producer import planning
from producer.site import SOURCE
from runs import changes as run_changes
from runs import run as runs
from runs.run import Run
from runtime.refused import refusing
from runtime.settings import Settings
from sandbox.sample_site.generate import generate_day
from sandbox.sample_site.site import SampleSite
from schemas.envelope import Context, pack
from schemas.records import HeldRecord
from store.parking import parked as as_parked
from store.pool import Pool
from tests.conftest import DAY, TRACK, working
from tests.imports import import_day
from tests.integration.test_parking import ran
from tests.integration.test_runs import planned
from tests.members import until
from tests.raw_records import batch, produce, raw

SEVERAL = 3


@pytest.fixture
async def sessions(site: SampleSite) -> list[str]:
    """The sessions of the day that the site has."""
    day = generate_day(TRACK, DAY, seed=1, sessions=SEVERAL, laps_per_session=4)
    site.put(day)
    return [one.session_id for one in day.sessions]


@pytest.fixture
async def at_work(settings: Settings) -> AsyncGenerator[Settings]:
    """Settings whose fetcher, projector and relay are at work."""
    async with working(settings):
        yield settings


class Broken:
    """A step of the fetcher that fails as nobody foresaw, until it is mended."""

    def __init__(self, works: Any, sessions: tuple[str, ...] = ()) -> None:
        self._works = works
        self._sessions = sessions
        self.mended = False

    def __call__(self, request: Any, *others: Any) -> Any:
        if not self.mended and getattr(request, "session_id", None) in (*self._sessions, None):
            raise RuntimeError("nobody foresaw this")
        return self._works(request, *others)


async def all_parked(pool: Pool) -> list[Parked]:
    async with pool.acquire() as connection:
        heads = await parked.find(connection, Selection())
        return await parked.read(connection, [one.at for one in heads])


async def the_run(pool: Pool) -> Run:
    async with pool.acquire() as connection:
        [run] = await runs.find(connection)
    return run


async def ended(pool: Pool, run_id: UUID, state: str) -> None:
    """Return when a run has come to this end."""

    async def there() -> bool:
        async with pool.acquire() as connection:
            found = await runs.read(connection, run_id)
        return found is not None and found.state == state

    await until(there)


@pytest.fixture
def broken_detail(monkeypatch: pytest.MonkeyPatch, sessions: list[str]) -> Broken:
    """The step for the second session fails."""
    broken = Broken(planning.detail_fetched, (sessions[1],))
    monkeypatch.setattr(planning, "detail_fetched", broken)
    return broken


@pytest.fixture
def broken_list(monkeypatch: pytest.MonkeyPatch) -> Broken:
    """The step for the list fails."""
    broken = Broken(planning.day_listed)
    monkeypatch.setattr(planning, "day_listed", broken)
    return broken


async def test_a_request_that_is_parked_counts_as_its_sessions_failure(
    at_work: Settings, pool: Pool, sessions: list[str], broken_detail: Broken
) -> None:
    """The run ends as soon as the others are there, with the cause; redriven, it comes to a good end."""
    summary = await import_day(at_work)
    assert (summary.status, summary.sessions_detail_failed) == ("partial", 1)
    [failure] = summary.failures
    assert (failure.session_id, failure.code) == (sessions[1], "parked_work_failed")
    [record] = await all_parked(pool)
    assert failure.message == (
        f"record {record.topic}/{record.partition}/{record.offset} is parked: "
        "RuntimeError('nobody foresaw this')"
    )
    broken_detail.mended = True
    assert (await ran(at_work, "redrive"))["redriven"] == 1
    await ended(pool, summary.run_id, "completed")
    assert (await the_run(pool)).attempt == 1


async def test_a_parked_session_is_tried_again_with_its_run(
    at_work: Settings, sessions: list[str], broken_detail: Broken
) -> None:
    summary = await import_day(at_work)
    broken_detail.mended = True
    again = await follow.retry(at_work, summary.run_id, follow.unseen)
    assert (again.run_id, again.status, again.sessions_ingested) == (
        summary.run_id,
        "completed",
        len(sessions),
    )


@pytest.mark.usefixtures("sessions")
async def test_a_list_request_that_is_parked_fails_its_run_at_once(
    at_work: Settings, pool: Pool, broken_list: Broken
) -> None:
    with pytest.raises(ImportFailed, match="is parked: RuntimeError"):
        await import_day(at_work)
    run = await the_run(pool)
    assert (run.state, run.error and run.error.code) == ("failed", "parked_work_failed")
    broken_list.mended = True
    assert (await ran(at_work, "redrive"))["redriven"] == 1
    await ended(pool, run.id, "completed")
    assert (await the_run(pool)).attempt == 2


@pytest.mark.usefixtures("sessions")
async def test_a_list_that_is_parked_is_tried_again_with_its_run(
    at_work: Settings, pool: Pool, broken_list: Broken
) -> None:
    with pytest.raises(ImportFailed):
        await import_day(at_work)
    broken_list.mended = True
    again = await follow.retry(at_work, (await the_run(pool)).id, follow.unseen)
    assert again.status == "completed"


@pytest.mark.usefixtures("sessions")
async def test_what_a_run_waits_for_fails_with_the_request_that_is_parked(
    at_work: Settings, pool: Pool, broken_detail: Broken, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A retry's request for the day, whose list is there: nobody will ask for its sessions."""
    summary = await import_day(at_work)
    broken_detail.mended = True

    async def broken(*_: Any) -> Any:
        raise RuntimeError("nobody foresaw this either")

    with monkeypatch.context() as patch:
        patch.setattr(runs, "pending", broken)
        again = await follow.retry(at_work, summary.run_id, follow.unseen)
    assert again.status == "partial"
    [failure] = again.failures
    assert "nobody foresaw this either" in failure.message
    assert (await ran(at_work, "redrive"))["redriven"] == 2
    await ended(pool, summary.run_id, "completed")


async def test_a_request_that_nobody_can_read_fails_what_it_asks_for(settings: Settings, pool: Pool) -> None:
    """Its headers still name the run; the requests behind it are served."""
    async with pool.acquire() as connection:
        run, _ = await run_changes.request(connection, follow.request(SOURCE, TRACK, DAY))
    bad = raw(
        pack(run.request, Context(source="test", correlation_id=str(run.id))), (b"\xff\xfe", b"not UTF-8")
    )
    await produce(settings.kafka_bootstrap, settings.topics.requests, batch([bad]))
    await produce(settings.kafka_bootstrap, settings.topics.details, batch([bad]))
    async with working(settings, "fetcher"):
        await ended(pool, run.id, "failed")
        await until(lambda: _are(pool, 2))
    assert {one.code for one in await all_parked(pool)} == {"unreadable"}
    error = (await the_run(pool)).error
    assert error
    assert error.message.endswith(r"the name of a header is not UTF-8: b'\xff\xfe'")


async def _are(pool: Pool, count: int) -> bool:
    return len(await all_parked(pool)) == count


async def test_a_request_of_a_cancelled_run_takes_it_up_no_more(settings: Settings, pool: Pool) -> None:
    async with pool.acquire() as connection:
        run = await planned(connection)
        [asked] = [one for one in await runs.pending(connection, run) if one.session_id == "1"]
        record = pack(asked, Context(source="test", correlation_id=str(run.id)))
        held = HeldRecord(settings.topics.details, 0, 0, 0, record.key, record.value, record.headers)
        await refusing(settings, pool)("group", as_parked(held, "work_failed", "nobody foresaw this"))
        assert [one.session_id for one in await runs.failures(connection, run.id)] == ["1"]
        cancelled, _ = await run_changes.cancel(connection, run.id)
        assert (await run_changes.take_up_parked(connection, cancelled)).state == "cancelled"
