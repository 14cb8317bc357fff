"""A Prometheus scrapes a running Lapstream: panels of the dashboard have series, alerts can be evaluated."""

import asyncio
import datetime as dt
import json
import re
import time
from collections.abc import AsyncGenerator, Iterator
from typing import Any, NamedTuple

import pytest

from lapstream import fleet
from runtime.settings import Settings
from runtime.telemetry import observed
from sandbox.embedded import ports
from sandbox.sample_site.cases import cases_day
from sandbox.sample_site.site import SampleSite
from schemas.scopes import Scope
from store.pool import Pool
from tests.api import token
from tests.conftest import DAY, TRACK, at, working
from tests.imports import import_day
from tests.members import until
from tests.producers import producing
from tests.prometheus import DASHBOARD, Prometheus, program, scraping

OPEN_REBUILD = """
    INSERT INTO rebuilds (id, projection, purpose, state, shadow, records_done, records_total)
    VALUES (gen_random_uuid(), 'practice-days', 'swap', 'replaying', 'practice_days_shadow', 1, 4)
"""
NEXT_DAY = DAY + dt.timedelta(days=1)
ROLES = ("api", "fetcher", "projector", "relay")
VARIABLES = {"$__rate_interval": "10s", "$group": ".*"}
SHOWN_SECONDS = 30.0


@pytest.fixture
async def prometheus(
    settings: Settings, site: SampleSite, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[Prometheus]:
    """It scrapes an API with a key, while a second day is imported; a record is parked, a rebuild is open."""
    program("prometheus")
    monkeypatch.setattr(fleet, "USUAL", fleet.USUAL._replace(every=1.0))
    for date in (DAY, NEXT_DAY):
        site.put(cases_day(TRACK, date))
    settings = at(settings, api_port=ports.choose(), api_open_read=False)
    key = await token(settings, Scope.read)
    async with pool.acquire() as connection:
        await connection.execute(OPEN_REBUILD)
    with observed(settings, ROLES):
        async with (
            scraping(f"{ports.HOST}:{settings.api_port}", token=key) as running,
            working(settings, *ROLES),
        ):
            await import_day(settings)
            async with producing(settings) as producer:
                await producer.send_and_wait(settings.topics.days, value=b"<html>", key=b"bad")
            assert await without_series(running, [Asked("scraped", "lapstream_site_requests_total")]) == []
            await import_day(settings, NEXT_DAY)
            yield running


async def test_every_panel_has_series_and_every_alert_can_be_evaluated(prometheus: Prometheus) -> None:
    assert await without_series(prometheus, list(panels())) == []

    async def parked_is_seen() -> bool:
        return (await prometheus.rules())["LapstreamRecordsParked"]["state"] in {"pending", "firing"}

    await until(parked_is_seen)
    rules = await prometheus.rules()
    assert {name: rule.get("lastError") for name, rule in rules.items() if rule["health"] != "ok"} == {}


class Asked(NamedTuple):
    """What a panel asks, and the labels that its legend names."""

    panel: str
    expression: str
    labels: frozenset[str] = frozenset()


def panels() -> Iterator[Asked]:
    """Each expression of the dashboard as Grafana would ask it."""
    dashboard: Any = json.loads(DASHBOARD.read_text())
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            expression = target["expr"]
            for variable, value in VARIABLES.items():
                expression = expression.replace(variable, value)
            labels = re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])
            yield Asked(f"{panel['id']} {panel['title']}", expression, frozenset(labels))


async def without_series(prometheus: Prometheus, asked: list[Asked]) -> list[Asked]:
    """Ask until each has series with its labels; after a time, those that have none."""
    deadline = time.monotonic() + SHOWN_SECONDS
    while asked and time.monotonic() < deadline:
        asked = [one for one in asked if not await has_series(prometheus, one)]
        await asyncio.sleep(0.5)
    return asked


async def has_series(prometheus: Prometheus, asked: Asked) -> bool:
    found = await prometheus.query(asked.expression)
    return bool(found) and all(asked.labels <= one["metric"].keys() for one in found)
