"""The API over HTTP: what is stored is read, and who asks wrongly, too often or without a key is told so."""

import asyncio
import contextlib
import datetime as dt
import re
import uuid
from collections.abc import AsyncGenerator
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec
import pytest
from litestar.handlers import HTTPRouteHandler

from producer import catalogue
from producer.errors import BadStatus, SiteBackingOff
from producer.obtain import Unobtainable
from producer.pages import CataloguePage, CatalogueTrack
from producer.pages.errors import BotCheck
from producer.pages.month import MonthDay, MonthPage
from producer.site import SOURCE
from runtime.database import connected
from runtime.settings import Settings, SettingsError
from schemas.identity import driver_id, track_id
from schemas.scopes import Scope
from server.api.routes import VERSION_1
from server.http import api_keys
from server.listening import serving
from tests.api import asking, client_of, data_of, error_of, no_month, settings_of, stored, token
from tests.events import DAY_ID, fetched, laps, listed, row

NOBODY = uuid.UUID(int=0)
SEARCH = "/practice-days/search"
INGEST = "/practice-days/ingest"
READS = ("/ingest-runs", SEARCH, "/tracks", "/catalogue/tracks", "/backfills")

IN_PATHS = {
    "run_id": str(NOBODY),
    "backfill_id": str(NOBODY),
    "track_slug": "track",
    "date": "2025-10-25",
    "session": str(NOBODY),
    "driver": str(NOBODY),
    "table": "laps",
    "person": str(NOBODY),
}
"""What stands in the addresses of routes."""


@pytest.fixture
async def settings(dsn: str) -> Settings:
    return settings_of(dsn)


@pytest.fixture
async def api(settings: Settings) -> AsyncGenerator[httpx.AsyncClient]:
    """A client without a key."""
    async with asking(settings) as client:
        yield client


@pytest.fixture(scope="module")
async def empty(shared_dsn: str) -> Settings:
    """Settings of an API without anything in its tables, for requests that change nothing."""
    return settings_of(shared_dsn)


@pytest.fixture(scope="module")
async def writer(empty: Settings) -> AsyncGenerator[httpx.AsyncClient]:
    """A client with a key that may import, whose requests are refused."""
    async with asking(empty, Scope.ingest) as client:
        yield client


@pytest.fixture(scope="module")
async def visitor(writer: httpx.AsyncClient) -> AsyncGenerator[httpx.AsyncClient]:
    """A client of the same API without a key."""
    async with client_of(str(writer.base_url)) as client:
        yield client


@pytest.fixture
async def one_day(settings: Settings) -> None:
    """A day of two sessions, one of them with its laps."""
    await stored(settings, [listed(1, row("1"), row("2")), fetched(2, "1", laps=laps(3))])


async def the_session(api: httpx.AsyncClient, session_id: str) -> Any:
    day = data_of(await api.get("/practice-days/track/2025-10-25"))
    return next(session for session in day["sessions"] if session["session_id"] == session_id)


async def test_a_stored_day_is_found_and_read(api: httpx.AsyncClient, one_day: None) -> None:
    found = data_of(await api.get(SEARCH, params={"track": "track"}))
    assert found["next_cursor"] is None
    [head] = found["items"]
    assert (head["event_id"], head["sessions"], head["sessions_with_detail"]) == (str(DAY_ID), 2, 1)
    day = data_of(await api.get("/practice-days/track/2025-10-25"))
    assert (day["event_id"], day["sessions_ingested"], day["laps"]) == (str(DAY_ID), 2, 3)
    assert day["sessions"][0]["start_time"] == "2025-10-25T10:00:00"
    assert len(day["fastest_laps"]) == 1


