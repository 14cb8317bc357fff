"""Imports for operators: the newest, one with its attempts and failures, and retrying and cancelling it."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, NamedTuple
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, QueryParameter
from litestar.response import Redirect

from runs import changes as run_changes
from runs import run as runs
from runs.changes import NothingFailed, the_run
from runs.reporting import report_ended
from runs.run import Run, RunState
from schemas import fields as f
from schemas.scopes import Scope
from server.api.fields import PAGE, SLUG, Cursor, page_of, place_at
from server.http.callers import needs
from server.http.services import ApiRequest, connected
from server.web import links
from server.web.fields import Row
from server.web.operate.acting import Action, Question, ask, chosen, lead_to, operating, refusal_of
from server.web.pages import page
from server.web.texts import TEXTS
from store.pool import Connection
from telemetry import tracing

MOST_FAILURES = 500
"""Failed sessions of a page."""

STATES: tuple[RunState, ...] = ("running", "completed", "partial", "failed", "cancelled")

_RUN = "/operate/runs/{run_id:uuid}"

AnyState = Annotated[RunState | None, QueryParameter(name="state")]
AnyTrack = Annotated[str | None, QueryParameter(name="track", pattern=SLUG)]


class Means(NamedTuple):
    """What one can do about a run: why it can't be done, if so, and how it is done."""

    check: Callable[[Connection, Run], Awaitable[None]]
    work: Callable[[Connection, UUID], Awaitable[None]]


async def _check_running(_: Connection, run: Run) -> None:
    if run.state != "running":
        raise NothingFailed(TEXTS("operate.run_ended", state=run.state))


async def _check_failed(connection: Connection, run: Run) -> None:
    if run.state == "running":
        raise NothingFailed(TEXTS("operate.run_running"))
    if run.listed_at and not await runs.failed(connection, run):
        raise NothingFailed(TEXTS("operate.nothing_failed"))


async def _retry(connection: Connection, run_id: UUID) -> None:
    await run_changes.retry_failed(connection, run_id)


async def _cancel(connection: Connection, run_id: UUID) -> None:
    run, ended = await run_changes.cancel(connection, run_id)
    if not ended:
        raise NothingFailed(TEXTS("operate.run_ended", state=run.state))
    report_ended([run])


MEANS: Mapping[str, Means] = {
    "retry": Means(_check_failed, _retry),
    "cancel": Means(_check_running, _cancel),
}
"""What one can do, by the last part of its address."""


@get("/operate/runs", guards=[needs(Scope.operate)])
async def read_runs(
    request: ApiRequest, state_: AnyState = None, track: AnyTrack = None, before: Cursor = None
) -> Response[bytes]:
    """List the newest imports."""
    place = place_at(before, tuple[f.Instant, UUID])
    async with connected(request) as connection:
        found = await runs.find(connection, track_slug=track, state=state_, before=place, limit=PAGE + 1)
    listed = page_of(found, PAGE, lambda run: (run.requested_at, run.id))
    return page(
        request,
        "operate/runs.html",
        runs=listed.items,
        next_cursor=listed.next_cursor,
        states=STATES,
        state=state_,
        track=track,
    )


@get(_RUN, guards=[needs(Scope.operate)])
async def read_operated_run(request: ApiRequest, run_id: Row) -> Response[bytes]:
    """Show an import with its attempts, its failures and its trace."""
    async with connected(request) as connection:
        run = await the_run(connection, run_id)
        failures = await runs.failures(connection, run_id)
        progress = await runs.progress(connection, run_id)
        refusals = {name: await refusal_of(means.check(connection, run)) for name, means in MEANS.items()}
    return page(
        request,
        "operate/run.html",
        run=run,
        failures=failures[:MOST_FAILURES],
        left_out=max(0, len(failures) - MOST_FAILURES),
        progress=progress,
        possible=[name for name, refusal in refusals.items() if refusal is None],
        trace_id=tracing.trace_id_of(run.traceparent),
    )


@get(f"{_RUN}/{{what:str}}", guards=[needs(Scope.operate)])
async def ask_run(request: ApiRequest, run_id: Row, what: FromPath[str]) -> Response[bytes]:
    """Say what will happen to an import, or why it can't, and ask."""
    means = chosen(MEANS, what, "an import")
    async with connected(request) as connection:
        run = await the_run(connection, run_id)
        refusal = await refusal_of(means.check(connection, run))
    question = Question(
        place="runs",
        title=TEXTS(f"operate.ask_run_{what}", track=run.track_slug, date=run.date),
        texts=[TEXTS(f"operate.means_run_{what}")],
        button=TEXTS(f"operate.do_run_{what}"),
        action=f"{links.operated_run(run.id)}/{what}",
        back=links.operated_run(run.id),
        refusal=refusal,
    )
    return ask(request, question)


@post(f"{_RUN}/{{what:str}}", guards=[needs(Scope.operate)])
async def act_on_run(request: ApiRequest, run_id: Row, what: FromPath[str]) -> Redirect:
    """Do it."""
    means = chosen(MEANS, what, "an import")
    async with connected(request) as connection:
        run = await the_run(connection, run_id)
        async with operating(request, Action(f"run.{what}", f"{run.source_event_id} {run.id}")):
            await means.work(connection, run_id)
    return lead_to(links.operated_run(run_id), f"run_{what}")
