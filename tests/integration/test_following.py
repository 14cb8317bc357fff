"""Followed days: asked for in turn by those at work, imported where something is new, until they end."""

import asyncio
import datetime as dt
import json
import signal
import time
from collections.abc import AsyncGenerator
from types import SimpleNamespace
from typing import Any

import pytest

from ops.imports import live
from producer import follower
from producer.budget import pause
from producer.follower import Follower
from producer.obtain import Unobtainable
from producer.pages.errors import EmptyBody
from producer.site import SOURCE
from runs import changes as run_changes
from runs import following, rhythm, subscriptions
from runs import run as runs
from runs.following import DayName, FollowedDay
from runtime.database import connected
from runtime.settings import Settings
from sandbox.sample_site.faults import Fault, Match
from sandbox.sample_site.generate import generate_day
from sandbox.sample_site.site import SampleSite
from sandbox.sample_site.site import Settings as SiteSettings
from schemas.events import PracticeDayRequested
from schemas.identity import practice_event_id
from store.pool import Connection, Pool, fetch_one, open_pool
from tests import processes
from tests.api import settings_of, stored
from tests.commands import invoked
from tests.conftest import TRACK, working
from tests.events import DATE, fetched, listed, row
from tests.integration.test_conditional import until_indexed
from tests.members import until
from tests.processes import role

SITE = "https://site.invalid"
NOON = dt.datetime(2025, 10, 25, 12, tzinfo=dt.UTC)
TODAY = NOON.date()


class Asking:
    """A clock that is set by hand, and a site whose answers are: what was asked for is noted."""

    def __init__(self, pool: Pool, pace_seconds: float = 0.0) -> None:
        self.now = NOON
        self.asked: list[str] = []
        self.news: bool | Exception = False
        self.follower = Follower(pool, SITE, pace_seconds, self._look, lambda: self.now)
        self._pool = pool

    async def _look(self, day: FollowedDay) -> bool:
        self.asked.append(f"{day.track_slug} {day.date}")
        await asyncio.sleep(0)
        if isinstance(self.news, Exception):
            raise self.news
        return self.news

    async def after(self, **later: float) -> list[str]:
        """What is asked for within one step, so much later."""
        self.now += dt.timedelta(**later)
        self.asked = []
        while await self.follower.step():
            pass
        return self.asked

    async def day(self, slug: str = "a", date: dt.date = TODAY) -> FollowedDay:
        """A day as it stands."""
        async with self._pool.acquire() as connection:
            found = await following.read(connection, DayName(SOURCE, slug, date))
        assert found
        return found


@pytest.fixture
async def pool_alone(dsn: str) -> AsyncGenerator[Pool]:
    """Connections to a database of the test's own, beside no broker."""
    pool = await open_pool(dsn, size=4)
    yield pool
    await pool.close()


async def subscribe(
    connection: Connection, slug: str, zone: str = "UTC", *, follow: bool = True, now: dt.datetime = NOON
) -> None:
    await following.subscribe(connection, SOURCE, slug, zone, follow=follow, now=now)


async def test_a_day_is_asked_for_in_its_rhythm_and_once_in_its_night(pool_alone: Pool) -> None:
    asking = Asking(pool_alone)
    async with pool_alone.acquire() as connection:
        await subscribe(connection, "a", "Australia/Sydney")  # where it is 23:00
    assert await asking.after() == [f"a {TODAY}"]
    assert await asking.after(seconds=29) == []
    asking.news = True
    assert await asking.after(seconds=1) == [f"a {TODAY}"]
    assert (await asking.day()).news_at == asking.now
    asking.news = False
    asking.now = NOON.replace(hour=13) - dt.timedelta(seconds=1)
    assert await asking.after() == [f"a {TODAY}"]
    assert (await asking.day()).next_at == NOON.replace(hour=15)  # 13:00 UTC is midnight in Sydney
    tomorrow = TODAY + dt.timedelta(days=1)
    assert set(await asking.after(hours=2, seconds=1)) == {f"a {TODAY}", f"a {tomorrow}"}
    assert (await asking.day()).closed_at == asking.now
    assert await asking.after(seconds=230) == []  # nobody has driven on that day yet
    assert await asking.after(seconds=20) == [f"a {tomorrow}"]