async def test_a_session_is_read_with_its_laps(api: httpx.AsyncClient, one_day: None) -> None:
    session = await the_session(api, "1")
    found = data_of(await api.get(f"/sessions/{session['id']}"))
    assert [lap["lap_number"] for lap in found["laps"]] == [1, 2, 3]
    assert found["laps"][0]["lapped_at"] == "2025-10-25T10:01:00.500000"
    assert (found["end_time"], found["start_time_utc"]) == ("2025-10-25T10:02:00", None)
    assert found["stats"]["top_3_consecutive"] == 91.5
    assert found["stats"]["valid_lap_range"] == [20.0, 70.0]
    bare = data_of(await api.get(f"/sessions/{(await the_session(api, '2'))['id']}"))
    assert (bare["has_detail"], bare["laps"], bare["stats"]) == (False, [], None)


async def test_tracks_of_the_sites_list_are_found_in_pages(settings: Settings) -> None:
    tracks = tuple(CatalogueTrack(track_slug=slug, name=f"Umeå {slug}") for slug in ("a", "b", "track"))
    async with asking(settings, Scope.ingest) as api:
        assert error_of(await api.get("/catalogue"), 404)["code"] == "not_found"
        asked = data_of(await api.post("/catalogue/refresh"), 202)
        assert (asked["tracks"], asked["fetched_at"]) == (0, None)
        await stored(settings, [listed(1, row("1"))])
        async with connected(settings) as connection:
            page = CataloguePage(tracks=tracks)
            await catalogue.keep(connection, SOURCE, page, dt.datetime.now(dt.UTC))
        assert data_of(await api.get("/catalogue"))["tracks"] == 3
        first = data_of(await api.get("/catalogue/tracks", params={"called": "umea", "limit": 2}))
        last = data_of(
            await api.get("/catalogue/tracks", params={"called": "umea", "cursor": first["next_cursor"]})
        )
    found = [(track["track_slug"], track["days"]) for track in (*first["items"], *last["items"])]
    assert (found, last["next_cursor"]) == ([("a", 0), ("b", 0), ("track", 1)], None)


async def test_months_are_asked_for_of_the_fleet_listed_and_cancelled(settings: Settings) -> None:
    wanted = {"track_slug": "track", "from_month": "2025-09", "to_month": "2025-10"}
    async with asking(settings, Scope.ingest) as api:
        answer = await api.post("/backfills", json=wanted)
        begun = data_of(answer, 202)
        path = answer.headers["location"].removeprefix("/api/v1")
        assert (begun["status"], begun["doing"]) == ("running", "waiting for a fetcher to ask for its months")
        assert [month["month"] for month in begun["months"]] == ["2025-09", "2025-10"]
        assert data_of(await api.post("/backfills", json=wanted), 202)["backfill_id"] == begun["backfill_id"]
        other = data_of(await api.post("/backfills", json=wanted | {"refresh": "all"}), 202)
        newest = data_of(await api.get("/backfills", params={"limit": 1}))
        assert newest["items"][0]["backfill_id"] == other["backfill_id"]
        rest = data_of(
            await api.get("/backfills", params={"cursor": newest["next_cursor"], "track_slug": "track"})
        )
        assert [one["backfill_id"] for one in rest["items"]] == [begun["backfill_id"]]
        assert data_of(await api.post(f"{path}/retry-failed"), 202)["status"] == "running"
        assert data_of(await api.post(f"{path}/cancel"))["status"] == "cancelled"
        assert data_of(await api.get(path))["status"] == "cancelled"
        assert error_of(await api.post(f"{path}/retry-failed"), 409)["code"] == "backfill_ended"
        for months in (("2025-10", "2025-09"), ("1999-01", "2025-10"), ("2025-01", "2099-01")):
            body = wanted | dict(zip(("from_month", "to_month"), months, strict=True))
            error = error_of(await api.post("/backfills", json=body), 422)
            assert error["details"]["fields"][0]["field"] == "to_month"


