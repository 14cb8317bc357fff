"""The operators' pages over HTTP: what they show, who may see them, and what their forms do."""

import datetime as dt
import random
import uuid
from collections.abc import AsyncGenerator, Sequence
from urllib.parse import urlencode

import httpx
import msgspec
import pytest
import structlog
from litestar import HttpMethod
from selectolax.lexbor import LexborHTMLParser

from consumers.live import PRACTICE_DAYS
from ops.lag.figures import FleetLag, GroupLag, PartitionLag, Verdict
from ops.rebuild.operating import recent
from ops.rebuild.queries import Rebuild
from ops.rebuild.states import SwapWaits
from ops.rebuild.work import holding
from producer import budget as sites
from producer.site import SOURCE
from runs import changes as run_changes
from runs import following
from runs import run as runs
from runs.run import PlannedSession
from runtime.database import connected, database
from runtime.settings import Settings
from runtime.wiring import projection_group
from sandbox.sample_site.server import RunningSite
from schemas.envelope import Context, pack
from schemas.events import Event, PracticeDayRequested
from schemas.headers import Headers
from schemas.records import HeldRecord
from schemas.scopes import Scope
from server.api.routes import VERSION_1
from server.listening import serving
from server.web.formats import UNKNOWN
from server.web.routes import PAGES
from server.web.session import CSRF_FIELD
from store.parking import park
from store.parking import parked as as_parked
from store.pool import Pool, fetch_one
from tests.api import no_month, token
from tests.conftest import at, create_topics, own_settings, projecting
from tests.databases import Servers
from tests.events import DATE, fetched, seen
from tests.integration.test_rebuild import execute, rebuild
from tests.integration.test_web import LARGEST, browser, csrf, links, parsed, rows_of, texts
from tests.members import EVENTS, send, until, until_at

GROUP = "practice-days-projection"
TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
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
async def settings(the_servers: Servers, shared_dsn: str) -> Settings:
    """Settings of an installation whose projection stalls, as the observer has seen it."""
    site = RunningSite(base_url="http://127.0.0.1:1")
    settings = at(own_settings(the_servers.kafka_bootstrap, shared_dsn, site), api_port=0)
    await create_topics(settings)
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
    assert any(line.startswith("relay: none: start lapstream run relay") for line in attention)
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


@pytest.fixture(scope="module")
async def pool(settings: Settings) -> AsyncGenerator[Pool]:
    async with database(settings, size=1) as pool:
        yield pool


async def park_one(
    settings: Settings,
    offset: int,
    value: bytes,
    *,
    key: bytes = b"a key",
    headers: Headers = (),
    reason: str = HOSTILE,
) -> str:
    """Park a record of the event log, as the projection would; returns the path of its page."""
    record = HeldRecord(settings.topics.days, 0, offset, 1_780_000_000_000, key, value, headers)
    async with connected(settings) as connection:
        await park(
            connection, projection_group(settings.topics), [as_parked(record, "projection_error", reason)], 99
        )
    return f"/operate/parked/{settings.topics.days}/0/{offset}"


async def park_event(settings: Settings, offset: int, event: Event) -> str:
    """Park a record that can be applied by now."""
    packed = pack(event, Context(source="test"))
    assert packed.value is not None
    return await park_one(settings, offset, packed.value, key=packed.key, headers=tuple(packed.headers))


async def states(pool: Pool) -> dict[int, tuple[str, str | None]]:
    """What became of the parked records, and by whom, by their offsets."""
    async with pool.acquire() as connection:
        rows = await connection.fetch("SELECT record_offset, state, settled_by FROM parked_records")
    return {row["record_offset"]: (row["state"], row["settled_by"]) for row in rows}


