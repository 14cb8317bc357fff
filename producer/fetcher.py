"""The fetcher: requests of the two work queues go in; pages and observations come out, on their topics."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import msgspec
import structlog
from structlog.contextvars import bound_contextvars

from producer import planning
from producer.http import Page
from producer.members import Publish
from producer.obtain import Obtained, Obtainer, Unobtainable
from producer.pages import parse_day, parse_session
from producer.patience import at_database, until_done
from producer.planning import PlannedDetail
from producer.publisher import Publisher, Sending
from producer.site import SOURCE, BadAddress, Site
from runs import changes as run_changes
from runs import following
from runs import run as runs
from runs.following import FollowedDay
from runs.run import PlannedSession, Run
from runs.subscriptions import zone_of
from schemas.envelope import Context, Received
from schemas.events import (
    DayFacts,
    Finding,
    PracticeDayListed,
    PracticeDayRequested,
    SessionDetailFailed,
    SessionDetailFetched,
    SessionDetailRequested,
    SessionFacts,
)
from schemas.headers import BadRecord
from schemas.identity import as_run_id, event_id, practice_event_id, run_id_of
from store import days
from store import pages as store_pages
from store.pages import PageRow
from store.pool import Connection, Pool
from telemetry import metrics, tracing

log = structlog.get_logger("lapstream.fetcher")


class _AskedDay(NamedTuple):
    """A day's list, what follows for each session, and the newest page that was known before."""

    listed: PracticeDayListed
    plan: list[PlannedDetail]
    known: PageRow | None


class Fetcher:
    """What is done with a request of each work queue."""

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

    async def list_day(self, received: Received) -> Publish | None:
        """Fetch a day's list; what it says, or that it failed to be fetched, is then to be published."""
        request = received.event
        if not isinstance(request, PracticeDayRequested):
            return None
        _check_source(request.source)
        run_id = run_id_of(received.context.correlation_id, received.id)
        async with self._pool.acquire() as connection:
            run, opened = await run_changes.open_run(connection, run_id, request, _traceparent(received))
            if not opened and run.state != "running":
                run = await run_changes.take_up_parked(connection, run)
        with bound_contextvars(run_id=str(run.id)):
            return await self._begin(run, run_id, self._context(received, run.id))

    async def _begin(self, run: Run, asked: UUID, context: Context) -> Publish | None:
        if run.id != asked or run.state != "running":
            log.info("request_joined", state=run.state, asked=str(asked))
            return None
        if run.planned_at:
            return await self._ask_again(run, context)
        log.info("ingest_practice_day_start", track=run.track_slug, date=str(run.date))
        return await self._list(run, context)

    async def _ask_again(self, run: Run, context: Context) -> Publish:
        """Put into the work queue what is left of a run that was planned before."""
        async with self._pool.acquire() as connection:
            pending = await runs.pending(connection, run)
        log.info("ingest_practice_day_resumed", sessions=len(pending))
        return self._publisher.detail_requests(pending, context).send

    async def _list(self, run: Run, context: Context) -> Publish:
        """Fetch a list for a run."""
        pages: list[Page] = []
        try:
            day = await self._ask_for_list(run.request, pages)
        except Unobtainable as failure:
            tracing.fail(failure.error.code)
            url = self._site.day(run.track_slug, run.date)
            log.warning("practice_day_list_failed", url=url, code=failure.error.code, error=str(failure))
            event = planning.list_failed(run.request, url, failure)
            return self._publisher.observation(event, context, pages=pages).send
        return self._publish(run, day, pages, context)

    async def _ask_for_list(
        self, request: PracticeDayRequested, pages: list[Page], *, with_failed: bool = True
    ) -> _AskedDay:
        """A list, once what is to be known of its day beforehand is read; raises `Unobtainable`.

        `with_failed` says whether sessions whose page failed are wanted, though their row did not change.
        """
        url = self._site.day(request.track_slug, request.date)
        event_id = practice_event_id(request.source, request.track_slug, request.date)
        async with self._pool.acquire() as connection:
            stored = await runs.stored_details(connection, event_id)
            if not with_failed:
                stored |= await runs.failed_details(connection, event_id)
            sessions = await days.count_sessions(connection, event_id)
            known = await store_pages.newest(connection, url)
            zone = await zone_of(connection, request.source, request.track_slug, self._zones)
        obtained = await self._obtain_list(request, url, known, pages)
        if sessions and not obtained.facts.sessions:  # which is fetched a second time before it counts
            obtained = await self._obtain_list(request, url, known, pages)
        listed = planning.day_listed(request, obtained, zone)
        plan = planning.plan_details(listed, request.refresh, stored, dt.datetime.now(dt.UTC))
        return _AskedDay(listed, plan, known)

    def _publish(self, run: Run, day: _AskedDay, pages: list[Page], context: Context) -> Publish:
        """What is to be published of a list, for a run."""
        _count(day.listed.findings)
        asks = [one.request for one in day.plan if one.wanted]
        sending = self._publisher.observation(day.listed, context, pages=pages, asks=asks)
        return lambda: self._publish_list(run.id, day.listed, day.plan, sending, context.traceparent)

    async def look(self, day: FollowedDay) -> bool:
        """Ask for the list of a followed day; whether anything is new of it. Raises `Unobtainable`.

        Where something is, a run is opened, and the list is published as of any run's day. Else nothing is
        but a page that has other bytes. While another run imports the day, that run counts.
        Sessions whose page failed are fetched again where their row changed, and after the day's end.
        """
        context = Context(source=self._name, traceparent=tracing.current())
        request = PracticeDayRequested(**_named(day), requested_at=dt.datetime.now(dt.UTC), refresh="changed")
        pages: list[Page] = []
        try:
            asked = await self._ask_for_list(request, pages, with_failed=day.is_night)
        except Unobtainable:
            await until_done(self._publisher.pages(pages, context).send)
            raise
        run = await at_database(self._pool, lambda connection: _open_if_new(connection, day, request, asked))
        if run is None:
            others = [page for page in pages if asked.known is None or page.sha256 != asked.known.sha256]
            await until_done(self._publisher.pages(others, context).send)
            return False
        with bound_contextvars(run_id=str(run.id)):
            log.info("ingest_practice_day_start", track=run.track_slug, date=str(run.date))
            context = msgspec.structs.replace(context, correlation_id=str(run.id))
            await until_done(self._publish(run, asked, pages, context))
        return True

    async def _obtain_list(
        self, request: PracticeDayRequested, url: str, known: PageRow | None, pages: list[Page]
    ) -> Obtained[DayFacts]:
        return await self._obtainer.fetch(url, _day_parser(request), known, pages)

    async def _publish_list(
        self,
        run_id: UUID,
        listed: PracticeDayListed,
        plan: Sequence[PlannedDetail],
        sending: Sending,
        traceparent: str | None,
    ) -> None:
        """Publish a list and what it asks for; the run's plan is written before, so that none is missed."""
        async with self._pool.acquire() as connection:
            await runs.plan(connection, run_id, [_planned(one) for one in plan])
        await sending.send()
        async with self._pool.acquire() as connection:
            await runs.planned(connection, run_id)
        log.info(
            "ingest_practice_day_list_done",
            run_id=str(run_id),
            trace_id=tracing.trace_id_of(traceparent),
            track=listed.track_slug,
            date=str(listed.date),
            complete=listed.complete,
            sessions=len(plan),
            wanted=sum(one.wanted for one in plan),
            drivers=len({row.transponder_number or row.session_id for row in listed.sessions}),
            findings=len(listed.findings),
        )

    async def fetch_detail(self, received: Received) -> Publish | None:
        """Fetch a session's page; what it says, or that it failed to be fetched, is then to be published."""
        request = received.event
        if not isinstance(request, SessionDetailRequested):
            return None
        _check_source(request.source)
        run_id = as_run_id(received.context.correlation_id)
        url = _session_address(self._site, request)
        async with self._pool.acquire() as connection:
            asked = await runs.asked(connection, run_id, request.session_id, _ids(received), url)
        if not asked.wanted:
            return None
        context = self._context(received)
        pages: list[Page] = []
        event = await self._detail(request, url, asked.known, pages)
        return self._publisher.observation(event, context, pages=pages).send

    async def _detail(
        self, request: SessionDetailRequested, url: str, known: PageRow | None, pages: list[Page]
    ) -> SessionDetailFetched | SessionDetailFailed:
        """What the session's page says, or that fetching it failed; the pages that came go into `pages`."""
        try:
            obtained = await self._obtainer.fetch(url, _session_parser(request), known, pages)
        except Unobtainable as failure:
            tracing.fail(failure.error.code)
            log.warning(
                "practice_session_detail_failed",
                session_id=request.session_id,
                code=failure.error.code,
                error=str(failure),
            )
            return planning.detail_failed(request, url, failure)
        fetched = planning.detail_fetched(request, obtained)
        _count(fetched.findings)
        return fetched

    def _context(self, received: Received, run_id: UUID | None = None) -> Context:
        return Context(
            source=self._name,
            correlation_id=str(run_id) if run_id else received.context.correlation_id,
            causation_id=received.id,
            traceparent=_traceparent(received),
        )


