"""What was fetched is not fetched again because the broker, the database or another host fails."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.consumer.subscription_state import SubscriptionState
from aiokafka.errors import MessageSizeTooLargeError
from structlog.testing import capture_logs

from broker.clients import administering, describe_group
from ops.imports import follow
from ops.imports.workers import Workers
from producer import budget as sites
from producer import patience
from producer.budget import Pace
from producer.errors import BadStatus, RobotsUnavailable, Unreachable
from producer.gate import Gate
from producer.http import Client
from producer.pages import parse_month
from producer.site import SOURCE, Site
from runs import changes as run_changes
from runtime.database import database
from runtime.obtaining import obtaining
from runtime.settings import Settings
from runtime.wiring import detail_group, list_group, publishing
from sandbox.sample_site.faults import Fault, Match
from sandbox.sample_site.generate import generate_day
from sandbox.sample_site.server import RunningSite
from sandbox.sample_site.site import SampleSite
from sandbox.sample_site.site import Settings as SiteSettings
from schemas.envelope import Context
from store.pool import Pool
from tests.conftest import DAY, TRACK, at, working
from tests.gates import ask, day_of, fails, gates, opened, state
from tests.imports import import_day
from tests.integration.test_api import Wire
from tests.members import until
from tests.producers import producing

SESSIONS = 4
STRANGE = [("ce_specversion", b"1.0"), ("ce_type", b"org.example.v1"), ("ce_id", b"1"), ("ce_source", b"x")]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "WAIT_SECONDS", 0.05)


@pytest.fixture
def a_day(site: SampleSite) -> SampleSite:
    site.put(generate_day(TRACK, DAY, seed=1, sessions=SESSIONS, laps_per_session=3))
    return site


@asynccontextmanager
async def refusing(settings: Settings, topic: str) -> AsyncGenerator[None]:
    """The broker takes no record into a topic for the length of the block."""
    async with administering(settings.broker) as admin:

        async def take_up_to(size: int) -> None:
            config = {"max.message.bytes": str(size), "retention.ms": "-1"}
            await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, config)])

        await take_up_to(1)
        async with producing(settings) as producer:
            await until(lambda: refuses(producer, topic))
        yield
        await take_up_to(4_000_000)


async def refuses(producer: Any, topic: str) -> bool:
    """Whether each partition of a topic refuses a record, which is of another vendor's."""
    answers = [
        await producer.send(topic, b"{}", partition=partition, headers=STRANGE)
        for partition in await producer.partitions_for(topic)
    ]
    errors = await asyncio.gather(*answers, return_exceptions=True)
    return all(isinstance(error, MessageSizeTooLargeError) for error in errors)


async def refused(logs: list[Any], times: int = 5) -> None:
    """Return when a step was tried so often."""

    async def so_often() -> bool:
        return sum(line["event"] == "fetcher_waits" for line in logs) >= times

    await until(so_often)


def asked(site: SampleSite) -> Counter[str]:
    """How often each page was asked for."""
    return Counter(request.path for request in site.ledger.requests if request.page != "robots")


@pytest.mark.parametrize(("lists", "details"), [(1, 1), (2, 0)], ids=["a day", "an empty day"])
async def test_while_the_broker_refuses_no_page_is_asked_for_again(
    settings: Settings, a_day: SampleSite, lists: int, details: int
) -> None:
    """An empty list over a day that has sessions is fetched twice before it counts, and no more."""
    async with working(settings):
        await import_day(settings)
        if not details:
            a_day.set_empty(TRACK, DAY)
        before = asked(a_day)
        with capture_logs() as logs:
            async with refusing(settings, settings.topics.days):
                importing = asyncio.create_task(import_day(settings))
                await refused(logs)
        assert (await importing).status == "completed"
    counts = (asked(a_day) - before).values()
    assert sorted(counts) == sorted([lists, *[1] * details * SESSIONS])


async def test_a_month_is_answered_while_the_broker_refuses_its_page(
    settings: Settings, a_day: SampleSite, pool: Pool
) -> None:
    url = Site(settings.site).month(TRACK, "2025-10")
    context = Context(source="test")
    async with publishing(settings) as publisher, obtaining(settings, pool, publisher, at_once=1) as obtainer:

        async def obtain() -> int:
            obtained = await obtainer.obtain(
                url, lambda page: parse_month(page.body, url=page.url, year_month="2025-10"), context
            )
            return len(obtained.facts.days)

        with capture_logs() as logs:
            async with refusing(settings, settings.topics.pages):
                assert await obtain() == 31
                await refused(logs)
                waiting = asyncio.create_task(obtain())
                await refused(logs, 10)
                assert a_day.ledger.count("month") == 1, (
                    "no further page is asked for before this one is kept"
                )
            assert await waiting == 31
    assert a_day.ledger.count("month") == 2


@asynccontextmanager
async def through_a_wire(
    settings: Settings, running_site: RunningSite
) -> AsyncGenerator[tuple[Wire, tuple[Gate, Client]]]:
    """A gate whose database is at the far end of a wire, and which has let a request through."""
    wire = Wire(settings.postgres_dsn)
    async with (
        database(at(settings, postgres_dsn=await wire.mend()), size=2) as far,
        gates(far, running_site, Pace(0.01, 8), count=1) as [one],
    ):
        await ask(*one, day_of(running_site))
        yield wire, one
    await wire.cut()


