"""The catalogue: all tracks that the site lists, whether anything of them is stored or not.

It is operational state: which tracks there are is no observation of a practice day, and nothing that is
projected depends on it. It is not fetched before it was asked for; then it is each week.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import Meta, Struct

from producer.pages import CataloguePage
from producer.pages.findings import Code, Findings
from schemas import fields as f
from schemas.events import Finding
from schemas.searching import searched
from store.pool import Connection, Record, fetch_one
from store.statements import statements_of

statement = statements_of(__file__)

EVERY_SECONDS = 7 * 24 * 3600.0
"""How old a catalogue gets before it is fetched again."""

FETCH_SECONDS = 240.0
"""How long fetching it may take, the wait for the site's pace included."""

CLAIM_SECONDS = 300.0
"""How long a process that is gone without a word keeps the others from fetching it."""

FIRST_RETRY_SECONDS = 60.0
LONGEST_RETRY_SECONDS = 6 * 3600.0
"""It is asked for again so long after it failed, twice as long after each further time."""

LONGEST_ERROR = 500


class Catalogue(Struct, frozen=True, kw_only=True):
    """What is known of the list of a site's tracks.

    `fetched_at` is when the newest was answered, null before the first came; `due_at` is when it is asked for
    next. `failures` counts the attempts since that failed, the last for the reason `error`.
    """

    source: str
    tracks: int
    fetched_at: dt.datetime | None
    due_at: dt.datetime
    fetching: bool
    failures: int
    error: str | None
    findings: list[Finding]


class ListedTrack(Struct, frozen=True, kw_only=True):
    """A track of the site's list, with its days that are stored; `gone_since` is when it first lacked it."""

    source: str
    track_slug: str
    name: str | None
    first_seen_at: dt.datetime
    last_seen_at: dt.datetime
    gone_since: dt.datetime | None
    days: int
    last_day: dt.date | None


class ListedPlace(NamedTuple):
    """Where a page of the list ended."""

    track_slug: Annotated[str, Meta(pattern=f.NO_NUL)]


BEFORE_ALL = ListedPlace("")


async def read(connection: Connection, source: str) -> Catalogue | None:
    """What is known of a source's catalogue; None before it was asked for."""
    row = await connection.fetchrow(statement("read_catalogue"), source)
    return _catalogue(row) if row else None


async def ask_for(connection: Connection, source: str) -> Catalogue:
    """Let the catalogue be fetched now, by whichever fetcher is at work."""
    await connection.execute(statement("ask_for_catalogue"), source)
    return _catalogue(await fetch_one(connection, statement("read_catalogue"), source))


def _catalogue(row: Record) -> Catalogue:
    values: dict[str, Any] = dict(row)
    values["findings"] = msgspec.json.decode(row["findings"], type=list[Finding])
    return Catalogue(**values)


async def find(
    connection: Connection,
    source: str,
    words: Sequence[str] = (),
    *,
    after: ListedPlace = BEFORE_ALL,
    gone: bool = False,
    limit: int,
) -> list[ListedTrack]:
    """Tracks in whose slug or name all these words stand (`words_of`), by slug; `gone` ones where asked."""
    rows = await connection.fetch(
        statement("find_catalogue_tracks"), source, list(words), after.track_slug, limit, gone
    )
    return [ListedTrack(**row) for row in rows]


async def listed_as(connection: Connection, source: str, track_slug: str) -> str | None:
    """What the site's list calls a track, by its slug where it has no name there; None where it lacks it."""
    return await connection.fetchval(statement("catalogue_track"), source, track_slug)


async def claim(connection: Connection, source: str, site: str) -> bool:
    """Whether it is due, and this process is to fetch it, for `CLAIM_SECONDS` at most.

    It is not while the site is paused or backed off from.
    """
    return bool(await connection.fetchval(statement("claim_catalogue"), source, site, CLAIM_SECONDS))


async def give_up(connection: Connection, source: str) -> None:
    """Let another process fetch it."""
    await connection.execute(statement("give_catalogue_up"), source)


async def failed(connection: Connection, source: str, error: str) -> float:
    """Note that it failed to be fetched; returns after how many seconds it is asked for again."""
    retry = (FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS)
    return await connection.fetchval(statement("catalogue_failed"), source, error[:LONGEST_ERROR], *retry)


async def keep(
    connection: Connection, source: str, page: CataloguePage, observed_at: dt.datetime
) -> tuple[Finding, ...]:
    """Store what the catalogue says; returns its findings.

    A track that it lacks is gone, unless less than half of the tracks are left: then none goes.
    """
    slugs = [one.track_slug for one in page.tracks]
    names = [one.name for one in page.tracks]
    words = [searched(f"{one.track_slug} {one.name or ''}") for one in page.tracks]
    async with connection.transaction():
        before = await connection.fetchval(statement("lock_catalogue"), source)
        findings = (*page.findings, *_shrinkage(before, len(slugs)))
        await connection.execute(statement("save_catalogue_tracks"), source, observed_at, slugs, names, words)
        if findings == page.findings:
            await connection.execute(statement("tracks_gone"), source, observed_at)
        encoded = msgspec.json.encode(findings).decode()
        await connection.execute(statement("catalogue_kept"), source, observed_at, encoded, EVERY_SECONDS)
    return findings


def _shrinkage(before: int, now: int) -> tuple[Finding, ...]:
    found = Findings()
    if 2 * now < before:
        found.add(Code.CATALOGUE_SHRANK, f"{now} tracks", f"{before} tracks")
    return found.all()