async def test_a_zone_that_is_known_gives_utc(api: httpx.AsyncClient, settings: Settings) -> None:
    await stored(settings, [listed(1, row("1"), time_zone="Australia/Sydney")])
    session = await the_session(api, "1")
    assert data_of(await api.get(f"/sessions/{session['id']}"))["start_time_utc"] == "2025-10-24T23:00:00Z"


async def test_a_driver_is_read_with_bests_and_sessions_a_page_at_a_time(
    api: httpx.AsyncClient, settings: Settings
) -> None:
    one = {"transponder_number": "77"}
    rows = [row(str(n), start_time=dt.datetime(2025, 10, 25, 10, n), **one) for n in range(1, 4)]
    await stored(settings, [listed(1, *rows, row("9", fastest_lap=29.5, start_time=None, **one))])
    driver = (await the_session(api, "1"))["driver_id"]
    pages: list[list[str]] = []
    cursor = None
    while True:
        params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        found = data_of(await api.get(f"/drivers/{driver}", params=params))
        pages.append([session["session_id"] for session in found["history"]["items"]])
        cursor = found["history"]["next_cursor"]
        if cursor is None:
            break
    assert pages == [["3", "2"], ["1", "9"]]
    assert found["sessions"] == 4
    [best] = found["bests"]
    assert (best["track_slug"], best["class_name"], best["fast_lap_time"]) == ("track", "1/10 Open", 29.5)


async def test_a_driver_of_a_lent_transponder_is_read_with_all_names(
    api: httpx.AsyncClient, settings: Settings
) -> None:
    names = ("Sam Reed", "Alex Moor", "Sam Reed", None)
    rows = [row(str(n), driver_name=name, transponder_number="77") for n, name in enumerate(names)]
    await stored(settings, [listed(1, *rows)])
    found = data_of(await api.get(f"/drivers/{(await the_session(api, '0'))['driver_id']}"))
    assert (found["names"], found["sessions"]) == (["Alex Moor", "Sam Reed"], 4)


async def test_a_range_that_an_older_release_wrote_is_read(
    api: httpx.AsyncClient, settings: Settings, one_day: None
) -> None:
    session = await the_session(api, "1")
    for written in ('"20 to 1:10"', "[20.0, 70.0]"):
        async with connected(settings) as connection:
            await connection.execute(
                "UPDATE race_results SET raw_fields_json = raw_fields_json || "
                f"'{{\"valid_lap_range\": {written}}}' WHERE raw_fields_json IS NOT NULL"
            )
        found = data_of(await api.get(f"/sessions/{session['id']}"))
        assert found["stats"]["valid_lap_range"] == [20.0, 70.0]


async def test_a_driver_whom_no_session_refers_to_is_hidden(
    api: httpx.AsyncClient, settings: Settings
) -> None:
    await stored(settings, [listed(1, row("1")), listed(2, row("1", transponder_number="5"))])
    former, now = driver_id("liverc", "901"), driver_id("liverc", "5")
    data_of(await api.get(f"/drivers/{now}"))
    error_of(await api.get(f"/drivers/{former}"), 404)


async def test_days_and_tracks_are_paged(api: httpx.AsyncClient, settings: Settings) -> None:
    dates = [dt.date(2025, 10, day) for day in (1, 2, 3)]
    day = msgspec.structs.replace
    await stored(settings, [day(listed(1), date=date, track_slug=f"t{date.day}") for date in dates])
    days = data_of(await api.get(SEARCH, params={"limit": 2}))
    assert [day["date"] for day in days["items"]] == ["2025-10-03", "2025-10-02"]
    rest = data_of(await api.get(SEARCH, params={"limit": 2, "cursor": days["next_cursor"]}))
    assert ([day["date"] for day in rest["items"]], rest["next_cursor"]) == (["2025-10-01"], None)
    within = data_of(await api.get(SEARCH, params={"from": "2025-10-02", "to": "2025-10-02"}))
    assert [day["date"] for day in within["items"]] == ["2025-10-02"]
    tracks = data_of(await api.get("/tracks", params={"limit": 2}))
    assert [track["track_slug"] for track in tracks["items"]] == ["t1", "t2"]
    last = data_of(await api.get("/tracks", params={"cursor": tracks["next_cursor"]}))
    [track] = last["items"]
    assert (track["track_slug"], track["days"], track["last_day"]) == ("t3", 1, "2025-10-03")


