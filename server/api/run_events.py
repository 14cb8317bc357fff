"""`GET /ingest-runs/{id}/events`: an import's progress as server-sent events, which end with the run.

Each `progress` says how far the run is, whenever that changed; `end` carries the run as `GET` has it, or,
where the run is gone meanwhile, the error that `GET` answers with. A stream that breaks off without `end` is
to be opened again, as browsers do by themselves.
"""

from collections.abc import AsyncGenerator
from uuid import UUID

import msgspec
from litestar import get
from litestar.response import ServerSentEvent

from runs.changes import RunNotFound, the_run
from runs.run import Run, RunProgress, RunState
from runs.watch import RunVanished
from schemas.scopes import Scope
from server.api.runs import RUN, RunId
from server.api.runs_form import RunView, view_of
from server.http.callers import needs
from server.http.refusals import failure_of
from server.http.responses import refusals
from server.http.services import ApiRequest, Services, connected, services_of
from server.http.streams import KEEP_OPEN, QUIET_LOOKS, Messages, event_of, stream


class ProgressEvent(RunProgress, frozen=True, kw_only=True):
    """How far a run is: sessions of its list by what became of them, and the laps that came."""

    status: RunState


@get(
    f"{RUN}/events",
    operation_id="followIngestRun",
    tags=["import"],
    media_type="text/event-stream",
    guards=[needs(Scope.read)],
    responses=refusals(400, 401, 403, 404, 429, 503),
)
async def follow_run(request: ApiRequest, run_id: RunId) -> ServerSentEvent:
    """Follow an import: `progress` events while it goes on, `end` with the run when it ended.

    Where the run was deleted meanwhile, `end` carries the error that `GET` answers with, and the stream ends.
    """
    return await stream_of(request, run_id)


async def stream_of(request: ApiRequest, run_id: UUID) -> ServerSentEvent:
    """The stream of a run's progress; raises `RunNotFound`, or a `Refusal` where too many are open."""
    services = services_of(request)
    async with connected(request) as connection:
        run = await the_run(connection, run_id)
    return stream(services, services.watch.updates(run.id), _told, run_id)


async def _told(services: Services, updates: AsyncGenerator[tuple[Run, RunProgress]]) -> Messages:
    """What is worth telling of the updates; of a run that is gone meanwhile, what `GET` answers."""
    try:
        async for message in _of_updates(services, updates):
            yield message
    except RunVanished as gone:
        yield event_of("end", failure_of(RunNotFound(str(gone))))


async def _of_updates(services: Services, updates: AsyncGenerator[tuple[Run, RunProgress]]) -> Messages:
    """What is worth telling of the updates, which come each second at least, until run or server end."""
    told, quiet = None, 0
    async for run, progress in updates:
        event = ProgressEvent(status=run.state, **msgspec.structs.asdict(progress))
        quiet = 0 if event != told else quiet + 1
        if event != told:
            yield event_of("progress", event)
        elif quiet % QUIET_LOOKS == 0:
            yield KEEP_OPEN
        told = event
        if run.state != "running":
            yield event_of("end", await _view(services, run))
        if services.stopping.is_set():
            return


async def _view(services: Services, run: Run) -> RunView:
    async with services.pool.acquire() as connection:
        return await view_of(connection, run)