async def form_of(client: httpx.AsyncClient, path: str) -> tuple[str, dict[str, str]]:
    """Where the form of a page that asks goes, and its fields as they are."""
    page = parsed(await client.get(path))
    [form] = page.css("main form[method=post]")
    fields = {
        str(node.attributes["name"]): node.attributes.get("value") or "" for node in form.css("input[name]")
    }
    for area in form.css("textarea"):
        fields[str(area.attributes["name"])] = area.text().removeprefix("\n")
    for choice in form.css("option[selected]"):
        fields[str(choice.parent.attributes["name"])] = choice.attributes.get("value") or ""  # type: ignore[union-attr]
    return str(form.attributes["action"]), fields


async def sent(client: httpx.AsyncClient, path: str, **entered: str) -> LexborHTMLParser:
    """The page that a form leads to, which was filled in and sent."""
    action, fields = await form_of(client, path)
    answer = await client.post(action, data=fields | entered)
    assert answer.status_code == 303, answer.text
    return parsed(await client.get(answer.headers["location"]))


async def test_a_record_is_shown_as_data(operator: httpx.AsyncClient, settings: Settings) -> None:
    value = b'{"name": "</pre><script>alert(1)</script> \xe2\x80\xae"}\n' + bytes(range(32))
    path = await park_one(settings, 1, value, headers=((HOSTILE, b"\xff\x00"), ("none", None)))
    page = parsed(await operator.get(path))
    assert not page.css("main script")
    assert texts(page, "#value ~ .wide pre")[0].startswith(
        '{"name": "</pre><script>alert(1)</script> \\u202e"}'
    )
    assert "00000000 7b 22 6e 61 6d 65" in texts(page, "#value ~ details pre")[0]
    assert rows_of(page, "#headers") == [[HOSTILE, "00000000 ff 00 .."], ["none", "null"]]
    assert (await operator.get(f"{path}0")).status_code == 404


async def test_a_record_of_megabytes_makes_a_small_page(
    operator: httpx.AsyncClient, settings: Settings
) -> None:
    path = await park_one(settings, 2, random.Random(1).randbytes(3_000_000), reason="x" * 100_000)
    for one in (path, f"{path}/fix", f"/operate/parked?topic={settings.topics.days}"):
        answer = await operator.get(one)
        assert answer.status_code == 200
        assert int(answer.headers["content-length"]) < LARGEST


async def test_a_record_is_redriven_by_who_is_signed_in(
    operator: httpx.AsyncClient, settings: Settings, pool: Pool
) -> None:
    path = await park_event(settings, 10, fetched(2, "1"))
    page = parsed(await operator.get(path))
    [ask] = links(page, "/operate/parked/redrive")
    assert (await states(pool))[10] == ("parked", None)
    page = await sent(operator, ask)
    assert texts(page, "[role=status]") == ["Redriven: 1. Still parked: 0."]
    assert texts(page, "#copies ~ .wide tbody td")[3].startswith("redriven")
    assert (await states(pool))[10] == ("redriven", "key of operate")
    async with pool.acquire() as connection:
        assert await connection.fetchval("SELECT count(*) FROM races") == 1


async def test_several_are_redriven_at_once_and_what_is_bad_stays(
    operator: httpx.AsyncClient, settings: Settings, pool: Pool
) -> None:
    await park_event(settings, 20, fetched(2, "2"))
    await park_one(settings, 21, b"{")
    page = parsed(await operator.get("/operate/parked", params={"code": "projection_error"}))
    [ask] = [path for path in links(page, "/operate/parked/redrive") if "until=" in path]
    await park_event(settings, 22, fetched(2, "3"))  # came after the page was made: nobody agreed to it
    page = await sent(operator, ask)
    assert "Redriven: 1." in texts(page, "[role=status]")[0]
    found = await states(pool)
    assert [found[offset][0] for offset in (20, 21, 22)] == ["redriven", "parked", "parked"]


