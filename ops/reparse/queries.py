"""Reading what is to be parsed again: days, what their observations rest on, and where pages lie.

Scopes and days go in, their observations and pages come out, in portions. A connection remembers, while it
lasts, which addresses were looked at, so that the rest of the archive can be told.
"""

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from store.pages import PageRow
from store.pool import Connection, Record
from store.statements import statements_of

statement = statements_of(__file__)


class Scope(NamedTuple):
    """Days of a source: of one track, and between two dates, where these are given."""

    source: str
    track_slug: str | None = None
    first: dt.date | None = None
    last: dt.date | None = None

    def holds(self, track_slug: str, date: dt.date) -> bool:
        """Whether a day of this source is one of these."""
        return (
            self.track_slug in {None, track_slug}
            and (self.first is None or date >= self.first)
            and (self.last is None or date <= self.last)
        )

    def may_hold(self, track_slug: str) -> bool:
        """Whether something of a track is to be told whose day nobody knows: not where dates are given."""
        return self.track_slug in {None, track_slug} and self.first is None and self.last is None


class ScopedDay(NamedTuple):
    """A day of which anything is stored, or was asked for."""

    event_id: UUID
    track_slug: str
    date: dt.date


class AskedSession(NamedTuple):
    """A session of a day as the newest run asked for it."""

    event_id: UUID
    session_id: str
    start_time: dt.datetime | None
    list_row_digest: str | None


class BasisPage(NamedTuple):
    """The page that an observation rests on, as it is looked for in the archive."""

    url: str
    sha256: str
    observed_at: dt.datetime


BEFORE_ALL = ScopedDay(UUID(int=0), "", dt.date.min)


async def begin(connection: Connection) -> None:
    """Remember from now on which addresses were looked at; once on a connection."""
    await connection.execute(statement("reparse_begin"))


async def count_days(connection: Connection, scope: Scope) -> int:
    """How many days the scope has."""
    return await connection.fetchval(statement("reparse_count_days"), *scope)


async def days_after(connection: Connection, scope: Scope, after: ScopedDay, most: int) -> list[ScopedDay]:
    """The next days of the scope, by track and date."""
    rows = await connection.fetch(statement("reparse_days"), *scope, after.track_slug, after.date, most)
    return [ScopedDay(*row) for row in rows]


async def observations(connection: Connection, days: Sequence[UUID]) -> list[Record]:
    """The observations of days: of a list its `time_zone`, of others `session_id`, of a row also its JSON."""
    return await connection.fetch(statement("reparse_observations"), days)


async def asked(connection: Connection, days: Sequence[UUID]) -> list[AskedSession]:
    """The sessions of days that runs asked for."""
    return [AskedSession(*row) for row in await connection.fetch(statement("reparse_asked"), days)]


async def zones(connection: Connection, source: str, tracks: Sequence[str]) -> dict[str, str]:
    """The zones of tracks, of those that have one."""
    rows = await connection.fetch(statement("reparse_zones"), source, tracks)
    return {row["source_track_slug"]: row["time_zone"] for row in rows}


async def pages_seen(connection: Connection, rested: Sequence[BasisPage]) -> dict[int, PageRow]:
    """The pages by their observations' places in the sequence, without those that the index lacks."""
    if not rested:
        return {}
    rows = await connection.fetch(
        statement("reparse_pages_seen"), list(range(len(rested))), *map(list, zip(*rested, strict=True))
    )
    return {number: PageRow(*place) for number, *place in rows}


async def newest_pages(connection: Connection, urls: Sequence[str]) -> dict[str, PageRow]:
    """The newest page of each address that has one."""
    rows = await connection.fetch(statement("reparse_newest_pages"), urls)
    return {row["url"]: PageRow(*row) for row in rows}


async def saw(connection: Connection, urls: Sequence[str]) -> None:
    """Note addresses that were looked at."""
    await connection.execute(statement("reparse_saw"), urls)


async def unseen(connection: Connection, after: str, most: int) -> list[str]:
    """The next addresses of the archive that were not looked at, in their order."""
    return [row["url"] for row in await connection.fetch(statement("reparse_unseen"), after, most)]