@pytest.mark.parametrize(
    "path",
    [
        "/practice-days/nowhere/2025-10-25",
        "/practice-days/track/2025-13-01",
        f"/sessions/{NOBODY}",
        "/sessions/1",
        f"/drivers/{NOBODY}",
        f"/ingest-runs/{NOBODY}",
        f"/ingest-runs/{NOBODY}/events",
        "/nothing",
    ],
)
async def test_what_is_not_there_is_not_found(visitor: httpx.AsyncClient, path: str) -> None:
    assert error_of(await visitor.get(path), 404)["code"] in {"not_found", "run_not_found"}


@pytest.mark.parametrize(
    ("path", "field"),
    [
        (f"{SEARCH}?limit=0", "limit"),
        (f"{SEARCH}?limit=many", "limit"),
        (f"{SEARCH}?from=yesterday", "from"),
        (f"{SEARCH}?track=UPPER", "track"),
        (f"/tracks?cursor={'x' * 3_001}", "cursor"),
        ("/ingest-runs?state=odd", "state"),
        ("/practice-days/UPPER/2025-10-25", "track_slug"),
    ],
)
async def test_a_bad_parameter_is_named(visitor: httpx.AsyncClient, path: str, field: str) -> None:
    error = error_of(await visitor.get(path), 400)
    assert (error["code"], error["source"]) == ("invalid_request", "request")
    assert [fault["field"] for fault in error["details"]["fields"]] == [field]


@pytest.mark.parametrize(
    ("path", "cursor"),
    [
        (SEARCH, "\0"),
        (SEARCH, "ä"),
        (SEARCH, "WzEsMl0"),
        ("/ingest-runs", "WyJ4Il0"),
        ("/tracks", "WyJcdTAwMDAiXQ"),
        ("/catalogue/tracks", "WyJcdTAwMDAiXQ"),
        (
            "/ingest-runs",  # a moment before UTC's first year
            "WyIwMDAxLTAxLTAxVDAwOjAwOjAwKzE0OjAwIiwiMDAwMDAwMDAtMDAwMC0wMDAwLTAwMDAtMDAwMDAwMDAwMDAwIl0",
        ),
        ("/tracks", "WyJhYmMiLCJhXHUwMDAwYiJd"),
        ("/parked", "WyJhXHUwMDAwYiIsMCwwXQ"),
        ("/parked", "WyJhIiwxMDk5NTExNjI3Nzc2LDBd"),  # a partition of 2**40
        (f"/drivers/{NOBODY}", "WyIyMDI1LTEwLTI1IiwiMjAyNS0xMC0yNVQxMDowMDowMFoiLCJ4Il0"),
    ],
)
async def test_a_cursor_of_another_list_is_refused(
    visitor: httpx.AsyncClient, path: str, cursor: str
) -> None:
    error = error_of(await visitor.get(path, params={"cursor": cursor}), 422)
    assert error["code"] == "unknown_cursor"


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (b"", 400, None),
        (b"{", 400, None),
        (b"\xff", 400, None),
        (b"[" * 60_000, 400, None),
        (b"[]", 400, None),
        (b"{}", 400, "date"),
        (b'{"date": "2025-10-25", "track_slug": 5}', 400, "track_slug"),
        (b'{"date": "2025-10-25", "track_slug": "Track"}', 400, "track_slug"),
        (b'{"date": "2025-10-25", "track_slug": "track\\n"}', 400, "track_slug"),
        (b'{"date": "yesterday", "track_slug": "track"}', 400, "date"),
        (b'{"date": "2025-10-25", "track_slug": "track", "refesh": "all"}', 400, "refesh"),
        (b'{"date": "2025-10-25", "track_slug": "track", "wait_seconds": 301}', 400, "wait_seconds"),
        (b'{"date": "2025-10-25", "track_slug": "track", "wait_seconds": "5"}', 400, "wait_seconds"),
        (b'{"date": "2025-10-25", "track_id": "5"}', 400, "track_id"),
        (b'{"date": "2025-10-25"}', 422, "track_slug"),
        (b'{"date": "1912-06-23", "track_slug": "track"}', 422, "date"),
        (b'{"date": "9999-12-31", "track_slug": "track"}', 422, "date"),
    ],
)
async def test_a_bad_body_is_refused_with_the_field(
    writer: httpx.AsyncClient, body: bytes, status: int, field: str | None
) -> None:
    error = error_of(await writer.post(INGEST, content=body), status)
    assert [fault["field"] for fault in error["details"]["fields"]] == [field]
    assert data_of(await writer.get("/ingest-runs"))["items"] == []


