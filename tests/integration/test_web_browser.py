"""The pages in a real browser: a day imported from the page to its laps, and nothing wrong with any page."""

import datetime as dt
import re
from collections.abc import AsyncGenerator
from dataclasses import replace

import pytest
from playwright.async_api import Page, expect

from laps.days import read_day
from producer import budget as sites
from producer.site import SOURCE
from runs import rhythm
from runtime.database import connected
from runtime.settings import Settings
from runtime.wiring import projection_group
from sandbox.sample_site.faults import Fault, Match
from sandbox.sample_site.generate import generate_day
from sandbox.sample_site.server import serve
from sandbox.sample_site.site import SampleSite
from schemas.scopes import Scope
from server.listening import serving
from server.web import links
from server.web.people_view import sent
from store.people import AliasKey, join
from tests.api import no_month, token
from tests.browser import DESKTOP, PHONE, Browser, open_browser, violations, without_scripts
from tests.conftest import DAY, TRACK, at, create_topics, own_settings, working
from tests.databases import Servers
from tests.events import fetched
from tests.integration.test_web_operate import BY_HAND, looked, park_event, rebuilt_to_wait
from tests.integration.test_web_operate import group as lag_of

HOSTILE = "<img src=x onerror=alert(1)> عمر"
UMEA, FIRST, SECOND = "umea-paahittad", dt.date(2025, 9, 6), dt.date(2025, 9, 7)
PATH = f"/tracks/{TRACK}/{DAY}"
PLACE = "link => ({ href: link.href, top: link.getBoundingClientRect().top })"
CHARTS_ARE_WHOLE = """[...document.querySelectorAll("svg.chart")].every(chart => {
    for (let around = chart.parentElement; around; around = around.parentElement)
        if (around.scrollWidth > around.clientWidth) return false
    return true
})"""


def the_day() -> SampleSite:
    """A site with a day of eight sessions; a page of one fails, and who drove another is called as markup."""
    site = SampleSite()
    day = generate_day(TRACK, DAY, seed=1, sessions=8, laps_per_session=12)
    first, *others = day.sessions
    site.put(replace(day, sessions=(replace(first, driver=HOSTILE), *others)))
    lost = day.sessions[-1].session_id
    site.faults.add(Fault(kind="status", status=404, match=Match(session_id=lost)))
    put_september(site)
    return site


def put_september(site: SampleSite) -> None:
    """Let a track of the catalogue have two days of practice in a month."""
    for day in range(1, 31):
        date = dt.date(2025, 9, day)
        count = 2 if date in {FIRST, SECOND} else 0
        site.put(generate_day(UMEA, date, seed=1, sessions=count, laps_per_session=4))


@pytest.fixture(scope="module")
async def site() -> SampleSite:
    return the_day()


@pytest.fixture(scope="module")
async def settings(the_servers: Servers, shared_dsn: str, site: SampleSite) -> AsyncGenerator[Settings]:
    """Settings of the module's own, for roles that are at work."""
    async with serve(site) as running:
        settings = at(own_settings(the_servers.kafka_bootstrap, shared_dsn, running), api_port=0)
        await create_topics(settings)
        async with working(settings):
            yield settings


@pytest.fixture(scope="module")
async def browser(settings: Settings) -> AsyncGenerator[Browser]:
    """A browser that shows the pages."""
    async with serving(settings, no_month) as address, open_browser(address) as browser:
        yield browser


@pytest.fixture(scope="module")
async def run(browser: Browser, site: SampleSite, settings: Settings) -> str:
    """The address of an import that was asked for on the page, and ended; its failed session is retried.

    Nobody loads a page anew: what it shows comes by the stream of the run's events.
    """
    page = await browser.page()
    await page.goto("/imports/new")
    await page.get_by_label("API key").fill(await token(settings, Scope.operate))
    await page.get_by_role("button", name="Sign in").click()
    await page.get_by_label("Track").fill(TRACK)
    await page.get_by_label("Day", exact=True).fill(DAY.isoformat())
    await page.get_by_role("button", name="Import").click()
    await page.get_by_text("The import has ended; some sessions failed.").wait_for()
    path = page.url
    await page.goto(PATH)
    assert "404" in await page.locator("section.fault li").inner_text()
    site.faults.clear()
    await page.get_by_role("button", name="Try again what failed").click()
    await page.get_by_text("The import is complete.").wait_for()
    assert page.url == path
    await page.close()
    return path


@pytest.fixture
async def page(browser: Browser, run: str) -> AsyncGenerator[Page]:
    """A new page of the browser, which is signed in; nothing was blocked or went wrong on it in the end."""
    browser.complaints.clear()
    page = await browser.page()
    yield page
    await page.close()
    assert browser.complaints == []


