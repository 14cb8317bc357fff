"""Pages over several sessions and days: records, comparisons, tables as CSV files."""

import csv
import datetime as dt
import io
import uuid
from collections.abc import AsyncGenerator

import httpx
import pytest
from msgspec.structs import replace

from laps.rows import ComparedLapRow, LapRow
from runtime.database import connected
from runtime.settings import Settings
from schemas.identity import driver_id
from server.listening import serving
from server.web.csv_files import CSV_FILES
from server.web.formats import UNKNOWN
from server.web.live_view import MOST_SHOWN
from store import people
from store.finding import FoundDriver
from store.reading import DayHead, DriverSession
from store.records import RecordStep
from tests.api import no_month, settings_of, stored_with_records
from tests.events import fetched, laps, listed, row
from tests.integration.test_web import DAY, browser, links, parsed, rows_of, texts

MANY = """
    WITH many AS (
        INSERT INTO subscribed_tracks (source, track_slug, time_zone, follow)
        SELECT 'liverc', 'track' || number, 'UTC', true FROM generate_series(1, $1) AS number
        RETURNING source, track_slug
    )
    INSERT INTO followed_days
        (source, track_slug, event_date, event_id, time_zone, live, ends_at, next_at, news_at)
    SELECT
        source, track_slug, current_date, gen_random_uuid(), 'UTC', true,
        now() + interval '1 hour', now(), now()
    FROM many
"""
NEXT = dt.date(2025, 10, 26)
RECORDS = "/tracks/track/records"
HOSTILE = '=HYPERLINK("https://evil.example")'


@pytest.fixture(scope="module")
async def settings(shared_dsn: str) -> Settings:
    """Settings of pages over two days: on the second, the record of the first falls."""
    buggy = {"class_name": "Buggy", "fastest_lap": 40.25}
    later = dt.datetime(2025, 10, 26, 9)
    second = {"start_time": later, "fastest_lap": 29.75, "driver_name": HOSTILE, "transponder_number": "907"}
    settings = settings_of(shared_dsn)
    events = [
        listed(1, row("1"), row("2", fastest_lap=31.0), row("3", **buggy), row("4")),
        fetched(2, "1", laps=laps(3)),
        fetched(2, "2", fastest_lap=31.0, laps=laps(4, 31.0)),
        fetched(2, "3", **buggy, laps=laps(2, 40.25)),
        replace(listed(3, row("7", **second)), date=NEXT),
        replace(fetched(4, "7", **second, laps=laps(3, 29.75)), date=NEXT),
    ]
    await stored_with_records(settings, events)
    async with connected(settings) as connection:
        await people.join(connection, [people.AliasKey("liverc", one) for one in ("904", "not stored")])
    return settings


@pytest.fixture(scope="module")
async def web(settings: Settings) -> AsyncGenerator[httpx.AsyncClient]:
    """A visitor without a key."""
    async with serving(settings, no_month) as address, browser(address) as client:
        yield client


async def test_records_stand_with_driver_day_and_session(web: httpx.AsyncClient) -> None:
    track = parsed(await web.get("/tracks/track"))
    assert RECORDS in links(track, RECORDS)
    page = parsed(await web.get(RECORDS))
    assert rows_of(page, "#standing") == [
        ["1/10 Open", "29.750", HOSTILE, "2025-10-26"],
        ["Buggy", "40.250", "Driver 3", "2025-10-25"],
    ]
    driven = parsed(await web.get(links(page, "/sessions/")[0]))
    assert HOSTILE in texts(driven, "h1")[0]


async def test_how_a_record_fell_is_told_the_newest_first(web: httpx.AsyncClient) -> None:
    page = parsed(await web.get(RECORDS))
    assert links(page, "#class-") == ["#class-1"]  # the other class has seen one record only
    assert rows_of(page, "#class-1") == [
        [HOSTILE, "29.750", "0.750", "2025-10-26", "stands"],
        ["Driver 1", "30.500", UNKNOWN, "2025-10-25", "2025-10-26"],
    ]


async def test_a_track_without_laps_or_not_stored_has_no_records(web: httpx.AsyncClient) -> None:
    page = parsed(await web.get("/tracks/nobody/records"), 404)
    assert texts(page, "h1") == ["There is nothing here"]


async def chosen(web: httpx.AsyncClient, page: str, *numbers: int) -> dict[str, list[str]]:
    """What the form of a page asks for where these of its boxes are ticked."""
    found = parsed(await web.get(page))
    assert found.css("form#compare[method=get][action='/compare'] button")
    boxes = found.css("input[type=checkbox][name=session][form=compare]")
    assert all(box.attributes.get("aria-label") for box in boxes)
    return {"session": [boxes[number].attributes.get("value") or "" for number in numbers]}


