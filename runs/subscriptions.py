"""Tracks that are subscribed to: each with the zone that its days are in, and whether they are followed.

`runs.following` has their days. A zone that is given here counts before `LAPSTREAM_TRACK_ZONES`.
"""

import datetime as dt
from collections.abc import Mapping

from msgspec import Struct

from schemas.errors import LapstreamError
from schemas.zones import is_zone
from store.pool import Connection
from store.statements import statements_of

statement = statements_of(__file__)


class NoZone(LapstreamError):
    """The zone of a track is not known, or is none."""

    exit_code = 2


class NotSubscribed(LapstreamError):
    """The track is not subscribed to."""


class SubscribedAlready(LapstreamError):
    """The track is subscribed to already."""


class Subscription(Struct, frozen=True, kw_only=True):
    """A track; `follow` says whether each of its days is followed while it is on."""

    source: str
    track_slug: str
    time_zone: str
    follow: bool
    added_at: dt.datetime


async def add(
    connection: Connection, source: str, track_slug: str, time_zone: str, *, follow: bool, now: dt.datetime
) -> Subscription:
    """Subscribe to a track; raises `SubscribedAlready`."""
    row = await connection.fetchrow(statement("add_subscription"), source, track_slug, time_zone, follow, now)
    if row is None:
        raise SubscribedAlready(
            f"{track_slug} is subscribed to already: `lapstream tracks set {track_slug}` changes it"
        )
    return Subscription(**row)


async def change(
    connection: Connection, source: str, track_slug: str, time_zone: str | None, *, follow: bool | None
) -> Subscription:
    """Change what is not None; raises `NotSubscribed`."""
    row = await connection.fetchrow(statement("set_subscription"), source, track_slug, time_zone, follow)
    if row is None:
        raise not_subscribed(track_slug)
    return Subscription(**row)


async def remove(connection: Connection, source: str, track_slug: str) -> Subscription:
    """End a subscription; raises `NotSubscribed`."""
    row = await connection.fetchrow(statement("remove_subscription"), source, track_slug)
    if row is None:
        raise not_subscribed(track_slug)
    return Subscription(**row)


async def read_all(connection: Connection) -> list[Subscription]:
    """All subscriptions, by slug."""
    return [Subscription(**row) for row in await connection.fetch(statement("read_subscriptions"))]


async def read(connection: Connection, source: str, track_slug: str) -> Subscription | None:
    """The subscription of a track."""
    row = await connection.fetchrow(statement("read_subscription"), source, track_slug)
    return Subscription(**row) if row else None


async def zones(connection: Connection, source: str, others: Mapping[str, str]) -> dict[str, str]:
    """The zones of a source's tracks: those of subscriptions, and `others` where there is none."""
    found = await read_all(connection)
    return {**others, **{one.track_slug: one.time_zone for one in found if one.source == source}}


async def zone_of(
    connection: Connection, source: str, track_slug: str, others: Mapping[str, str]
) -> str | None:
    """The zone of a track: that of its subscription, or else that of `others`."""
    found = await read(connection, source, track_slug)
    return found.time_zone if found else others.get(track_slug)


async def needed_zone(
    connection: Connection, source: str, track_slug: str, given: str | None, others: Mapping[str, str]
) -> str:
    """The zone of a track whose day must be known: what is `given`, or else as `zone_of`; raises `NoZone`."""
    zone = given or await zone_of(connection, source, track_slug, others)
    if not zone:
        raise NoZone(
            f"the zone of {track_slug} is not known, and so not when its day ends: give it with --zone, such "
            "as Australia/Sydney"
        )
    if not is_zone(zone):
        raise NoZone(f"{zone!r} is no IANA zone, such as Australia/Sydney")
    return zone


def not_subscribed(track_slug: str) -> NotSubscribed:
    """What is told of a track that is not subscribed to."""
    return NotSubscribed(f"{track_slug} is not subscribed to: `lapstream tracks add {track_slug}` does that")
