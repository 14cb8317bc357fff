"""Backfills: all days of months, one at a time, resumed wherever they were stopped."""

import asyncio
import calendar
import datetime as dt
import json
import re
import signal
import sys
from asyncio.subprocess import DEVNULL
from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from uuid import UUID

import pytest

from broker.clients import administering, describe_group
from ops.backfill import feeder, views
from ops.backfill import queries as backfills
from ops.backfill.discover import MonthFailed, discover_month
from ops.backfill.feeder import BackfillProgress, BackfillStopped
from ops.backfill.fleet import FleetBackfills
from ops.backfill.queries import Backfill, Months
from ops.backfill.running import AlreadyFed, BackfillSummary, NothingDiscovered, backfill
from ops.backfill.views import BackfillView
from ops.imports import follow
from producer import budget as sites
from producer.obtain import Unobtainable
from producer.pages import LoginPage, MonthPage
from producer.site import SOURCE, Site
from runs import changes as run_changes
from runs.run import Refresh
from runtime.settings import Settings, environment
from runtime.wiring import detail_group
from sandbox.sample_site.faults import Fault, Match
from sandbox.sample_site.generate import generate_day
from sandbox.sample_site.site import SampleSite
from sandbox.sample_site.site import Settings as SiteSettings
from store.pool import Connection, Pool
from tests import members
from tests.commands import ended_beside
from tests.conftest import TRACK, at, working
from tests.processes import role, until

AUGUST, SEPTEMBER = dt.date(2025, 8, 1), dt.date(2025, 9, 1)
DAYS = {
    dt.date(2025, 8, 2): 3,
    dt.date(2025, 8, 9): 2,
    dt.date(2025, 8, 30): 4,
    dt.date(2025, 9, 6): 2,
    dt.date(2025, 9, 7): 3,
}
FIRST, SECOND, *_ = DAYS
LAPS = 4

COMMAND = "import typer; from lapstream.cli.commands.backfill import backfill; typer.run(backfill)"


class Seen:
    """A screen that remembers."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.standings: list[BackfillProgress] = []

    def show(self, standing: BackfillProgress) -> None:
        self.standings.append(standing)

    def say(self, line: str) -> None:
        self.lines.append(line)

    def was_told(self, text: str) -> bool:
        return any(text in standing.doing for standing in self.standings)


def put_days(site: SampleSite, days: Mapping[dt.date, int]) -> None:
    """Let the track have so many sessions on these days, and none on the others of both months."""
    others = [
        month + dt.timedelta(days=day)
        for month in (AUGUST, SEPTEMBER)
        for day in range(calendar.monthrange(month.year, month.month)[1])
    ]
    for date, count in (dict.fromkeys(others, 0) | dict(days)).items():
        site.put(generate_day(TRACK, date, seed=1, sessions=count, laps_per_session=LAPS))


@pytest.fixture
async def a_site(site: SampleSite) -> SampleSite:
    """A site with five days in two months."""
    put_days(site, DAYS)
    return site


@pytest.fixture
async def at_work(settings: Settings, a_site: SampleSite) -> AsyncGenerator[Settings]:
    """Settings whose roles are at work, the whole pool of them: while it forms, work may be repeated."""
    async with working(settings):
        async with administering(settings.broker) as admin:

            async def all_joined() -> bool:
                found = await describe_group(admin, detail_group(settings.topics))
                return found == ("Stable", settings.detail_concurrency)

            await members.until(all_joined)
        yield settings


def months(refresh: Refresh = "missing", first: dt.date = AUGUST, last: dt.date = SEPTEMBER) -> Months:
    return Months(SOURCE, TRACK, first, last, refresh)


async def fill(settings: Settings, refresh: Refresh = "missing") -> BackfillSummary:
    return await backfill(settings, months(refresh), Seen())


def listed(site: SampleSite) -> list[str]:
    """The days whose lists were asked for, in this order."""
    return [re.sub(".*d=", "", record.path) for record in site.ledger.requests if record.page == "day_list"]


def pages(site: SampleSite) -> Counter[str | None]:
    """How often each session's page was asked for."""
    return Counter(record.session_id for record in site.ledger.requests if record.page == "session")


