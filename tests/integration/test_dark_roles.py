"""Roles whose connections to broker and database die without a word: they go on, and stop when told to."""

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncGenerator, Generator
from typing import Any, NamedTuple

import httpx
import pytest

from bench.kills.roads import Dark, Listener, Roads, leading, second_listener
from broker import clients, subscribing
from broker.clients import administering, describe_group
from ops.imports import follow
from outbox import adding as outbox
from producer.site import SOURCE
from runtime.database import connected, database
from runtime.settings import Settings
from runtime.wiring import detail_group, list_group, projection_group
from sandbox.embedded import ports
from sandbox.sample_site.generate import generate_day
from sandbox.sample_site.server import RunningSite
from sandbox.sample_site.site import SampleSite
from sandbox.sample_site.site import Settings as SiteSettings
from store import positions
from store.pool import Connection, Pool
from tests import databases, members
from tests.api import asking
from tests.conftest import DAY, TRACK, at, create_topics, own_settings, working
from tests.dark import shorten
from tests.homes import Home
from tests.members import EVENTS, member, send, tables, undisturbed, until_at
from tests.processes import role, until
from tests.servers import running

SESSIONS = 20

LONGEST_STOP_SECONDS = 10.0


BOTH = "database and broker"


class Way(NamedTuple):
    """Settings that lead to the servers over roads that may go dark, and past them."""

    roads: Roads
    direct: Settings

    @property
    def through(self) -> Settings:
        return self.roads.through


@pytest.fixture(scope="module")
def listener() -> Generator[Listener]:
    with second_listener() as listener:
        yield listener


@pytest.fixture(scope="module")
def servers(listener: Listener) -> Generator[Home]:
    """Servers whose broker has the second listener, since it is started when that is there."""
    with running() as servers:
        yield servers


@pytest.fixture
async def way(servers: Home, listener: Listener, running_site: RunningSite) -> AsyncGenerator[Way]:
    """Topics and a database of the test's own, and the proxies before their servers."""
    found = servers.servers
    dsn = await databases.make(found.postgres_dsn, template=found.template)
    direct = at(own_settings(found.kafka_bootstrap, dsn, running_site), api_port=ports.choose())
    await create_topics(direct)
    async with leading(direct, listener) as roads:
        yield Way(roads, direct)


@pytest.fixture
async def pool(way: Way) -> AsyncGenerator[Pool]:
    async with database(way.direct, size=3) as pool:
        yield pool


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time-outs that a test can wait for."""
    shorten(monkeypatch)
    monkeypatch.setattr(positions, "PATIENCE_SECONDS", 0.5)
    monkeypatch.setattr(clients, "REQUEST_MS", 2_000)
    monkeypatch.setattr(subscribing, "REQUEST_MS", 2_000)


# Going on


@pytest.mark.parametrize("which", ["database", "broker", BOTH])
async def test_an_import_goes_on_when_the_roads_are_back(
    way: Way, site: SampleSite, quick: None, which: str
) -> None:
    site.put(generate_day(TRACK, DAY, seed=1, sessions=SESSIONS, laps_per_session=5))
    site.settings = SiteSettings(latency_seconds=0.1)
    async with working(way.through):
        request = follow.request(SOURCE, TRACK, DAY)
        importing = asyncio.create_task(follow.ingest(way.direct, request, follow.unseen))
        await until(lambda: site.ledger.count("session") > SESSIONS / 4)
        for road in way.roads.to(which):
            road.cut()
        await until(lambda: site.ledger.count("session") > SESSIONS / 2)
        for road in way.roads.to(which):
            road.go_dark()
        await asyncio.gather(*(road.met_dark.wait() for road in way.roads.to(which)))
        for road in way.roads.to(which):
            road.come_back()
        began = time.monotonic()
        summary = await importing
    assert (summary.status, summary.sessions_with_laps) == ("completed", SESSIONS)
    assert time.monotonic() - began < 30


@pytest.mark.parametrize("dark", ["stops reading", "swallows"])
@pytest.mark.parametrize("when", ["before", "within", "at the end"])
async def test_a_batch_whose_connection_dies_is_written_once_by_another(
    way: Way, pool: Pool, quick: None, dark: Dark, when: str
) -> None:
    died: list[str] = []

    async def apply(connection: Connection, batch: Any) -> Any:
        if not died and when == "before":
            died.append(when)
            way.roads.database.cut(dark)
        changed = await members.apply(connection, batch)
        if not died and when == "at the end":
            died.append(when)
            way.roads.database.cut(dark)
        return changed

    await send(way.direct, EVENTS[:1])
    async with (
        database(way.through, size=2) as through,
        member(way.direct, through, apply=apply) as watched,
    ):
        await until_at(pool, way.direct, 1)
        if when == "within":
            async with through.acquire(), through.acquire():  # the member has given its own back
                died.append(when)
            way.roads.database.cut(dark)
        await send(way.direct, EVENTS[1:])
        await until_at(pool, way.direct, len(EVENTS))
    assert died == [when]
    assert set(watched.setbacks) == {"projector_database_away"}
    assert await tables(pool) == await undisturbed(pool, EVENTS)


async def test_the_api_answers_again_after_the_first_request_that_met_a_dead_connection(
    way: Way, quick: None
) -> None:
    settings = at(way.through, api_port=0)
    async with asking(settings) as client:
        await asyncio.gather(*(client.get("/tracks") for _ in range(20)))
        way.roads.database.cut()
        began = time.monotonic()
        assert (await client.get("/tracks")).status_code == 503
        assert [(await client.get("/tracks")).status_code for _ in range(10)] == [200] * 10
        assert time.monotonic() - began < 5


# Stopping


async def all_work(settings: Settings) -> bool:
    async with administering(settings.broker) as admin, connected(settings) as connection:
        groups = [
            list_group(settings.topics),
            detail_group(settings.topics),
            projection_group(settings.topics),
        ]
        states = [(await describe_group(admin, group))[0] for group in groups]
        relayed = await outbox.is_relayed(connection)
    return states == ["Stable"] * 3 and relayed and await answers(settings)


async def answers(settings: Settings, path: str = "/readyz") -> bool:
    """Whether the API answers as if all were well."""
    with contextlib.suppress(httpx.TransportError):
        async with httpx.AsyncClient(trust_env=False) as client:
            return (await client.get(f"http://127.0.0.1:{settings.api_port}{path}")).status_code == 200
    return False


@pytest.mark.slow
@pytest.mark.parametrize("which", ["database", "broker", BOTH])
async def test_every_role_stops_within_ten_seconds_in_the_dark(way: Way, which: str) -> None:
    async with role(way.through, "all") as running:
        await members.until(lambda: all_work(way.direct))
        for road in way.roads.to(which):
            road.go_dark()
        asking = asyncio.create_task(answers(way.direct, "/api/v1/tracks"))
        await send(way.direct, EVENTS)
        await asyncio.sleep(1.0)
        began = time.monotonic()
        assert await running.end(signal.SIGTERM) == 0
        assert time.monotonic() - began < LONGEST_STOP_SECONDS
        assert await asking is (which == "broker")
