"""Parsing again, from the archive to the event log, without asking the site: from an order to a report.

Days are taken in portions. Of each, the pages are read in the order of the log: first those of lists, for a
session's page is held against its row, then those of sessions, some at a time.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from broker.clients import CommittedConsumer
from ops.rebuild.log import reading as log_reader
from ops.reparse import queries as store
from ops.reparse.finding import Job, Known, Order, find, load
from ops.reparse.parsing import CONTEXT, Refused, observed_again
from ops.reparse.queries import BEFORE_ALL, ScopedDay
from ops.reparse.report import ReparseReport, Sessions, add_day, add_page, add_without_day
from ops.reparse.settling import Read, settle
from ops.reparse.work import ParseTask, SeenRow, addresses, rows_again, with_row
from producer.archive import read_pages
from producer.pages import PARSER_VERSION
from producer.publisher import Publisher
from producer.site import DayAddress, SessionAddress, Site
from projections.state import DayRef
from runs.subscriptions import zones
from runtime.database import connected
from runtime.settings import Settings
from runtime.wiring import publishing
from schemas.errors import LapstreamError
from schemas.events import PracticeDayListed
from schemas.identity import practice_event_id
from schemas.pages import ArchivedPage
from store.faults import said_by
from store.pages import PageRow
from store.pool import TRANSIENT, Connection

DAYS = 25
"""Days in a portion: their pages are read in one go over the log."""

READS = 100
"""Sessions that are compared, and published, at a time."""

URLS = 5_000
"""Addresses of the archive that are looked through at a time."""


class ReparseStopped(LapstreamError):
    """The database went away."""


class ReparseProgress(NamedTuple):
    """How far it is; days of which only the archive knows come in addition."""

    days: int
    days_in_all: int
    pages_read: int


Show = Callable[[ReparseProgress], None]
Noted = dict[DayRef, Sessions]
"""What becomes of the sessions of days."""


async def reparse(settings: Settings, order: Order, show: Show) -> ReparseReport:
    """Parse again what older parsers read, or refused, and publish it; a dry run only says what differs.

    Raises `ReparseStopped`, `ServerAway`, `ArchiveBroken` and KafkaError; given again, the order goes on.
    """
    try:
        async with contextlib.AsyncExitStack() as stack:
            connection = await stack.enter_async_context(connected(settings))
            consumer = await stack.enter_async_context(log_reader(settings.broker))
            publisher = None if order.dry_run else await stack.enter_async_context(publishing(settings))
            return await Reparse(settings, order, connection, consumer, publisher).run(show)
    except TRANSIENT as error:
        raise ReparseStopped(f"the database is away ({said_by(error)}); the same command goes on") from error


class Reparse:
    """One pass over what an order is about."""

    def __init__(
        self,
        settings: Settings,
        order: Order,
        connection: Connection,
        consumer: CommittedConsumer,
        publisher: Publisher | None,
    ) -> None:
        self._site = Site(settings.site)
        self._authority = settings.topics.authority(settings.topics.days, order.scope.source) or 0
        self._zones: Mapping[str, str] = settings.track_zones
        self._order = order
        self._connection = connection
        self._consumer = consumer
        self._publisher = publisher
        self._report = ReparseReport(dry_run=order.dry_run, parser_version=PARSER_VERSION)

    async def run(self, show: Show) -> ReparseReport:
        """Go through all days, then through what else the archive holds."""
        await store.begin(self._connection)
        scope = self._order.scope
        self._zones = await zones(self._connection, scope.source, self._zones)
        in_all = await store.count_days(self._connection, scope)
        after = BEFORE_ALL
        while days := await store.days_after(self._connection, scope, after, DAYS):
            await self._parse_days(days)
            after = days[-1]
            show(ReparseProgress(self._report.days, in_all, self._report.pages_read))
        if self._order.since is None:
            await self._rest_of_archive()
        return self._report

    async def _parse_days(self, days: Sequence[ScopedDay]) -> None:
        known = await load(self._connection, self._order.scope.source, days, self._zones)
        urls = {ref: addresses(day, self._site) for ref, day in known.items()}
        jobs = await find(self._connection, self._order, known, urls, self._report)
        noted: Noted = {}
        lists = [one async for one in self._read([job for job in jobs if job.reading.session_id is None])]
        await self._parse_sessions(_with_rows(known, lists, jobs), noted)
        await self._settle(lists, noted)
        for ref in sorted(noted):
            add_day(self._report, ref, noted[ref])
        await store.saw(self._connection, [url for of_day in urls.values() for url in of_day])
        self._report.days += len(days)

    async def _parse_sessions(self, jobs: Iterable[Job], noted: Noted) -> None:
        reads: list[Read] = []
        async for read in self._read(jobs):
            reads.append(read)
            if len(reads) >= READS:
                await self._settle(reads, noted)
                reads.clear()
        await self._settle(reads, noted)

    async def _read(self, jobs: Iterable[Job]) -> AsyncGenerator[Read]:
        """The pages of jobs, parsed; what can't be had, or parsed, is noted and left out."""
        by_place: dict[PageRow, list[ParseTask]] = {}
        for reading, place in jobs:
            if place is None:
                self._missing(reading, "the index of pages knows none of these bytes")
            else:
                by_place.setdefault(place, []).append(reading)
        async for place, page in read_pages(self._consumer, by_place):
            self._report.pages_read += page is not None
            for reading in by_place[place]:
                if page is None:
                    where = f"{place.topic}/{place.partition}/{place.record_offset}"
                    self._missing(reading, f"it does not lie at {where}, where the index of pages has it")
                elif read := await asyncio.to_thread(self._parsed, reading, page):
                    yield read

    def _missing(self, reading: ParseTask, error: str) -> None:
        add_page(self._report, reading, "not_in_archive", error=error)

    def _parsed(self, reading: ParseTask, page: ArchivedPage) -> Read | None:
        try:
            return Read(reading, observed_again(reading, page))
        except Refused as error:
            outcome = "still_refused" if reading.version is None else "no_longer_parses"
            add_page(self._report, reading, outcome, error=str(error))
            return None

    async def _settle(self, reads: Sequence[Read], noted: Noted) -> None:
        """Compare these readings with what is known, and publish those that say anything new."""
        if not reads:
            return
        events = await settle(self._connection, self._report, reads, noted, self._authority)
        if self._publisher is not None:
            await asyncio.gather(*(self._publisher.observation(event, CONTEXT).send() for event in events))
            self._report.published += len(events)

    async def _rest_of_archive(self) -> None:
        """Look through the addresses that no day led to: unknown lists, and sessions without a day."""
        track = self._order.scope.track_slug
        after = begin = self._site.pages_of(track) if track else ""
        while urls := await self._unseen(begin, after):
            left = iter([day for url in urls if (day := self._day_of(url))])
            while days := list(islice(left, DAYS)):
                await self._parse_days(days)
            after = urls[-1]

    async def _unseen(self, begin: str, after: str) -> list[str]:
        """The next addresses that begin like this, and that no day led to."""
        found = await store.unseen(self._connection, after, URLS)
        return [url for url in found if url.startswith(begin)]

    def _day_of(self, url: str) -> ScopedDay | None:
        """The day of a list's address, if it is within the scope; what is to be told of others is noted."""
        scope = self._order.scope
        match self._site.read(url):
            case DayAddress(slug, date) if scope.holds(slug, date):
                return ScopedDay(practice_event_id(scope.source, slug, date), slug, date)
            case SessionAddress(slug, _) if scope.may_hold(slug):
                add_without_day(self._report, url)
            case None:
                self._report.addresses_foreign += 1
            case _:
                pass
        return None


def _with_rows(known: Known, lists: Iterable[Read], jobs: Iterable[Job]) -> list[Job]:
    """The jobs of sessions, with what their rows say, as these are read now."""
    listed: dict[DayRef, list[PracticeDayListed]] = {}
    for one in lists:
        if isinstance(one.event, PracticeDayListed):
            listed.setdefault(one.reading.ref, []).append(one.event)
    again = {ref: rows_again(known[ref], events) for ref, events in listed.items()}
    nothing: Mapping[str, SeenRow] = {}
    return [
        Job(with_row(known[reading.ref], reading, again.get(reading.ref, nothing)), place)
        for reading, place in jobs
        if reading.session_id
    ]