async def _open_if_new(
    connection: Connection, day: FollowedDay, request: PracticeDayRequested, asked: _AskedDay
) -> Run | None:
    """A run for what is new of a followed day; None where nothing is, or the day is being imported."""
    listed = asked.listed
    wanted = any(one.wanted for one in asked.plan)
    if not wanted and await runs.is_stored(connection, day.event_id, listed):
        return None
    async with connection.transaction():
        run, opened = await run_changes.open_run(connection, uuid4(), request, tracing.current())
        if opened:
            await following.note_run(connection, day.name, run.id)
    return run if opened else None


def _named(day: FollowedDay) -> dict[str, Any]:
    return {"source": day.source, "track_slug": day.track_slug, "date": day.date}


def _count(findings: Iterable[Finding]) -> None:
    for one in findings:
        metrics.found(one.code)


def _ids(received: Received) -> list[str]:
    return [one for one in (received.id, received.context.causation_id) if one]


def _traceparent(received: Received) -> str | None:
    """The trace's context for what follows from a request."""
    return tracing.carried(received.context.traceparent) or tracing.current()


def _planned(one: PlannedDetail) -> PlannedSession:
    request = one.request
    return PlannedSession(
        request.session_id,
        "wanted" if one.wanted else "unchanged",
        request.start_time,
        request.list_row_digest,
        request.requested_at,
        event_id(request),
    )


def _check_source(source: str) -> None:
    if source != SOURCE:
        raise BadRecord("foreign_source", f"a request for pages of {source!r}: we fetch those of {SOURCE!r}")


def _session_address(site: Site, request: SessionDetailRequested) -> str:
    try:
        return site.session(request.track_slug, request.session_id)
    except BadAddress as error:
        raise BadRecord("foreign_session", str(error)) from error


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
