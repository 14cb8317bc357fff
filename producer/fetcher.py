"""The fetcher: a member that fetches day lists, and the pool of N members that fetch sessions.

Requests of the two work queues go in; pages and observations come out, on their topics.
"""

import asyncio
import datetime as dt
from collections.abc import Callable, Mapping
from typing import NamedTuple

import structlog
from faststream.kafka import KafkaBroker

from producer import planning
from producer.http import Page
from producer.members import Member
from producer.obtain import Obtained, Obtainer, Unobtainable
from producer.pages import parse_day, parse_session
from producer.publisher import Publisher
from producer.site import SOURCE, Site
from schemas.envelope import BadRecord, Context, Received
from schemas.events import (
    DayFacts,
    PracticeDayListed,
    PracticeDayRequested,
    SessionDetailRequested,
    SessionFacts,
)
from schemas.identity import practice_event_id
from schemas.topics import Topics
from store import days
from store.pool import Pool

log = structlog.get_logger("lapstream.fetcher")


class Fetching:
    """What the members do with a request."""

    def __init__(
        self,
        *,
        pool: Pool,
        site: Site,
        obtainer: Obtainer,
        publisher: Publisher,
        name: str,
        zones: Mapping[str, str],
    ) -> None:
        self._pool = pool
        self._site = site
        self._obtainer = obtainer
        self._publisher = publisher
        self._name = name
        self._zones = zones

    async def list_day(self, received: Received) -> None:
        """Fetch a day's list, publish it, and put its sessions into the work queue."""
        request = received.event
        if not isinstance(request, PracticeDayRequested):
            return
        _check_source(request.source)
        context = self._context(received)
        url = self._site.day(request.track_slug, request.date)
        try:
            obtained = await self._obtain_list(url, request, context)
        except Unobtainable as failure:
            log.warning("practice_day_list_failed", url=url, code=failure.error.code, error=str(failure))
            await self._publisher.observe(planning.list_failed(request, url, failure), context)
            return
        listed = planning.day_listed(request, obtained, self._zones.get(request.track_slug))
        await self._publish_list(listed, context)

    async def _obtain_list(
        self, url: str, request: PracticeDayRequested, context: Context
    ) -> Obtained[DayFacts]:
        """The list; an empty one over a day that has sessions is fetched a second time before it counts."""
        obtained = await self._obtainer.obtain(url, _day_parser(request), context)
        if obtained.facts.sessions:
            return obtained
        event_id = practice_event_id(request.source, request.track_slug, request.date)
        async with self._pool.acquire() as connection:
            known = await days.count_sessions(connection, event_id)
        return await self._obtainer.obtain(url, _day_parser(request), context) if known else obtained

    async def _publish_list(self, listed: PracticeDayListed, context: Context) -> None:
        requests = planning.detail_requests(listed, dt.datetime.now(dt.UTC))
        await self._publisher.observe(listed, context)
        await self._publisher.request_details(requests, context)
        log.info(
            "practice_day_listed",
            track=listed.track_slug,
            date=str(listed.date),
            complete=listed.complete,
            sessions=len(listed.sessions),
            findings=len(listed.findings),
        )

    async def fetch_detail(self, received: Received) -> None:
        """Fetch a session's page and publish what it says, or that it could not be had."""
        request = received.event
        if not isinstance(request, SessionDetailRequested):
            return
        _check_source(request.source)
        context = self._context(received)
        url = self._site.session(request.track_slug, request.session_id)
        try:
            obtained = await self._obtainer.obtain(url, _session_parser(request), context)
        except Unobtainable as failure:
            log.warning(
                "practice_session_detail_failed",
                session_id=request.session_id,
                code=failure.error.code,
                error=str(failure),
            )
            await self._publisher.observe(planning.detail_failed(request, url, failure), context)
            return
        await self._publisher.observe(planning.detail_fetched(request, obtained), context)

    def _context(self, received: Received) -> Context:
        return Context(
            source=self._name,
            correlation_id=received.context.correlation_id,
            causation_id=received.id,
            traceparent=received.context.traceparent,
        )


def _check_source(source: str) -> None:
    if source != SOURCE:
        raise BadRecord("foreign_source", f"a request for pages of {source!r}: we fetch those of {SOURCE!r}")


def _day_parser(request: PracticeDayRequested) -> Callable[[Page], DayFacts]:
    return lambda page: parse_day(page.body, url=page.url, date=request.date)


def _session_parser(request: SessionDetailRequested) -> Callable[[Page], SessionFacts]:
    return lambda page: parse_session(
        page.body,
        url=page.url,
        session_id=request.session_id,
        date=request.date,
        start_time=request.start_time,
    )


class Groups(NamedTuple):
    """The names of the fetcher's two groups."""

    lists: str
    details: str


async def join_groups(
    broker: KafkaBroker, fetching: Fetching, *, topics: Topics, groups: Groups, pool: Pool, concurrency: int
) -> None:
    """Let one member fetch day lists, and `concurrency` members sessions, on a started broker.

    They join at once, not one after another: each that joins later makes all others start over.
    """
    lists = Member(group=groups.lists, work=fetching.list_day, pool=pool)
    details = [
        Member(group=groups.details, work=fetching.fetch_detail, pool=pool) for _ in range(concurrency)
    ]
    await asyncio.gather(
        lists.join(broker, topics.requests), *(member.join(broker, topics.details) for member in details)
    )