async def test_a_track_that_is_not_followed_is_asked_for_once_a_night_and_for_nights_that_were_missed(
    pool_alone: Pool,
) -> None:
    asking = Asking(pool_alone)
    async with pool_alone.acquire() as connection:
        await subscribe(connection, "a", follow=False)
    assert await asking.after(hours=13) == []
    assert await asking.after(hours=1) == [f"a {TODAY}"]
    missed = [f"a {TODAY + dt.timedelta(days=days)}" for days in (1, *range(3, 10))]
    assert await asking.after(days=9, minutes=1) == missed
    assert await asking.after(hours=1) == []


async def test_of_two_at_work_one_asks_and_who_is_gone_without_a_word_is_replaced(pool_alone: Pool) -> None:
    one, other = Asking(pool_alone), Asking(pool_alone)
    async with pool_alone.acquire() as connection:
        await subscribe(connection, "a")
    await asyncio.gather(*(each.follower.step() for each in (one, other) * 5))
    assert one.asked + other.asked == [f"a {TODAY}"]
    async with pool_alone.acquire() as connection:
        now = NOON + dt.timedelta(minutes=1)
        gone = await following.claim(connection, SITE, 0, now)
        assert gone
        assert await one.after(minutes=2) == []
        assert await one.after(minutes=2) == [f"a {TODAY}"]
        answers = (await one.day()).answers
        await following.answered(connection, gone, 0, now, news=True)
    assert (await one.day()).answers == answers  # what comes too late changes nothing


async def test_following_keeps_to_its_share_also_when_many_are_due_at_once(pool_alone: Pool) -> None:
    asking = Asking(pool_alone, pace_seconds=1.0)
    slugs = [f"t{number}" for number in range(20)]
    async with pool_alone.acquire() as connection:
        for slug in slugs:
            await subscribe(connection, slug)
    asked = [await asking.after(seconds=1) for _ in range(200)]
    assert max(map(len, asked)) == 1
    assert sum(map(len, asked)) <= 200 / rhythm.SHARE + 1
    counted = [sum(f"{slug} {TODAY}" in one for one in asked) for slug in slugs]
    assert min(counted) >= max(counted) - 1 >= 1


async def test_a_site_that_is_held_back_is_not_asked_and_people_come_first(pool_alone: Pool) -> None:
    asking = Asking(pool_alone)
    async with pool_alone.acquire() as connection:
        await subscribe(connection, "a")
        await pause(connection, SITE, paused=True)
        assert await asking.after() == []
        await pause(connection, SITE, paused=False)
        waited_for = PracticeDayRequested(
            source=SOURCE, track_slug="b", date=TODAY, requested_at=NOON, refresh="all"
        )
        run, _ = await run_changes.request(connection, waited_for)
        assert await asking.after() == []
        assert await asking.after(seconds=61) == [f"a {TODAY}"]
        async with connection.transaction():
            await run_changes.end(connection, run, "completed")
        own = PracticeDayRequested(
            source=SOURCE, track_slug="a", date=TODAY, requested_at=NOON, refresh="changed"
        )
        await run_changes.request(connection, own)
        assert await asking.after(minutes=10) == []  # the day is being imported


