"""The pages over HTTP: what they show, who may read them, and what they answer when something is wrong."""

import datetime as dt
import uuid
from collections.abc import AsyncGenerator
from typing import Any
from urllib.parse import urlencode

import httpx
import msgspec
import pytest
from selectolax.lexbor import LexborHTMLParser, LexborNode

from ops.backfill import queries as backfills
from ops.backfill.queries import Backfill, Months
from producer import catalogue
from producer.pages import CataloguePage, CatalogueTrack
from producer.site import SOURCE
from runs import changes as run_changes
from runtime.database import connected
from runtime.settings import Settings
from schemas.events import PracticeDayRequested
from schemas.identity import driver_id
from schemas.scopes import Scope
from server.listening import serving
from server.web.assets import NAMES, address_of
from server.web.formats import UNKNOWN
from server.web.people_view import sent
from server.web.session import COOKIE, CSRF_FIELD
from store.people import AliasKey, join, unset
from tests.api import client_of, no_month, settings_of, stored, token
from tests.events import DATE, fetched, laps, listed, row, seen
from tests.integration.test_api import Wire

DAY = "/tracks/track/2025-10-25"
HOSTILE = "</h1><script>alert('x')</script> שלום \u202eعلي 日本"
FACTS = (
    "driver_name",
    "class_name",
    "transponder_number",
    "start_time",
    "lap_count",
    "fastest_lap",
    "average_lap",
)
NOBODY = uuid.UUID(int=0)
AUGUST, LAST = dt.date(2025, 8, 1), dt.date(2025, 8, 31)
HTML = {"Accept": "text/html,application/xhtml+xml"}


def parsed(answer: httpx.Response, status: int = 200) -> LexborHTMLParser:
    """The page of an answer."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return LexborHTMLParser(answer.text)


def texts(page: LexborHTMLParser | LexborNode, selector: str) -> list[str]:
    """The texts of a page's elements, or of those within an element."""
    return [" ".join(node.text().split()) for node in page.css(selector)]


def rows_of(page: LexborHTMLParser, heading: str) -> list[list[str]]:
    """The cells of the table behind a heading, row by row."""
    return [texts(line, "th, td") for line in page.css(f"{heading} ~ .wide tbody tr")]


def links(page: LexborHTMLParser, beginning: str) -> list[str]:
    """The addresses that a page leads to, each once."""
    found = [node.attributes.get("href") or "" for node in page.css(f'main a[href^="{beginning}"]')]
    return list(dict.fromkeys(found))


@pytest.fixture(scope="module")
async def settings(shared_dsn: str) -> Settings:
    """Settings of pages over a day: one session has laps, one a hostile name, of one nothing is known."""
    hostile, unknown = row("3", driver_name=HOSTILE, class_name=HOSTILE), row("4", **dict.fromkeys(FACTS))
    settings = settings_of(shared_dsn)
    await stored(settings, [listed(1, row("1"), row("2"), hostile, unknown), fetched(2, "1", laps=laps(3))])
    return settings


def browser(address: str, **options: Any) -> httpx.AsyncClient:
    """A client that asks as a browser does."""
    return client_of(address, headers=HTML, **options)


@pytest.fixture(scope="module")
async def address(settings: Settings) -> AsyncGenerator[str]:
    async with serving(settings, no_month) as address:
        yield address


@pytest.fixture(scope="module")
async def web(address: str) -> AsyncGenerator[httpx.AsyncClient]:
    """A visitor without a key."""
    async with browser(address) as client:
        yield client


@pytest.fixture(scope="module")
async def importer(settings: Settings) -> str:
    """The token of a key that may import."""
    return await token(settings, Scope.ingest)


@pytest.fixture
async def signed_in(address: str, importer: str) -> AsyncGenerator[httpx.AsyncClient]:
    """A client that is signed in with it."""
    async with browser(address) as client:
        answer = await client.post("/sign-in", data={"token": importer})
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        yield client


async def csrf(client: httpx.AsyncClient, path: str = "/imports/new") -> dict[str, str]:
    """What a form of this session carries, as those of this page do."""
    page = parsed(await client.get(path))
    [value, *_] = [node.attributes.get("value") or "" for node in page.css(f"[name={CSRF_FIELD}]")]
    return {CSRF_FIELD: value}


