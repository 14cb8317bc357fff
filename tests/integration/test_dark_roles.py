"""Roles whose connections to broker and database die without a word: they go on, and stop when told to."""

import asyncio
import contextlib
import signal
import tempfile
import time
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import httpx
import pytest

from embedded import kafka, ports, stack
from embedded.stack import Addresses
from ops import follow, migrate, roles
from ops import kafka as clients
from ops.kafka import administering, describe_group
from ops.settings import Settings
from ops.wiring import connected, database, detail_group, list_group, projection_group
from producer.site import SOURCE
from sample_site.generate import generate_day
from sample_site.server import RunningSite
from sample_site.site import SampleSite
from sample_site.site import Settings as SiteSettings
from store import outbox, positions
from store.pool import Connection, Pool, connect
from tests import members
from tests.api import asking
from tests.conftest import DAY, TRACK, at, create_topics, working
from tests.dark import Dark, Proxy, before, proxy, shorten
from tests.members import EVENTS, member, send, tables, undisturbed, until_at
from tests.processes import role, until

SESSIONS = 20

LONGEST_STOP_SECONDS = 10.0


class Roads(NamedTuple):
    """The ways to the servers: `through` leads over the proxies, `direct` past them."""

    database: Proxy
    broker: Proxy
    through: Settings
    direct: Settings

    def go_dark(self, which: str, dark: Dark = "stops reading") -> None:
        for road in self._of(which):
            road.go_dark(dark)

    def come_back(self, which: str) -> None:
        for road in self._of(which):
            road.come_back()

    def cut(self, which: str) -> None:
        for road in self._of(which):
            road.cut()

    def _of(self, which: str) -> list[Proxy]:
        return [
            road for name, road in (("database", self.database), ("broker", self.broker)) if name in which
        ]


BOTH = "database and broker"


class Servers(NamedTuple):
    """A broker that tells those who come by its second listener to come by a proxy's port."""

    addresses: Addresses
    second: int
    told: int


@pytest.fixture(scope="module")
def servers() -> Generator[Servers]:
    second, told = ports.choose(set()), ports.choose(set())
    usual = kafka.listeners

    def with_second(bind: str, address: str, controller: str) -> dict[str, str]:
        found = usual(bind, address, controller)
        found["listeners"] += f",SECOND://127.0.0.1:{second}"
        found["advertised.listeners"] += f",SECOND://127.0.0.1:{told}"
        protocols = kafka.SETTINGS["listener.security.protocol.map"]
        return found | {"listener.security.protocol.map": f"{protocols},SECOND:PLAINTEXT"}

    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory(prefix="lapstream-dark-") as home:
        patch.setattr(kafka, "listeners", with_second)
        with stack.running(Path(home), report=lambda _: None, durable=False) as addresses:
            yield Servers(addresses, second, told)


@pytest.fixture
async def roads(servers: Servers, running_site: RunningSite) -> AsyncGenerator[Roads]:
    """Topics and a database of the test's own, and the proxies before their servers."""
    name = f"t{uuid4().hex}"
    admin = await connect(servers.addresses.postgres_dsn)
    await admin.execute(f"CREATE DATABASE {name}")
    await admin.close()
    dsn = servers.addresses.postgres_dsn.rsplit("/", 1)[0] + f"/{name}"
    await migrate.apply(dsn)
    direct = Settings(
        kafka_bootstrap=servers.addresses.kafka_bootstrap,
        postgres_dsn=dsn,
        site=running_site.site_template,
        site_interval_seconds=0,
        detail_concurrency=3,
        detail_partitions=3,
        topic_prefix=f"{name}-",
        api_port=ports.choose(set()),
    )
    await create_topics(direct)
    async with (
        before(dsn) as (to_database, dsn_through),
        proxy("127.0.0.1", servers.second, servers.told) as to_broker,
    ):
        through = at(direct, kafka_bootstrap=f"127.0.0.1:{servers.told}", postgres_dsn=dsn_through)
        yield Roads(to_database, to_broker, through, direct)


