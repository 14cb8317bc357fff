"""Reading endpoints as CSV: the columns of the commands, a page at a time, and nothing in it that is run."""

import csv
import io
import re
from collections.abc import AsyncGenerator

import httpx
import msgspec
import pytest

from laps.rows import AliasRow, LapRow
from runtime.database import connected
from runtime.settings import Settings
from schemas.identity import driver_id
from server.api.document import document
from server.http.refusals import PROBLEM_JSON
from store.finding import FoundDriver
from store.people import AliasKey, join
from store.reading import DayHead, DriverSession
from store.records import RecordStep
from tests.api import asking, data_of, settings_of, stored_with_records
from tests.events import fetched, laps, listed, row

HOSTILE = "=1+1"
DRIVER = driver_id("liverc", "902")
CSV = {"Accept": "text/csv"}
PATHS = {
    "/practice-days/search": DayHead,
    "/practice-days/track/2025-10-25": DriverSession,
    "/sessions/{session}": LapRow,
    "/drivers": FoundDriver,
    f"/drivers/{DRIVER}": DriverSession,
    "/people": AliasRow,
    "/people/{person}": DriverSession,
    "/tracks/track/records/history": RecordStep,
}


@pytest.fixture(scope="module")
async def settings(shared_dsn: str) -> Settings:
    """A day of three sessions, two of them of one person, who is called as a formula."""
    settings = settings_of(shared_dsn)
    named = {"driver_name": HOSTILE, "fastest_lap": 30.0}
    events = [listed(1, row("1"), row("2", **named), row("3")), fetched(2, "2", **named, laps=laps(3, 30.0))]
    await stored_with_records(settings, events)
    async with connected(settings) as connection:
        await join(connection, [AliasKey("liverc", one) for one in ("902", "903")])
    return settings


@pytest.fixture(scope="module")
async def api(settings: Settings) -> AsyncGenerator[httpx.AsyncClient]:
    async with asking(settings) as client:
        yield client


async def path_of(api: httpx.AsyncClient, path: str) -> str:
    day = data_of(await api.get("/practice-days/track/2025-10-25"))
    [one] = [one for one in day["sessions"] if one["session_id"] == "2"]
    return path.format(session=one["id"], person=one["person_id"])


@pytest.mark.parametrize("path", PATHS)
async def test_who_accepts_csv_gets_the_columns_of_the_commands(api: httpx.AsyncClient, path: str) -> None:
    address = await path_of(api, path)
    answer = await api.get(address, headers=CSV)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/csv; charset=utf-8")
    assert answer.headers["vary"] == "Accept"
    header, *rows = csv.reader(io.StringIO(answer.text))
    assert header == list(PATHS[path].__struct_fields__)
    assert rows
    cells = {cell for row in rows for cell in row}
    assert HOSTILE not in cells
    assert (f"'{HOSTILE}" in cells) == (path != "/practice-days/search")
    for accept in ("*/*", "application/json, text/csv;q=0.9", "nonsense"):
        data_of(await api.get(address, headers={"Accept": accept}))


async def test_a_list_goes_on_by_its_link(api: httpx.AsyncClient) -> None:
    names: list[str] = []
    address = "/drivers?limit=2"
    while address:
        answer = await api.get(address, headers=CSV)
        names += [one["source_driver_id"] for one in csv.DictReader(io.StringIO(answer.text))]
        found = re.fullmatch(r'</api/v1(.+)>; rel="next"', answer.headers.get("link", ""))
        address = found[1] if found else ""
    assert sorted(names) == ["901", "902", "903"]


async def test_an_error_is_none_in_csv(api: httpx.AsyncClient) -> None:
    answer = await api.get("/tracks/track/records/history?wrong=1", headers=CSV)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/json")
    answer = await api.get("/tracks", headers=CSV)
    assert answer.headers["content-type"] == "application/json"  # it has no such form
    answer = await api.get("/drivers?wrong=1", headers={"Accept": f"{PROBLEM_JSON}, text/csv"})
    assert answer.headers["content-type"] == PROBLEM_JSON


def test_the_document_says_which_routes_have_it() -> None:
    described = msgspec.json.decode(document())["paths"]
    has = {
        path.removeprefix("/api/v1")
        for path, operations in described.items()
        if "text/csv" in operations.get("get", {}).get("responses", {}).get("200", {}).get("content", {})
    }
    assert has == {
        "/practice-days/search",
        "/practice-days/{track_slug}/{date}",
        "/sessions/{session}",
        "/drivers",
        "/drivers/{driver}",
        "/people",
        "/people/{person}",
        "/tracks/{track_slug}/records/history",
    }