async def test_one_gets_from_the_start_to_a_lap(web: httpx.AsyncClient) -> None:
    page = parsed(await web.get("/"))
    assert "Sign in" in texts(page, "header a")
    assert links(page, "/tracks/") == ["/tracks/track", DAY]
    page = parsed(await web.get("/tracks/track"))
    assert (texts(page, "h2"), links(page, DAY)) == (["October 2025", "Months"], [DAY])
    page = parsed(await web.get("/tracks/track?month=2025-10"))
    assert (texts(page, "h2"), links(page, DAY)) == (["October 2025"], [DAY])
    page = parsed(await web.get("/tracks/track?month=2025-09"))
    assert texts(page, ".empty") == ["No day of this month is stored."]
    assert "/imports/months/new?track=track&month=2025-09" in links(page, "/imports/months")
    page = parsed(await web.get(DAY))
    assert texts(page, "tbody th[scope=row] a[href^='/sessions/']")[0] == "Driver 1, run 1"
    page = parsed(await web.get((await sessions_of_day(web))["Driver 1, run 1"]))
    assert texts(page, "#lap-2 td")[0] == "30.500"


async def sessions_of_day(web: httpx.AsyncClient, day: str = DAY) -> dict[str, str]:
    """The addresses of a day's sessions by what their links say."""
    page = parsed(await web.get(day))
    rows = "tbody th[scope=row] a[href^='/sessions/']"
    paths = [row.attributes.get("href") or "" for row in page.css(rows)]
    return dict(zip(texts(page, rows), paths, strict=True))


async def test_a_session_has_chart_figures_and_laps(web: httpx.AsyncClient) -> None:
    page = parsed(await web.get((await sessions_of_day(web))["Driver 1, run 1"]))
    assert len(page.css("svg.chart .of-laps .dot")) == 3
    assert len(page.css("tr[id^=lap-]")) == 3
    figures = {name: values for name, *values in rows_of(page, "#figures")}
    assert figures["Average"] == ["30.500", "31.000 differs"]
    assert figures["Best 3 consecutive"] == ["1:31.500", "1:31.500"]


async def test_a_session_without_its_page_says_so(web: httpx.AsyncClient) -> None:
    page = parsed(await web.get((await sessions_of_day(web))["Driver 2, run 1"]))
    assert "not stored" in texts(page, "section.fault")[0]
    assert texts(page, ".facts dd") == ["30.500", "31.000", UNKNOWN, "3"]
    assert not page.css("svg.chart")


async def test_what_is_not_known_is_shown_as_such(web: httpx.AsyncClient) -> None:
    path = (await sessions_of_day(web))["Unknown driver, run 1"]
    assert texts(parsed(await web.get(path)), ".facts dd") == [UNKNOWN] * 4
    [driver] = links(parsed(await web.get(path)), "/drivers/")
    page = parsed(await web.get(driver))
    assert texts(page, "h1") == ["Unknown driver"]
    assert texts(page, "#sessions ~ .wide tbody td")[1:] == ["No class", *[UNKNOWN] * 5]


async def test_a_driver_has_bests_and_sessions(web: httpx.AsyncClient) -> None:
    page = parsed(await web.get(f"/drivers/{driver_id('liverc', '901')}"))
    assert texts(page, "h1") == ["Driver 1"]
    assert texts(page, "#sessions ~ .wide tbody th") == ["2025-10-25, run 1"]


async def test_tracks_are_found_by_name(web: httpx.AsyncClient) -> None:
    assert texts(parsed(await web.get("/", params={"q": "SAMPLE"})), "tbody th") == ["Sample Track"]
    page = parsed(await web.get("/", params={"q": HOSTILE}))
    assert HOSTILE in page.css(".empty")[0].text()


@pytest.mark.parametrize("words", ["driver 2", "902", "DRIVER  2"])
async def test_drivers_are_found_by_name_and_transponder(web: httpx.AsyncClient, words: str) -> None:
    page = parsed(await web.get("/drivers", params={"q": words}))
    assert texts(page, "tbody th") == ["Driver 2"]
    assert links(page, "/drivers/") == [f"/drivers/{driver_id('liverc', '902')}"]


@pytest.mark.parametrize("words", ["", " ", HOSTILE + "x", "a\0b", "%", "'; --"])
async def test_nobody_is_found_where_nobody_is_called_so(web: httpx.AsyncClient, words: str) -> None:
    page = parsed(await web.get("/drivers", params={"q": words}))
    assert not page.css("tbody")
    assert bool(page.css(".empty")) == bool(words.strip())


