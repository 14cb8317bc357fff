"""Imports from the sample site to the tables: real HTTP, real broker, real database."""

import asyncio
import threading
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from ops.imports import workers
from ops.imports.follow import ImportFailed
from ops.imports.workers import RoleNotRunning
from producer.pages import parse_day
from producer.site import SOURCE
from runtime.settings import Settings
from sandbox.sample_site.cases import case_sessions, cases_day
from sandbox.sample_site.edits import CorrectTransponder, RemoveLap, RemoveSession
from sandbox.sample_site.faults import Fault, Match
from sandbox.sample_site.generate import generate_day, real_shape_day
from sandbox.sample_site.site import SampleSite
from schemas.events import DayFacts
from schemas.identity import practice_event_id
from store.days import DayView, SessionView, read_day
from store.digest import OBSERVATION_TABLES, READ_TABLES, TableDigest, digest
from store.pool import Pool
from tests.conftest import DAY, TRACK, working
from tests.imports import import_day


@pytest.fixture
async def at_work(settings: Settings) -> AsyncGenerator[Settings]:
    """Settings whose fetcher and projector are at work."""
    async with working(settings):
        yield settings


async def the_day(pool: Pool) -> DayView:
    async with pool.acquire() as connection:
        view = await read_day(connection, practice_event_id(SOURCE, TRACK, DAY))
    assert view is not None
    return view


async def sessions(pool: Pool) -> dict[str, SessionView]:
    return {session.session_id: session for session in (await the_day(pool)).sessions}


async def tables(pool: Pool, names: tuple[str, ...] = READ_TABLES) -> list[TableDigest]:
    async with pool.acquire() as connection:
        return await digest(connection, names)


async def values(pool: Pool, query: str) -> list[tuple[Any, ...]]:
    async with pool.acquire() as connection:
        return [tuple(row) for row in await connection.fetch(query)]


@pytest.mark.usefixtures("topics_are_named")
async def test_a_day_of_the_real_shape_comes_in_to_the_lap(
    at_work: Settings, site: SampleSite, pool: Pool
) -> None:
    site.put(real_shape_day(TRACK, DAY))
    summary = await import_day(at_work)
    assert (summary.status, summary.sessions_ingested, summary.sessions_failed) == ("completed", 56, 0)
    assert (summary.sessions_with_laps, summary.laps_ingested) == (56, 487)
    assert summary.drivers_created_or_matched == 12
    assert len(summary.fastest_laps) == 4
    view = await the_day(pool)
    assert view.stats is not None
    assert (view.laps, view.drivers) == (view.stats["total_laps"], 12)
    by_class = await values(
        pool,
        """
        SELECT class_name, count(*) FROM laps JOIN race_results AS x ON x.id = race_result_id
        JOIN races AS r ON r.id = x.race_id GROUP BY 1 ORDER BY 1
        """,
    )
    stated = {entry["class_name"]: entry["laps"] for entry in view.stats["laps_by_class"]}
    assert dict(by_class) == stated
    assert await values(pool, "SELECT count(*), count(DISTINCT transponder_number) FROM drivers") == [
        (12, 12)
    ]
    assert await values(pool, "SELECT DISTINCT position_final FROM race_results") == [(1,)]


async def test_a_second_import_changes_nothing_but_observations(
    at_work: Settings, site: SampleSite, pool: Pool
) -> None:
    site.put(cases_day(TRACK, DAY))
    await import_day(at_work)
    before, observed = await tables(pool), await tables(pool, OBSERVATION_TABLES)
    second = await import_day(at_work)
    assert second.status == "completed"
    assert await tables(pool) == before
    assert await tables(pool, OBSERVATION_TABLES) != observed


async def test_a_detail_that_fails_costs_one_session(at_work: Settings, site: SampleSite, pool: Pool) -> None:
    day = generate_day(TRACK, DAY, seed=1, sessions=3, laps_per_session=4)
    site.put(day)
    lost = day.sessions[1].session_id
    site.faults.add(Fault(kind="status", status=500, match=Match(session_id=lost)))
    summary = await import_day(at_work)
    assert (summary.status, summary.sessions_ingested, summary.sessions_detail_failed) == ("partial", 3, 1)
    assert [(failure.session_id, failure.code) for failure in summary.failures] == [(lost, "bad_status")]
    found = await sessions(pool)
    assert {key: session.laps for key, session in found.items()} == {
        session.session_id: 0 if session.session_id == lost else 4 for session in day.sessions
    }
    assert found[lost].laps_completed == 4
    nulls = await values(pool, "SELECT source_race_id FROM races WHERE race_metadata IS NULL")
    assert nulls == [(lost,)]


