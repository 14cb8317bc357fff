"""A Prometheus scrapes a running Lapstream: panels of the dashboard have series, alerts can be evaluated."""

import asyncio
import datetime as dt
import json
from collections.abc import AsyncGenerator, Iterator
from typing import Any

import pytest

from embedded import ports
from ops.fleet import observing
from runtime.settings import Settings
from sample_site.cases import cases_day
from sample_site.site import SampleSite
from schemas.scopes import Scope
from tests.api import token
from tests.conftest import DAY, TRACK, at, working
from tests.imports import import_day
from tests.producers import producing
from tests.prometheus import DASHBOARD, Prometheus, scraping
from tests.unit.deploy.names import COMING, named

NEXT_DAY = DAY + dt.timedelta(days=1)
VARIABLES = {"$__rate_interval": "10s", "$group": ".*"}
SHOWN_SECONDS = 30.0


@pytest.fixture
async def prometheus(
    settings: Settings, site: SampleSite, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[Prometheus]:
    """A Prometheus that scrapes an API with a key, while a second day is imported; a record is parked."""
    monkeypatch.setattr(observing.USUAL, "every", 1.0)
    for date in (DAY, NEXT_DAY):
        site.put(cases_day(TRACK, date))
    settings = at(settings, api_port=ports.choose(), api_open_read=False)
    key = await token(settings, Scope.read)
    async with working(settings, "api", "fetcher", "projector", "relay"):
        await import_day(settings)
        async with producing(settings) as producer:
            await producer.send_and_wait(settings.topics.days, value=b"<html>", key=b"bad")
        async with scraping(f"{ports.HOST}:{settings.api_port}", token=key) as running:
            await until_series(running, {"scraped": "lapstream_site_requests_total"})
            await import_day(settings, NEXT_DAY)
            yield running


async def test_every_panel_has_series_and_every_alert_can_be_evaluated(prometheus: Prometheus) -> None:
    assert await until_series(prometheus, dict(panels())) == {}
    rules = await prometheus.rules()
    assert {name: rule.get("lastError") for name, rule in rules.items() if rule["health"] != "ok"} == {}


async def until_series(prometheus: Prometheus, expressions: dict[str, str]) -> dict[str, str]:
    """Ask until each expression gives series; after a time, those that give none."""
    left = expressions
    with_end = asyncio.get_running_loop().time() + SHOWN_SECONDS
    while left and asyncio.get_running_loop().time() < with_end:
        left = {name: asked for name, asked in left.items() if not await prometheus.query(asked)}
        await asyncio.sleep(0.5)
    return left


def panels() -> Iterator[tuple[str, str]]:
    """Each expression of the dashboard as Grafana would ask it, by its panel."""
    dashboard: Any = json.loads(DASHBOARD.read_text())
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            expression = target["expr"]
            for variable, value in VARIABLES.items():
                expression = expression.replace(variable, value)
            if not (named(expression) & COMING or (COMING and "ALERTS" in expression)):
                yield f"{panel['id']} {panel['title']}, {target['refId']}", expression
