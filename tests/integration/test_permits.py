"""Permits without a pace: each serves one request, and the fleet's bounds hold."""

import asyncio
import time

import pytest

from producer import budget as sites
from producer.budget import ERRORS, Pace
from producer.errors import BadStatus, SiteBackingOff, Unreachable
from producer.gate import Gate
from producer.http import Client
from sandbox.sample_site.faults import Fault, Match
from sandbox.sample_site.generate import generate_day
from sandbox.sample_site.server import RunningSite
from sandbox.sample_site.site import SampleSite
from store.pool import Pool
from tests.conftest import DAY, TRACK
from tests.gates import ask, day_of, execute, fails, gates, opened, state
from tests.members import until

UNPACED = Pace(0, 8)
SWITCHED_SECONDS = 0.5
OTHERS_TURN_SECONDS = 10.0


@pytest.fixture
def a_day(site: SampleSite) -> SampleSite:
    site.put(generate_day(TRACK, DAY, seed=1, sessions=3))
    return site


async def ask_on(gate: Gate, client: Client, url: str) -> None:
    """Ask again and again, until cancelled."""
    while True:
        await ask(gate, client, url)


async def test_a_permit_serves_one_request(pool: Pool, a_day: SampleSite, running_site: RunningSite) -> None:
    async with gates(pool, running_site, UNPACED, count=1) as [one]:
        await ask(*one, day_of(running_site))
        assert await opened(pool, running_site, 0)
        await execute(pool, "UPDATE sites SET next_request_at = now() + interval '1 hour'")
        waiting = asyncio.create_task(ask(*one, day_of(running_site)))
        await until(lambda: opened(pool, running_site, 1))
        waiting.cancel()
        await asyncio.wait({waiting})
    assert a_day.ledger.count("day_list") == 1


async def test_the_switch_stops_who_asks_all_the_time_within_half_a_second(
    pool: Pool, a_day: SampleSite, running_site: RunningSite
) -> None:
    async with gates(pool, running_site, UNPACED, count=1) as [one]:
        asking = asyncio.create_task(ask_on(*one, day_of(running_site)))
        await until(lambda: opened(pool, running_site, 1))
        async with pool.acquire() as connection:
            await sites.pause(connection, running_site.site_template, paused=True)
        paused = time.monotonic()
        await until(lambda: opened(pool, running_site, 0))
        last = max(request.began for request in a_day.ledger.requests)
        asking.cancel()
        await asyncio.wait({asking})
    assert last < paused + SWITCHED_SECONDS


async def test_after_a_refusal_no_further_request_is_made(
    pool: Pool, a_day: SampleSite, running_site: RunningSite
) -> None:
    async with gates(pool, running_site, UNPACED, count=1) as [one]:
        await asyncio.gather(*(ask(*one, day_of(running_site)) for _ in range(4)))
        a_day.faults.add(Fault(kind="status", status=429, retry_after="1000", match=Match(page="day_list")))
        await fails(ask(*one, day_of(running_site)), BadStatus)
        await fails(ask(*one, day_of(running_site)), SiteBackingOff)
    assert a_day.ledger.count("day_list") == 5


async def test_each_answer_ends_a_row_of_errors(
    pool: Pool, a_day: SampleSite, running_site: RunningSite
) -> None:
    async with gates(pool, running_site, UNPACED, count=1) as [one]:
        await ask(*one, day_of(running_site))
        for _ in range(2):
            a_day.faults.add(Fault(kind="drop", times=ERRORS - 1, match=Match(page="day_list")))
            for _ in range(ERRORS - 1):
                await fails(ask(*one, day_of(running_site)), Unreachable)
            await ask(*one, day_of(running_site))
        assert (await state(pool, running_site)).rest_seconds is None


async def test_who_asks_all_the_time_leaves_room_for_another_process(
    pool: Pool, a_day: SampleSite, running_site: RunningSite
) -> None:
    async with gates(pool, running_site, Pace(0, 1)) as [one, other]:
        await ask(*other, day_of(running_site))
        asking = [asyncio.create_task(ask_on(*one, day_of(running_site))) for _ in range(3)]
        await until(lambda: opened(pool, running_site, 1))
        async with asyncio.timeout(OTHERS_TURN_SECONDS):
            await ask(*other, day_of(running_site))
        for task in asking:
            task.cancel()
        await asyncio.wait(asking)
    assert a_day.ledger.max_in_flight == 1