async def test_the_cases_of_the_real_world_come_in(at_work: Settings, site: SampleSite, pool: Pool) -> None:
    site.put(cases_day(TRACK, DAY))
    cases = {name: session.session_id for name, session in case_sessions(TRACK, DAY).items()}
    summary = await import_day(at_work)
    assert (summary.status, summary.sessions_ingested) == ("completed", len(cases))
    found = {name: (await sessions(pool))[session_id] for name, session_id in cases.items()}
    assert found["unknown_driver"].source_driver_id == "4100001"
    without = found["no_transponder"]
    assert (without.transponder_number, without.source_driver_id) == (
        None,
        f"practice_session_{without.session_id}",
    )
    assert without.laps > 0
    bare = found["no_transponder_without_laps"]
    assert bare.laps == 0
    assert bare.laps_completed
    assert (found["no_laps"].laps, found["no_laps"].fast_lap_time) == (0, None)
    assert found["class_with_parentheses"].class_name == "1/10 Buggy (Stock 17.5T)"
    assert found["markup"].driver_name == '<script>alert("x")</script> & O\'Dell'
    assert found["arabic"].driver_name == "سامر الخيّال"
    ends = await values(
        pool,
        f"""
        SELECT start_time::date::text, race_metadata ->> 'end_time' FROM races
        WHERE source_race_id = '{cases["past_midnight"]}'
        """,
    )
    assert ends[0][0] == "2025-10-25"
    assert ends[0][1].startswith("2025-10-26")
    invalid = await values(
        pool,
        f"""
        SELECT lap_number FROM laps JOIN race_results AS x ON x.id = race_result_id
        JOIN races AS r ON r.id = x.race_id
        WHERE r.source_race_id = '{cases["invalid_laps"]}' AND NOT is_valid ORDER BY 1
        """,
    )
    assert invalid == [(2,), (4,)]


async def test_an_empty_day_is_an_event_without_sessions(
    at_work: Settings, site: SampleSite, pool: Pool
) -> None:
    site.set_empty(TRACK, DAY)
    summary = await import_day(at_work)
    assert (summary.status, summary.sessions_ingested) == ("completed", 0)
    assert (await the_day(pool)).sessions == []
    assert site.ledger.count("day_list") == 1


async def test_an_empty_list_over_a_day_that_has_sessions_is_fetched_a_second_time(
    at_work: Settings, site: SampleSite, pool: Pool
) -> None:
    site.put(generate_day(TRACK, DAY, seed=1, sessions=2))
    await import_day(at_work)
    site.set_empty(TRACK, DAY)
    await import_day(at_work)
    assert site.ledger.count("day_list") == 3
    assert (await the_day(pool)).sessions == []


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("bot_check", "bot_check"),
        ("login", "login_page"),
        ("other_day", "wrong_date"),
        ("truncate", "truncated_page"),
        ("empty", "empty_body"),
        ("gzip_bomb", "page_too_large"),
        ("nested", "too_complex"),
        ("drop", "unreachable"),
    ],
)
async def test_a_list_that_is_not_that_page_changes_nothing(
    at_work: Settings, site: SampleSite, pool: Pool, kind: Any, code: str
) -> None:
    site.put(generate_day(TRACK, DAY, seed=1, sessions=2))
    await import_day(at_work)
    before = await tables(pool, READ_TABLES + OBSERVATION_TABLES)
    site.faults.add(Fault(kind=kind, match=Match(page="day_list"), megabytes=20))
    with pytest.raises(ImportFailed, match=code):
        await import_day(at_work)
    assert await tables(pool, READ_TABLES + OBSERVATION_TABLES) == before


async def test_pages_are_read_beside_the_event_loop(
    at_work: Settings, site: SampleSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, goes_on = asyncio.get_running_loop(), threading.Event()

    def patient(body: bytes, **asked: Any) -> DayFacts:
        loop.call_soon_threadsafe(goes_on.set)
        assert goes_on.wait(20), "the event loop waits for the parser"
        return parse_day(body, **asked)

    site.put(generate_day(TRACK, DAY, seed=1, sessions=1))
    monkeypatch.setattr("producer.fetcher.parse_day", patient)
    assert (await import_day(at_work)).status == "completed"
    assert goes_on.is_set()


async def test_an_error_of_the_moment_is_retried(at_work: Settings, site: SampleSite) -> None:
    site.put(generate_day(TRACK, DAY, seed=1, sessions=2))
    site.faults.add(Fault(kind="status", status=503, retry_after="1", match=Match(page="day_list"), times=1))
    site.faults.add(Fault(kind="truncate", match=Match(page="session"), times=1))
    assert (await import_day(at_work)).status == "completed"


async def test_what_the_site_corrects_is_corrected(at_work: Settings, site: SampleSite, pool: Pool) -> None:
    day = generate_day(TRACK, DAY, seed=1, sessions=3, laps_per_session=5)
    site.put(day)
    await import_day(at_work)
    before = await tables(pool)
    one, two, three = (session.session_id for session in day.sessions)
    site.change(TRACK, DAY, RemoveLap(session_id=one, lap_number=5))
    site.change(TRACK, DAY, RemoveSession(session_id=two))
    site.change(TRACK, DAY, CorrectTransponder(session_id=three, transponder="5550001"))
    await import_day(at_work)
    found = await sessions(pool)
    assert {key: session.laps for key, session in found.items()} == {one: 4, three: 5}
    assert found[three].source_driver_id == "5550001"
    site.put_back(TRACK, DAY)
    await import_day(at_work)
    drivers = [table for table in await tables(pool) if table.table != "drivers"]
    assert drivers == [table for table in before if table.table != "drivers"]


async def test_robots_that_refuse_are_obeyed(at_work: Settings, site: SampleSite) -> None:
    site.settings = type(site.settings)(robots_txt="User-agent: *\nDisallow: /")
    with pytest.raises(ImportFailed, match="robots_refused"):
        await import_day(at_work)
    assert site.ledger.count("day_list") == 0


async def test_without_a_fetcher_an_import_says_so(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "PATIENCE_SECONDS", 0.1)
    with pytest.raises(RoleNotRunning, match="lapstream run all"):
        await import_day(settings)