async def test_sessions_that_are_ticked_on_a_day_are_compared(web: httpx.AsyncClient) -> None:
    page = parsed(await web.get("/compare", params=await chosen(web, DAY, 1, 0)))
    assert texts(page, "h1 ~ .sides a") == ["Driver 2, run 1", "Driver 1, run 1"]
    numbers = {name: values for name, *values in rows_of(page, "#numbers")}
    assert numbers["Laps won"] == ["0", "3"]
    assert numbers["Best lap"] == ["31.000", "30.500"]
    assert numbers["Best 3 consecutive"] == ["1:33.000", "1:31.500"]
    assert texts(page, "#numbers ~ .wide strong") == ["3", *["30.500"] * 3, "1:31.500", "30.500"]
    assert rows_of(page, "#table") == [
        ["1", "31.000", "30.500", "-0.500", "-0.500"],
        ["2", "31.000", "30.500", "-0.500", "-1.000"],
        ["3", "31.000", "30.500", "-0.500", "-1.500"],
        ["4", "31.000", UNKNOWN, UNKNOWN, UNKNOWN],
    ]


async def test_the_lines_of_a_comparison_differ_in_shape_too(web: httpx.AsyncClient) -> None:
    page = parsed(await web.get("/compare", params=await chosen(web, DAY, 0, 1, 2)))
    charts = page.css(".picture svg.chart")
    assert len(charts) == 2
    laps_of = [[node.tag for node in charts[0].css(f".of-side-{side} .dot")] for side in range(3)]
    assert laps_of == [["circle"] * 3, ["path"] * 4, ["path"] * 2]
    assert [len(charts[1].css(f".of-side-{side} .dot")) for side in range(3)] == [3, 3, 2]
    assert len(page.css(".sides svg.sample")) == 9
    assert texts(page, "h1 ~ .sides strong")[:3] == ["A", "B", "C"]


async def test_the_best_of_a_class_are_compared_by_one_link(web: httpx.AsyncClient) -> None:
    [path] = links(parsed(await web.get(DAY)), "/compare")
    page = parsed(await web.get(path))
    assert texts(page, "h1 ~ .sides a") == ["Driver 1, run 1", "Driver 4, run 1", "Driver 2, run 1"]
    assert rows_of(page, "#numbers")[1] == ["Best lap", "30.500", UNKNOWN, "31.000"]


@pytest.mark.parametrize("number", [0, 1, 5])
async def test_fewer_than_two_or_more_than_four_are_not_compared(web: httpx.AsyncClient, number: int) -> None:
    some = [str(uuid.UUID(int=each)) for each in range(number)]
    page = parsed(await web.get("/compare", params={"session": some * 2}), 422)
    assert texts(page, "h1") == ["Choose two to four sessions"]
    said = texts(page, "main p")
    assert f"2 to 4 sessions can be compared, not {number}" in said
    assert any("tick two to four" in text for text in said)


async def test_what_can_not_be_compared_is_an_error(web: httpx.AsyncClient) -> None:
    known = await chosen(web, DAY, 0)
    unknown = [*known["session"], str(uuid.UUID(int=0))]
    page = parsed(await web.get("/compare", params={"session": unknown}), 404)
    assert texts(page, "h1") == ["There is nothing here"]
    page = parsed(await web.get("/compare", params={"session": ["1", "<b>"]}), 400)
    assert texts(page, "h1") == ["The address can't be read"]


FILES = {
    "/tracks/track": [("days.csv", DayHead, "track-days")],
    RECORDS: [("records.csv", RecordStep, "track-records")],
    DAY: [
        ("sessions.csv", DriverSession, "track-2025-10-25-sessions"),
        ("laps.csv", LapRow, "track-2025-10-25-laps"),
    ],
    "session": [("laps.csv", LapRow, "track-2025-10-26-7-laps")],
    "driver": [("sessions.csv", DriverSession, "907-sessions")],
    "person": [("sessions.csv", DriverSession, "Driver-4-sessions")],
    "/drivers?q=driver": [("/drivers.csv", FoundDriver, "drivers")],
    "compare": [("laps.csv", ComparedLapRow, "compared-laps")],
}
"""Of each page with a table that commands print as CSV: the files, what their rows are, and their names."""


async def path_of(web: httpx.AsyncClient, page: str) -> str:
    """The address of a page: of the session that is called as a formula, of its driver, of a comparison."""
    if page == "compare":
        return links(parsed(await web.get(DAY)), "/compare")[0]
    if page == "person":
        return (await web.get(f"/drivers/{driver_id('liverc', '904')}")).headers["location"]
    named = {"session": "/sessions/", "driver": "/drivers/"}
    return links(parsed(await web.get(RECORDS)), named[page])[0] if page in named else page


async def files_of(web: httpx.AsyncClient, page: str) -> list[str]:
    """The addresses of the files that a page leads to."""
    found = parsed(await web.get(await path_of(web, page)))
    return [path for path in links(found, "/") if ".csv" in path]