async def test_a_day_that_fails_to_be_fetched_says_why_and_is_given_up_after_a_week(pool_alone: Pool) -> None:
    asking = Asking(pool_alone)
    asking.news = Unobtainable(EmptyBody("http://site.invalid/", "an empty body"), 3, None)
    async with pool_alone.acquire() as connection:
        day = await following.follow_today(connection, SOURCE, "a", "UTC", NOON)
    assert await asking.after() == [f"a {TODAY}"]
    assert "an empty body" in str((await asking.day()).error)
    assert await asking.after(seconds=290) == []
    tries = 0
    while (await asking.day()).closed_at is None:
        tries += len(await asking.after(hours=6))
    assert tries <= 40
    assert asking.now < day.ends_at + dt.timedelta(days=8)


async def test_who_stops_following_ends_it_for_the_track(pool_alone: Pool) -> None:
    asking = Asking(pool_alone)
    async with pool_alone.acquire() as connection:
        await subscribe(connection, "a")
        await asking.after()
        await following.stop(connection, SOURCE, "a", asking.now)
        assert await asking.after(hours=1) == []
        assert await following.followed_now(connection, asking.now) == []
        found = await subscriptions.read(connection, SOURCE, "a")
        assert found
        assert found.follow is False
        await following.follow_today(connection, SOURCE, "a", "UTC", asking.now)
    assert await asking.after() == [f"a {TODAY}"]


async def test_a_zone_that_is_corrected_moves_the_days_end(pool_alone: Pool) -> None:
    asking = Asking(pool_alone)
    async with pool_alone.acquire() as connection:
        await subscribe(connection, "a", "UTC")
        await asking.after()
        await following.change(connection, SOURCE, "a", "America/New_York", follow=None, now=asking.now)
    assert (await asking.day()).ends_at == dt.datetime(2025, 10, 26, 4, tzinfo=dt.UTC)


async def test_a_zone_that_is_known_no_more_ends_the_days_of_its_track_alone(pool_alone: Pool) -> None:
    asking = Asking(pool_alone)
    async with pool_alone.acquire() as connection:
        await subscribe(connection, "a")
        await subscribe(connection, "b")
        await connection.execute("DELETE FROM followed_days")
        dropped = "UPDATE subscribed_tracks SET time_zone = 'US/Pacific-New' WHERE track_slug = 'a'"
        await connection.execute(dropped)
        assert await asking.after(hours=10) == [f"b {TODAY}"]
        await following.stop(connection, SOURCE, "a", asking.now)
        await following.change(connection, SOURCE, "a", "UTC", follow=True, now=asking.now)
    assert await asking.after(minutes=2) == [f"a {TODAY}"]


