"""Parsing again: a corrected parser over pages that were fetched before; the site is not asked for any."""

import asyncio
import contextlib
import datetime as dt
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator, Callable
from typing import Any

import msgspec
import pytest

from consumers.practice_days import apply as project
from ops.events.since import START
from ops.events.tailing import Wanted, tail
from ops.imports.follow import ImportFailed
from ops.reparse import finding, running
from ops.reparse.finding import Order
from ops.reparse.queries import Scope
from ops.reparse.report import Outcome, PageNote, ReparseReport
from producer import planning
from producer.http import Page
from producer.pages import PARSER_VERSION, NotThatPage, parse_day, parse_session
from producer.site import SOURCE, Site
from runtime.settings import Settings, environment
from runtime.wiring import publishing
from sandbox.sample_site.edits import RemoveLap, RemoveSession
from sandbox.sample_site.generate import generate_day
from sandbox.sample_site.site import SampleSite
from schemas.envelope import Context
from schemas.events import DayFacts, ListedSession, PracticeDayChanged, SessionDetailFetchedV1, SessionFacts
from schemas.times import lap_range_text
from store.digest import READ_TABLES, TableDigest, digest
from store.pool import Pool
from tests import outcomes
from tests.conftest import DAY, TRACK, at, working
from tests.events import as_v1, fetched, listed, received, row
from tests.imports import import_day
from tests.members import until

SESSIONS = 3
LAPS = 4
PAGES = SESSIONS + 1
"""The pages of the day: its list, and its sessions."""

CORRECTED = PARSER_VERSION + 1
"""The version of the parser that reads again what the first one read."""

NEXT_DAY = DAY + dt.timedelta(days=1)


def unseen(standing: running.ReparseProgress) -> None:
    """For tests that look at what is left."""


async def reparse(
    settings: Settings, *, since: int | None = None, dry_run: bool = False, **scope: Any
) -> ReparseReport:
    return await running.reparse(settings, Order(Scope(SOURCE, **scope), since, dry_run), unseen)


async def values(pool: Pool, query: str) -> list[tuple[Any, ...]]:
    async with pool.acquire() as connection:
        return [tuple(row) for row in await connection.fetch(query)]


async def tables(pool: Pool) -> list[TableDigest]:
    async with pool.acquire() as connection:
        return await digest(connection, READ_TABLES)


async def until_all_of(pool: Pool, version: int) -> None:
    """Return when the tables rest on nothing that a parser of another version read."""

    async def there() -> bool:
        found = await values(pool, "SELECT DISTINCT parser_version FROM observations")
        return found == [(version,)]

    await until(there)


async def until_indexed(pool: Pool, site: SampleSite) -> None:
    """Return when the index knows every page that the site gave."""
    given = sum(one.status == 200 for one in site.ledger.requests if one.page in {"day_list", "session"})

    async def there() -> bool:
        return await values(pool, "SELECT count(*) FROM page_index.pages") == [(given,)]

    await until(there)


def put(site: SampleSite, date: dt.date = DAY) -> list[str]:
    """Let the site have a day; its sessions' ids."""
    day = generate_day(TRACK, date, seed=1, sessions=SESSIONS, laps_per_session=LAPS)
    site.put(day)
    return [session.session_id for session in day.sessions]


def short_sighted(body: bytes, **asked: Any) -> SessionFacts:
    """A parser that reads no average, one lap too few, and another one wrongly."""
    facts = parse_session(body, **asked)
    first, *laps = facts.laps[:-1]
    laps = (msgspec.structs.replace(first, lap_time_seconds=1.0), *laps)
    return msgspec.structs.replace(facts, average_lap=None, laps=laps)


def nameless(body: bytes, **asked: Any) -> DayFacts:
    """A parser that reads no class in a list."""
    facts = parse_day(body, **asked)
    rows = tuple(msgspec.structs.replace(row, class_name=None) for row in facts.sessions)
    return msgspec.structs.replace(facts, sessions=rows)


def refusing(parser: Callable[..., Any], **what: Any) -> Callable[..., Any]:
    """The parser, but for one page that it takes for another."""

    def parse(body: bytes, *, url: str, **asked: Any) -> Any:
        if what.items() <= asked.items():
            raise NotThatPage(url, "no page that this parser knows")
        return parser(body, url=url, **asked)

    return parse


