"""Politeness towards the site: pace, open requests, back-off and robots.txt, over the whole fleet."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from producer import budget as sites
from producer.budget import ERRORS, Pace
from producer.errors import BadStatus, RobotsRefused, SiteBackingOff, Unreachable
from producer.http import Page
from producer.obtain import Unobtainable
from producer.pages import parse_day
from producer.permits import JITTER
from producer.site import Site
from runtime.obtaining import obtaining
from runtime.settings import Settings
from runtime.wiring import publishing
from sandbox.sample_site.faults import Fault, Match
from sandbox.sample_site.generate import generate_day
from sandbox.sample_site.notpages import render_bot_check
from sandbox.sample_site.server import RunningSite
from sandbox.sample_site.site import SampleSite
from sandbox.sample_site.site import Settings as SiteSettings
from schemas.envelope import Context
from schemas.events import DayFacts
from store.pool import Connection, Pool
from tests.conftest import DAY, TRACK, at
from tests.gates import ask, day_of, execute, fails, gates, opened, state
from tests.members import until


@pytest.fixture
def a_day(site: SampleSite) -> SampleSite:
    site.put(generate_day(TRACK, DAY, seed=1, sessions=3))
    return site


async def test_no_more_requests_are_open_than_the_fleet_may_have(
    pool: Pool, a_day: SampleSite, running_site: RunningSite
) -> None:
    async with gates(pool, running_site, Pace(0, 3)) as fleet:
        await ask(*fleet[0], day_of(running_site))
        a_day.settings = SiteSettings(latency_seconds=0.05)
        await asyncio.gather(*(ask(*fleet[n % 2], day_of(running_site)) for n in range(12)))
    assert a_day.ledger.max_in_flight == 3
    assert (await state(pool, running_site)).open_requests == 0


async def test_the_permit_of_a_process_that_was_killed_ends_by_itself(
    pool: Pool, a_day: SampleSite, running_site: RunningSite
) -> None:
    async with gates(pool, running_site, Pace(0, 1), count=1) as [(gate, client)]:
        await ask(gate, client, day_of(running_site))
        await until(lambda: opened(pool, running_site, 0))
        await execute(pool, """UPDATE sites SET permits = '{"killed": 1}'""")
        await ask(gate, client, day_of(running_site))
        await until(lambda: opened(pool, running_site, 0))
        ahead = time.time() + 60
        await execute(pool, f"""UPDATE sites SET permits = '{{"held": {ahead}}}'""")
        assert (await state(pool, running_site)).open_requests == 1
        waiting = asyncio.create_task(ask(gate, client, day_of(running_site)))
        done, _ = await asyncio.wait({waiting}, timeout=0.2)
        assert not done
        await execute(pool, "UPDATE sites SET permits = '{}'")
        await waiting


async def test_the_pace_holds_over_all_processes(
    pool: Pool, a_day: SampleSite, running_site: RunningSite
) -> None:
    asked = time.monotonic()
    async with gates(pool, running_site, Pace(0.1, 8)) as fleet:
        await ask(*fleet[0], day_of(running_site))
        await asyncio.gather(*(ask(*fleet[n % 2], day_of(running_site)) for n in range(6)))
    begins = sorted(request.began - asked for request in a_day.ledger.requests)
    assert len(begins) == 8
    assert all(began > number * 0.1 * (1 - JITTER) - 0.005 for number, began in enumerate(begins))


async def test_robots_txt_is_asked_for_once_by_the_whole_fleet(
    pool: Pool, a_day: SampleSite, running_site: RunningSite
) -> None:
    async with gates(pool, running_site, Pace(0, 8), count=3) as fleet:
        await asyncio.gather(*(ask(*one, day_of(running_site)) for one in fleet))
    assert a_day.ledger.count("robots") == 1


async def test_a_process_that_looked_before_another_kept_the_robots_txt_does_not_ask_again(
    connection: Connection,
) -> None:
    address = "http://127.0.0.1/robots.txt"
    assert await sites.claim_robots(connection, address)
    assert (await sites.read_robots(connection, address)).rules is None
    await sites.keep_robots(connection, address, "")
    assert not await sites.claim_robots(connection, address)


async def test_an_old_robots_txt_is_obeyed_while_no_new_one_can_be_had(
    pool: Pool, a_day: SampleSite, running_site: RunningSite
) -> None:
    a_day.settings = SiteSettings(robots_txt="User-agent: *\nDisallow: /")
    async with gates(pool, running_site, Pace(0, 8), count=1) as [one]:
        await fails(ask(*one, day_of(running_site)), RobotsRefused)
    a_day.faults.add(Fault(kind="status", status=500, match=Match(page="robots")))
    await execute(pool, "UPDATE robots SET fetched_at = now() - interval '2 hours'")
    async with gates(pool, running_site, Pace(0, 8), count=1) as [one]:
        await fails(ask(*one, day_of(running_site)), RobotsRefused)
    await execute(pool, "UPDATE robots SET fetched_at = now() - interval '25 hours', failed_at = NULL")
    async with gates(pool, running_site, Pace(0, 8), count=1) as [one]:
        await fails(ask(*one, day_of(running_site)), BadStatus)
    assert a_day.ledger.count("day_list") == 0


async def test_a_run_of_errors_lets_the_site_rest_longer_each_time(
    pool: Pool, a_day: SampleSite, running_site: RunningSite
) -> None:
    async with gates(pool, running_site, Pace(0, 8)) as [one, other]:
        await ask(*one, day_of(running_site))
        a_day.faults.add(Fault(kind="drop", match=Match(page="day_list")))
        for number in range(ERRORS):
            await fails(ask(*(one, other)[number % 2], day_of(running_site)), Unreachable)
        rested = await state(pool, running_site)
        assert rested.errors_in_row == ERRORS
        assert 55 < (rested.rest_seconds or 0) <= 60
        await execute(pool, "UPDATE sites SET rest_until = now() - interval '1 second'")
        await fails(ask(*one, day_of(running_site)), Unreachable)
        assert 115 < ((await state(pool, running_site)).rest_seconds or 0) <= 120
        refused = await fails(ask(*other, day_of(running_site)), SiteBackingOff)
        assert "11 requests in a row failed" in str(refused)
        assert "until 20" in str(refused)
        await execute(pool, "UPDATE sites SET rest_until = now() - interval '1 second'")
        a_day.faults.clear()
        await ask(*one, day_of(running_site))
    assert (await state(pool, running_site)).errors_in_row == 0


async def test_what_is_no_failure_of_the_site_is_none(
    pool: Pool, a_day: SampleSite, running_site: RunningSite
) -> None:
    a_day.faults.add(Fault(kind="status", status=404, match=Match(page="day_list")))
    async with gates(pool, running_site, Pace(0, 8), count=1) as [one]:
        await fails(ask(*one, day_of(running_site)), BadStatus)
    found = await state(pool, running_site)
    assert (found.errors_in_row, found.open_requests) == (0, 0)


async def test_a_failure_during_back_off_makes_it_no_longer(
    pool: Pool, a_day: SampleSite, running_site: RunningSite
) -> None:
    async with gates(pool, running_site, Pace(0, 20)) as fleet:
        await ask(*fleet[0], day_of(running_site))
        a_day.settings = SiteSettings(latency_seconds=0.2)
        a_day.faults.add(Fault(kind="drop", match=Match(page="day_list")))
        asked = [fails(ask(*fleet[n % 2], day_of(running_site)), Unreachable) for n in range(ERRORS + 5)]
        await asyncio.gather(*asked)
    found = await state(pool, running_site)
    assert found.errors_in_row == ERRORS
    assert 50 < (found.rest_seconds or 0) <= 60


async def test_a_pause_holds_for_whom_a_moment_is_reserved_too(
    pool: Pool, a_day: SampleSite, running_site: RunningSite
) -> None:
    async with gates(pool, running_site, Pace(0.5, 8)) as [one, other]:
        await ask(*one, day_of(running_site))
        waiting = asyncio.create_task(ask(*other, day_of(running_site)))
        await until(lambda: opened(pool, running_site, 1))
        async with pool.acquire() as connection:
            await sites.pause(connection, running_site.site_template, paused=True)
        await until(lambda: opened(pool, running_site, 0))
        assert a_day.ledger.count("day_list") == 1
        async with pool.acquire() as connection:
            await sites.pause(connection, running_site.site_template, paused=False)
        await waiting
    assert a_day.ledger.count("day_list") == 2


async def test_no_request_begins_on_a_permit_that_is_about_to_end(
    pool: Pool, a_day: SampleSite, running_site: RunningSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with gates(pool, running_site, Pace(0, 8), count=1) as [one]:
        await ask(*one, day_of(running_site))
        await until(lambda: opened(pool, running_site, 0))
        monkeypatch.setattr("producer.permits.PERMIT_SECONDS", 0.0)
        waiting = asyncio.create_task(ask(*one, day_of(running_site)))
        done, _ = await asyncio.wait({waiting}, timeout=0.1)
        assert not done
        assert a_day.ledger.count("day_list") == 1
        monkeypatch.undo()
        await waiting


async def test_a_request_that_was_given_up_says_nothing_of_the_site(
    pool: Pool, a_day: SampleSite, running_site: RunningSite
) -> None:
    async with gates(pool, running_site, Pace(0, 8), count=1) as [one]:
        await ask(*one, day_of(running_site))
        await until(lambda: opened(pool, running_site, 0))
        await execute(pool, "UPDATE sites SET errors_in_row = 7")
        a_day.settings = SiteSettings(latency_seconds=30)
        asking = asyncio.create_task(ask(*one, day_of(running_site)))
        await until(lambda: opened(pool, running_site, 1))
        asking.cancel()
        await asyncio.wait({asking})
    found = await state(pool, running_site)
    assert (found.errors_in_row, found.open_requests) == (7, 0)


@pytest.mark.parametrize(
    ("status", "retry_after", "seconds"),
    [
        (429, None, 60),
        (503, None, 60),
        (503, "120", 120),
        (429, "99999", 3600),
        (503, "0", 0),
        (500, None, 0),
    ],
)
async def test_back_off_lasts_as_long_as_the_answer_asks_for(
    pool: Pool,
    a_day: SampleSite,
    running_site: RunningSite,
    status: int,
    retry_after: str | None,
    seconds: int,
) -> None:
    fault = Fault(kind="status", status=status, retry_after=retry_after, match=Match(page="day_list"))
    a_day.faults.add(fault)
    async with gates(pool, running_site, Pace(0, 8), count=1) as [one]:
        await fails(ask(*one, day_of(running_site)), BadStatus)
    found = await state(pool, running_site)
    assert seconds - 5 < (found.rest_seconds or 0) <= seconds
    assert (found.errors_in_row, found.open_requests) == (1, 0)


async def test_a_refusal_that_goes_on_lets_the_site_rest(
    pool: Pool, a_day: SampleSite, running_site: RunningSite
) -> None:
    a_day.faults.add(Fault(kind="status", status=403, match=Match(page="day_list")))
    async with gates(pool, running_site, Pace(0, 8), count=1) as [one]:
        for _ in range(ERRORS):
            await fails(ask(*one, day_of(running_site)), BadStatus)
    assert (await state(pool, running_site)).rest_seconds


async def test_whoever_meets_a_long_rest_is_told_how_long_it_lasts(
    pool: Pool, a_day: SampleSite, running_site: RunningSite
) -> None:
    async with gates(pool, running_site, Pace(0, 8), count=1) as [(gate, client)]:
        await ask(gate, client, day_of(running_site))
        await gate.back_off(900, "a bot check")
        refused = await fails(ask(gate, client, day_of(running_site)), SiteBackingOff)
    assert 890 < (refused.retry_after or 0) <= 900


@asynccontextmanager
async def bot_checks(status: int) -> AsyncGenerator[str]:
    """A site that answers everything but robots.txt with a bot check, under this status."""

    async def answer(request: web.Request) -> web.Response:
        if request.path == "/robots.txt":
            return web.Response(status=404)
        return web.Response(body=render_bot_check(), status=status, content_type="text/html")

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/{{track_slug}}"
    await runner.cleanup()


@pytest.mark.parametrize("status", [200, 403, 503])
async def test_a_bot_check_lets_the_site_rest_under_whatever_status_it_comes(
    settings: Settings, pool: Pool, status: int
) -> None:
    async with bot_checks(status) as template, publishing(settings) as publisher:
        site = Site(template)
        async with obtaining(at(settings, site=template), pool, publisher, at_once=1) as obtainer:
            with pytest.raises(Unobtainable, match="bot_check") as caught:
                await obtainer.obtain(site.day(TRACK, DAY), day_facts, Context(source="test"))
            async with pool.acquire() as connection:
                found = await sites.state(connection, site.name)
    assert (caught.value.error.code, caught.value.attempts) == ("bot_check", 1)
    assert 890 < (found.rest_seconds or 0) <= 900


def day_facts(page: Page) -> DayFacts:
    return parse_day(page.body, url=page.url, date=DAY)