@pytest.mark.parametrize("place", ["/", DAY, "driver", "session"])
async def test_names_with_markup_or_of_any_script_are_text(web: httpx.AsyncClient, place: str) -> None:
    named = {
        "driver": f"/drivers/{driver_id('liverc', '903')}",
        "session": next(path for name, path in (await sessions_of_day(web)).items() if "שלום" in name),
    }
    answer = await web.get(named.get(place, place))
    page = parsed(answer)
    assert "alert(" not in "".join(node.text() for node in page.css("script"))
    assert "<script>alert" not in answer.text
    if place != "/":
        assert HOSTILE in page.css("main")[0].text()


async def test_a_page_takes_nothing_from_elsewhere(web: httpx.AsyncClient) -> None:
    answer = await web.get(DAY)
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert {policy[name] for name in ("script-src", "style-src", "img-src", "connect-src")} == {"'self'"}
    assert answer.headers["x-content-type-options"] == "nosniff"
    page = LexborHTMLParser(answer.text)
    loaded = page.css("script, link, img")
    sources = [node.attributes.get("src") or node.attributes.get("href") or "" for node in loaded]
    assert sources
    assert all(source.startswith("/static/") for source in sources)
    assert not page.css("style, [style], script:not([src])")
    assert all(not name.startswith("on") for node in page.css("*") for name in node.attributes)


async def test_a_page_that_did_not_change_is_not_sent_again(web: httpx.AsyncClient) -> None:
    first = await web.get(DAY)
    again = await web.get(DAY, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert first.headers["cache-control"] == "private, no-cache"
    assert first.headers["content-encoding"] == "gzip"
    plain = await web.get(DAY, headers={"Accept-Encoding": "identity"})
    assert plain.text == first.text
    assert "content-encoding" not in plain.headers


@pytest.mark.parametrize("name", NAMES)
async def test_files_are_kept_for_ever_under_their_digest(web: httpx.AsyncClient, name: str) -> None:
    answer = await web.get(address_of(name))
    assert answer.status_code == 200
    assert "immutable" in answer.headers["cache-control"]
    assert (await web.get(f"/static/{name}")).status_code == 404


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("/nothing/here", 404, "There is nothing here"),
        ("/tracks/nobody", 404, "There is nothing here"),
        ("/tracks/track/2024-01-01", 404, "There is nothing here"),
        ("/tracks/track/no-date", 404, "There is nothing here"),
        ("/tracks/NO_SLUG", 400, "The address can't be read"),
        ("/tracks/track?before=nonsense", 422, "The address can't be read"),
        (f"/sessions/{NOBODY}", 404, "There is nothing here"),
        (f"/drivers/{NOBODY}", 404, "There is nothing here"),
        (f"/imports/{NOBODY}", 404, "There is no such import"),
    ],
)
async def test_errors_are_pages_that_say_what_to_do(
    web: httpx.AsyncClient, path: str, status: int, says: str
) -> None:
    page = parsed(await web.get(path), status)
    assert texts(page, "h1") == [says]
    assert "/" in links(page, "/")


async def test_a_day_that_is_not_stored_can_be_imported(web: httpx.AsyncClient) -> None:
    page = parsed(await web.get("/tracks/track/2024-01-01"), 404)
    assert links(page, "/imports/new?") == ["/imports/new?track=track&date=2024-01-01"]
    page = parsed(await web.get("/tracks/track/2024-01-01?source=club"), 404)
    assert links(page, "/imports/new?") == []


async def test_programs_are_told_errors_as_before(web: httpx.AsyncClient) -> None:
    for path, accept in (("/nothing", "*/*"), ("/api/v1/nothing", "text/html")):
        answer = await web.get(path, headers={"Accept": accept})
        assert answer.json()["error"]["code"] == "not_found"


