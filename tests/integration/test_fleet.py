"""A fleet: two processes with every role each, over one site, one broker and one database."""

import asyncio
import contextlib
import datetime as dt
import itertools
import signal
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import httpx

from producer import budget as sites
from producer.site import Site
from runtime.database import connected
from runtime.settings import Settings
from sandbox.embedded.ports import RANGE, is_free
from sandbox.sample_site.generate import generate_day
from sandbox.sample_site.site import SampleSite
from schemas.events import PracticeDayChanged, PracticeDayIngested
from schemas.scopes import Scope
from tests import members
from tests.api import data_of, token
from tests.conftest import DAY, TRACK, at
from tests.outcomes import event_of, outcomes
from tests.processes import Role, role

DAYS = [DAY + dt.timedelta(days=number) for number in range(3)]
SESSIONS = 6
LAPS = 4
LONGEST_STOP_SECONDS = 10.0


@contextlib.asynccontextmanager
async def fleet(settings: Settings) -> AsyncGenerator[list[tuple[Role, httpx.AsyncClient]]]:
    """Two processes that run everything, and a client of each one's API."""
    headers = {"Authorization": f"Bearer {await token(settings, Scope.ingest)}"}
    async with contextlib.AsyncExitStack() as stack:
        found: list[tuple[Role, httpx.AsyncClient]] = []
        for port in itertools.islice(filter(is_free, RANGE), 2):
            running = await stack.enter_async_context(role(at(settings, api_port=port), "all"))
            client = httpx.AsyncClient(
                base_url=f"http://127.0.0.1:{port}", headers=headers, trust_env=False, timeout=60
            )
            found.append((running, await stack.enter_async_context(client)))
        for _, client in found:
            await members.until(lambda client=client: _ready(client))
        yield found


async def _ready(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/readyz")).is_success
    except httpx.TransportError:
        return False


async def ask(client: httpx.AsyncClient, date: dt.date) -> str:
    """Ask for a day without waiting for it; returns the run's id."""
    asked = {"track_slug": TRACK, "date": date.isoformat(), "wait_seconds": 0}
    return data_of(await client.post("/api/v1/practice-days/ingest", json=asked), 202)["run_id"]


@contextlib.asynccontextmanager
async def paused(settings: Settings) -> AsyncGenerator[None]:
    """No page is fetched for the length of the block."""
    async with connected(settings) as connection:
        await sites.pause(connection, Site(settings.site).name, paused=True)
        yield
        await sites.pause(connection, Site(settings.site).name, paused=False)


async def ended(settings: Settings) -> bool:
    """Whether no run is at work any more."""
    async with connected(settings) as connection:
        return not await connection.fetchval(
            "SELECT EXISTS (SELECT FROM ingest_runs WHERE state = 'running')"
        )


def laps_in_order(events: Sequence[Any], date: dt.date) -> list[int]:
    """The laps that each change of a day added, until its import's outcome is told."""
    of_day = [event for event in events if event.date == date]
    told = next(number for number, event in enumerate(of_day) if isinstance(event, PracticeDayIngested))
    return [event.laps_added for event in of_day[:told] if isinstance(event, PracticeDayChanged)]


async def test_two_of_every_role_share_the_work_and_announce_each_outcome_once(
    settings: Settings, site: SampleSite
) -> None:
    for number, day in enumerate(DAYS):
        site.put(generate_day(TRACK, day, seed=number, sessions=SESSIONS, laps_per_session=LAPS))
    async with fleet(settings) as processes:
        async with paused(settings):
            asked = [ask(client, day) for day in DAYS for _, client in processes]
            runs = await asyncio.gather(*asked)
        await members.until(lambda: ended(settings))
        found = await outcomes(settings)
        began = asyncio.get_running_loop().time()
        ends = await asyncio.gather(*(running.end(signal.SIGTERM) for running, _ in processes))
        stopped_after = asyncio.get_running_loop().time() - began

    assert len(set(runs)) == len(DAYS), "who asks for a day that is imported joins"
    assert max(Counter(dict(record.headers)["ce_id"] for record in found).values()) == 1
    events = [event_of(record) for record in found]
    told = [event for event in events if isinstance(event, PracticeDayIngested)]
    assert Counter(event.date for event in told) == Counter(DAYS)
    assert {(event.status, event.sessions_ingested, event.laps_ingested) for event in told} == {
        ("completed", SESSIONS, SESSIONS * LAPS)
    }
    assert [sum(laps_in_order(events, day)) for day in DAYS] == [SESSIONS * LAPS] * len(DAYS)
    assert ends == [0, 0]
    assert stopped_after < LONGEST_STOP_SECONDS