async def test_all_days_of_the_months_come_in_once_and_one_after_another(
    at_work: Settings, a_site: SampleSite
) -> None:
    seen = Seen()
    summary = await backfill(at_work, months(), seen)
    assert summary.finished
    assert (summary.days, summary.days_by_state, summary.sessions) == (5, {"completed": 5}, 14)
    assert summary.laps_ingested == 14 * LAPS
    assert (summary.left.days, summary.left.requests) == (0, 0)
    assert listed(a_site) == [str(date) for date in DAYS]
    assert set(pages(a_site).values()) == {1}
    assert "5 days, 14 sessions, 0 of them stored: about 19 requests" in seen.lines[0]
    last = seen.standings[-1]
    assert (last.doing, last.days, last.days_ended, last.days_failed) == ("done", 5, 5, 0)

    again = await fill(at_work)
    assert (again.finished, again.days_by_state) == (True, {"skipped": 5})
    assert (a_site.ledger.count("day_list"), a_site.ledger.count("month")) == (5, 4)
    anew = await fill(at_work, "changed")
    assert (anew.finished, anew.days_by_state, anew.laps_ingested) == (True, {"completed": 5}, 0)
    assert set(pages(a_site).values()) == {1}


async def test_a_backfill_that_is_killed_goes_on_where_it_was(at_work: Settings, a_site: SampleSite) -> None:
    a_site.settings = SiteSettings(latency_seconds=0.1)
    command = [TRACK, "--from", "2025-08", "--to", "2025-09"]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", COMMAND, *command, env=environment(at_work), stdout=DEVNULL, stderr=DEVNULL
    )
    await until(lambda: len(listed(a_site)) == 2)
    process.send_signal(signal.SIGKILL)
    await process.wait()
    summary = await fill(at_work)
    assert (summary.finished, summary.days_by_state) == (True, {"completed": 5})
    assert summary.laps_ingested == 14 * LAPS
    assert listed(a_site) == [str(date) for date in DAYS]
    assert len(pages(a_site)) == 14
    assert set(pages(a_site).values()) == {1}
    assert a_site.ledger.count("month") == 2


async def test_a_day_that_fails_is_recorded_and_tried_again_by_the_same_command(
    at_work: Settings, a_site: SampleSite
) -> None:
    lost = a_site.day(TRACK, SECOND).sessions[0].session_id
    a_site.faults.add(Fault(kind="login", match=Match(page="day_list", date=FIRST)))
    a_site.faults.add(Fault(kind="login", match=Match(session_id=lost)))
    summary = await fill(at_work, "all")
    assert not summary.finished
    assert summary.days_by_state == {"failed": 1, "partial": 1, "completed": 3}
    failed, partial = summary.days_failed
    assert (failed.date, failed.state, "login_page" in failed.error) == (FIRST, "failed", True)
    assert (partial.date, partial.state) == (SECOND, "partial")
    assert partial.error.startswith("1 sessions failed: `lapstream runs show")
    a_site.faults.clear()
    before = pages(a_site)
    again = await fill(at_work, "all")
    assert (again.finished, again.days_by_state) == (True, {"completed": 5})
    asked = pages(a_site) - before
    assert asked == Counter([lost, *(one.session_id for one in a_site.day(TRACK, FIRST).sessions)])


async def test_what_somebody_waits_for_comes_before_the_days_that_are_left(
    at_work: Settings, a_site: SampleSite, pool: Pool
) -> None:
    a_site.settings = SiteSettings(latency_seconds=0.05)
    others = [dt.date(2025, 3, 1), dt.date(2025, 3, 2)]
    for date in others:
        a_site.put(generate_day(TRACK, date, seed=1, sessions=5))
    seen = Seen()
    filling = asyncio.create_task(backfill(at_work, months(), seen))
    await until(lambda: len(listed(a_site)) == 1)
    async with pool.acquire() as connection:
        for date in others:
            await run_changes.request(connection, follow.request(SOURCE, TRACK, date))
    assert (await filling).finished
    order = listed(a_site)
    assert order[0] == str(FIRST)
    assert set(order[1:3]) == {str(date) for date in others}
    assert order[3:] == [str(date) for date in [*DAYS][1:]]
    assert seen.was_told("which somebody asked for")


async def test_a_second_feeder_is_told_so_and_a_paused_site_is_waited_for(
    at_work: Settings, a_site: SampleSite, pool: Pool
) -> None:
    async with pool.acquire() as connection:
        await sites.pause(connection, Site(at_work.site).name, paused=True)
    seen = Seen()
    filling = asyncio.create_task(backfill(at_work, months(), seen))
    await until(lambda: seen.was_told("lapstream site resume"))
    with pytest.raises(AlreadyFed, match="2025-08 to 2025-09, and is done with 0 of 0 days"):
        await fill(at_work)
    assert a_site.ledger.requests == ()
    async with pool.acquire() as connection:
        await sites.pause(connection, Site(at_work.site).name, paused=False)
    assert (await filling).finished