@pytest.fixture
def before(monkeypatch: pytest.MonkeyPatch) -> Callable[..., contextlib.AbstractContextManager[None]]:
    """For the length of a block, the fetcher's parsers are these."""

    @contextlib.contextmanager
    def with_parsers(**parsers: Any) -> Any:
        with monkeypatch.context() as patch:
            for name, parser in parsers.items():
                patch.setattr(f"producer.fetcher.{name}", parser)
            yield

    return with_parsers


@pytest.fixture
def corrected(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Called, makes the present parsers ones of a new version."""

    def raise_version() -> None:
        for module in (planning, finding, running):
            monkeypatch.setattr(module, "PARSER_VERSION", CORRECTED)

    return raise_version


Before = Callable[..., contextlib.AbstractContextManager[None]]
Corrected = Callable[[], None]


def noted(report: ReparseReport, outcome: Outcome) -> dict[str | None, PageNote]:
    return {one.session_id: one for one in report.pages_sample if one.outcome == outcome}


def counts(report: ReparseReport) -> dict[str, int]:
    return {outcome: count for outcome, count in report.pages.items() if count}


@contextlib.asynccontextmanager
async def imported(
    settings: Settings, site: SampleSite, pool: Pool, before: Before, **parsers: Any
) -> AsyncGenerator[list[str]]:
    """All roles at work, and the day imported with these parsers; gives its sessions."""
    ids = put(site)
    async with working(settings):
        with before(**parsers):
            await import_day(settings)
        await until_indexed(pool, site)
        yield ids


async def test_a_corrected_parser_brings_the_tables_to_what_a_fresh_import_gives(
    settings: Settings, site: SampleSite, pool: Pool, before: Before, corrected: Corrected
) -> None:
    async with imported(settings, site, pool, before, parse_session=short_sighted, parse_day=nameless) as ids:
        wrong, seen = await tables(pool), await values(pool, SEEN)
        asked, began = len(site.ledger.requests), dt.datetime.now(dt.UTC)
        corrected()
        report = await reparse(settings)
        await until_all_of(pool, CORRECTED)
        assert (report.published, counts(report)) == (PAGES, {"changed": PAGES})
        assert (report.sessions_changed, report.sessions_added, report.sessions_gone) == (SESSIONS, 0, 0)
        assert len(site.ledger.requests) == asked
        assert await values(pool, SEEN) == seen
        again = await tables(pool)
        await import_day(settings)
        assert await tables(pool) == again != wrong
        await until_announced(settings, began, set(ids))
    told = await changes(settings, began)
    assert sum(one.laps_added for one in told) == SESSIONS
    assert sum(one.laps_changed for one in told) == SESSIONS


async def changes(settings: Settings, since: dt.datetime) -> list[PracticeDayChanged]:
    """What was announced of changes since this moment."""
    found = [outcomes.event_of(one) for one in await outcomes.records(settings)]
    return [one for one in found if isinstance(one, PracticeDayChanged) and one.changed_at > since]


async def until_announced(settings: Settings, since: dt.datetime, sessions: set[str]) -> None:
    """Return when just these sessions were announced as changed."""

    async def there() -> bool:
        told = [set(one.sessions_changed) for one in await changes(settings, since)]
        return {one for each in told for one in each} == sessions

    await until(there)


SEEN = "SELECT kind, subject_id, first_observed_at, observed_at, page_sha256 FROM observations ORDER BY 1, 2"


def first_version(request: Any, obtained: Any) -> SessionDetailFetchedV1:
    """What a fetcher of a release before version 2 publishes."""
    detail = present_version(request, obtained)
    return as_v1(detail, lap_range_text(detail.valid_lap_range))


present_version = planning.detail_fetched


async def test_records_of_an_old_version_are_read_again_as_the_present_one(
    settings: Settings,
    site: SampleSite,
    pool: Pool,
    before: Before,
    corrected: Corrected,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(planning, "detail_fetched", first_version)
        async with imported(settings, site, pool, before):
            pass
    wanted = await tables(pool)
    trial = await reparse(settings, dry_run=True)
    assert (counts(trial), trial.sessions_changed) == ({"unchanged": PAGES}, 0)
    corrected()
    async with working(settings, "projector"):
        report = await reparse(settings)
        await until_all_of(pool, CORRECTED)
    assert (report.published, counts(report)) == (PAGES, {"unchanged": PAGES})
    assert await tables(pool) == wanted
    for version in ("v1", "v2"):
        wanted_type = Wanted(type=f"session_detail.fetched.{version}")
        shown = tail(settings.broker, [settings.topics.days], wanted_type, START, follow=False)
        assert len([one async for one in shown]) == SESSIONS


async def test_a_dry_run_says_what_would_change_and_publishes_nothing(
    settings: Settings, site: SampleSite, pool: Pool, before: Before, corrected: Corrected
) -> None:
    async with imported(settings, site, pool, before, parse_session=short_sighted) as ids:
        seen = await values(pool, "SELECT * FROM observations ORDER BY kind, subject_id")
        corrected()
        report = await reparse(settings, dry_run=True)
        assert report.published == 0
        assert counts(report) == {"unchanged": 1, "changed": SESSIONS}
        assert [one.sessions_changed.first for one in report.days_sample] == [sorted(ids)]
        [difference] = noted(report, "changed")[ids[0]].differences
        [average] = difference.fields
        assert (average.field, average.old, average.new is None) == ("average_lap", None, False)
        assert difference.laps
        assert (difference.laps.added.first, difference.laps.changed.first) == ([LAPS], [1])
        assert difference.laps.gone.count == 0
        again = await reparse(settings)
        assert again.published == PAGES  # had the dry run published anything, less would be left
        assert await values(pool, "SELECT count(*) FROM observations") == [(len(seen),)]


async def test_once_it_is_projected_nothing_is_left_to_publish(
    settings: Settings, site: SampleSite, pool: Pool, before: Before, corrected: Corrected
) -> None:
    async with imported(settings, site, pool, before, parse_session=short_sighted):
        corrected()
        await reparse(settings)
        await until_all_of(pool, CORRECTED)
        again = await reparse(settings)
        assert (again.published, again.pages_read, again.pages_current) == (0, 0, PAGES)


async def test_a_page_that_was_seen_again_unchanged_is_read_as_of_then(
    settings: Settings, site: SampleSite, pool: Pool, before: Before, corrected: Corrected
) -> None:
    async with imported(settings, site, pool, before, parse_session=short_sighted):
        with before(parse_session=short_sighted):
            await import_day(settings)
        assert [one.status for one in site.ledger.requests].count(304) == PAGES
        newer = "SELECT min(observed_at) > (SELECT max(observed_at) FROM page_index.pages) FROM observations"
        assert await values(pool, newer) == [(True,)]
        seen = await values(pool, SEEN)
        corrected()
        report = await reparse(settings)
        await until_all_of(pool, CORRECTED)
        assert counts(report) == {"unchanged": 1, "changed": SESSIONS}
        assert await values(pool, SEEN) == seen


async def test_a_session_whose_page_was_refused_then_is_stored(
    settings: Settings, site: SampleSite, pool: Pool, before: Before, corrected: Corrected
) -> None:
    ids = put(site)
    async with working(settings):
        with before(parse_session=refusing(parse_session, session_id=ids[0])):
            summary = await import_day(settings)
        assert summary.sessions_detail_failed == 1
        await until_indexed(pool, site)
        asked = len(site.ledger.requests)
        corrected()
        report = await reparse(settings)
        await until_all_of(pool, CORRECTED)
        assert counts(report) == {"unchanged": PAGES - 1, "newly_readable": 1}
        assert list(noted(report, "newly_readable")) == [ids[0]]
        assert len(site.ledger.requests) == asked
        assert await values(pool, "SELECT count(*) FROM laps") == [(SESSIONS * LAPS,)]
        again = await reparse(settings)
        assert (again.published, counts(again)) == (0, {})


async def test_a_day_whose_list_was_refused_then_is_stored(
    settings: Settings, site: SampleSite, pool: Pool, before: Before, corrected: Corrected
) -> None:
    put(site)
    async with working(settings):
        with before(parse_day=refusing(parse_day)), pytest.raises(ImportFailed):
            await import_day(settings)
        await until_indexed(pool, site)
        corrected()
        report = await reparse(settings)
        assert (counts(report), report.sessions_added) == ({"newly_readable": 1}, SESSIONS)
        await until_all_of(pool, CORRECTED)
        assert await values(pool, "SELECT count(*) FROM races") == [(SESSIONS,)]


async def test_a_list_that_only_the_archive_knows_is_stored(
    settings: Settings, site: SampleSite, pool: Pool, before: Before, corrected: Corrected
) -> None:
    put(site)
    async with working(settings):
        with before(parse_day=refusing(parse_day)), pytest.raises(ImportFailed):
            await import_day(settings)
        await until_indexed(pool, site)
        await values(pool, "TRUNCATE lapstream.ingest_runs CASCADE")
        corrected()
        report = await reparse(settings, track_slug=TRACK, first=DAY, last=DAY)
        assert counts(report) == {"newly_readable": 1}
        other = await reparse(settings, first=NEXT_DAY)
        assert counts(other) == {}
        await until_all_of(pool, CORRECTED)


async def test_a_page_that_is_still_refused_is_counted_and_troubles_nobody(
    settings: Settings,
    site: SampleSite,
    pool: Pool,
    before: Before,
    corrected: Corrected,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ids = put(site)
    blind = refusing(parse_session, session_id=ids[0])
    async with working(settings):
        with before(parse_session=blind):
            await import_day(settings)
        await until_indexed(pool, site)
        corrected()
        monkeypatch.setattr("ops.reparse.parsing.parse_session", blind)
        report = await reparse(settings)
        assert (counts(report), report.trouble) == ({"unchanged": PAGES - 1, "still_refused": 1}, 0)


def late(session_id: str) -> Callable[..., DayFacts]:
    """A parser that reads an hour too late when a session began."""

    def parse(body: bytes, **asked: Any) -> DayFacts:
        facts = parse_day(body, **asked)
        rows = tuple(_later(row) if row.session_id == session_id else row for row in facts.sessions)
        return msgspec.structs.replace(facts, sessions=rows)

    return parse


def _later(row: ListedSession) -> ListedSession:
    assert row.start_time
    return msgspec.structs.replace(row, start_time=row.start_time + dt.timedelta(hours=1))


async def test_a_page_that_was_refused_for_its_start_is_held_against_its_rows_new_reading(
    settings: Settings,
    site: SampleSite,
    pool: Pool,
    before: Before,
    corrected: Corrected,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ids = put(site)
    wrong = late(ids[0])
    async with working(settings):
        with before(parse_day=wrong):
            assert (await import_day(settings)).sessions_detail_failed == 1
        await until_indexed(pool, site)
        corrected()
        with monkeypatch.context() as patch:
            patch.setattr("ops.reparse.parsing.parse_day", wrong)
            [still] = noted(await reparse(settings, dry_run=True), "still_refused").values()
        assert (still.session_id, still.error is not None and "wrong_session" in still.error) == (
            ids[0],
            True,
        )
        assert list(noted(await reparse(settings), "newly_readable")) == [ids[0]]
        await until_all_of(pool, CORRECTED)
        assert await values(pool, "SELECT count(*) FROM laps") == [(SESSIONS * LAPS,)]


async def test_a_page_that_no_longer_parses_is_reported_and_its_data_stays(
    settings: Settings,
    site: SampleSite,
    pool: Pool,
    before: Before,
    corrected: Corrected,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with imported(settings, site, pool, before) as ids:
        stored = await tables(pool)
        corrected()
        monkeypatch.setattr("ops.reparse.parsing.parse_session", refusing(parse_session, session_id=ids[1]))
        report = await reparse(settings)
        await until_all_but_one_of(pool)
        assert (counts(report), report.trouble) == ({"unchanged": PAGES - 1, "no_longer_parses": 1}, 1)
        [note] = noted(report, "no_longer_parses").values()
        assert note.session_id == ids[1]
        assert note.error
        assert "no page that this parser knows" in note.error
        assert await tables(pool) == stored


async def until_all_but_one_of(pool: Pool) -> None:
    async def there() -> bool:
        query = f"SELECT count(*) FROM observations WHERE parser_version < {CORRECTED}"
        return await values(pool, query) == [(1,)]

    await until(there)


def faulty(body: bytes, **asked: Any) -> DayFacts:
    raise KeyError("a mistake of its own")


async def test_a_fault_of_the_parser_costs_one_page(
    settings: Settings,
    site: SampleSite,
    pool: Pool,
    before: Before,
    corrected: Corrected,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with imported(settings, site, pool, before):
        corrected()
        monkeypatch.setattr("ops.reparse.parsing.parse_day", faulty)
        report = await reparse(settings)
        assert counts(report) == {"unchanged": SESSIONS, "no_longer_parses": 1}
        [note] = noted(report, "no_longer_parses").values()
        assert note.error
        assert "parser_fault" in note.error


async def test_what_the_archive_has_not_is_reported(
    settings: Settings, site: SampleSite, pool: Pool, before: Before, corrected: Corrected
) -> None:
    async with imported(settings, site, pool, before) as ids:
        other = "SET sha256 = repeat('0', 64)"
        for number, change in enumerate(
            (other, "SET record_offset = 1000000", "SET topic = 'no-such-topic'")
        ):
            await values(pool, f"UPDATE page_index.pages {change} WHERE url LIKE '%id={ids[number]}'")
        corrected()
        report = await reparse(settings)
        assert (counts(report)["not_in_archive"], report.trouble) == (SESSIONS, SESSIONS)
        assert set(noted(report, "not_in_archive")) == set(ids)


async def test_a_page_whose_place_holds_another_is_reported(
    settings: Settings, site: SampleSite, pool: Pool, before: Before, corrected: Corrected
) -> None:
    async with imported(settings, site, pool, before) as ids:
        place = "SELECT partition, record_offset FROM page_index.pages WHERE url LIKE"
        moved = f"SET (partition, record_offset) = ({place} '%id={ids[1]}') WHERE url LIKE '%id={ids[0]}'"
        await values(pool, f"UPDATE page_index.pages {moved}")
        corrected()
        report = await reparse(settings)
        assert counts(report) == {"unchanged": PAGES - 1, "not_in_archive": 1}
        assert list(noted(report, "not_in_archive")) == [ids[0]]


async def test_a_parser_that_was_changed_without_its_version_is_told_and_not_published(
    settings: Settings, site: SampleSite, pool: Pool, before: Before
) -> None:
    async with imported(settings, site, pool, before, parse_session=short_sighted):
        report = await reparse(settings, dry_run=True)
        assert counts(report) == {"unchanged": 1, "version_not_raised": SESSIONS}
        assert (report.trouble, report.days_changed) == (SESSIONS, 0)
        done = await reparse(settings)
        assert (done.published, done.pages_read, done.pages_current) == (0, 0, PAGES)


@pytest.mark.usefixtures("topics_are_named")
async def test_only_the_days_that_were_asked_for_are_read(
    settings: Settings, site: SampleSite, pool: Pool, before: Before, corrected: Corrected
) -> None:
    async with imported(settings, site, pool, before):
        put(site, NEXT_DAY)
        await import_day(settings, NEXT_DAY)
        await until_indexed(pool, site)
        corrected()
        read: dict[str, int] = {}
        scopes: dict[str, dict[str, Any]] = {
            "all": {},
            "track": {"track_slug": TRACK},
            "other track": {"track_slug": "elsewhere"},
            "from": {"first": NEXT_DAY},
            "to": {"last": DAY},
            "between": {"first": DAY, "last": NEXT_DAY},
            "after": {"first": NEXT_DAY + dt.timedelta(days=1)},
            "since the present": {"since": PARSER_VERSION},
            "since the corrected": {"since": CORRECTED},
        }
        for name, scope in scopes.items():
            read[name] = (await reparse(settings, dry_run=True, **scope)).pages_read
        assert read == {
            "all": 2 * PAGES,
            "track": 2 * PAGES,
            "other track": 0,
            "from": PAGES,
            "to": PAGES,
            "between": 2 * PAGES,
            "after": 0,
            "since the present": 2 * PAGES,
            "since the corrected": 0,
        }


async def test_who_is_stopped_goes_on_where_he_was(
    settings: Settings,
    site: SampleSite,
    pool: Pool,
    before: Before,
    corrected: Corrected,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with imported(settings, site, pool, before, parse_session=short_sighted):
        put(site, NEXT_DAY)
        with before(parse_session=short_sighted):
            await import_day(settings, NEXT_DAY)
        await until_indexed(pool, site)
        corrected()
        monkeypatch.setattr(running, "DAYS", 1)
        with pytest.raises(Stopped):
            await running.reparse(settings, Order(Scope(SOURCE)), stop)

        async def one_day_is_there() -> bool:
            query = f"SELECT count(*) FROM observations WHERE parser_version = {CORRECTED}"
            return await values(pool, query) == [(2 * SESSIONS + 1,)]

        await until(one_day_is_there)
        report = await reparse(settings)
        assert (report.pages_read, report.pages_current, report.published) == (PAGES, PAGES, PAGES)
        await until_all_of(pool, CORRECTED)
        again = await tables(pool)
        await import_day(settings)
        await import_day(settings, NEXT_DAY)
        assert await tables(pool) == again


class Stopped(Exception):
    """Somebody ends the command after its first day."""


def stop(standing: running.ReparseProgress) -> None:
    raise Stopped


async def test_a_session_that_is_only_on_an_older_list_is_read_from_that_one(
    settings: Settings, site: SampleSite, pool: Pool, before: Before, corrected: Corrected
) -> None:
    async with imported(settings, site, pool, before, parse_day=nameless) as ids:
        site.change(TRACK, DAY, RemoveSession(session_id=ids[0]))
        with before(parse_day=nameless):
            await import_day(settings)
        await until_indexed(pool, site)
        assert await values(pool, "SELECT count(*) FROM races") == [(SESSIONS - 1,)]
        corrected()
        report = await reparse(settings)
        assert counts(report) == {"unchanged": SESSIONS, "changed": 2}
        await until_all_of(pool, CORRECTED)
        rows = "SELECT count(*) FROM observations WHERE kind = 'row' AND facts ->> 'class_name' IS NULL"
        assert await values(pool, rows) == [(0,)]
        assert await values(pool, "SELECT count(*) FROM races") == [(SESSIONS - 1,)]


def imagining(body: bytes, **asked: Any) -> DayFacts:
    """A parser that reads a session that there is not."""
    facts = parse_day(body, **asked)
    return msgspec.structs.replace(facts, sessions=(*facts.sessions, ListedSession(session_id="9")))


async def test_a_row_that_was_never_there_goes_and_is_not_published_for_ever(
    settings: Settings, site: SampleSite, pool: Pool, before: Before, corrected: Corrected
) -> None:
    async with imported(settings, site, pool, before, parse_day=imagining) as ids:
        site.change(TRACK, DAY, RemoveLap(session_id=ids[0], lap_number=2))
        await import_day(settings)
        await until_indexed(pool, site)
        corrected()
        report = await reparse(settings)
        assert counts(report) == {"unchanged": PAGES, "changed": 1, "still_refused": 1}
        assert report.published == PAGES
        [note] = noted(report, "changed").values()
        assert [one.old for each in note.differences for one in each.fields] == [{"count": 1, "first": ["9"]}]
        await until_all_but_one_of(pool)
        again = await reparse(settings)
        assert (again.published, again.pages_read) == (0, 2)


async def test_what_a_newer_page_says_stays(
    settings: Settings, site: SampleSite, pool: Pool, before: Before, corrected: Corrected
) -> None:
    async with imported(settings, site, pool, before, parse_session=short_sighted) as ids:
        corrected()
        site.change(TRACK, DAY, RemoveLap(session_id=ids[0], lap_number=2))
        await import_day(settings)
        await until_indexed(pool, site)
        stored = await tables(pool)
        report = await reparse(settings)
        assert (counts(report), report.published) == ({}, 0)
        assert await tables(pool) == stored


async def test_a_session_is_not_fetched_again_for_its_rows_new_reading(
    settings: Settings, site: SampleSite, pool: Pool, before: Before, corrected: Corrected
) -> None:
    async with imported(settings, site, pool, before, parse_day=nameless):
        corrected()
        await reparse(settings)
        await until_all_of(pool, CORRECTED)
        asked = len(site.ledger.requests)
        await import_day(settings, refresh="changed")
        assert [one.page for one in site.ledger.requests[asked:]] == ["day_list"]


async def test_a_zone_stays_what_it_was_whoever_parses_again(
    settings: Settings, site: SampleSite, pool: Pool, before: Before, corrected: Corrected
) -> None:
    zoned = at(settings, track_zones={TRACK: "Australia/Sydney"})
    async with imported(zoned, site, pool, before, parse_day=nameless):
        corrected()
        await reparse(settings)
        await until_all_of(pool, CORRECTED)
        zones = "SELECT t.time_zone, facts ->> 'time_zone' FROM tracks AS t, observations WHERE kind = 'list'"
        assert await values(pool, zones) == [("Australia/Sydney", "Australia/Sydney")]


async def archived(settings: Settings, *urls: str) -> None:
    """Pages in the archive that no event speaks of."""
    async with publishing(settings) as publisher:
        pages = [
            Page(url=url, status=200, headers={}, body=b"<html></html>", observed_at=dt.datetime.now(dt.UTC))
            for url in urls
        ]
        await publisher.pages(pages, Context(source="test")).send()


async def test_pages_of_sessions_whose_day_nothing_tells_are_told(
    settings: Settings, pool: Pool, corrected: Corrected
) -> None:
    site = Site(settings.site)
    lost, other = site.session(TRACK, "77"), site.session("elsewhere", "78")
    await archived(settings, lost, other, site.month(TRACK, "2025-10"), "https://example.org/")
    async with working(settings, "projector"):

        async def indexed() -> bool:
            return await values(pool, "SELECT count(*) FROM page_index.pages") == [(4,)]

        await until(indexed)
    corrected()
    report = await reparse(settings)
    assert (sorted(report.without_day_sample), report.pages_without_day) == (sorted([lost, other]), 2)
    assert (report.addresses_foreign, report.pages_read, report.trouble) == (1, 0, 0)
    of_track = await reparse(settings, track_slug=TRACK)
    assert (of_track.without_day_sample, of_track.addresses_foreign) == ([lost], 0)
    assert (await reparse(settings, first=DAY)).pages_without_day == 0
    assert (await reparse(settings, since=1)).addresses_foreign == 0


async def test_observations_that_name_no_page_are_counted(
    settings: Settings, pool: Pool, corrected: Corrected
) -> None:
    async with pool.acquire() as connection, connection.transaction():
        events = [listed(1, row("1"), row("not-a-number")), fetched(2, "1"), fetched(2, "not-a-number")]
        await project(connection, [received(event) for event in events])
    corrected()
    report = await reparse(settings)
    assert (report.observations_without_page, counts(report), report.trouble) == (5, {}, 0)


async def command(settings: Settings, *arguments: str, version: int = CORRECTED) -> tuple[int, str, str]:
    """`lapstream reparse` as its users run it, with a parser of this version."""
    code = (
        "import sys, producer.pages as p; p.PARSER_VERSION = int(sys.argv.pop(1)); "
        "import lapstream.cli.__main__"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        code,
        str(version),
        "reparse",
        *arguments,
        env=environment(settings),
        stdout=PIPE,
        stderr=PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


@pytest.mark.slow
async def test_the_command_tells_and_publishes(
    settings: Settings, site: SampleSite, pool: Pool, before: Before
) -> None:
    async with imported(settings, site, pool, before, parse_session=short_sighted) as ids:
        code, out, err = await command(
            settings, "--dry-run", "--track", TRACK, "--from", "2025-10", "--to", "2025-10"
        )
        assert code == 0
        assert f"{SESSIONS} read otherwise than before" in out
        assert f"changed: {TRACK} {DAY} session {ids[0]}" in out
        assert f"laps added: 1 ({LAPS}); laps changed: 1 (1)" in out
        assert "nothing was published" in err
        code, out, _ = await command(settings, "--json")
        report = msgspec.json.decode(out, type=ReparseReport)
        assert (code, report.published, report.parser_version) == (0, PAGES, CORRECTED)
        await until_all_of(pool, CORRECTED)
        await values(pool, "UPDATE page_index.pages SET record_offset = 1000000")
        code, out, _ = await command(settings, version=CORRECTED + 1)
        assert (code, f"{PAGES} not in the archive" in out) == (3, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--from", "2025-13"], "'2025-13': a month as 2025-10 or a day as 2025-10-25 is expected"),
        (["--from", "2025-10-26", "--to", "2025-10-25"], "--from 2025-10-26 lies after --to 2025-10-25"),
        (["--track", "Not a slug"], "is no track slug"),
        (["--since-parser", "0"], "greater than or equal to 1"),
    ],
)
async def test_an_order_that_makes_no_sense_is_refused(
    settings: Settings, arguments: list[str], said: str
) -> None:
    code, _, err = await command(settings, *arguments)
    assert (code, said in " ".join(err.replace("│", "").split())) == (2, True)


async def test_the_database_that_is_away_is_an_error_and_no_traceback(settings: Settings) -> None:
    away = at(settings, postgres_dsn="postgresql://nobody@127.0.0.1:1/none")
    code, _, err = await command(away)
    assert (code, "error: the database at " in err) == (1, True)
    assert "Traceback" not in err
