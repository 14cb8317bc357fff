"""Days that are followed: how one is, who begins and stops it, and the stream by which its page keeps up."""

import datetime as dt
from collections.abc import AsyncGenerator

from litestar import get, post
from litestar.response import Redirect, ServerSentEvent
from msgspec import Struct

from producer.site import SOURCE
from runs import following, rhythm, subscriptions
from runs.day_watch import DaySeen
from runs.following import DayName, FollowedDay
from schemas.identity import practice_event_id, track_id
from schemas.scopes import Scope
from schemas.zones import is_zone
from server.api.fields import Date, Source, TrackSlug
from server.http.callers import needs
from server.http.services import ApiRequest, Services, connected, services_of
from server.http.streams import KEEP_OPEN, QUIET_LOOKS, Messages, event_of, stream
from server.web import links
from server.web.live_view import may_follow, status_of
from server.web.pages import go_to
from store import days, reading
from store.pool import Connection


class Live(Struct, frozen=True, kw_only=True):
    """How a day is followed, for its page; `version` is that of what the tables hold of it."""

    day: FollowedDay | None
    status: str | None
    may_follow: bool
    zone_known: bool
    version: str

    @property
    def is_followed(self) -> bool:
        """Whether it is followed now."""
        return self.status is not None


class StatusEvent(Struct, frozen=True, kw_only=True):
    """How a day is followed, in words."""

    status: str
    error: str | None


class ChangedEvent(Struct, frozen=True, kw_only=True):
    """Which version of a day the tables hold."""

    version: str


async def live_of(request: ApiRequest, connection: Connection, day: DayName) -> Live:
    """How a day is followed."""
    now = dt.datetime.now(dt.UTC)
    version = await days.read_version(connection, practice_event_id(*day))
    found = await following.read(connection, day)
    time_zone = await zone_of(request, connection, day.source, day.track_slug)
    status = status_of(found, now)
    return Live(
        day=found,
        status=status,
        may_follow=day.source == SOURCE and status is None and may_follow(day.date, time_zone, now),
        zone_known=time_zone is not None,
        version=version,
    )


async def live_today(request: ApiRequest, connection: Connection, source: str, slug: str) -> Live:
    """How a track's day of today is followed."""
    time_zone = await zone_of(request, connection, source, slug)
    today = rhythm.today(time_zone or "UTC", dt.datetime.now(dt.UTC))
    return await live_of(request, connection, DayName(source, slug, today))


async def zone_of(request: ApiRequest, connection: Connection, source: str, slug: str) -> str | None:
    """The zone of a track: its subscription's, that of the settings, or the one that the tables know.

    None also where tzdata does not list it any more: its rules are not known then.
    """
    zones = services_of(request).settings.track_zones
    found = await subscriptions.zone_of(connection, source, slug, zones)
    if found is None and (track := await reading.read_track(connection, track_id(source, slug))):
        found = track.time_zone
    return found if found and is_zone(found) else None


@post("/tracks/{track_slug:str}/follow", guards=[needs(Scope.ingest)])
async def begin_following(request: ApiRequest, track_slug: TrackSlug) -> Redirect:
    """Follow a track's day of today, and lead to it; where its zone is not known, to where it is given."""
    now = dt.datetime.now(dt.UTC)
    async with connected(request) as connection:
        time_zone = await zone_of(request, connection, SOURCE, track_slug)
        if time_zone is None:
            return go_to(links.subscription(track_slug))
        await following.follow_today(connection, SOURCE, track_slug, time_zone, now)
    return go_to(links.day(SOURCE, track_slug, rhythm.today(time_zone, now)))


@post("/tracks/{track_slug:str}/{date:date}/stop", guards=[needs(Scope.ingest)])
async def stop_following(request: ApiRequest, track_slug: TrackSlug, date: Date) -> Redirect:
    """Follow a track no more, and lead back to the day."""
    async with connected(request) as connection:
        await following.stop(connection, SOURCE, track_slug, dt.datetime.now(dt.UTC))
        stored = await days.is_known(connection, practice_event_id(SOURCE, track_slug, date))
    return go_to(links.day(SOURCE, track_slug, date) if stored else links.subscriptions())


@get(
    "/tracks/{track_slug:str}/{date:date}/events", media_type="text/event-stream", guards=[needs(Scope.read)]
)
async def follow_day(
    request: ApiRequest, track_slug: TrackSlug, date: Date, source: Source = SOURCE
) -> ServerSentEvent:
    """Follow a day: `changed` when the tables hold something new, `status` when it was asked for; then `end`.

    Raises a `Refusal` where too many streams are open.
    """
    services = services_of(request)
    return stream(services, services.days.updates(DayName(source, track_slug, date)), _told)


async def _told(services: Services, updates: AsyncGenerator[DaySeen]) -> Messages:
    """What is worth telling of the updates, until the day is not followed any more, or the server ends."""
    told: tuple[str, StatusEvent] | None = None
    quiet = 0
    async for seen in updates:
        status = status_of(seen.followed, dt.datetime.now(dt.UTC))
        if status is None:
            yield event_of("end", ChangedEvent(version=seen.version))
            return
        event = StatusEvent(status=status, error=seen.followed and seen.followed.error)
        if told is None or told[0] != seen.version:
            yield event_of("changed", ChangedEvent(version=seen.version))
        if told is None or told[1] != event:
            yield event_of("status", event)
        quiet = 0 if told != (seen.version, event) else quiet + 1
        if quiet and quiet % QUIET_LOOKS == 0:
            yield KEEP_OPEN
        told = seen.version, event
        if services.stopping.is_set():
            return
