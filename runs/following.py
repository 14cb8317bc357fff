"""Followed days: what is asked for when, which process asks for it at present, and what came of it.

A day is a row from the moment on at which it is wanted: it is asked for while it is on, if it is followed
live, and once more after its end. A process that asks claims the day for a while; one that is gone without
a word loses its claim. `runs.rhythm` has the times.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import structlog
from msgspec import Struct

from runs import rhythm, subscriptions
from runs.subscriptions import Subscription
from schemas.identity import practice_event_id
from schemas.zones import is_zone
from store.pool import Connection, Record
from store.statements import statements_of

statement = statements_of(__file__)

log = structlog.get_logger("lapstream.fetcher")

CLAIM_SECONDS = 180.0
"""So long a process may take to ask for a day before another one does; it gives up earlier by itself."""

YIELD_SECONDS = 60.0
"""So long a day that is due waits while runs are at work that people asked for."""

KEPT = dt.timedelta(days=30)
"""So long it is known that a day was followed; longer than days are looked for that were missed."""


class DayName(NamedTuple):
    """A day of a track, by its natural key."""

    source: str
    track_slug: str
    date: dt.date


class SubscribedTrack(Struct, frozen=True, kw_only=True):
    """A subscription, with its newest day: when it was asked for, is next, and why that failed last."""

    source: str
    track_slug: str
    time_zone: str
    follow: bool
    added_at: dt.datetime
    date: dt.date | None
    asked_at: dt.datetime | None
    next_at: dt.datetime | None
    error: str | None


class FollowedDay(Struct, frozen=True, kw_only=True):
    """A day that is or was followed; `event_id` is the day's row, `run_id` the newest run that it led to."""

    source: str
    track_slug: str
    date: dt.date
    event_id: UUID
    time_zone: str
    live: bool
    ends_at: dt.datetime
    next_at: dt.datetime
    asked_at: dt.datetime | None
    claimed_until: dt.datetime | None
    answered_at: dt.datetime | None
    news_at: dt.datetime
    answers: int
    news: int
    run_id: UUID | None
    error: str | None
    closed_at: dt.datetime | None

    @property
    def name(self) -> DayName:
        """Which day it is."""
        return DayName(self.source, self.track_slug, self.date)

    @property
    def is_night(self) -> bool:
        """Whether the newest request for it began after its end."""
        return self.asked_at is not None and self.asked_at >= self.ends_at

    def is_followed(self, now: dt.datetime) -> bool:
        """Whether it is on, and asked for while it is."""
        return self.live and self.closed_at is None and now < self.ends_at


async def open_wanted(connection: Connection, now: dt.datetime) -> None:
    """Open the days of all subscriptions: today, and those that were missed; forget those long over.

    A subscription whose zone is not known (any more) is logged, and has no day.
    """
    rows: list[tuple[Any, ...]] = []
    for one in await subscriptions.read_all(connection):
        if is_zone(one.time_zone):
            rows += _rows(one, _wanted(one, now), now)
        else:
            log.warning("subscription_without_zone", track=one.track_slug, time_zone=one.time_zone)
    if rows:
        await connection.execute(statement("open_followed_days"), *_columns(rows), now - rhythm.UNSEEN)
    await connection.execute(statement("forget_closed_days"), now - KEPT)


def _wanted(one: Subscription, now: dt.datetime) -> list[dt.date]:
    since = rhythm.today(one.time_zone, one.added_at)
    return rhythm.days_wanted(since, rhythm.today(one.time_zone, now))


async def subscribe(
    connection: Connection, source: str, track_slug: str, time_zone: str, *, follow: bool, now: dt.datetime
) -> Subscription:
    """Subscribe to a track, and open its day; raises `SubscribedAlready`."""
    async with connection.transaction():
        added = await subscriptions.add(connection, source, track_slug, time_zone, follow=follow, now=now)
        await _apply(connection, added, now)
    return added


async def change(
    connection: Connection,
    source: str,
    track_slug: str,
    time_zone: str | None,
    *,
    follow: bool | None,
    now: dt.datetime,
) -> Subscription:
    """Change what is not None of a subscription, and its days with it; raises `NotSubscribed`."""
    async with connection.transaction():
        changed = await subscriptions.change(connection, source, track_slug, time_zone, follow=follow)
        await _apply(connection, changed, now)
    return changed


async def unsubscribe(connection: Connection, source: str, track_slug: str) -> Subscription:
    """End a subscription: none of its days is asked for any more; raises `NotSubscribed`."""
    async with connection.transaction():
        removed = await subscriptions.remove(connection, source, track_slug)
        await _forget(connection, source, track_slug)
    return removed


async def _apply(connection: Connection, subscription: Subscription, now: dt.datetime) -> None:
    """Let the days of a track be as its subscription says from now on; none where its zone is not known."""
    source, slug = subscription.source, subscription.track_slug
    if not is_zone(subscription.time_zone):
        await _forget(connection, source, slug)
        return
    known = await connection.fetch(statement("open_days_of_track"), source, slug)
    dates = {row["event_date"] for row in known} | {rhythm.today(subscription.time_zone, now)}
    await _set(connection, subscription, sorted(dates), now)


