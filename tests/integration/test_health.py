"""Health of roles at work: what is stuck is not live; what waits, for a server or for the site, is."""

import asyncio
import contextlib
import signal
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from consumers.practice_days import apply
from producer import budget as sites
from runtime import readiness
from runtime.readiness import readiness_of
from runtime.settings import Settings
from sandbox.embedded import ports
from sandbox.sample_site.generate import generate_day
from sandbox.sample_site.site import SampleSite
from schemas.envelope import Received
from store import session
from store.pool import Pool
from telemetry import health
from telemetry.health import Live
from tests.conftest import DAY, TRACK, at, working
from tests.events import fetched
from tests.imports import import_day
from tests.integration.test_api import Wire
from tests.members import member, send, until
from tests.processes import role

BOUND = 1.0
HOUR = 3_600.0


async def comes_to(status: str) -> None:
    """Return when all work of this process is live, or is not."""

    async def so() -> bool:
        return health.live().status == status

    await until(so)


class Handler:
    """What a projection does with a batch: nothing before it is free, then a statement that takes longer."""

    def __init__(self) -> None:
        self.free = asyncio.Event()
        self.seen: list[Live] = []

    async def __call__(self, connection: Any, batch: list[Received]) -> object:
        await self.free.wait()
        sleeping = asyncio.create_task(connection.execute("SELECT pg_sleep($1)", 2 * BOUND))
        while not sleeping.done():
            await asyncio.wait({sleeping}, timeout=0.05)
            self.seen.append(health.live())
        return await apply(connection, batch)


async def test_who_is_frozen_is_not_live_though_it_polls_and_who_waits_for_a_long_statement_is(
    settings: Settings, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "BOUND_SECONDS", BOUND)
    monkeypatch.setattr(session, "SILENT_SECONDS", BOUND / 5)
    monkeypatch.setattr("consumers.projector.KEEP_POLLING_SECONDS", BOUND / 5)
    handler = Handler()

    async def committed() -> bool:
        return any("commit" in one.last for one in health.seen())

    await send(settings, [fetched(1, "1")])
    async with member(settings, pool, apply=handler):
        await comes_to("stuck")
        assert [one.name for one in health.seen() if one.stuck] == [
            "projector of practice-days, at the database"
        ]
        handler.free.set()
        await comes_to("ok")
        await until(committed)
    statuses = [live.status for live in handler.seen]
    assert set(statuses[statuses.index("ok") :]) == {"ok"}
    assert max(one.began_seconds for live in handler.seen for one in live.work) > 2 * BOUND


async def test_roles_that_wait_for_the_site_or_a_server_are_live_and_ready_when_it_is_back(
    settings: Settings, site: SampleSite, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.put(generate_day(TRACK, DAY, seed=1, sessions=1))
    monkeypatch.setattr(readiness, "FRESH_SECONDS", 0.0)
    wire = Wire(settings.postgres_dsn)
    through = at(settings, postgres_dsn=await wire.mend())
    names = ["fetcher", "projector", "relay"]
    ready = readiness_of(through, names)

    async def waits_for_its_turn() -> bool:
        return any(one.waits_for == "its turn at the site" for one in health.seen())

    async def all_lack_the_database() -> bool:
        return {name.partition(":")[0] for name in health.lacking()} >= {
            lists,
            "projector of practice-days",
            "projector of track-records",
            "relay",
        }

    async def nothing_is_missing() -> bool:
        return (await ready.now()).status == "ok" and not health.lacking()

    lists = f"fetcher in {settings.topic_prefix}list-fetcher, a request"
    async with pool.acquire() as connection:
        await sites.pause(connection, settings.site, paused=True)
    async with working(through, *names):
        importing = asyncio.create_task(import_day(settings))
        await until(waits_for_its_turn)
        await until(nothing_is_missing)
        await wire.cut()
        await send(settings, [fetched(1, "1")])
        await until(all_lack_the_database)
        assert health.live().status == "ok"
        found = await ready.now()
        assert found.status == "not_ready"
        assert found.reasons[0].startswith("the database can't be used: ")
        await wire.mend()
        await until(nothing_is_missing)
        async with pool.acquire() as connection:
            await sites.pause(connection, settings.site, paused=False)
        assert (await importing).status == "completed"
    await wire.cut()


async def test_what_roles_need_is_told_before_they_have_it(settings: Settings) -> None:
    nothing = at(settings, topic_prefix="nothing-", postgres_dsn=f"{settings.postgres_dsn}-not")
    found = await readiness_of(nothing, ["relay"]).now()
    assert found.status == "not_ready"
    database, broker = found.reasons
    assert database.startswith("the database can't be used: ")
    assert broker.startswith("not as declared: nothing-practice-day-requests")
    assert len((await readiness_of(nothing, ["api"]).now()).reasons) == 1


async def test_a_clean_restart_is_ready_and_logs_no_warning(settings: Settings, tmp_path: Path) -> None:
    running = at(settings, metrics_port=ports.choose(), api_port=ports.choose())

    pages = [
        f"http://127.0.0.1:{port}/{path}"
        for port in (running.metrics_port, running.api_port)
        for path in ("livez", "readyz")
    ]
    log = tmp_path / "log"
    async with httpx.AsyncClient(trust_env=False) as client:

        async def is_ready() -> bool:
            with contextlib.suppress(httpx.TransportError):
                return all([(await client.get(page)).status_code == 200 for page in pages])
            return False

        for _ in range(2):
            async with role(running, "all", log) as process:
                await until(is_ready)
                assert await process.end(signal.SIGTERM) == 0
    lines = [msgspec.json.decode(line) for line in log.read_bytes().splitlines()]
    assert [line["event"] for line in lines].count("api_start") == 2
    assert [line for line in lines if line["level"] != "info"] == []