async def test_an_import_from_the_page_leads_to_its_laps(page: Page, run: str) -> None:
    await page.goto(run)
    await page.get_by_role("link", name="To the day").click()
    assert page.url.endswith(PATH)
    assert await page.locator("section.fault").count() == 0
    await page.locator("tbody th[scope=row] a[href^='/sessions/']").first.click()
    assert await page.locator("tr[id^=lap-]").count() == 12
    assert await page.locator("svg.chart .of-laps .dot").count() == 12
    assert await page.locator(".differs").count() == 0


@pytest.fixture(scope="module")
async def people(settings: Settings, run: str) -> list[str]:
    """The pages about a person: two drivers of the day, said to be one on the page."""
    async with connected(settings) as connection:
        day = await read_day(connection, SOURCE, TRACK, DAY)
        assert day
        first, second, *_ = {one.source_driver_id: one for one in day.sessions}.values()
        keys = [AliasKey(SOURCE, one.source_driver_id) for one in (first, second)]
        person = await join(connection, keys)
    return [links.person(person), f"{links.aliases(first.driver_id)}?q=a", links.unset(person, sent(keys[0]))]


async def test_a_track_of_the_site_is_found_and_its_month_imported_from_the_page(
    page: Page, site: SampleSite
) -> None:
    lost = site.day(UMEA, SECOND).sessions[0].session_id
    site.faults.add(Fault(kind="status", status=404, match=Match(session_id=lost)))
    await page.goto("/")
    await page.get_by_role("button", name="Fetch the list of tracks").click()
    await page.get_by_text("find any of them by its name").wait_for()  # nobody loads the page anew
    await page.get_by_label("Name of a track").fill("umea")
    await page.get_by_role("button", name="Find").first.click()
    await page.get_by_role("link", name="Umeå").click()
    await page.get_by_text("Nothing of this track is stored yet").wait_for()
    assert await violations(page) == []
    await page.get_by_role("link", name="Import a month").click()
    await page.get_by_label("Month", exact=True).fill("2025-09")
    assert await violations(page) == []
    await page.get_by_role("button", name="Import").click()
    await page.get_by_text("Something of the month did not come in.").wait_for()
    assert lost in await page.locator("main").inner_text()
    assert await violations(page) == []
    site.faults.clear()
    await page.get_by_role("button", name="Try again what failed").click()
    await page.get_by_text("The month is complete.").wait_for()
    await page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await page.get_by_role("link", name="2025-09-07").click()
    assert page.url.endswith(f"/tracks/{UMEA}/{SECOND}")
    await page.locator("tbody th[scope=row] a[href^='/sessions/']").first.click()
    assert await page.locator("tr[id^=lap-]").count() == 4


async def every_page(page: Page, run: str) -> list[str]:
    """The addresses of pages of each kind."""
    await page.goto(PATH)
    session = await page.locator("a[href^='/sessions/']").first.get_attribute("href")
    driver = await page.locator("a[href^='/drivers/']").first.get_attribute("href")
    compared = await page.locator("a[href^='/compare']").first.get_attribute("href")
    found = [
        "/",
        "/?q=nobody",
        "/drivers?q=a",
        f"/tracks/{TRACK}",
        f"/tracks/{TRACK}/records",
        PATH,
        session,
        driver,
        compared,
        run,
        f"/tracks/{TRACK}?month=2025-09",
        "/imports/new",
        "/imports/months/new",
        "/subscriptions",
        "/subscriptions/other-track",
        "/sign-in?why=x",
    ]
    return [one for one in found if one]


@pytest.fixture(scope="module")
async def record(settings: Settings) -> str:
    """The page of a record that was parked, and can be applied by now."""
    return await park_event(settings, 10, fetched(2, "parked"))


@pytest.fixture(scope="module")
async def waiting(settings: Settings, run: str) -> str:
    """The page of a rebuild that waits for an operator: a row that was made by hand would vanish."""
    async with connected(settings) as connection:
        await connection.execute(BY_HAND)
    return f"/operate/rebuilds/{(await rebuilt_to_wait(settings)).id}"