INSIDE = re.compile(r"`|\\^\[|\\\\Z|regex|msgspec|litestar|\bstr\b|\bint\b", re.IGNORECASE)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/ingest-runs?limit=many", "limit: a whole number is expected"),
        ("/ingest-runs?limit=0", "limit: a whole number >= 1 is expected"),
        ("/ingest-runs?track_slug=A", "track_slug: text of another form is expected"),
    ],
)
async def test_a_bad_parameter_shows_nothing_of_the_inside(
    visitor: httpx.AsyncClient, path: str, said: str
) -> None:
    error = error_of(await visitor.get(path), 400)
    assert (error["message"], INSIDE.findall(str(error))) == (said, [])


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"date": 1},
        {"date": "2025-10-25", "track_slug": "A"},
        {"date": "2025-10-25", "track_slug": 1},
        {"date": "2025-10-25", "track_id": "x"},
        {"date": "2025-10-25", "track_slug": "a", "wait_seconds": 301},
        {"date": "2025-10-25", "track_slug": "a", "refresh": "some"},
        {"date": "2025-10-25", "track_slug": "a", "more": 1},
        [],
    ],
)
async def test_a_bad_body_shows_nothing_of_the_inside(writer: httpx.AsyncClient, body: object) -> None:
    error = error_of(await writer.post("/practice-days/ingest", json=body), 400)
    assert INSIDE.findall(str(error)) == []


@pytest.mark.parametrize("handler", VERSION_1, ids=lambda handler: str(handler.operation_id))
async def test_a_query_parameter_that_no_route_knows_is_refused(
    writer: httpx.AsyncClient, handler: HTTPRouteHandler
) -> None:
    path = next(iter(handler.paths))
    for name, value in IN_PATHS.items():
        path = re.sub(rf"\{{{name}(:\w+)?\}}", value, path)
    for method in handler.http_methods:
        error = error_of(await writer.request(method, path, params={"lmit": "1"}), 400)
        assert [fault["field"] for fault in error["details"]["fields"]] == ["lmit"]
        assert "is no parameter of this address" in error["message"]


async def test_a_day_that_is_yet_to_come_is_refused(settings: Settings) -> None:
    day = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=32)
    bodies = {INGEST: {"date": str(day)}, "/practice-days/discover": {"year": day.year, "month": day.month}}
    async with asking(settings, Scope.ingest) as api:
        for path, body in bodies.items():
            error = error_of(await api.post(path, json={"track_slug": "track", **body}), 422)
            assert "is yet to come" in error["message"]


async def test_a_track_that_is_unknown_is_not_found(settings: Settings) -> None:
    async with asking(settings, Scope.ingest) as api:
        body = {"date": "2025-10-25", "track_id": str(track_id("liverc", "nowhere"))}
        assert error_of(await api.post(INGEST, json=body), 404)["code"] == "track_not_found"


