"""A page that did not change is not transferred again: it is read from the archive, and counts as seen."""

import datetime as dt

from producer.http import Page
from producer.site import Site
from runtime.settings import Settings
from runtime.wiring import publishing
from sandbox.sample_site.edits import RemoveLap
from sandbox.sample_site.faults import Fault, Match
from sandbox.sample_site.generate import generate_day
from sandbox.sample_site.notpages import truncated
from sandbox.sample_site.site import SampleSite
from schemas.envelope import Context
from store import pages
from store.digest import READ_TABLES, digest
from store.pool import Pool, use_schema
from tests.conftest import DAY, TRACK, working
from tests.imports import import_day
from tests.members import until

SESSIONS = 4


async def until_indexed(pool: Pool, count: int) -> None:
    """Return when the index knows so many pages."""

    async def there() -> bool:
        async with pool.acquire() as connection:
            return await connection.fetchval("SELECT count(*) FROM page_index.pages") >= count

    await until(there)


def statuses(site: SampleSite) -> list[int | None]:
    """How the site answered, in order; a session may be asked for twice while members are still joining."""
    return [request.status for request in site.ledger.requests if request.page in {"day_list", "session"}]


async def test_an_unchanged_day_is_seen_again_without_being_transferred(
    settings: Settings, site: SampleSite, pool: Pool
) -> None:
    site.put(generate_day(TRACK, DAY, seed=1, sessions=SESSIONS, laps_per_session=3))
    async with working(settings):
        await import_day(settings)
        await until_indexed(pool, statuses(site).count(200))
        async with pool.acquire() as connection:
            before = await digest(connection, READ_TABLES)
            seen = await connection.fetchval("SELECT max(observed_at) FROM observations")
        asked = len(statuses(site))
        again = await import_day(settings)
        await until_indexed(pool, statuses(site).count(200))
    assert (again.status, again.laps_ingested) == ("completed", 3 * SESSIONS)
    assert set(statuses(site)[:asked]) == {200}
    assert statuses(site)[asked:] == [304] * (SESSIONS + 1)
    async with pool.acquire() as connection:
        assert await digest(connection, READ_TABLES) == before
        assert await connection.fetchval("SELECT min(observed_at) > $1 FROM observations", seen)
        assert await connection.fetchval("SELECT count(*) FROM page_index.pages") == asked


async def test_a_page_that_changed_is_transferred(settings: Settings, site: SampleSite, pool: Pool) -> None:
    day = generate_day(TRACK, DAY, seed=1, sessions=SESSIONS, laps_per_session=3)
    site.put(day)
    async with working(settings):
        await import_day(settings)
        await until_indexed(pool, SESSIONS + 1)
        site.change(TRACK, DAY, RemoveLap(session_id=day.sessions[0].session_id, lap_number=2))
        again = await import_day(settings)
    assert again.laps_ingested == 3 * SESSIONS - 1


async def test_an_archive_that_holds_another_page_is_not_believed(
    settings: Settings, site: SampleSite, pool: Pool
) -> None:
    site.put(generate_day(TRACK, DAY, seed=1, sessions=SESSIONS, laps_per_session=3))
    async with working(settings):
        await import_day(settings)
        await until_indexed(pool, statuses(site).count(200))
        async with pool.acquire() as connection:
            await connection.execute("UPDATE page_index.pages SET sha256 = repeat('0', 64)")
        asked = len(statuses(site))
        again = await import_day(settings)
    assert (again.status, again.laps_ingested) == ("completed", 3 * SESSIONS)
    assert sorted(map(str, statuses(site)[asked:])) == ["200"] * (SESSIONS + 1) + ["304"] * (SESSIONS + 1)


async def test_an_archived_page_that_is_not_what_was_asked_for_is_not_believed(
    settings: Settings, site: SampleSite, pool: Pool
) -> None:
    site.put(generate_day(TRACK, DAY, seed=1, sessions=SESSIONS))
    whole = site.list_page(TRACK, DAY)
    half = Page(
        url=Site(settings.site).day(TRACK, DAY),
        status=200,
        headers={"etag": whole.etag},
        body=truncated(whole.body),
        observed_at=dt.datetime.now(dt.UTC),
    )
    async with publishing(settings) as publisher:
        await publisher.pages([half], Context(source="test")).send()
    async with working(settings):
        await until_indexed(pool, 1)
        summary = await import_day(settings)
    assert (summary.status, summary.sessions_ingested) == ("completed", SESSIONS)
    assert statuses(site)[:2] == [304, 200]


async def test_the_index_is_made_again_from_the_topic(
    settings: Settings, site: SampleSite, pool: Pool
) -> None:
    site.put(generate_day(TRACK, DAY, seed=1, sessions=SESSIONS))
    async with working(settings):
        await import_day(settings)
        await until_indexed(pool, SESSIONS + 1)
    async with working(settings, "projector"):
        await until_indexed(pool, statuses(site).count(200))
    async with pool.acquire() as connection:
        before = await connection.fetch("SELECT * FROM page_index.pages ORDER BY url, observed_at")
        await connection.execute("TRUNCATE page_index.pages, page_index.positions")
    async with working(settings, "projector"):
        await until_indexed(pool, len(before))
    async with pool.acquire() as connection:
        assert await connection.fetch("SELECT * FROM page_index.pages ORDER BY url, observed_at") == before


async def test_the_index_is_the_same_whatever_the_order(
    settings: Settings, site: SampleSite, pool: Pool
) -> None:
    site.put(generate_day(TRACK, DAY, seed=1, sessions=SESSIONS))
    async with working(settings):
        await import_day(settings)
        await until_indexed(pool, SESSIONS + 1)
    async with pool.acquire() as connection, connection.transaction():
        await use_schema(connection, "page_index")
        rows = [pages.PageRow(*row) for row in await connection.fetch("SELECT * FROM pages ORDER BY url")]
        assert len(rows) > SESSIONS
        twice = [row._replace(record_offset=row.record_offset + 100) for row in rows]
        for batches in ([rows, twice], [twice, rows], [twice + rows[::-1], twice]):
            await connection.execute("TRUNCATE pages")
            for batch in batches:
                await pages.save(connection, batch)
            found = [pages.PageRow(*row) for row in await connection.fetch("SELECT * FROM pages")]
            assert sorted(found) == sorted(rows)


async def test_an_unchanged_day_costs_one_request_with_refresh_changed(
    settings: Settings, site: SampleSite
) -> None:
    site.put(generate_day(TRACK, DAY, seed=1, sessions=SESSIONS))
    async with working(settings):
        await import_day(settings)
        asked = len(site.ledger.requests)
        summary = await import_day(settings, refresh="changed")
    assert summary.status == "completed"
    assert len(site.ledger.requests) == asked + 1


async def test_headers_of_any_bytes_cost_no_day(settings: Settings, site: SampleSite, pool: Pool) -> None:
    site.put(generate_day(TRACK, DAY, seed=1, sessions=SESSIONS))
    site.faults.add(Fault(kind="odd_headers", match=Match(page="day_list")))
    site.faults.add(Fault(kind="odd_headers", match=Match(page="session")))
    async with working(settings):
        for _ in range(2):
            summary = await import_day(settings)
            assert (summary.status, summary.sessions_with_laps) == ("completed", SESSIONS)
            await until_indexed(pool, SESSIONS + 1)
    async with pool.acquire() as connection:
        assert await connection.fetchval("SELECT count(*) FROM parked_records") == 0
        assert await connection.fetchval("SELECT DISTINCT etag FROM page_index.pages") == '"ÿþ"'