@pytest.fixture(scope="module")
async def operators_pages(settings: Settings, run: str, record: str, waiting: str) -> list[str]:
    """The addresses of the pages for operators, with something on each of them."""
    group = projection_group(settings.topics)
    for seconds, left in ((500, 3), (300, 20), (20, 42)):
        await looked(settings, [lag_of(group, [0, left], "stalled")], seconds)
    return [
        "/operate",
        "/operate/lag",
        f"/operate/lag/{group}",
        "/operate/runs",
        f"/operate/runs/{run.rsplit('/', 1)[1]}",
        "/operate/parked",
        record,
        f"{record}/fix",
        f"/operate/parked/discard?at={record.removeprefix('/operate/parked/')}",
        "/operate/rebuilds",
        waiting,
        f"{waiting}/swap",
        f"{waiting}/rollback",
        "/operate/site",
    ]


@pytest.mark.parametrize(("scheme", "size"), [("light", DESKTOP), ("dark", PHONE)])
async def test_axe_finds_nothing_and_nothing_is_wider_than_the_page(
    page: Page, run: str, people: list[str], operators_pages: list[str], scheme: str, size: dict[str, int]
) -> None:
    await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    await page.set_viewport_size(size)  # type: ignore[arg-type]
    for path in [*await every_page(page, run), *people, *operators_pages]:
        await page.goto(path)
        assert await violations(page) == [], path
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        assert size is PHONE or await page.evaluate(CHARTS_ARE_WHOLE), path


async def test_a_parked_record_is_redriven_from_its_page(page: Page, record: str) -> None:
    await page.goto("/operate/parked")
    await page.get_by_role("link", name=record.removeprefix("/operate/parked/")).click()
    await page.get_by_role("link", name="Redrive …").click()
    await page.get_by_role("button", name="Redrive 1 record").click()
    await page.get_by_text("Redriven: 1. Still parked: 0.").wait_for()
    assert await page.get_by_role("link", name="Redrive …").count() == 0


async def test_a_rebuild_is_followed_to_its_swap(page: Page, waiting: str) -> None:
    await page.goto("/operate/rebuilds")
    await page.locator(f"a[href='{waiting}']").click()
    await page.get_by_text("verified").first.wait_for()
    assert await page.locator("tr.differs").count() > 0
    await page.get_by_role("link", name="Swap …").click()
    await page.get_by_role("button", name="Swap").click()
    await page.get_by_text("The rebuilt tables are the live ones now.").wait_for()
    await page.goto(PATH)
    assert await page.locator("tbody th[scope=row] a[href^='/sessions/']").count() > 0


async def test_the_overview_updates_itself(page: Page, settings: Settings) -> None:
    await page.clock.install()
    await page.goto("/operate")
    site = page.locator("#status ~ .wide tr").filter(has_text="site")
    assert "open" in await site.inner_text()
    async with connected(settings) as connection:
        await sites.pause(connection, settings.site, paused=True)
    await page.clock.run_for(11_000)
    await site.get_by_text("paused").wait_for()
    async with connected(settings) as connection:
        await sites.pause(connection, settings.site, paused=False)


async def test_on_a_phone_the_best_lap_is_in_sight(page: Page) -> None:
    await page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    await page.goto(PATH)
    for cell in await page.locator(".tight tbody tr:first-child td:nth-child(3)").all():
        box = await cell.bounding_box()
        assert box
        assert box["x"] + box["width"] <= PHONE["width"]


async def test_an_error_is_a_page_that_axe_finds_nothing_in(browser: Browser, page: Page) -> None:
    await page.goto("/nothing")
    assert await violations(page) == []
    assert all("404" in complaint for complaint in browser.complaints)
    browser.complaints.clear()


async def test_a_name_with_markup_is_text(page: Page) -> None:
    await page.goto(PATH)
    row = page.locator("tbody th[scope=row] a[href^='/sessions/']").filter(has_text=HOSTILE)
    assert await row.count() == 1
    assert await page.locator("img").count() == 0
    assert f"{HOSTILE[:15]}…{HOSTILE[-8:]}" in str(await page.locator("svg.chart .axis.y").text_content())
    await row.click()
    assert HOSTILE in await page.locator("h1").inner_text()


