"""The operators' pages over HTTP: what they show, who may see them, and what their forms do."""

from collections.abc import AsyncGenerator, Sequence

import httpx
import msgspec
import pytest

from ops.lag.figures import FleetLag, GroupLag, PartitionLag, Verdict
from runtime.database import connected
from runtime.settings import Settings
from schemas.scopes import Scope
from server.listening import serving
from server.web.formats import UNKNOWN
from tests.api import no_month, settings_of, token
from tests.integration.test_web import browser, links, parsed, rows_of, texts

GROUP = "practice-days-projection"
HOSTILE = "</td><script>alert('x')</script>"


def partition(number: int, behind: int, note: str | None = None) -> PartitionLag:
    """A partition in which so many records are left."""
    return PartitionLag(
        topic="practice-days",
        partition=number,
        begin_offset=0,
        stable_offset=1_000,
        end_offset=1_000,
        position=1_000 - behind,
        committed=1_000 - behind,
        difference=0,
        standing="ok",
        behind=behind,
        kafka_behind=behind,
        oldest="known" if behind else "none",
        oldest_seconds=12.5 if behind else None,
        note=note,
    )


def group(name: str, behind: Sequence[int], verdict: Verdict, note: str | None = None) -> GroupLag:
    """A group with so many records left in each partition."""
    return GroupLag(
        group=name,
        projection=name.removesuffix("-projection") if name.endswith("-projection") else None,
        topics=("practice-days",),
        state="stable",
        members=1,
        standing="ok",
        behind=sum(behind),
        kafka_behind=sum(behind),
        oldest_seconds=12.5,
        freshness_seconds=12.5,
        retention_used={},
        verdict=verdict,
        reason=f"{sum(behind)} records are left",
        troubles=[],
        partitions=[partition(number, left, note) for number, left in enumerate(behind)],
    )


async def looked(settings: Settings, groups: Sequence[GroupLag], seconds_ago: float) -> None:
    """A look of the observer, so many seconds ago."""
    found = msgspec.json.encode(FleetLag(groups=list(groups))).decode()
    async with connected(settings) as connection:
        await connection.execute(
            "INSERT INTO fleet_looks (kind, looked_at, found) "
            "VALUES ('lag', clock_timestamp() - make_interval(secs => $1), $2::jsonb)",
            seconds_ago,
            found,
        )


@pytest.fixture(scope="module")
async def settings(shared_dsn: str) -> Settings:
    """Settings of an installation whose projection stalls, as the observer has seen it."""
    settings = settings_of(shared_dsn)
    for seconds, left in ((550, 3), (310, 20), (8, 42)):
        stalled = group(GROUP, [0, left, 0], "stalled", HOSTILE)
        await looked(settings, [stalled, group("detail-fetcher", [0], "ok")], seconds)
    return settings


@pytest.fixture(scope="module")
async def address(settings: Settings) -> AsyncGenerator[str]:
    async with serving(settings, no_month) as address:
        yield address


@pytest.fixture(scope="module")
async def operator(settings: Settings, address: str) -> AsyncGenerator[httpx.AsyncClient]:
    """A client that is signed in with a key for operators."""
    async with browser(address) as client:
        await client.post("/sign-in", data={"token": await token(settings, Scope.operate)})
        yield client


async def test_the_overview_says_what_needs_attention_and_where_to_look(operator: httpx.AsyncClient) -> None:
    page = parsed(await operator.get("/operate"))
    attention = texts(page, "section.fault li")
    assert any(line.startswith(f"lag of {GROUP}: stalled, 42 behind") for line in attention)
    assert any(line.startswith("relay: none: start `lapstream run relay`") for line in attention)
    assert f"/operate/lag/{GROUP}" in links(page, "/operate/lag")
    assert "LapstreamGroupStalled" in texts(page, "section.fault code")
    lines = {name: state for name, state, _ in rows_of(page, "#status")}
    assert (lines["database"], lines["broker"], lines["api"]) == ("ok", "ok", "ok")
    assert lines["relay"] == "not well"


async def test_lag_is_shown_now_and_as_it_was(operator: httpx.AsyncClient) -> None:
    page = parsed(await operator.get("/operate/lag"))
    cells = {name: cells for name, *cells in [texts(row, "th, td") for row in page.css("table tbody tr")]}
    assert cells[GROUP][:2] == ["stalled", "42"]
    assert len(page.css("svg.chart")) == 2
    page = parsed(await operator.get(f"/operate/lag/{GROUP}"))
    assert [cells[1:3] for cells in rows_of(page, "#looks")] == [
        ["stalled", "42"],
        ["stalled", "20"],
        ["stalled", "3"],
    ]
    first, *_ = rows_of(page, "#partitions")
    assert first[:6] == ["practice-days[1]", "42", "3", UNKNOWN, "20", UNKNOWN]
    assert first[-1] == HOSTILE
    assert not page.css("main script")


async def test_a_group_that_is_none_is_not_found(operator: httpx.AsyncClient) -> None:
    page = parsed(await operator.get("/operate/lag/nothing"), 404)
    assert f"there is no group nothing: there are {GROUP}" in texts(page, ".lead")[0]


async def test_operators_pages_are_for_operators(address: str, settings: Settings) -> None:
    async with browser(address) as client:
        assert (await client.get("/operate")).headers["location"].startswith("/sign-in?next=%2Foperate")
        await client.post("/sign-in", data={"token": await token(settings, Scope.ingest)})
        assert not parsed(await client.get("/")).css("nav a[href='/operate']")
        assert texts(parsed(await client.get("/operate"), 403), "h1") == ["This key may not do that"]


async def test_who_may_operate_is_led_there(operator: httpx.AsyncClient) -> None:
    assert parsed(await operator.get("/")).css("nav a[href='/operate']")