async def test_what_takes_long_goes_on_by_itself(
    operator: httpx.AsyncClient, settings: Settings, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.web.operate.acting.PATIENCE_SECONDS", 0)
    path = await park_event(settings, 25, fetched(2, "25"))
    [ask] = links(parsed(await operator.get(path)), "/operate/parked/redrive")
    page = await sent(operator, ask)
    assert texts(page, ".done")[0].startswith("This takes longer")

    async def is_redriven() -> bool:
        return (await states(pool))[25] == ("redriven", "key of operate")

    await until(is_redriven)


async def test_a_discard_needs_a_reason(operator: httpx.AsyncClient, settings: Settings, pool: Pool) -> None:
    path = await park_one(settings, 30, b"?")
    [ask] = links(parsed(await operator.get(path)), "/operate/parked/discard")
    action, fields = await form_of(operator, ask)
    page = parsed(await operator.post(action, data=fields | {"reason": " "}), 422)
    assert texts(page, "[role=alert]") == ["Say why."]
    page = await sent(operator, ask, reason=HOSTILE)
    assert HOSTILE in texts(page, "#copies ~ .wide tbody td")[3]
    assert (await states(pool))[30] == ("discarded", "key of operate")
    assert not links(page, "/operate/parked/discard")
    page = parsed(await operator.get(ask))
    assert texts(page, "section.fault h2") == ["Not now"]


async def test_an_event_is_mended_on_its_page(
    operator: httpx.AsyncClient, settings: Settings, pool: Pool
) -> None:
    packed = pack(fetched(2, "4"), Context(source="test"))
    assert packed.value
    path = await park_one(settings, 40, packed.value[:-1], headers=tuple(packed.headers))
    action, fields = await form_of(operator, f"{path}/fix")
    assert fields["event"] == packed.value[:-1].decode()
    page = parsed(await operator.post(action, data=fields), 422)
    assert "still bad" in texts(page, "[role=alert]")[0]
    page = await sent(operator, f"{path}/fix", event=packed.value.decode())
    assert "marked fixed" in texts(page, "[role=status]")[0]
    assert (await states(pool))[40] == ("fixed", "key of operate")
    page = parsed(await operator.get(f"{path}/fix"))
    assert not page.css("main form")


@pytest.mark.parametrize(
    "query",
    [
        "group=a%00b",
        "until=0001-01-01T00:00:00%2B14:00",
        "at=days/1",
        "at=days/1/99999999999999999999",
        "until=yesterday",
        "state=lost",
        "after=x",
    ],
)
async def test_a_filter_that_is_none_is_refused(operator: httpx.AsyncClient, query: str) -> None:
    assert (await operator.get(f"/operate/parked?{query}")).status_code in {400, 422}


async def test_a_group_that_no_database_can_be_asked_for_is_refused(operator: httpx.AsyncClient) -> None:
    assert (await operator.get("/operate/lag/a%00b")).status_code == 400


BY_HAND = "INSERT INTO tracks (id, source, source_track_slug) VALUES (gen_random_uuid(), 'liverc', 'hand')"
"""A row that would vanish by a rebuild."""


async def rebuilt_to_wait(settings: Settings) -> Rebuild:
    """A rebuild that waits to be swapped, since a row would vanish; one that waits is compared anew."""
    with pytest.raises(SwapWaits):
        await rebuild(settings)
    async with connected(settings) as connection:
        [found, *_] = await recent(connection, PRACTICE_DAYS)
    return found


@pytest.fixture(scope="module")
async def waiting(settings: Settings, pool: Pool) -> Rebuild:
    """A rebuild that waits for an operator, since a row that was made by hand would vanish."""
    await send(settings, EVENTS)
    async with projecting(settings):
        await until_at(pool, settings, len(EVENTS))
    await execute(pool, BY_HAND)
    return await rebuilt_to_wait(settings)


CHANGING = sorted(
    {
        path
        for handler in PAGES
        if handler.http_methods - {HttpMethod.GET, HttpMethod.HEAD, HttpMethod.OPTIONS}
        for path in handler.paths
    }
)
"""Every address of a page that takes more than a GET."""

DONE_TO = {"runs": ("retry", "cancel"), "rebuilds": ("pause", "cancel", "swap"), "site": ("pause", "resume")}
"""What stands for `{what:str}`, by the part of the pages."""

RIGHT = {CSRF_FIELD: "right"}
"""Stands for the token of the session."""

FORGED: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "without the token": ({}, {}),
    "with another token": ({CSRF_FIELD: "0" * 64}, {}),
    "from another site": (RIGHT, {"Sec-Fetch-Site": "cross-site"}),
    "from a sibling": (RIGHT, {"Sec-Fetch-Site": "same-site"}),
    "from another origin": (RIGHT, {"Origin": "https://elsewhere.example"}),
    "from no origin": (RIGHT, {"Origin": "null"}),
    "as text": (RIGHT, {"Content-Type": "text/plain"}),
    "as JSON": (RIGHT, {"Content-Type": "application/json"}),
}
"""Forms that no page of ours sent: their token, and their headers."""