async def test_a_body_that_is_too_large_is_refused(settings: Settings) -> None:
    async def drops() -> AsyncGenerator[bytes]:
        for _ in range(66):
            yield b" " * 1024

    async with asking(settings, Scope.ingest) as api:
        assert error_of(await api.post(INGEST, content=b" " * 65_537), 413)["code"] == "body_too_large"
        assert error_of(await api.post(INGEST, content=drops()), 413)["code"] == "body_too_large"


async def test_errors_are_problems_for_who_accepts_problems(visitor: httpx.AsyncClient) -> None:
    response = await visitor.get(f"/sessions/{NOBODY}", headers={"Accept": "application/problem+json"})
    assert (response.status_code, response.headers["content-type"]) == (404, "application/problem+json")
    problem = response.json()
    assert problem["type"] == "urn:lapstream:problem:not_found"
    assert (problem["status"], problem["title"]) == (404, "Not Found")
    assert problem["detail"] == f"no session {NOBODY} is stored"
    other = await visitor.get(
        "/nothing", headers={"Accept": "application/problem+json, application/json;q=0.1"}
    )
    assert other.headers["content-type"] == "application/problem+json"
    for accept in ("*/*", "application/json", "text/html"):
        response = await visitor.get("/nothing", headers={"Accept": accept})
        assert response.headers["content-type"] == "application/json"


async def test_a_method_that_a_route_lacks_is_refused(visitor: httpx.AsyncClient) -> None:
    response = await visitor.put(INGEST)
    assert error_of(response, 405)["code"] == "method_not_allowed"
    assert "POST" in response.headers["allow"]


@pytest.mark.parametrize("path", READS)
async def test_reading_is_open_or_needs_a_key_as_it_is_set(settings: Settings, dsn: str, path: str) -> None:
    async with asking(settings) as api:
        data_of(await api.get(path))
    shut = settings_of(dsn, api_open_read=False)
    async with asking(shut) as api:
        response = await api.get(path)
        assert error_of(response, 401)["code"] == "key_required"
        assert response.headers["www-authenticate"].startswith("Bearer")
        for scope in Scope:
            key = await token(shut, scope)
            data_of(await api.get(path, headers={"Authorization": f"Bearer {key}"}))
            data_of(await api.get(path, headers={"X-Api-Key": key}))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", INGEST),
        ("POST", "/practice-days/discover"),
        ("POST", f"/ingest-runs/{NOBODY}/retry-failed"),
        ("DELETE", f"/ingest-runs/{NOBODY}"),
    ],
)
async def test_writing_needs_a_key_that_allows_it(settings: Settings, method: str, path: str) -> None:
    async with asking(settings, Scope.read) as api:
        assert error_of(await api.request(method, path), 403)["code"] == "scope_missing"
        del api.headers["Authorization"]
        assert error_of(await api.request(method, path), 401)["code"] == "key_required"
        for header in ("Bearer nonsense", "Basic bm9uc2Vuc2U=", "Bearer", f"Bearer {'x' * 5_000}"):
            response = await api.request(method, path, headers={"Authorization": header})
            assert error_of(response, 401)["code"] == "unknown_key"


async def test_a_revoked_key_is_refused_at_once(settings: Settings) -> None:
    async with asking(settings, Scope.read) as api:
        data_of(await api.get("/tracks"))
        async with connected(settings) as connection:
            await api_keys.revoke(connection, "key of read")
        assert error_of(await api.get("/tracks"), 401)["code"] == "unknown_key"


async def test_who_asks_too_often_is_told_when_to_go_on(dsn: str) -> None:
    settings = settings_of(dsn, api_requests_per_minute=3)
    async with asking(settings, Scope.read) as api:
        assert [(await api.get("/tracks")).status_code for _ in range(4)] == [200, 200, 200, 429]
        response = await api.get("/tracks")
        assert error_of(response, 429)["code"] == "too_many_requests"
        assert 0 < int(response.headers["retry-after"]) <= 61
        del api.headers["Authorization"]
        assert (await api.get("/tracks")).status_code == 200


