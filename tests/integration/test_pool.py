"""The detail pool: how many requests for sessions are ever in flight at the site, as the site counts them."""

import asyncio
import contextlib

import pytest

from runtime.settings import Settings
from sandbox.sample_site.generate import generate_day
from sandbox.sample_site.ledger import Ledger
from sandbox.sample_site.site import SampleSite
from sandbox.sample_site.site import Settings as SiteSettings
from tests.conftest import DAY, TRACK, at, create_topics, working
from tests.imports import import_day

SESSIONS = 30


def slow(site: SampleSite) -> None:
    site.put(generate_day(TRACK, DAY, seed=1, sessions=SESSIONS, laps_per_session=1))
    site.settings = SiteSettings(latency_seconds=0.05)


async def resized(settings: Settings, *, members: int, partitions: int) -> Settings:
    changed = at(
        settings,
        detail_concurrency=members,
        detail_partitions=partitions,
        topic_prefix=f"{settings.topic_prefix}{members}-{partitions}-",
    )
    await create_topics(changed)
    return changed


async def ingest(settings: Settings) -> None:
    summary = await import_day(settings)
    assert summary.status == "completed"
    assert summary.sessions_with_laps == SESSIONS


@pytest.mark.parametrize(("members", "partitions"), [(1, 4), (3, 4), (5, 8), (6, 2)])
async def test_one_process_has_no_more_in_flight_than_members_and_partitions_allow(
    settings: Settings, site: SampleSite, members: int, partitions: int
) -> None:
    slow(site)
    settings = await resized(settings, members=members, partitions=partitions)
    async with working(settings):
        await ingest(settings)
        at_first, site.ledger = site.ledger.max_sessions_in_flight, Ledger()
        await ingest(settings)
    assert at_first <= min(members, partitions)
    assert site.ledger.max_sessions_in_flight == min(members, partitions)


async def test_two_processes_have_no_more_in_flight_than_there_are_partitions(
    settings: Settings, site: SampleSite
) -> None:
    slow(site)
    settings = await resized(settings, members=4, partitions=3)
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(working(settings))
        importing = asyncio.create_task(ingest(settings))
        await stack.enter_async_context(working(settings, "fetcher"))
        await importing
    assert site.ledger.max_sessions_in_flight <= 3
    assert site.ledger.count("session") >= SESSIONS