@pytest.fixture
async def pool(roads: Roads) -> AsyncGenerator[Pool]:
    async with database(roads.direct, size=3) as pool:
        yield pool


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time-outs that a test can wait for."""
    shorten(monkeypatch)
    monkeypatch.setattr(positions, "PATIENCE_SECONDS", 0.5)
    monkeypatch.setattr(clients, "REQUEST_MS", 2_000)
    monkeypatch.setattr(roles, "REQUEST_MS", 2_000)


# Going on


@pytest.mark.parametrize("which", ["database", "broker", BOTH])
async def test_an_import_goes_on_when_the_roads_are_back(
    roads: Roads, site: SampleSite, quick: None, which: str
) -> None:
    site.put(generate_day(TRACK, DAY, seed=1, sessions=SESSIONS, laps_per_session=5))
    site.settings = SiteSettings(latency_seconds=0.1)
    async with working(roads.through):
        request = follow.request(SOURCE, TRACK, DAY)
        importing = asyncio.create_task(follow.ingest(roads.direct, request, follow.unseen))
        await until(lambda: site.ledger.count("session") > SESSIONS / 4)
        roads.cut(which)
        await until(lambda: site.ledger.count("session") > SESSIONS / 2)
        roads.go_dark(which)
        await asyncio.sleep(1.0)
        roads.come_back(which)
        began = time.monotonic()
        summary = await importing
    assert (summary.status, summary.sessions_with_laps) == ("completed", SESSIONS)
    assert time.monotonic() - began < 30


@pytest.mark.parametrize("dark", ["stops reading", "swallows"])
@pytest.mark.parametrize("when", ["before", "within", "at the end"])
async def test_a_batch_whose_connection_dies_is_written_once_by_another(
    roads: Roads, pool: Pool, quick: None, dark: Dark, when: str
) -> None:
    died: list[str] = []

    async def project(connection: Connection, batch: Any) -> None:
        if not died and when == "before":
            died.append(when)
            roads.database.cut(dark)
        await members.project(connection, batch)
        if not died and when == "at the end":
            died.append(when)
            roads.database.cut(dark)

    await send(roads.direct, EVENTS[:1])
    async with (
        database(roads.through, size=2) as through,
        member(roads.direct, through, project=project) as watched,
    ):
        await until_at(pool, roads.direct, 1)
        if when == "within":
            died.append(when)
            roads.database.cut(dark)
        await send(roads.direct, EVENTS[1:])
        await until_at(pool, roads.direct, len(EVENTS))
    assert died == [when]
    assert set(watched.setbacks) == {"projector_database_away"}
    assert await tables(pool) == await undisturbed(pool, EVENTS)


async def test_the_api_answers_again_after_the_first_request_that_met_a_dead_connection(
    roads: Roads, quick: None
) -> None:
    settings = at(roads.through, api_port=0)
    async with asking(settings) as client:
        await asyncio.gather(*(client.get("/tracks") for _ in range(20)))
        roads.database.cut()
        began = time.monotonic()
        assert (await client.get("/tracks")).status_code == 503
        assert [(await client.get("/tracks")).status_code for _ in range(10)] == [200] * 10
        assert time.monotonic() - began < 5


# Stopping


async def all_work(settings: Settings) -> bool:
    async with administering(settings.kafka_bootstrap) as admin, connected(settings) as connection:
        groups = [list_group(settings), detail_group(settings), projection_group(settings)]
        states = [(await describe_group(admin, group))[0] for group in groups]
        relayed = await outbox.is_relayed(connection)
    return states == ["Stable"] * 3 and relayed and await answers(settings)


async def answers(settings: Settings) -> bool:
    with contextlib.suppress(httpx.TransportError):
        async with httpx.AsyncClient(trust_env=False) as client:
            return (await client.get(f"http://127.0.0.1:{settings.api_port}/readyz")).status_code == 200
    return False


@pytest.mark.parametrize("which", ["database", "broker", BOTH])
async def test_every_role_stops_within_ten_seconds_in_the_dark(roads: Roads, which: str) -> None:
    async with role(roads.through, "all") as running:
        await members.until(lambda: all_work(roads.direct))
        roads.go_dark(which)
        asking = asyncio.create_task(answers(roads.direct))
        await send(roads.direct, EVENTS)
        await asyncio.sleep(1.0)
        began = time.monotonic()
        assert await running.end(signal.SIGTERM) == 0
        assert time.monotonic() - began < LONGEST_STOP_SECONDS
        assert await asking is (which == "broker")