@pytest.fixture(scope="module")
async def scene(settings: Settings, waiting: Rebuild, failed_run: uuid.UUID) -> dict[str, str]:
    """What stands for the parameters of addresses, and what a form could say: all of it could be done."""
    path = await park_event(settings, 90, fetched(2, "9"))
    async with connected(settings) as connection:
        now = dt.datetime.now(dt.UTC)
        await following.subscribe(connection, SOURCE, "forged", "UTC", follow=True, now=now)
    return {
        "run_id:uuid": str(failed_run),
        "rebuild_id:uuid": str(waiting.id),
        "person:uuid": str(uuid.UUID(int=1)),
        "backfill_id:uuid": str(uuid.UUID(int=2)),
        "month": "2025-10",
        "alias": '["liverc","forged",null]',
        "topic:str": settings.topics.days,
        "partition:int": "0",
        "offset:int": "90",
        "at": path.removeprefix("/operate/parked/"),
        "reason": "forged",
        "event": "{}",
        "seen": waiting.moved_at.isoformat(),
        "track_slug:str": "forged",
        "date:date": now.date().isoformat(),
        "time_zone": "Australia/Sydney",
        "follow": "nightly",
        "track_slug": "forged",
        "date": "2025-10-25",
        "refresh": "all",
        "token": "lapstream_forged",
    }


def addresses(path: str, scene: dict[str, str]) -> list[str]:
    """The addresses that a path with parameters stands for."""
    for name, value in scene.items():
        path = path.replace(f"{{{name}}}", value)
    if "{what:str}" in path:
        return [path.replace("{what:str}", what) for what in DONE_TO[path.split("/")[2]]]
    assert "{" not in path, f"say in `scene` what stands for the parameters of {path}"
    return [path]


async def everything(pool: Pool) -> dict[str, tuple[int, int]]:
    """How many rows each table of what is not projected has, and the newest transaction that wrote one.

    But for what the observer stores.
    """
    of_table = "SELECT count(*), coalesce(max(xmin::text::bigint), 0) FROM lapstream.{}"
    async with pool.acquire() as connection:
        tables = await connection.fetch(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'lapstream' AND tablename <> 'fleet_looks'"
        )
        return {name: tuple(await fetch_one(connection, of_table.format(name))) for (name,) in tables}


@pytest.mark.parametrize("path", CHANGING)
async def test_a_forged_form_changes_nothing(
    operator: httpx.AsyncClient, pool: Pool, scene: dict[str, str], path: str
) -> None:
    right = await csrf(operator)
    before = await everything(pool)
    for address in addresses(path, scene):
        for how, (token_, headers) in FORGED.items():
            form = scene | (right if token_ == RIGHT else token_)
            content = urlencode(form)
            usual = {"Content-Type": "application/x-www-form-urlencoded"}
            answer = await operator.post(address, content=content, headers=usual | headers)
            assert answer.status_code == 403, (address, how)
            assert texts(parsed(answer, 403), "h1") == ["This form can't be taken"]
        answer = await operator.get(address, params=scene)
        assert answer.status_code in {200, 400, 404, 405}, address
    assert await everything(pool) == before


CHANGING_API = sorted({path for route in VERSION_1 if route.http_methods - {"GET"} for path in route.paths})