async def test_an_internal_error_is_a_page_with_the_id_of_the_request(
    web: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("server.web.day_view.totals_of", broken)
    answer = await web.get(DAY)
    assert answer.headers["x-request-id"] in texts(parsed(answer, 500), "main code")


async def test_a_database_that_is_away_is_said(settings: Settings) -> None:
    wire = Wire(settings.postgres_dsn)
    away = settings_of(await wire.mend())
    async with serving(away, no_month) as address, browser(address) as client:
        await wire.cut()
        answer = await client.get("/")
    assert texts(parsed(answer, 503), "h1") == ["The database is away"]
    assert answer.headers["retry-after"]


async def test_where_reading_is_closed_one_signs_in(settings: Settings, importer: str) -> None:
    closed = settings_of(settings.postgres_dsn, api_open_read=False)
    async with serving(closed, no_month) as address, browser(address) as client:
        answer = await client.get(DAY, params={"source": "liverc"})
        assert answer.status_code == 303
        page = parsed(await client.get(answer.headers["location"]))
        assert "needed" in texts(page, "main p")[0]
        [back] = [node.attributes.get("value") or "" for node in page.css("[name=next]")]
        answer = await client.post("/sign-in", data={"token": importer, "next": back})
        assert answer.headers["location"] == f"{DAY}?source=liverc"
        assert (await client.get(DAY)).status_code == 200
        assert (await client.get("/api/v1/tracks")).status_code == 401  # the API reads no cookie


async def test_signing_in_keeps_the_key_where_no_script_reads_it(address: str, importer: str) -> None:
    async with browser(address) as client:
        answer = await client.post("/sign-in", data={"token": f" {importer} ", "next": "//elsewhere.example"})
        assert answer.headers["location"] == "/"
        cookie = answer.headers["set-cookie"].lower()
        assert all(part in cookie for part in ("httponly", "samesite=lax", "max-age=43200", "path=/"))
        assert "secure" not in cookie  # over http a browser would not send it back
        page = parsed(await client.get("/"))
        assert importer not in str(page.html)
        form = await csrf(client)
        answer = await client.post("/sign-out", data=form)
        assert (answer.status_code, COOKIE in client.cookies) == (303, False)


async def test_a_key_that_is_not_in_force_is_refused(address: str) -> None:
    async with browser(address) as client:
        page = parsed(await client.post("/sign-in", data={"token": "lapstream_no"}), 422)
        assert "not in force" in texts(page, "[role=alert]")[0]
        client.cookies.set(COOKIE, "lapstream_no")
        answer = await client.get("/")
        assert answer.headers["location"].startswith("/sign-in?")
        assert "max-age=0" in answer.headers["set-cookie"].lower()


async def test_every_form_of_every_page_carries_its_token(signed_in: httpx.AsyncClient) -> None:
    for path in ("/", DAY, "/imports/new"):
        page = parsed(await signed_in.get(path))
        for form in page.css("form[method=post]"):
            assert len(form.css(f"[name={CSRF_FIELD}]")) == 1, path


async def test_importing_needs_a_key(web: httpx.AsyncClient, settings: Settings) -> None:
    assert (await web.get("/imports/new")).headers["location"].startswith("/sign-in?next=%2Fimports%2Fnew")
    assert (await web.post("/imports", data={})).headers["location"].startswith("/sign-in?")
    for page_of_form, back in (
        (f"{web.base_url.join('/tracks/track')}?month=2025-10#x", "/tracks/track?month=2025-10"),
        ("http://[", "/"),
    ):
        answer = await web.post("/tracks/track/follow", headers={"Referer": page_of_form})
        assert httpx.URL(answer.headers["location"]).params["next"] == back
    reader = await token(settings, Scope.read)
    async with browser(str(web.base_url)) as client:
        await client.post("/sign-in", data={"token": reader})
        page = parsed(await client.get("/imports/new"), 403)
        assert texts(page, "h1") == ["This key may not do that"]


@pytest.mark.parametrize(
    ("data", "faults"),
    [
        ({}, ["track_slug", "date", "refresh"]),
        ({"track_slug": "No Slug", "date": "2025-10-25", "refresh": "all"}, ["track_slug"]),
        ({"track_slug": "track", "date": "2025-02-30", "refresh": "all"}, ["date"]),
        ({"track_slug": "track", "date": "2999-01-01", "refresh": "all"}, ["date"]),
        ({"track_slug": "track", "date": "2025-10-25", "refresh": "some"}, ["refresh"]),
    ],
)
async def test_a_form_that_is_wrong_says_where(
    signed_in: httpx.AsyncClient, data: dict[str, str], faults: list[str]
) -> None:
    page = parsed(await signed_in.post("/imports", data=data | await csrf(signed_in)), 422)
    assert [
        (node.attributes.get("id") or "").removesuffix("-fault") for node in page.css("form .fault")
    ] == faults
    for node in page.css("[aria-invalid]"):
        assert page.css(f"#{node.attributes['aria-describedby']}")
    kept = {node.attributes.get("name"): node.attributes.get("value") for node in page.css("input")}
    assert kept["track_slug"] == data.get("track_slug", "")


async def test_an_import_is_begun_and_joined(signed_in: httpx.AsyncClient, settings: Settings) -> None:
    wanted = {"track_slug": "other", "date": "2025-10-24", "refresh": "all"} | await csrf(signed_in)
    first = await signed_in.post("/imports", data=wanted)
    again = await signed_in.post("/imports", data=wanted)
    assert (first.status_code, first.headers["location"]) == (303, again.headers["location"])
    page = parsed(await signed_in.get(first.headers["location"]))
    assert texts(page, "[role=status]") == ["The import is running."]
    assert page.css("noscript meta[http-equiv=refresh]")
    assert [node.attributes.get("data-events") for node in page.css("[data-events]")] == [
        f"{first.headers['location']}/events"
    ]
    answer = await signed_in.post(f"{first.headers['location']}/retry", data=await csrf(signed_in))
    assert texts(parsed(answer, 409), "h1") == ["The import is still running"]


async def test_the_form_for_a_month_says_what_is_wrong_with_it(
    web: httpx.AsyncClient, signed_in: httpx.AsyncClient
) -> None:
    assert (await web.get("/imports/months/new")).status_code == 303
    page = parsed(await signed_in.get("/imports/months/new?track=umea&month=2025-10"))
    assert page.css("#track_slug[value=umea]")
    assert page.css("#month[value='2025-10']")
    form = {"track_slug": "Umeå", "month": "2099-01", "refresh": "some"} | await csrf(signed_in)
    page = parsed(await signed_in.post("/imports/months", data=form), 422)
    assert [len(page.css(f"#{name}-fault")) for name in ("track_slug", "month", "refresh")] == [1, 1, 1]


async def test_a_month_is_asked_for_and_its_page_shows_days_and_what_failed(
    web: httpx.AsyncClient, signed_in: httpx.AsyncClient, settings: Settings
) -> None:
    form = {"track_slug": "track", "month": "2025-08", "refresh": "missing"} | await csrf(signed_in)
    answer = await signed_in.post("/imports/months", data=form)
    path = answer.headers["location"]
    page = parsed(await web.get(path))
    assert texts(page, "[role=status]")[0].endswith("waiting for a fetcher to ask for its months")
    assert page.css("#live[data-refresh]")

    found = Backfill(uuid.UUID(path.rpartition("/")[2]), Months(SOURCE, "track", AUGUST, AUGUST, "missing"))
    async with connected(settings) as connection:
        while other := await backfills.at_work(connection):  # of other tests
            await run_changes.cancel(connection, other.id)
        await backfills.discovered(connection, found, AUGUST, dict.fromkeys((AUGUST, LAST), 2))
        for state in ("failed", "cancelled"):
            fed = await backfills.feed(connection, found)
            assert isinstance(fed, backfills.InFlight)
            if state == "failed":
                page = parsed(await web.get(path))
                assert "importing 2025-08-01" in texts(page, "[role=status]")[0]
            run, _ = await run_changes.cancel(connection, fed.run_id)
            await backfills.settle(connection, found, fed.event_date, run)
        await backfills.worked_at(connection, found, await backfills.wanted_at(connection, found))
    page = parsed(await web.get(path))
    assert texts(page, "[role=status]") == ["Something of the month did not come in."]
    assert [row[0] for row in rows_of(page, "#days")] == ["2025-08-01", "2025-08-31"]
    assert "its run was cancelled" in rows_of(page, "#days")[0][3]
    assert not page.css("[data-refresh], [http-equiv=refresh]")
    for what, said in (("retry", "The month is being imported"), ("cancel", "The import was cancelled")):
        answer = await signed_in.post(f"{path}/{what}", data=await csrf(signed_in))
        assert (answer.status_code, answer.headers["location"]) == (303, path)
        assert said in texts(parsed(await web.get(path)), "[role=status]")[0]
    answer = await signed_in.post(f"{path}/retry", data=await csrf(signed_in))
    assert texts(parsed(answer, 409), "h1") == ["The import has ended"]
    parsed(await web.get(f"/imports/months/{NOBODY}"), 404)


async def test_an_import_that_was_cancelled_shows_what_it_came_to(
    web: httpx.AsyncClient, settings: Settings
) -> None:
    wanted = PracticeDayRequested(source="liverc", track_slug="gone", date=DATE, requested_at=seen(0))
    async with connected(settings) as connection, connection.transaction():
        run, _ = await run_changes.request(connection, wanted)
        await run_changes.cancel(connection, run.id)
    page = parsed(await web.get(f"/imports/{run.id}"))
    assert texts(page, "[role=status]") == ["The import was cancelled."]
    assert not page.css("[data-events], [http-equiv=refresh]")


async def test_the_sites_tracks_are_found_beside_those_that_are_stored(
    web: httpx.AsyncClient, signed_in: httpx.AsyncClient, settings: Settings
) -> None:
    page = parsed(await web.get("/?q=umea"))
    assert texts(page, ".empty") == ["No track has “umea” in its name. Show all tracks."]
    assert texts(page, "#catalogue button") == ["Fetch the list of tracks"]
    assert (await web.get("/tracks/umea-rc")).status_code == 404
    answer = await web.post("/tracks/refresh", data={"x": "y"})
    assert (answer.status_code, answer.headers["location"][:8]) == (303, "/sign-in")
    answer = await signed_in.post("/tracks/refresh", data=await csrf(signed_in))
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    page = parsed(await web.get("/"))
    assert page.css("#catalogue[data-refresh]")
    assert "has not come yet" in texts(page, "#catalogue [role=status]")[0]

    listed = CataloguePage(
        tracks=(
            CatalogueTrack(track_slug="track", name="Umeå Stored"),
            CatalogueTrack(track_slug="umea-rc", name=f"Umeå {HOSTILE}"),
            CatalogueTrack(track_slug="nameless"),
        )
    )
    async with connected(settings) as connection:
        await catalogue.keep(connection, SOURCE, listed, dt.datetime.now(dt.UTC))
    page = parsed(await web.get("/?q=UMEA"))
    assert links(page, "/tracks/") == ["/tracks/track", DAY, "/tracks/umea-rc"]
    assert rows_of(page, "#tracks")[1] == [
        " ".join(f"Umeå {HOSTILE}".split()),
        UNKNOWN,
        "not stored",
    ]
    assert "The site lists 3 tracks" in texts(page, "#catalogue")[0]
    assert not page.css("[data-refresh]")
    page = parsed(await web.get("/tracks/umea-rc"))
    assert texts(page, "h1") == [" ".join(f"Umeå {HOSTILE}".split())]
    assert "Nothing of this track is stored yet" in texts(page, ".empty")[0]
    assert "/imports/new?track=umea-rc" in links(page, "/imports/new")
    assert texts(parsed(await web.get("/tracks/nameless")), "h1") == ["nameless"]


async def test_an_empty_database_says_what_to_do_first(dsn: str) -> None:
    async with serving(settings_of(dsn), no_month) as address, browser(address) as client:
        page = parsed(await client.get("/"))
    assert links(page, "/imports") == ["/imports/new"]


MANY = 500
LONG = 1_000
LARGEST = 300_000
"""Bytes of a page, compressed."""

LONGEST_SECONDS = 1.0
TRIES = 6
"""Others may be at work on this machine."""

LARGE = dt.date(2025, 10, 26)
LONG_RUNNERS = ("Long Runner", "Second Runner", "Third Runner", "Fourth Runner")


@pytest.fixture(scope="module")
async def large(settings: Settings) -> None:
    """A day of many sessions, by many drivers in several classes, four of which are long."""
    rows = [
        row(
            f"{number:03}",
            driver_name=f"Driver {number % 60}",
            transponder_number=f"7{number % 60:03}",
            class_name=f"1/{8 + number % 5} Buggy",
            start_time=dt.datetime(2025, 10, 26, 9) + dt.timedelta(seconds=60 * number),
            fastest_lap=30 + number / 100,
        )
        for number in range(MANY)
    ]
    times = [
        msgspec.structs.replace(lap, lap_time_seconds=round(30 + number * 37 % 101 / 17, 3))
        for number, lap in enumerate(laps(LONG))
    ]
    await stored(
        settings,
        [
            msgspec.structs.replace(listed(1, *rows), date=LARGE),
            *(
                msgspec.structs.replace(
                    fetched(2, f"{number:03}", driver_name=name, laps=tuple(times[number:])), date=LARGE
                )
                for number, name in enumerate(LONG_RUNNERS)
            ),
        ],
    )


@pytest.mark.parametrize("what", ["day", "session", "compare"])
async def test_large_pages_are_quick_and_small(web: httpx.AsyncClient, large: None, what: str) -> None:
    day = f"/tracks/track/{LARGE}"
    paths = [(await sessions_of_day(web, day))[f"{name}, run 1"] for name in LONG_RUNNERS]
    compared = urlencode([("session", path.rpartition("/")[2]) for path in paths])
    path = {"day": day, "session": paths[0], "compare": f"/compare?{compared}"}[what]
    answer = await web.get(path)
    for _ in range(TRIES):
        if answer.elapsed.total_seconds() > LONGEST_SECONDS:
            answer = await web.get(path)
    assert answer.elapsed.total_seconds() < LONGEST_SECONDS
    assert int(answer.headers["content-length"]) < LARGEST
    assert len(parsed(answer).css("tbody tr")) > (MANY if what == "day" else LONG)


async def test_tracks_are_subscribed_to_followed_and_left_by_forms(signed_in: httpx.AsyncClient) -> None:
    token = await csrf(signed_in)
    wanted = {"track_slug": "Some Track", "time_zone": "Nowhere", "follow": "live"}
    page = parsed(await signed_in.post("/subscriptions", data=token | wanted), 422)
    assert len(texts(page, "p.fault[id]")) == 2
    answer = await signed_in.post("/tracks/quiet-track/follow", data=token)
    assert answer.headers["location"] == "/subscriptions/quiet-track"  # where its zone is asked for
    for follow in ("nightly", "live"):
        wanted = {"track_slug": "quiet-track", "time_zone": "UTC", "follow": follow}
        assert (await signed_in.post("/subscriptions", data=token | wanted)).status_code == 303
    page = parsed(await signed_in.get("/subscriptions"))
    [day] = links(page, "/tracks/quiet-track/")
    assert texts(page, "tbody td")[:2] == ["UTC", "while a day is on, and at night"]
    assert links(parsed(await signed_in.get("/")), "/tracks/quiet-track/") == [day]

    page = parsed(await signed_in.get(day))
    assert texts(page, "[data-status]") == ["Followed: asked for within a minute for the first time."]
    assert page.css("noscript meta[http-equiv=refresh]")
    answer = await signed_in.post(f"{day}/stop", data=token)
    assert answer.headers["location"] == "/subscriptions"
    assert links(parsed(await signed_in.get("/")), "/tracks/quiet-track/") == []
    answer = await signed_in.post("/tracks/quiet-track/follow", data=token)
    assert answer.headers["location"] == day
    await signed_in.post("/subscriptions/quiet-track/remove", data=token)
    assert texts(parsed(await signed_in.get("/subscriptions")), "tbody th") == []


async def test_a_track_that_is_followed_says_so(web: httpx.AsyncClient, signed_in: httpx.AsyncClient) -> None:
    assert "asks for it" in texts(parsed(await web.get("/tracks/track")), "form.live .note")[0]
    assert "at once" in texts(parsed(await signed_in.get("/subscriptions/track")), "main > p")[1]
    token = await csrf(signed_in)
    wanted = {"track_slug": "track", "time_zone": "UTC", "follow": "live"}
    await signed_in.post("/subscriptions", data=token | wanted)
    page = parsed(await web.get("/tracks/track"))
    assert "To today's day" in texts(page, "main p a")
    assert "Change the subscription of this track" in texts(page, "main p a")
    assert not page.css("form.live")
    assert "Sign in" in texts(parsed(await web.get("/subscriptions")), "header a")
    await signed_in.post("/subscriptions/track/remove", data=token)


async def test_the_stream_of_a_day_that_is_not_followed_ends(web: httpx.AsyncClient) -> None:
    answer = await web.get(f"{DAY}/events")
    assert [line for line in answer.text.splitlines() if line.startswith("event:")] == ["event: end"]


async def test_an_alias_whose_person_was_merged_meanwhile_leads_to_whom_is_left(
    settings: Settings, signed_in: httpx.AsyncClient
) -> None:
    keys = [AliasKey(SOURCE, number) for number in ("7001", "7002", "7003")]
    seen_as = uuid.uuid4()  # the person of the page, before somebody else merged it into another one
    async with connected(settings) as connection:
        person = await join(connection, keys)
        form = {"alias": sent(keys[0])} | await csrf(signed_in)
        answer = await signed_in.post(f"/people/{seen_as}/unset", data=form)
        await unset(connection, keys[1])
    assert answer.headers["location"] == f"/people/{person}"