async def test_keys_that_are_tried_out_are_counted_by_their_address(dsn: str) -> None:
    settings = settings_of(dsn, api_requests_per_minute=2)
    async with asking(settings) as api:
        tries = [
            (await api.get("/tracks", headers={"X-Api-Key": f"guess {number}"})).status_code
            for number in range(3)
        ]
    assert tries == [401, 401, 429]


async def test_no_answer_moves_a_terminals_cursor(api: httpx.AsyncClient, settings: Settings) -> None:
    name = "\u202eJürgen\x9b31m\x7f"
    await stored(settings, [listed(1, row("1", driver_name=name)), fetched(2, "1", driver_name=name)])
    answer = await api.get("/practice-days/track/2025-10-25")
    assert data_of(answer)["sessions"][0]["driver_name"] == name
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert b"\\u202eJ\xc3\xbcrgen\\u009b31m\\u007f" in answer.content
    refused = await api.get(SEARCH, params={"track": name})
    assert "\u202e" not in refused.text
    error_of(refused, 400)


async def test_every_answer_has_its_headers(api: httpx.AsyncClient) -> None:
    for response in (await api.get("/tracks"), await api.get("/nothing"), await api.put(INGEST)):
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["cache-control"] == "no-store"
        assert uuid.UUID(response.headers["x-request-id"])
        assert "server" not in response.headers
    given = await api.get("/tracks", headers={"X-Request-Id": "front-end.42"})
    assert given.headers["x-request-id"] == "front-end.42"
    odd = await api.get("/tracks", headers={"X-Request-Id": 'odd" id'})
    assert uuid.UUID(odd.headers["x-request-id"])


async def test_pages_of_allowed_origins_may_ask(dsn: str) -> None:
    settings = settings_of(dsn, api_cors_origins="https://laps.example, https://other.example")
    async with asking(settings) as api:
        asked = {"Origin": "https://laps.example", "Access-Control-Request-Method": "POST"}
        preflight = await api.options(INGEST, headers=asked)
        assert preflight.headers["access-control-allow-origin"] == "https://laps.example"
        read = await api.get("/tracks", headers={"Origin": "https://laps.example"})
        assert read.headers["access-control-allow-origin"] == "https://laps.example"
        assert "retry-after" in read.headers["access-control-expose-headers"].lower()
        strange = await api.get("/tracks", headers={"Origin": "https://evil.example"})
        assert "access-control-allow-origin" not in strange.headers


async def test_without_origins_no_page_may_ask(api: httpx.AsyncClient) -> None:
    response = await api.get("/tracks", headers={"Origin": "https://laps.example"})
    assert "access-control-allow-origin" not in response.headers


async def test_health_and_readiness_are_told_without_a_key(dsn: str) -> None:
    settings = settings_of(dsn, api_open_read=False, api_requests_per_minute=1)
    async with serving(settings, no_month) as address, httpx.AsyncClient(base_url=address) as client:
        for _ in range(2):
            assert (await client.get("/healthz")).json() == {"status": "ok"}
            assert (await client.get("/livez")).json()["status"] == "ok"
            assert (await client.get("/readyz")).json() == {"status": "ok", "reasons": []}