@pytest.mark.parametrize("path", CHANGING_API)
async def test_the_api_takes_no_browsers_session(
    operator: httpx.AsyncClient, pool: Pool, scene: dict[str, str], path: str
) -> None:
    before = await everything(pool)
    for method in ("POST", "DELETE", "PUT", "PATCH"):
        [address] = addresses(f"/api/v1{path}", scene)
        answer = await operator.request(method, address, json={})
        assert answer.status_code in {401, 405}, (method, address)
    assert await everything(pool) == before


async def test_a_rebuild_is_looked_at_swapped_and_rolled_back(
    operator: httpx.AsyncClient, waiting: Rebuild, pool: Pool
) -> None:
    path = f"/operate/rebuilds/{waiting.id}"
    assert path in links(parsed(await operator.get("/operate/rebuilds")), "/operate/rebuilds/")
    page = parsed(await operator.get(path))
    assert texts(page, "[role=status]")[0].startswith("verified")
    assert page.css("#live[data-refresh]")
    assert ["tracks", "2", "1 differs", "0", "0", "1"] in rows_of(page, "#report")
    assert links(page, path) == [f"{path}/pause", f"{path}/cancel", f"{path}/swap"]
    assert f"lapstream rebuild start {waiting.projection}" in texts(page, "code")
    refused = parsed(await operator.get(f"{path}/rollback"))
    assert "no swap of practice-days is in place: none was made" in texts(refused, "section.fault p")
    page = await sent(operator, f"{path}/swap")
    assert texts(page, ".done") == ["The rebuilt tables are the live ones now."]
    assert texts(page, "#live > [role=status]")[-1].startswith("swapped")
    assert await tracks(pool) == 1
    page = await sent(operator, f"{path}/rollback")
    assert texts(page, ".done") == ["The tables of before the swap are the live ones again."]
    assert await tracks(pool) == 2
    assert links(page, path) == []
    assert page.css("#live")
    assert not page.css("[data-refresh]")


async def tracks(pool: Pool) -> int:
    async with pool.acquire() as connection:
        return await connection.fetchval("SELECT count(*) FROM tracks")


async def test_a_swap_of_another_comparison_than_was_seen_is_refused(
    operator: httpx.AsyncClient, settings: Settings, waiting: Rebuild
) -> None:
    found = await rebuilt_to_wait(settings)
    path = f"/operate/rebuilds/{found.id}"
    action, fields = await form_of(operator, f"{path}/swap")
    await rebuilt_to_wait(settings)
    page = parsed(await operator.post(action, data=fields), 409)
    assert "was compared again at" in texts(page, ".lead")[0]
    page = await sent(operator, f"{path}/pause")
    assert texts(page, ".done") == ["The rebuild stops after the batch at hand."]
    assert f"lapstream rebuild resume {found.projection}" in texts(page, "code")
    refused = parsed(await operator.get(f"{path}/swap"))
    assert "is verified, and paused" in texts(refused, "section.fault p")[0]
    page = await sent(operator, f"{path}/cancel")
    assert links(page, path) == []


