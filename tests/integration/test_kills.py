"""Killing a role in the middle, and starting it again, completes the day with the same tables."""

import asyncio
import signal

import pytest

from ops.imports.follow import ImportSummary
from runtime.settings import Settings
from sandbox.sample_site.generate import generate_day
from sandbox.sample_site.site import SampleSite
from sandbox.sample_site.site import Settings as SiteSettings
from store.digest import READ_TABLES, TableDigest, digest
from store.pool import Pool
from tests.conftest import DAY, TRACK, working
from tests.imports import import_day
from tests.processes import role, until

SESSIONS = 24
LAPS = 5


def steady(site: SampleSite) -> None:
    site.put(generate_day(TRACK, DAY, seed=1, sessions=SESSIONS, laps_per_session=LAPS))
    site.settings = SiteSettings(latency_seconds=0.05)


async def tables(pool: Pool) -> list[TableDigest]:
    async with pool.acquire() as connection:
        return await digest(connection, READ_TABLES)


async def assert_whole(settings: Settings, pool: Pool, summary: ImportSummary) -> None:
    """All came in, and an undisturbed import of the same day finds nothing to change."""
    assert (summary.status, summary.sessions_with_laps) == ("completed", SESSIONS)
    assert summary.laps_ingested == SESSIONS * LAPS
    left = await tables(pool)
    async with working(settings):
        assert (await import_day(settings)).status == "completed"
    assert await tables(pool) == left


@pytest.mark.slow
async def test_a_fetcher_killed_in_the_middle_loses_no_session(
    settings: Settings, site: SampleSite, pool: Pool
) -> None:
    steady(site)
    async with working(settings, "projector", "relay"), role(settings, "fetcher") as fetcher:
        importing = asyncio.create_task(import_day(settings))
        for sessions in (4, 12):
            await until(lambda sessions=sessions: site.ledger.count("session") >= sessions)
            await fetcher.end(signal.SIGKILL)
            await fetcher.start()
        summary = await importing
        assert await fetcher.end(signal.SIGTERM) == 0
    await assert_whole(settings, pool, summary)


@pytest.mark.slow
async def test_a_projector_killed_in_the_middle_loses_nothing_and_repeats_nothing(
    settings: Settings, site: SampleSite, pool: Pool
) -> None:
    steady(site)
    async with working(settings, "fetcher", "relay"), role(settings, "projector") as projector:
        importing = asyncio.create_task(import_day(settings))
        for sessions in (3, 9, 15):
            await until(lambda sessions=sessions: site.ledger.count("session") >= sessions)
            await projector.end(signal.SIGKILL)
            await projector.start()
        summary = await importing
        assert await projector.end(signal.SIGTERM) == 0
    await assert_whole(settings, pool, summary)