async def cut_for_a_while(wire: Wire) -> None:
    with capture_logs() as logs:
        await wire.cut()
        await refused(logs)
        await wire.mend()


async def test_a_page_that_came_while_the_database_was_away_is_not_lost(
    pool: Pool, a_day: SampleSite, running_site: RunningSite, settings: Settings
) -> None:
    async with through_a_wire(settings, running_site) as (wire, one):
        a_day.settings = SiteSettings(latency_seconds=0.2)
        asking = asyncio.create_task(ask(*one, day_of(running_site)))
        await until(lambda: opened(pool, running_site, 1))
        await cut_for_a_while(wire)
        await asking
        assert (a_day.ledger.count("day_list"), await opened(pool, running_site, 0)) == (2, True)


async def test_a_rest_that_the_site_asked_for_is_kept_though_the_database_was_away(
    pool: Pool, a_day: SampleSite, running_site: RunningSite, settings: Settings
) -> None:
    async with through_a_wire(settings, running_site) as (wire, one):
        a_day.settings = SiteSettings(latency_seconds=0.2)
        a_day.faults.add(Fault(kind="status", status=429, retry_after="120"))
        asking = asyncio.create_task(fails(ask(*one, day_of(running_site)), BadStatus))
        await until(lambda: opened(pool, running_site, 1))
        await cut_for_a_while(wire)
        await asking
        assert ((await state(pool, running_site)).rest_seconds or 0) > 100


@asynccontextmanager
async def silent_host() -> AsyncGenerator[tuple[str, list[asyncio.StreamWriter]]]:
    """A host that takes connections and says nothing, and the connections that it took."""
    taken: list[asyncio.StreamWriter] = []

    async def hold(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        taken.append(writer)

    server = await asyncio.start_server(hold, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/{TRACK}/practice/", taken
    server.close()
    for writer in taken:
        writer.close()


async def test_a_host_that_hangs_holds_up_no_other_and_is_not_asked_again_and_again(
    pool: Pool, a_day: SampleSite, running_site: RunningSite
) -> None:
    async with silent_host() as (url, taken), gates(pool, running_site, Pace(0, 8)) as [one, other]:
        hanging = asyncio.create_task(fails(ask(*one, url), Unreachable))
        behind = asyncio.create_task(fails(ask(*one, url), RobotsUnavailable))

        async def connected() -> bool:
            return len(taken) == 1

        await until(connected)
        for gate in (one, other):
            await ask(*gate, day_of(running_site))
        assert not hanging.done()
        taken[0].transport.abort()
        await hanging
        assert "robots.txt: robots_unavailable: it failed to be fetched just now: unreachable" in str(
            await behind
        )
        await fails(ask(*other, url), RobotsUnavailable)
        assert len(taken) == 1


async def test_robots_txt_that_could_not_be_had_is_asked_for_again_after_a_while(
    pool: Pool, a_day: SampleSite, running_site: RunningSite
) -> None:
    a_day.faults.add(Fault(kind="status", status=500, match=Match(page="robots"), times=1))
    async with gates(pool, running_site, Pace(0, 8), count=1) as [one]:
        await fails(ask(*one, day_of(running_site)), BadStatus)
        await fails(ask(*one, day_of(running_site)), RobotsUnavailable)
        async with pool.acquire() as connection:
            await connection.execute("UPDATE robots SET failed_at = failed_at - interval '1 minute'")
        await ask(*one, day_of(running_site))
        async with pool.acquire() as connection:
            assert (
                await sites.read_robots(connection, f"{running_site.base_url}/robots.txt")
            ).failure is None


@asynccontextmanager
async def an_hour_later(monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Counter[int]]:
    """To aiokafka it seems that nobody polled for an hour; gives how often each that works looked."""
    looks: Counter[int] = Counter()

    def idle(subscription: Any) -> float:
        if subscription.paused_partitions():
            looks[id(subscription)] += 1
        return 0.0 if subscription._fetch_count else 3_600.0

    with monkeypatch.context() as patched:
        patched.setattr(SubscriptionState, "fetcher_idle_time", property(idle))
        yield looks


async def test_no_member_leaves_its_group_however_long_the_site_is_paused(
    settings: Settings, a_day: SampleSite, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with administering(settings.broker) as admin, working(settings):
        async with pool.acquire() as connection:
            await Workers(settings.broker, settings.topics).come(connection, follow.unseen.wait)
            await sites.pause(connection, Site(settings.site).name, paused=True)
            run, _ = await run_changes.request(connection, follow.request(SOURCE, TRACK, DAY))
        async with an_hour_later(monkeypatch) as looks:

            async def looked() -> bool:
                return looks.total() >= 5

            await until(looked)
            assert await describe_group(admin, list_group(settings.topics)) == ("Stable", 1)
            assert await describe_group(admin, detail_group(settings.topics)) == (
                "Stable",
                settings.detail_concurrency,
            )
        async with pool.acquire() as connection:
            await sites.pause(connection, Site(settings.site).name, paused=False)
        followed = await import_day(settings)
    assert (followed.run_id, followed.status) == (run.id, "completed")
    assert set(asked(a_day).values()) == {1}
