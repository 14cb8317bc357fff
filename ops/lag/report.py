"""The lag of all groups as it is reported to people and programs.

The CLI takes a look of its own, the API has the newest one that the observer stored.
"""

import datetime as dt
from collections.abc import Sequence

import msgspec
from msgspec import Struct

from ops.fleet import looks
from ops.fleet.showing import OLD_SECONDS
from ops.lag.figures import FleetLag, GroupLag
from ops.lag.tracks import TrackFreshness, track_freshness
from ops.lag.window import KIND
from schemas.errors import LapstreamError
from store.pool import Connection

OBSERVED_BY = "is a relay at work (`lapstream run relay`)? It looks every 10 s"

_decode = msgspec.json.Decoder(FleetLag).decode


class NoSuchGroup(LapstreamError):
    """There is no consumer group of this name."""


class LagReport(Struct, frozen=True, kw_only=True):
    """The lag of every group when it was looked at, and of each track when its newest list was seen.

    `trouble` says why there are no figures, or none of the broker's.
    """

    looked_at: dt.datetime | None
    trouble: str | None
    groups: list[GroupLag]
    tracks: list[TrackFreshness]


async def observed(connection: Connection) -> LagReport:
    """The lag as the observer has seen it; raises a database's error."""
    tracks = await track_freshness(connection)
    newest = await looks.newest(connection, [KIND])
    if not newest:
        return _nothing(f"nobody has looked at the fleet yet: {OBSERVED_BY}", tracks)
    [look] = newest
    if look.age > OLD_SECONDS:
        return _nothing(f"nobody has looked at the fleet for {look.age:.0f} s: {OBSERVED_BY}", tracks)
    found = _decode(look.found)
    return LagReport(looked_at=look.looked_at, trouble=found.trouble, groups=found.groups, tracks=tracks)


def _nothing(trouble: str, tracks: list[TrackFreshness]) -> LagReport:
    return LagReport(looked_at=None, trouble=trouble, groups=[], tracks=tracks)


def of_group(groups: Sequence[GroupLag], name: str) -> list[GroupLag]:
    """The group of this name alone; raises `NoSuchGroup`."""
    found = [one for one in groups if one.group == name]
    if not found:
        raise NoSuchGroup(f"there is no group {name}: there are {', '.join(one.group for one in groups)}")
    return found