async def test_what_another_process_works_at_is_refused_as_the_command_refuses_it(
    operator: httpx.AsyncClient, settings: Settings, waiting: Rebuild, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ops.rebuild.work.HOLD_SECONDS", 0.05)
    found = await rebuilt_to_wait(settings)
    action, fields = await form_of(operator, f"/operate/rebuilds/{found.id}/swap")
    async with holding(settings.postgres_dsn, found.shadow):
        page = parsed(await operator.post(action, data=fields), 409)
    assert "another process makes" in texts(page, ".lead")[0]


@pytest.mark.parametrize("path", [f"{uuid.UUID(int=0)}", f"{uuid.UUID(int=0)}/swap", "x"])
async def test_a_rebuild_that_is_none_is_not_found(operator: httpx.AsyncClient, path: str) -> None:
    assert (await operator.get(f"/operate/rebuilds/{path}")).status_code == 404


@pytest.fixture(scope="module")
async def failed_run(settings: Settings) -> uuid.UUID:
    """A run whose list came, and one of whose sessions failed."""
    wanted = PracticeDayRequested(
        source="liverc", track_slug="track", date=DATE, requested_at=seen(0), refresh="all"
    )
    async with connected(settings) as connection, connection.transaction():
        run, _ = await run_changes.request(connection, wanted, traceparent=TRACEPARENT)
        await runs.plan(connection, run.id, [PlannedSession("1", "wanted", None, None, seen(1), "a request")])
        await connection.execute(
            "UPDATE ingest_run_sessions SET state = 'failed', code = 'status', message = $2, "
            "url = 'javascript:alert(1)' WHERE run_id = $1",
            run.id,
            HOSTILE,
        )
        await connection.execute(
            "UPDATE ingest_runs SET listed_at = now(), state = 'partial', finished_at = now(), "
            "counts = '{}'::jsonb WHERE id = $1",
            run.id,
        )
    return run.id


async def test_a_run_is_found_retried_and_cancelled(
    operator: httpx.AsyncClient, failed_run: uuid.UUID
) -> None:
    path = f"/operate/runs/{failed_run}"
    assert links(parsed(await operator.get("/operate/runs?state=partial&track=track")), path) == [path]
    assert not links(parsed(await operator.get("/operate/runs?state=cancelled")), "/operate/runs/")
    page = parsed(await operator.get(path))
    assert TRACEPARENT.split("-")[1] in texts(page, "code")
    assert rows_of(page, "#failures") == [["1", "status", HOSTILE, "javascript:alert(1)"]]
    assert not links(page, "javascript:")
    assert links(page, path) == [f"{path}/retry"]
    page = await sent(operator, f"{path}/retry")
    assert texts(page, ".done") == ["What failed is fetched again."]
    assert page.css("#live[data-refresh]")
    refused = parsed(await operator.get(f"{path}/retry"))
    assert texts(refused, "section.fault p") == ["This run is still at work."]
    page = await sent(operator, f"{path}/cancel")
    assert texts(page, ".done") == ["The import is cancelled."]
    assert page.css("#live")  # which a page that was open before becomes, and then stays
    assert not page.css("[data-refresh], [http-equiv=refresh]")
    answer = await operator.get(f"/operate/runs/{uuid.UUID(int=0)}/cancel")
    assert answer.status_code == 404


async def test_the_site_is_paused_and_resumed_with_a_reason(
    operator: httpx.AsyncClient, settings: Settings
) -> None:
    page = await sent(operator, "/operate/site/pause", reason="the site is being moved")
    assert "nothing is fetched" in texts(page, "p.fault")[0]
    async with connected(settings) as connection:
        assert (await sites.state(connection, settings.site)).paused
    assert texts(parsed(await operator.get("/operate/site/pause")), "section.fault p") == [
        "The site is paused already."
    ]
    action, fields = await form_of(operator, "/operate/site/resume")
    parsed(await operator.post(action, data=fields), 422)
    async with connected(settings) as connection:
        assert (await sites.state(connection, settings.site)).paused
    page = await sent(operator, "/operate/site/resume", reason="it is back")
    assert texts(page, ".done") == ["Fetching goes on."]


async def test_what_was_done_is_in_the_log_with_the_name_of_the_key(
    operator: httpx.AsyncClient, settings: Settings
) -> None:
    action, fields = await form_of(operator, "/operate/site/pause")
    with structlog.testing.capture_logs() as lines:
        await operator.post(action, data=fields | {"reason": HOSTILE})
        await operator.post("/operate/site/resume", data=fields | {"reason": "over"})
    done = [line for line in lines if line["event"] == "operated"]
    assert [(line["action"], line["outcome"], line["key"]) for line in done] == [
        ("site.pause", "done", "key of operate"),
        ("site.resume", "done", "key of operate"),
    ]
    assert (done[0]["subject"], done[0]["reason"]) == (settings.site, HOSTILE)
