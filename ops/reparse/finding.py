"""Finding what is to be parsed again: an order and days go in, pages with their places come out."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ops.reparse import queries as store
from ops.reparse.queries import BasisPage, Scope, ScopedDay
from ops.reparse.report import ReparseReport
from ops.reparse.work import KnownDay, ParseTask, known_days, refused_reading, seen_readings
from producer.pages import PARSER_VERSION
from projections.state import DayRef
from store.pages import PageRow
from store.pool import Connection

Known = Mapping[DayRef, KnownDay]
Addresses = Mapping[DayRef, Mapping[str, str | None]]
"""The addresses of each day: that of its list, with None, and those of its sessions, with their ids."""


class Order(NamedTuple):
    """Of which days what parsers from a version on read is to be parsed again, or only to be told of."""

    scope: Scope
    since: int | None = None
    dry_run: bool = False

    def wants(self, version: int) -> bool:
        """Whether what a parser of this version read is to be read again.

        A dry run reads also what this very version read: the parser may have been changed without its number.
        """
        last = PARSER_VERSION if self.dry_run else PARSER_VERSION - 1
        return (self.since or 0) <= version <= last


class Job(NamedTuple):
    """A reading, and where its page lies; None where the index knows no such page."""

    reading: ParseTask
    place: PageRow | None


async def load(
    connection: Connection, source: str, days: Sequence[ScopedDay], zones: Mapping[str, str]
) -> dict[DayRef, KnownDay]:
    """The days with what is known of them; `zones` are the configured ones, by track."""
    ids = [day.event_id for day in days]
    stored = await store.zones(connection, source, sorted({day.track_slug for day in days}))
    bare = {
        day.event_id: KnownDay(
            ref=DayRef(source, day.track_slug, day.date),
            time_zone=stored.get(day.track_slug),
            configured_zone=zones.get(day.track_slug),
        )
        for day in days
    }
    observations, asked = await store.observations(connection, ids), await store.asked(connection, ids)
    return {day.ref: day for day in known_days(bare, observations, asked)}


async def find(
    connection: Connection, order: Order, known: Known, urls: Addresses, report: ReparseReport
) -> list[Job]:
    """The pages of these days that are to be read; what is left out is counted."""
    seen = [one for ref, day in known.items() for one in seen_readings(day, urls[ref], order.wants)]
    rested = [BasisPage(one.url, one.sha256, one.observed_at) for one in seen]
    places = await store.pages_seen(connection, rested)
    jobs = [Job(reading, places.get(number)) for number, reading in enumerate(seen)]
    for day in known.values():
        report.pages_current += day.count_pages(lambda v: v >= PARSER_VERSION and not order.wants(v))
        report.observations_without_page += day.pageless
    return jobs if order.since is not None else jobs + await _refused(connection, known, urls)


async def _refused(connection: Connection, known: Known, urls: Addresses) -> list[Job]:
    """The pages that are newer than what is known from their addresses."""
    newest = await store.newest_pages(connection, [url for of_day in urls.values() for url in of_day])
    found = [
        (refused_reading(day, session_id, newest[url]), newest[url])
        for ref, day in known.items()
        for url, session_id in urls[ref].items()
        if url in newest
    ]
    return [Job(reading, place) for reading, place in found if reading]