async def test_a_fetcher_whose_clock_is_ahead_holds_up_no_other(
    pool_alone: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Ahead(dt.datetime):
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> "Ahead":
            return cls.fromtimestamp(time.time() + 3600, tz)

    async def look(_: FollowedDay) -> bool:
        return False

    monkeypatch.setattr(follower, "dt", SimpleNamespace(datetime=Ahead, timedelta=dt.timedelta, UTC=dt.UTC))
    async with pool_alone.acquire() as connection:
        await following.follow_today(connection, SOURCE, "a", "UTC", dt.datetime.now(dt.UTC))
    assert await Follower(pool_alone, SITE, 0.0, look).step()
    async with pool_alone.acquire() as connection:
        row = await fetch_one(connection, "SELECT asked_at <= now() AS past FROM followed_days")
    assert row["past"]


async def test_who_unsubscribes_while_days_are_opened_is_not_followed(
    pool_alone: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking = Asking(pool_alone)
    async with pool_alone.acquire() as connection:
        await subscribe(connection, "a")
        known = await subscriptions.read_all(connection)
        await following.unsubscribe(connection, SOURCE, "a")

        async def read_before(_: Connection) -> list[subscriptions.Subscription]:
            return known

        monkeypatch.setattr(subscriptions, "read_all", read_before)
        assert await asking.after(days=1) == []


STORED = "SELECT count(*) FROM races WHERE race_metadata IS NOT NULL"


async def turn_of(settings: Settings, slug: str = TRACK) -> FollowedDay:
    """Let it be the turn of a day that is followed; the day once it was asked for, and nothing goes on."""
    async with connected(settings) as connection:
        before = await connection.fetchval(
            "UPDATE followed_days SET next_at = now() WHERE track_slug = $1 RETURNING answers", slug
        )

        async def answered() -> bool:
            return await connection.fetchval(
                """SELECT answers > $2 AND NOT EXISTS (SELECT FROM ingest_runs WHERE state = 'running')
                FROM followed_days WHERE track_slug = $1""",
                slug,
                before,
            )

        await until(answered)
        [day] = await following.followed_now(connection, dt.datetime.now(dt.UTC))
        return day


LEFT = """
    SELECT (SELECT count(*) FROM ingest_runs) AS runs,
        (SELECT count(*) FROM page_index.pages) AS pages,
        (SELECT sum(next_offset) FROM positions) AS events,
        (SELECT max(observed_at) FROM observations) AS seen
"""
"""What looks leave behind: rows of runs and of the outbox, pages of the archive, events of the log."""


class Unseen:
    """For who shows nothing."""

    def show(self, day: FollowedDay, sessions: int) -> None:
        pass

    def wait(self, what: str | None) -> None:
        pass


async def told_of(settings: Settings) -> list[Any]:
    """What a command that follows the track reports."""
    return [told async for told in live.follow(settings, SOURCE, TRACK, None, Unseen())]


async def until_followed(connection: Connection) -> None:
    """Return when a day is followed."""

    async def followed() -> bool:
        return bool(await following.followed_now(connection, dt.datetime.now(dt.UTC)))

    await until(followed)


async def test_tracks_are_subscribed_to_listed_changed_and_removed_by_commands(dsn: str) -> None:
    settings = settings_of(dsn, track_zones={"b": "Europe/Berlin"})
    for words, code, said in (
        (("add", "a", "--zone", "Nowhere/Land"), 2, "'Nowhere/Land' is no IANA zone"),
        (("add", "a"), 2, "give it with --zone"),
        (("add", "a", "--zone", "Australia/Sydney", "--follow"), 0, "each of its days is followed"),
        (("add", "b"), 0, "b (Europe/Berlin) is subscribed to: its days are not followed"),
        (("add", "b"), 1, "`lapstream tracks set b` changes it"),
        (("set", "a", "--no-follow", "--zone", "UTC"), 0, "a (UTC) is subscribed to: its days are not"),
        (("list",), 0, "Europe/Berlin"),
        (("remove", "b"), 0, "what is stored of it stays"),
        (("set", "b", "--follow"), 1, "`lapstream tracks add b` does that"),
    ):
        result = await invoked(settings, "tracks", *words)
        told = result.output or str(result.exception)
        assert said in told.replace("\n", " "), words
        assert getattr(result.exception, "exit_code", result.exit_code) == code, words
    result = await invoked(settings, "tracks", "list", "--json")
    [one] = json.loads(result.stdout)
    assert (one["track_slug"], one["time_zone"], one["follow"]) == ("a", "UTC", False)
    assert one["next_at"] > one["date"]


async def left(connection: Connection) -> dict[str, Any]:
    """What looks leave behind."""
    return dict(await fetch_one(connection, LEFT))


async def test_a_followed_day_grows_and_leaves_nothing_while_nothing_happens(
    settings: Settings, pool: Pool, site: SampleSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower, "LOOK_SECONDS", 0.05)
    zone, now = "Pacific/Kiritimati", dt.datetime.now(dt.UTC)
    day = generate_day(TRACK, rhythm.today(zone, now), seed=1, sessions=6, laps_per_session=3)
    lost = day.sessions[0].session_id
    site.put(day)
    site.grow(TRACK, day.date, 0)
    async with working(settings), connected(settings) as connection:
        await following.subscribe(connection, SOURCE, TRACK, zone, follow=False, now=now)
        looking = asyncio.create_task(told_of(settings))
        await until_followed(connection)
        assert (await turn_of(settings)).news == 0
        assert await connection.fetchval("SELECT count(*) FROM ingest_runs") == 0

        site.grow(TRACK, day.date, 4)
        site.faults.add(Fault(kind="status", status=404, match=Match(session_id=lost)))
        assert (await turn_of(settings)).news == 1
        assert await connection.fetchval(STORED) == 3
        assert await connection.fetchval("SELECT time_zone FROM tracks") == zone

        await until_indexed(pool, 4)
        asked, before = len(site.ledger.requests), await left(connection)
        for etag in (True, False):
            site.settings = SiteSettings(etag=etag)
            assert (await turn_of(settings)).news == 1
        assert len(site.ledger.requests) - asked == 2
        assert await left(connection) == before

        site.faults.clear()
        site.grow(TRACK, day.date, 6)
        assert (await turn_of(settings)).news == 2
        assert await connection.fetchval(STORED) == 5  # the page that failed waits for the night
        assert len(site.ledger.requests) - asked == 2 + 1 + 2
        await following.stop(connection, SOURCE, TRACK, dt.datetime.now(dt.UTC))
        begun, *sessions, ended = await looking
    assert (begun.date, begun.time_zone) == (day.date, zone)
    assert [one.session_id for one in sessions if one.new] == [one.session_id for one in day.sessions]
    assert all(one.driver_name and one.fast_lap_time for one in sessions)
    assert (ended.why, ended.sessions) == ("stopped", 6)


async def test_a_fetcher_that_is_killed_while_it_asks_leaves_the_day_to_another_one(
    settings: Settings, site: SampleSite
) -> None:
    now = dt.datetime.now(dt.UTC)
    day = generate_day(TRACK, rhythm.today("UTC", now), seed=1, sessions=3, laps_per_session=3)
    site.put(day)
    slow = Fault(kind="delay", seconds=60, times=1, match=Match(page="day_list"))
    site.faults.add(slow)
    async with working(settings, "projector", "relay"), connected(settings) as connection:
        await following.subscribe(connection, SOURCE, TRACK, "UTC", follow=True, now=now)
        async with role(settings, "fetcher") as fetcher:
            await processes.until(lambda: "day_list" in [one.page for one in site.ledger.requests])
            assert await fetcher.end(signal.SIGKILL) == -signal.SIGKILL
        found = await following.read(connection, DayName(SOURCE, TRACK, day.date))
        assert found
        assert found.claimed_until
        assert found.claimed_until > found.next_at
        async with working(settings, "fetcher"):
            await connection.execute("UPDATE followed_days SET claimed_until = now()")  # its time is up

            async def stored() -> bool:
                return await connection.fetchval(STORED) == len(day.sessions)

            await until(stored)
    asked = [one.page for one in site.ledger.requests]
    assert (asked.count("day_list"), asked.count("session")) == (2, len(day.sessions))


async def test_a_list_is_no_news_where_the_tables_say_the_same(dsn: str) -> None:
    settings, day = settings_of(dsn), practice_event_id("liverc", "track", DATE)
    both, whole = (row("1"), row("2")), listed(1, row("1"), row("2"))
    async with connected(settings) as connection:
        assert await runs.is_stored(connection, day, listed(1))  # nobody drove, and nothing is stored
        assert not await runs.is_stored(connection, day, whole)
        await stored(settings, [whole])
        assert await runs.is_stored(connection, day, listed(5, *both))
        assert not await runs.is_stored(connection, day, listed(5, row("1"), row("2", lap_count=99)))
        assert not await runs.is_stored(connection, day, listed(5, row("1")))
        assert not await runs.is_stored(connection, day, listed(5))
        await stored(settings, [fetched(9, "3")])  # which another process published
        assert not await runs.is_stored(connection, day, listed(10, *both))
        await stored(settings, [listed(10, *both, complete=False)])
        assert await runs.is_stored(connection, day, listed(11, *both, complete=False))
