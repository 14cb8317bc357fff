"""How fresh the tables are by track: when each track was last seen in the list of a day."""

import datetime as dt

from msgspec import Struct

from store.pool import Connection
from store.statements import statements_of

statement = statements_of(__file__)

TRACKS = 100
"""So many tracks are listed: those that were seen last."""


class TrackFreshness(Struct, frozen=True, kw_only=True):
    """When the newest list of a track that the tables have was seen, and how many seconds ago."""

    source: str
    track_slug: str
    observed_at: dt.datetime
    seconds: float


async def track_freshness(connection: Connection, limit: int = TRACKS) -> list[TrackFreshness]:
    """The tracks that were seen last."""
    rows = await connection.fetch(statement("newest_tracks"), limit)
    return [TrackFreshness(**row) for row in rows]