async def test_only_ones_own_sessions_are_shown_and_kept_so(page: Page, people: list[str]) -> None:
    """Also without scripts; of the two drivers who are one person, choosing one shows both."""
    await without_scripts(page)
    await page.goto(people[0])
    transponders = await page.locator("#aliases ~ .wide tbody th").all_inner_texts()
    await page.goto(PATH)
    rows = page.locator("#sessions ~ section tbody tr")
    assert await rows.count() == 8
    await page.get_by_label("Show only these drivers").fill(transponders[0])
    await page.get_by_role("button", name="Show").click()
    await page.get_by_role("link", name="Show all sessions of this day.").wait_for()
    shown = await rows.count()
    assert 2 <= shown < 8
    assert await page.locator("#sessions ~ section tr.is-mine").count() == shown
    assert await page.locator("svg.chart .axis.y text", has_text="★").count() == 2
    await page.reload()
    assert await rows.count() == shown
    await page.goto("/")
    await page.get_by_role("heading", name="My newest sessions").wait_for()
    assert await page.locator("#mine ~ .wide tbody tr").count() == shown
    await page.goto(PATH)
    await page.get_by_role("link", name="Show all sessions of this day.").click()
    await page.get_by_role("link", name="Show only mine.").wait_for()
    assert await rows.count() == 8
    await page.get_by_label("Show only these drivers").fill("nobody of this name")
    await page.get_by_role("button", name="Show").click()
    await page.get_by_text("No session of this day is theirs.").wait_for()
    await page.get_by_label("Show only these drivers").fill("")
    await page.get_by_role("button", name="Show").click()
    await rows.nth(7).wait_for()
    assert await rows.count() == 8


async def test_sessions_are_ticked_and_compared(page: Page) -> None:
    await page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    await without_scripts(page)
    await page.goto(PATH)
    boxes = page.get_by_role("checkbox", name=re.compile("^Compare "))
    for number in (0, 3, 7):
        await boxes.nth(number).check()
    await page.get_by_role("button", name="Compare").click()
    await page.get_by_role("heading", name="Head to head").wait_for()
    assert await page.locator("svg.chart .of-side-2 .dot").first.is_visible()
    dashes = [
        await page.locator(f".picture .of-side-{side} .line").first.evaluate(
            "line => getComputedStyle(line).strokeDasharray"
        )
        for side in range(3)
    ]
    assert len(set(dashes)) == 3


async def test_the_keyboard_gets_past_the_top_and_into_tables(page: Page) -> None:
    await page.goto(PATH)
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.textContent") == "Skip to the content"
    await page.keyboard.press("Enter")
    assert await page.evaluate("document.activeElement.id") == "main"
    focused = await page.evaluate("document.querySelectorAll('svg a:not([tabindex=\"-1\"])').length")
    assert focused == 0


async def its_turn(settings: Settings, track: str) -> None:
    """Let it be the turn of a followed track."""
    async with connected(settings) as connection:
        await connection.execute(
            "UPDATE followed_days SET next_at = now(), claimed_until = NULL WHERE track_slug = $1", track
        )


async def test_a_followed_day_grows_while_one_looks(page: Page, site: SampleSite, settings: Settings) -> None:
    zone, track = "Pacific/Kiritimati", "live-track"
    day = generate_day(track, rhythm.today(zone, dt.datetime.now(dt.UTC)), seed=1, sessions=14)
    site.put(day)
    site.grow(track, day.date, 0)
    await page.goto(f"/subscriptions/{track}")
    await page.get_by_label("Time zone").fill(zone)
    await page.get_by_role("button", name="Subscribe to a track").click()
    await page.get_by_role("region", name="Followed now").get_by_role("link", name=track).click()
    await page.get_by_text("The site shows no sessions on this day yet").wait_for()
    await page.get_by_text(re.compile("Followed: last asked for at .*, next at")).wait_for()

    site.grow(track, day.date, 6)
    await its_turn(settings, track)
    rows = page.locator("section[data-key] tr[data-key]")
    await expect(rows).to_have_count(6)
    await page.evaluate("window.stays = true")
    link = rows.last.get_by_role("link").first
    await rows.last.get_by_role("checkbox").check()
    await link.focus()
    before = await link.evaluate(PLACE)

    site.grow(track, day.date, 14)
    await its_turn(settings, track)
    await expect(rows).to_have_count(14)
    await expect(page.locator("svg.chart .of-stroke, svg.chart a")).not_to_have_count(0)
    after = await page.evaluate(f"({PLACE})(document.activeElement)")
    assert (after["href"], after["top"]) == (before["href"], pytest.approx(before["top"], abs=2))
    assert await page.locator("input[name=session]:checked").count() == 1
    assert await page.evaluate("window.stays")
    assert await violations(page) == []
    await page.get_by_role("button", name="Stop following this track").click()
    await page.get_by_role("button", name="Follow this day").wait_for()


async def test_all_of_it_works_without_scripts(page: Page) -> None:
    await without_scripts(page)
    await page.goto(PATH)
    await page.get_by_role("link", name="Import this day again").click()
    await page.get_by_label("fetch everything again").check()
    await page.get_by_role("button", name="Import").click()
    await page.get_by_text("The import is complete.").wait_for()  # the page loads itself anew
    await page.get_by_role("button", name="Sign out").click()
    await page.get_by_role("link", name="Sign in").wait_for()
