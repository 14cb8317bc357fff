"""A day followed live, as a command does it: registered, then each new session as it comes, until its end."""

import datetime as dt
from collections.abc import AsyncGenerator
from typing import Literal, NamedTuple, Protocol
from uuid import UUID

from msgspec import Struct

from ops.backfill.discover import held_by
from ops.imports.workers import Workers
from producer.site import Site
from runs import following
from runs.day_watch import DaySeen, DayWatch, watching_days
from runs.following import FollowedDay
from runs.subscriptions import needed_zone
from runtime.database import database
from runtime.settings import Settings
from schemas.identity import practice_event_id
from store import days
from store.days import SessionView
from store.pool import Pool


class Begun(Struct, frozen=True, kw_only=True, tag_field="what", tag="following"):
    """A day is followed; times are UTC, the day's end is the track's midnight."""

    track_slug: str
    date: dt.date
    time_zone: str
    ends_at: dt.datetime


class Driven(Struct, frozen=True, kw_only=True, tag_field="what", tag="session"):
    """A session that is new, or of which there is more: laps in seconds, its start on the track's clock."""

    id: UUID
    session_id: str
    new: bool
    driver_name: str | None
    class_name: str | None
    run: int
    start_time: dt.datetime | None
    laps: int | None
    fast_lap_time: float | None


class Ended(Struct, frozen=True, kw_only=True, tag_field="what", tag="ended"):
    """Following ended: the day is over, or following was stopped."""

    why: Literal["over", "stopped"]
    sessions: int


Told = Begun | Driven | Ended


class Screen(Protocol):
    """Where it is shown what following waits for."""

    def show(self, day: FollowedDay, sessions: int) -> None:
        """Show how the day is followed at present."""
        ...

    def wait(self, what: str | None) -> None:
        """Show what holds it back; None where nothing does."""
        ...


async def follow(
    settings: Settings, source: str, track_slug: str, zone: str | None, screen: Screen
) -> AsyncGenerator[Told]:
    """Follow today's day of a track: what is told of it, until it is over.

    Following goes on without this. Raises `NoZone`, and `RoleNotRunning` where a role that it needs is not
    running.
    """
    workers = Workers(settings.broker, settings.topics)
    async with database(settings, size=2) as pool, watching_days(pool) as watch:
        async with pool.acquire() as connection:
            time_zone = await needed_zone(connection, source, track_slug, zone, settings.track_zones)
            await workers.come(connection, screen.wait)
            now = dt.datetime.now(dt.UTC)
            day = await following.follow_today(connection, source, track_slug, time_zone, now)
        live = _Live(pool, watch, Site(settings.site), screen, day)
        yield Begun(track_slug=track_slug, date=day.date, time_zone=day.time_zone, ends_at=day.ends_at)
        async for told in live.told():
            yield told


class _Live(NamedTuple):
    pool: Pool
    watch: DayWatch
    site: Site
    screen: Screen
    day: FollowedDay

    async def told(self) -> AsyncGenerator[Told]:
        """What is new, each time that the day changed; at last, that it ended."""
        known: dict[str, SessionView] = {}
        version = ""
        async for seen in self.watch.updates(self.day.name):
            if seen.version != version:
                version = seen.version
                for session in await self._sessions():
                    if (before := known.get(session.session_id)) is None or _grew(before, session):
                        yield _driven(session, new=before is None)
                    known[session.session_id] = session
            if why := _ended(seen):
                yield Ended(why=why, sessions=len(known))
                return
            await self._show(seen, len(known))

    async def _sessions(self) -> list[SessionView]:
        async with self.pool.acquire() as connection:
            found = await days.read_day(connection, practice_event_id(*self.day.name))
        return found.sessions if found else []

    async def _show(self, seen: DaySeen, sessions: int) -> None:
        if seen.followed:
            self.screen.show(seen.followed, sessions)
        async with self.pool.acquire() as connection:
            held = await held_by(connection, self.site)
        self.screen.wait(held or (seen.followed and seen.followed.error))


def _ended(seen: DaySeen) -> Literal["over", "stopped"] | None:
    now = dt.datetime.now(dt.UTC)
    if seen.followed is None:
        return "stopped"
    if now >= seen.followed.ends_at:
        return "over"
    return None if seen.is_followed(now) else "stopped"


def _grew(before: SessionView, after: SessionView) -> bool:
    """Whether there is more of a session: laps, or a better one."""
    return (before.laps_completed, before.fast_lap_time) != (after.laps_completed, after.fast_lap_time)


def _driven(session: SessionView, *, new: bool) -> Driven:
    return Driven(
        id=session.id,
        session_id=session.session_id,
        new=new,
        driver_name=session.driver_name,
        class_name=session.class_name,
        run=session.run,
        start_time=session.start_time,
        laps=session.laps_completed,
        fast_lap_time=session.fast_lap_time,
    )