async def test_a_month_that_cannot_be_had_costs_only_its_own_days(
    at_work: Settings, a_site: SampleSite
) -> None:
    a_site.faults.add(Fault(kind="login", match=Match(page="month", path_contains="2025-08")))
    seen = Seen()
    summary = await backfill(at_work, months(), seen)
    assert (summary.finished, summary.days_by_state) == (False, {"completed": 2})
    [month] = summary.months_failed
    assert month.month == "2025-08"
    assert "login_page" in month.error
    assert "at least 7 requests" in seen.lines[-3]
    a_site.faults.clear()
    again = await fill(at_work)
    assert (again.finished, again.days_by_state) == (True, {"completed": 5})
    assert [record.page for record in a_site.ledger.requests].count("month") == 3


async def test_a_backfill_of_which_nothing_moves_ends_and_can_be_taken_up_again(
    at_work: Settings, a_site: SampleSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_site.faults.add(Fault(kind="delay", seconds=3.0, match=Match(page="day_list"), times=1))
    with monkeypatch.context() as patch:
        patch.setattr(feeder, "STALLED_SECONDS", 0.2)
        with pytest.raises(BackfillStopped, match="nothing moved for"):
            await fill(at_work)
    assert (await fill(at_work)).finished
    assert listed(a_site) == [str(date) for date in DAYS]


async def test_without_any_month_a_backfill_says_why(settings: Settings, a_site: SampleSite) -> None:
    a_site.faults.add(Fault(kind="login", match=Match(page="month")))
    with pytest.raises(NothingDiscovered, match="login_page"):
        await backfill(settings, months(), Seen(), dry_run=True)
    with pytest.raises(MonthFailed, match=r"2025-08.*login_page"):
        await discover_month(settings, TRACK, AUGUST, Seen().say)


async def test_a_dry_run_asks_only_for_the_months(settings: Settings, a_site: SampleSite) -> None:
    slow = at(settings, site_interval_seconds=0.01)
    summary = await backfill(slow, months(), Seen(), dry_run=True)
    assert (summary.finished, summary.days_by_state) == (False, {"waiting": 5})
    assert (summary.left.requests, summary.left.seconds) == (19, pytest.approx(0.19))
    assert {record.page for record in a_site.ledger.requests} == {"robots", "month"}


async def test_the_days_of_a_month_are_discovered(settings: Settings, a_site: SampleSite) -> None:
    found = await discover_month(settings, TRACK, AUGUST, Seen().say)
    assert (found.track_slug, found.year, found.month, found.findings) == (TRACK, 2025, 8, ())
    assert {day.date: day.sessions for day in found.days} == {
        date: count for date, count in DAYS.items() if date.month == 8
    }


async def test_a_site_that_is_left_alone_is_not_asked_for_a_month(
    settings: Settings, a_site: SampleSite, pool: Pool
) -> None:
    async with pool.acquire() as connection:
        await sites.back_off(connection, Site(settings.site).name, 0.5, "it asked whether we are a browser")
    told: list[str] = []
    assert (await discover_month(settings, TRACK, AUGUST, told.append)).days
    assert told
    assert "backing off until" in told[0]
    assert "browser" in told[0]


async def discovered(
    connection: Connection, month: dt.date, days: Mapping[dt.date, int], refresh: Refresh = "all"
) -> Backfill:
    """A backfill of one month, with its days."""
    found = await backfills.open_backfill(connection, months(refresh, month, month))
    await backfills.discovered(connection, found, month, days)
    return found


async def states(connection: Connection, found: Backfill) -> list[str]:
    return [day.state for day in await backfills.read_days(connection, found)]


async def test_a_month_that_has_not_ended_is_discovered_again(connection: Connection) -> None:
    this_month = dt.datetime.now(dt.UTC).date().replace(day=1)
    found = await discovered(connection, this_month, {this_month: 3})
    assert await backfills.months_to_discover(connection, found) == [this_month]
    ended = await discovered(connection, AUGUST, {FIRST: 3})
    assert await backfills.months_to_discover(connection, ended) == []


async def test_a_day_that_has_more_sessions_than_when_it_was_imported_waits_anew(
    connection: Connection,
) -> None:
    found = await discovered(connection, AUGUST, {FIRST: 3, SECOND: 0}, "missing")
    await backfills.prepare(connection, found, SEPTEMBER)
    assert await states(connection, found) == ["waiting", "skipped"]
    await backfills.discovered(connection, found, AUGUST, {FIRST: 3, SECOND: 1})
    assert await states(connection, found) == ["waiting", "waiting"]


async def test_a_day_whose_run_was_cancelled_counts_as_failed(connection: Connection) -> None:
    found = await discovered(connection, AUGUST, {FIRST: 3})
    fed = await backfills.feed(connection, found)
    assert isinstance(fed, backfills.InFlight)
    assert await backfills.feed(connection, found) == fed
    run, _ = await run_changes.cancel(connection, fed.run_id)
    error = await backfills.settle(connection, found, fed.event_date, run)
    assert error
    assert error.startswith("its run was cancelled")
    assert await states(connection, found) == ["failed"]
    assert not await backfills.finish(connection, found)
    await backfills.prepare(connection, found, None)
    assert await states(connection, found) == ["waiting"]


async def test_a_failed_day_whose_run_was_tried_again_meanwhile_is_done(connection: Connection) -> None:
    found = await discovered(connection, AUGUST, {FIRST: 3})
    fed = await backfills.feed(connection, found)
    assert isinstance(fed, backfills.InFlight)
    run, _ = await run_changes.cancel(connection, fed.run_id)
    await backfills.settle(connection, found, fed.event_date, run)
    await connection.execute("UPDATE ingest_runs SET state = 'completed' WHERE id = $1", fed.run_id)
    await backfills.prepare(connection, found, None)
    assert await states(connection, found) == ["completed"]
    assert await backfills.finish(connection, found)


async def test_two_backfills_have_one_day_in_flight_between_them(connection: Connection) -> None:
    one, other = [await discovered(connection, AUGUST, {FIRST: 3}, kind) for kind in ("all", "missing")]
    fed = await backfills.feed(connection, one)
    assert isinstance(fed, backfills.InFlight)
    waits = await backfills.feed(connection, other)
    assert isinstance(waits, backfills.AtWork)
    assert waits.run.id == fed.run_id


async def test_the_same_months_are_the_same_backfill_until_it_is_finished(connection: Connection) -> None:
    found = await discovered(connection, AUGUST, {})
    assert await backfills.open_backfill(connection, found.months) == found
    assert await backfills.finish(connection, found)
    assert (await backfills.open_backfill(connection, found.months)).id != found.id


async def asked(pool: Pool, wanted: Months) -> Backfill:
    """A backfill that is wanted of the fleet."""
    async with pool.acquire() as connection:
        found = await backfills.open_backfill(connection, wanted)
        assert await backfills.want(connection, found.id)
    return found


async def seen_as(pool: Pool, settings: Settings, found: Backfill) -> BackfillView:
    async with pool.acquire() as connection:
        view = await views.read(connection, found.id, Site(settings.site))
    assert view
    return view


async def until_completed(pool: Pool, settings: Settings, found: Backfill) -> None:
    """Return when all days of a backfill have come in."""

    async def completed() -> bool:
        return (await seen_as(pool, settings, found)).status == "completed"

    await members.until(completed)


async def test_a_fetcher_works_at_what_is_wanted_of_the_fleet_and_the_command_follows(
    at_work: Settings, a_site: SampleSite, pool: Pool
) -> None:
    a_site.settings = SiteSettings(latency_seconds=0.05)
    lost = a_site.day(TRACK, SECOND).sessions[0].session_id
    a_site.faults.add(Fault(kind="login", match=Match(session_id=lost)))
    found = await asked(pool, months())
    seen = Seen()
    await until(lambda: len(listed(a_site)) == 1)
    assert (await seen_as(pool, at_work, found)).status == "running"
    summary = await backfill(at_work, months(), seen)
    assert "a fetcher works at" in seen.lines[0]
    assert (summary.finished, summary.days_by_state) == (False, {"completed": 4, "partial": 1})
    view = await seen_as(pool, at_work, found)
    assert (view.status, view.days, view.days_waiting, view.days_failed) == ("stopped", 5, 0, 1)
    a_site.faults.clear()
    async with pool.acquire() as connection:
        assert await backfills.want(connection, found.id)
    await until_completed(pool, at_work, found)
    assert listed(a_site) == [str(date) for date in (*DAYS, SECOND)]
    assert Counter(pages(a_site).values()) == {1: 13, 2: 1}
    assert a_site.ledger.count("month") == 2


async def test_a_fetcher_that_stops_in_the_middle_leaves_the_rest_to_the_next_one(
    settings: Settings, a_site: SampleSite, pool: Pool
) -> None:
    a_site.settings = SiteSettings(latency_seconds=0.1)
    found = await asked(pool, months())
    async with working(settings, "projector", "relay"):
        async with role(settings, "fetcher") as fetcher:
            await until(lambda: len(listed(a_site)) == 2)
            await fetcher.end(signal.SIGKILL)
        async with working(settings, "fetcher"):
            await until_completed(pool, settings, found)
    assert list(dict.fromkeys(listed(a_site))) == [str(date) for date in DAYS]
    assert len(pages(a_site)) == 14
    assert a_site.ledger.count("month") == 2


async def test_a_cancelled_backfill_asks_for_no_further_day(
    at_work: Settings, a_site: SampleSite, pool: Pool
) -> None:
    a_site.settings = SiteSettings(latency_seconds=0.1)
    found = await asked(pool, months())
    await until(lambda: len(listed(a_site)) == 1)
    async with pool.acquire() as connection:
        await backfills.cancel(connection, found.id)

    async def ended() -> bool:
        view = await seen_as(pool, at_work, found)
        return [day.state for day in view.each_day] == ["completed", *["waiting"] * 4]

    await members.until(ended)
    view = await seen_as(pool, at_work, found)
    assert (view.status, listed(a_site)) == ("cancelled", [str(FIRST)])
    async with pool.acquire() as connection:
        assert not await backfills.want(connection, found.id)
        assert not await backfills.wanted(connection)


async def test_a_cancelled_backfill_asks_for_no_further_month(settings: Settings, pool: Pool) -> None:
    asked_for: list[int] = []

    async def cancels(_slug: str, _year: int, month: int) -> MonthPage:
        asked_for.append(month)
        async with pool.acquire() as connection:
            await backfills.cancel(connection, found.id)
        return MonthPage()

    found = await asked(pool, months())
    await FleetBackfills(settings, pool, cancels).turn()
    assert ((await seen_as(pool, settings, found)).status, asked_for) == ("cancelled", [AUGUST.month])


async def test_a_month_that_fails_is_said_and_one_that_cannot_go_on_is_put_off(
    settings: Settings, pool: Pool
) -> None:
    async def fails(*_: object) -> MonthPage:
        raise Unobtainable(LoginPage("http://site/", "a login"), 1, None)

    async def breaks(*_: object) -> MonthPage:
        raise RuntimeError("a mistake of ours")

    found = await asked(pool, months("missing", AUGUST, AUGUST))
    await FleetBackfills(settings, pool, fails).turn()
    view = await seen_as(pool, settings, found)
    assert (view.status, "login_page" in str(view.error)) == ("stopped", True)
    assert "login_page" in str(view.months[0].error)
    async with pool.acquire() as connection:
        assert await backfills.want(connection, found.id)
    await FleetBackfills(settings, pool, breaks).turn()
    view = await seen_as(pool, settings, found)
    assert (view.status, view.error) == ("running", "a mistake of ours")
    assert view.doing == "a fetcher tries again soon: a mistake of ours"
    async with pool.acquire() as connection:
        assert not await backfills.wanted(connection)


async def test_backfills_are_listed_shown_and_steered_by_commands(settings: Settings, pool: Pool) -> None:
    found = await asked(pool, months())

    [listed_one] = json.loads((await ended_beside(settings, "backfills", "list", "--json")).out)
    assert (listed_one["backfill_id"], listed_one["status"]) == (str(found.id), "running")
    shown = (await ended_beside(settings, "backfills", "show", str(found.id))).out
    assert "2025-08 to 2025-09: running" in shown
    assert (
        json.loads((await ended_beside(settings, "backfills", "cancel", str(found.id), "--json")).out)[
            "status"
        ]
        == "cancelled"
    )
    refused = await ended_beside(settings, "backfills", "retry", str(found.id))
    assert (refused.code, "the backfill is cancelled" in refused.err) == (1, True)
    unknown = await ended_beside(settings, "backfills", "show", str(UUID(int=0)))
    assert (unknown.code, "lapstream backfills list" in unknown.err) == (1, True)
