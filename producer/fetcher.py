"""The fetcher: requests of the two work queues go in; pages and observations come out, on their topics."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from uuid import UUID

import structlog
from structlog.contextvars import bound_contextvars

from producer import planning
from producer.http import Page
from producer.members import Publish
from producer.obtain import Obtained, Obtainer, Unobtainable
from producer.pages import parse_day, parse_session
from producer.planning import PlannedDetail
from producer.publisher import Publisher, Sending
from producer.site import SOURCE, BadAddress, Site
from runs import changes as run_changes
from runs import run as runs
from runs.run import PlannedSession, Run
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
from schemas.identity import as_run_id, event_id, run_id_of
from store import days
from store import pages as store_pages
from store.pages import PageRow
from store.pool import Pool
from telemetry import metrics, tracing

log = structlog.get_logger("lapstream.fetcher")


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
        """Fetch a list, once what is to be known of its day beforehand is read."""
        url = self._site.day(run.track_slug, run.date)
        async with self._pool.acquire() as connection:
            stored = await runs.stored_details(connection, run.event_id)
            sessions = await days.count_sessions(connection, run.event_id)
            known = await store_pages.newest(connection, url)
        pages: list[Page] = []
        try:
            obtained = await self._obtain_list(run.request, url, known, pages)
            if sessions and not obtained.facts.sessions:  # which is fetched a second time before it counts
                obtained = await self._obtain_list(run.request, url, known, pages)
        except Unobtainable as failure:
            tracing.fail(failure.error.code)
            log.warning("practice_day_list_failed", url=url, code=failure.error.code, error=str(failure))
            event = planning.list_failed(run.request, url, failure)
            return self._publisher.observation(event, context, pages=pages).send
        listed = planning.day_listed(run.request, obtained, self._zones.get(run.track_slug))
        _count(listed.findings)
        plan = planning.plan_details(listed, run.refresh, stored, dt.datetime.now(dt.UTC))
        asks = [one.request for one in plan if one.wanted]
        sending = self._publisher.observation(listed, context, pages=pages, asks=asks)
        return lambda: self._publish_list(run.id, listed, plan, sending, context.traceparent)

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