@pytest.mark.parametrize("page", FILES)
async def test_tables_are_had_as_files_with_the_columns_of_the_commands(
    web: httpx.AsyncClient, page: str
) -> None:
    files = await files_of(web, page)
    assert len(files) == len(FILES[page])
    for path, (ending, kind, name) in zip(files, FILES[page], strict=True):
        assert ending in path
        answer = await web.get(path)
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert answer.headers["content-disposition"] == f'attachment; filename="{name}.csv"'
        header, *rows = csv.reader(io.StringIO(answer.text))
        assert (header, bool(rows)) == (list(kind.__struct_fields__), True)
        if etag := answer.headers.get("etag"):
            assert (await web.get(path, headers={"If-None-Match": etag})).status_code == 304
        else:
            assert "laps.csv" in path  # of a day: sent in pieces
            assert answer.headers["content-encoding"] == "gzip"
            plain = await web.get(path, headers={"Accept-Encoding": "identity"})
            assert ("content-encoding" not in plain.headers, plain.text) == (True, answer.text)


@pytest.mark.parametrize("page", [RECORDS, "session", "driver"])
async def test_nothing_in_a_file_is_run(web: httpx.AsyncClient, page: str) -> None:
    [path] = await files_of(web, page)
    cells = [cell for row in csv.reader(io.StringIO((await web.get(path)).text)) for cell in row]
    assert f"'{HOSTILE}" in cells
    assert HOSTILE not in cells


async def test_the_sessions_of_a_day_are_those_of_its_drivers(web: httpx.AsyncClient) -> None:
    header, *rows = csv.reader(io.StringIO((await web.get(f"{DAY}/sessions.csv")).text))
    of_day = {tuple(row) for row in rows if row[header.index("driver_name")] == "Driver 1"}
    driver = await web.get(f"/drivers/{driver_id('liverc', '901')}/sessions.csv")
    assert of_day == {tuple(row) for row in list(csv.reader(io.StringIO(driver.text)))[1:]}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/tracks/nobody/days.csv", 404),
        ("/tracks/nobody/records.csv", 404),
        ("/tracks/track/2024-01-01/sessions.csv", 404),
        ("/tracks/track/2024-01-01/laps.csv", 404),
        (f"/sessions/{uuid.UUID(int=0)}/laps.csv", 404),
        (f"/drivers/{uuid.UUID(int=0)}/sessions.csv", 404),
        ("/compare/laps.csv", 422),
    ],
)
async def test_a_file_of_nothing_is_an_error_on_a_page(
    web: httpx.AsyncClient, path: str, status: int
) -> None:
    assert texts(parsed(await web.get(path), status), "h1")


async def test_where_reading_is_closed_so_is_every_file(web: httpx.AsyncClient, settings: Settings) -> None:
    files = [file for page in FILES for file in await files_of(web, page)]
    assert len(files) == len(CSV_FILES)
    closed = settings_of(settings.postgres_dsn, api_open_read=False)
    async with serving(closed, no_month) as address, browser(address) as client:
        for path in files:
            answer = await client.get(path)
            assert (answer.status_code, answer.headers["location"][:9]) == (303, "/sign-in?")


async def test_what_is_chosen_once_is_kept_for_every_page(web: httpx.AsyncClient) -> None:
    def chosen(page: str) -> dict[str, str]:
        return {"drivers": "driver 4, 907, \x00é; =\"'", "next": page}

    answer = await web.post("/mine", data=chosen(f"{DAY}#sessions"))
    assert (answer.status_code, answer.headers["location"]) == (303, f"{DAY}#sessions")
    try:
        page = parsed(await web.get(DAY))
        assert texts(page, "#sessions ~ section tbody th a") == ["Driver 4, run 1"]
        assert texts(page, "#leaders-1 ~ .wide tr.is-mine a")[0] == "Driver 4"
        assert texts(parsed(await web.get(f"{DAY}?all=true")), "#sessions ~ section .is-mine a") == [
            "Driver 4, run 1"
        ]
        start = parsed(await web.get("/"))
        assert [row[0].partition(",")[0] for row in rows_of(start, "#mine")] == ["2025-10-26", "2025-10-25"]
        assert start.css("#chosen")[0].attributes["value"] == "driver 4, 907, é; =\"'"
    finally:
        web.cookies.clear()
    answer = await web.post("/mine", data={"drivers": "", "next": "https://evil.example/"})
    assert answer.headers["location"] == "/"
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert (
        len(rows_of(parsed(await web.get(DAY, headers={"Cookie": "lapstream_mine=%ff%00,,"})), "#totals")) > 1
    )


async def test_pages_show_the_first_of_very_many_followed_days_and_tracks(
    settings: Settings, web: httpx.AsyncClient
) -> None:
    async with connected(settings) as connection:
        await connection.execute(MANY, MOST_SHOWN + 1)
        try:
            start, page = [parsed(await web.get(path)) for path in ("/", "/subscriptions")]
        finally:
            await connection.execute("DELETE FROM followed_days")
            await connection.execute("DELETE FROM subscribed_tracks")
    for one in (start, page):
        assert len(one.css("section[aria-labelledby=followed] ul.cards > li")) == MOST_SHOWN
    assert len(page.css("tbody tr")) == MOST_SHOWN