async def follow_today(
    connection: Connection, source: str, track_slug: str, time_zone: str, now: dt.datetime
) -> FollowedDay:
    """Follow today's day of a track, whether or not the track is subscribed to."""
    wanted = Subscription(
        source=source, track_slug=track_slug, time_zone=time_zone, follow=True, added_at=now
    )
    date = rhythm.today(time_zone, now)
    await _set(connection, wanted, [date], now)
    found = await read(connection, DayName(source, track_slug, date))
    if found is None:
        raise AssertionError("unreachable: the day was opened just now")
    return found


async def stop(connection: Connection, source: str, track_slug: str, now: dt.datetime) -> None:
    """Follow a track no more: neither today nor, where it is subscribed to, on other days."""
    async with connection.transaction():
        if await subscriptions.read(connection, source, track_slug):
            await change(connection, source, track_slug, None, follow=False, now=now)
        else:
            await _forget(connection, source, track_slug)


async def _forget(connection: Connection, source: str, track_slug: str) -> None:
    """Ask for no day of a track any more."""
    await connection.execute(statement("forget_days_of_track"), source, track_slug)


async def _set(
    connection: Connection, subscription: Subscription, dates: Sequence[dt.date], now: dt.datetime
) -> None:
    columns = _columns(_rows(subscription, dates, now))
    await connection.execute(statement("set_followed_days"), *columns, now, rhythm.BUSY_SECONDS)


def _rows(subscription: Subscription, dates: Iterable[dt.date], now: dt.datetime) -> list[tuple[Any, ...]]:
    """Days as a subscription wants them."""
    return [_day(subscription, date, now) for date in dates]


def _columns(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    """Days, of which there is one at least, as columns."""
    return [list(column) for column in zip(*rows, strict=True)]


def _day(subscription: Subscription, date: dt.date, now: dt.datetime) -> tuple[Any, ...]:
    source, slug, time_zone = subscription.source, subscription.track_slug, subscription.time_zone
    ends_at = rhythm.end_of_day(date, time_zone)
    live = subscription.follow and now < ends_at
    next_at = now if live else ends_at + rhythm.NIGHT
    return (source, slug, date, practice_event_id(source, slug, date), time_zone, live, ends_at, next_at)


async def clock(connection: Connection) -> dt.datetime:
    """What time it is by the database, the same for everybody."""
    return await connection.fetchval(statement("following_clock"))


async def claim(
    connection: Connection, site: str, pace_seconds: float, now: dt.datetime
) -> FollowedDay | None:
    """The day that this process asks for now; None where it is none's turn, or another process chooses."""
    if not await connection.fetchval(statement("is_day_due"), now):
        return None
    async with connection.transaction():
        if not await connection.fetchval(statement("lock_following")):
            return None
        limits = (rhythm.gap_seconds(pace_seconds), YIELD_SECONDS, CLAIM_SECONDS)
        row = await connection.fetchrow(statement("claim_followed_day"), now, site, *limits)
    return _as_day(row) if row else None


async def note_run(connection: Connection, day: DayName, run_id: UUID) -> None:
    """Note which run was opened for what is new of a day."""
    await connection.execute(statement("note_run_of_day"), *day, run_id)


async def answered(
    connection: Connection, day: FollowedDay, pace_seconds: float, now: dt.datetime, *, news: bool
) -> None:
    """Note that a day that was claimed was asked for, and whether anything was new; give the claim back."""
    over = now >= day.ends_at + rhythm.NIGHT
    quiet = [row["seconds"] for row in await connection.fetch(statement("quiet_seconds"), now)]
    factor = rhythm.stretch([rhythm.usual_seconds(one) for one in quiet], pace_seconds)
    own = rhythm.usual_seconds(0.0 if news else (now - day.news_at).total_seconds())
    next_at = rhythm.next_request(now, day.ends_at, own * factor)
    await connection.execute(
        statement("day_answered"), *day.name, day.claimed_until, now, news, next_at, over
    )


async def failed(connection: Connection, day: FollowedDay, error: str, now: dt.datetime) -> None:
    """Note that a day that was claimed failed to be fetched; give the claim back."""
    next_at = rhythm.after_failure(now, day.ends_at)
    await connection.execute(statement("day_failed"), *day.name, day.claimed_until, error, next_at, now)


async def give_up(connection: Connection, day: FollowedDay) -> None:
    """Let another process ask for a day that was claimed."""
    await connection.execute(statement("give_day_up"), *day.name, day.claimed_until)


async def read(connection: Connection, day: DayName) -> FollowedDay | None:
    """A day that is or was followed."""
    row = await connection.fetchrow(statement("read_followed_day"), *day)
    return _as_day(row) if row else None


async def followed_now(
    connection: Connection, now: dt.datetime, *, limit: int | None = None
) -> list[FollowedDay]:
    """The days that are followed now, by slug: all, or the first of them."""
    return [_as_day(row) for row in await connection.fetch(statement("days_followed_now"), now, limit)]


async def subscribed(connection: Connection, *, limit: int | None = None) -> list[SubscribedTrack]:
    """The subscribed tracks, by slug: all, or the first of them."""
    rows = await connection.fetch(statement("subscribed_with_days"), limit)
    return [SubscribedTrack(**row) for row in rows]


def _as_day(row: Record) -> FollowedDay:
    values: dict[str, Any] = dict(row)
    return FollowedDay(date=values.pop("event_date"), **values)