class Wire:
    """A way to the database that can be cut."""

    def __init__(self, dsn: str) -> None:
        self._to = urlsplit(dsn)
        self._port = 0
        self._server: asyncio.Server | None = None
        self._ends: list[asyncio.StreamWriter] = []

    async def mend(self) -> str:
        """Lay the wire; returns the address of its near end."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]
        user, _, _ = self._to.netloc.rpartition("@")
        return self._to._replace(netloc=f"{user}@127.0.0.1:{self._port}").geturl()

    async def cut(self) -> None:
        """Break what is open, and let nothing through."""
        assert self._server
        self._server.close()
        for end in self._ends:
            end.transport.abort()
        self._ends.clear()
        await self._server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(self._to.hostname, self._to.port)
        self._ends += [writer, far_writer]
        await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                writer.write(data)
        writer.close()


async def test_a_database_that_goes_away_is_a_503_until_it_is_back(dsn: str) -> None:
    wire = Wire(dsn)
    async with asking(settings_of(await wire.mend())) as api:
        data_of(await api.get("/tracks"))
        await wire.cut()
        response = await api.get("/tracks")
        assert error_of(response, 503)["code"] == "database_unavailable"
        assert response.headers["retry-after"] == "5"
        unready = await api.get("../../readyz")
        assert (unready.status_code, unready.json()["status"]) == (503, "not_ready")
        assert unready.json()["reasons"][0].startswith("the database can't be used: ")
        assert (await api.get("../../healthz")).status_code == 200
        await wire.mend()
        data_of(await api.get("/tracks"))
    await wire.cut()


async def test_the_days_of_a_month_are_discovered(settings: Settings) -> None:
    asked: list[tuple[str, int, int]] = []

    async def discover(slug: str, year: int, month: int) -> MonthPage:
        asked.append((slug, year, month))
        return MonthPage(days=(MonthDay(date=dt.date(2025, 10, 25), sessions=56),))

    async with asking(settings, Scope.ingest, discover=discover) as api:
        body = {"track_slug": "track", "year": 2025, "month": 10}
        found = data_of(await api.post("/practice-days/discover", json=body))
        assert (found["days"], asked) == ([{"date": "2025-10-25", "sessions": 56}], [("track", 2025, 10)])
        bad = await api.post("/practice-days/discover", json=body | {"month": 13})
        assert [fault["field"] for fault in error_of(bad, 400)["details"]["fields"]] == ["month"]


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Unobtainable(BotCheck("http://site/", "a challenge"), 1, None), 502, "bot_check"),
        (Unobtainable(BadStatus("http://site/", 500), 3, None), 502, "bad_status"),
        (SiteBackingOff("http://site/", "for 900 s more", retry_after=900.0), 503, "site_resting"),
    ],
)
async def test_a_site_that_gives_no_month_is_named(
    settings: Settings, error: Exception, status: int, code: str
) -> None:
    async def discover(slug: str, year: int, month: int) -> MonthPage:
        raise error

    async with asking(settings, Scope.ingest, discover=discover) as api:
        body = {"track_slug": "track", "year": 2025, "month": 10}
        response = await api.post("/practice-days/discover", json=body)
    found = error_of(response, status)
    assert (found["code"], found["source"], found["details"]["url"]) == (code, "site", "http://site/")
    assert response.headers.get("retry-after") == ("900" if status == 503 else None)


async def test_a_fault_of_our_own_shows_nothing_of_the_inside(settings: Settings) -> None:
    async def discover(slug: str, year: int, month: int) -> MonthPage:
        raise ZeroDivisionError("a secret of the inside")

    async with asking(settings, Scope.ingest, discover=discover) as api:
        body = {"track_slug": "track", "year": 2025, "month": 10}
        response = await api.post("/practice-days/discover", json=body)
    assert error_of(response, 500)["code"] == "internal_error"
    assert "secret" not in response.text


async def test_a_port_that_is_taken_is_a_wrong_setting(settings: Settings, dsn: str) -> None:
    async with serving(settings, no_month) as address:
        taken = settings_of(dsn, api_port=int(address.rpartition(":")[2]))
        with pytest.raises(SettingsError, match="LAPSTREAM_API_PORT"):
            async with serving(taken, no_month):
                pass


async def test_a_server_that_is_told_to_stop_lets_go_at_once(settings: Settings) -> None:
    async with asyncio.timeout(5), serving(settings, no_month):
        pass
