"""`/ingest-runs`: imports looked at, retried where sessions failed, cancelled."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from litestar import Response, delete, get, post
from litestar.params import PathParameter, QueryParameter

from runs import changes as run_changes
from runs import run as runs
from runs.reporting import report_ended
from runs.run import RunState
from schemas import fields as f
from schemas.scopes import Scope
from server.api.fields import PAGE, SLUG, Cursor, Limit, page_of, place_at
from server.api.runs_form import RETRY_SECONDS, RunHead, RunView, heads_of, location_of, view_of
from server.http.answers import Page, Success, success
from server.http.callers import needs
from server.http.responses import refusals
from server.http.services import ApiRequest, connected

RUN = "/ingest-runs/{run_id:uuid}"
RunId = Annotated[UUID, PathParameter(description="The run's id, as the import's answer has it.")]


@get(
    "/ingest-runs",
    operation_id="listIngestRuns",
    tags=["import"],
    guards=[needs(Scope.read)],
    responses=refusals(400, 401, 403, 422, 429, 503),
)
async def list_runs(
    request: ApiRequest,
    track_slug: Annotated[str | None, QueryParameter(pattern=SLUG, description="Only this track's.")] = None,
    state_: Annotated[
        RunState | None, QueryParameter(name="state", description="Only those in this state.")
    ] = None,
    cursor: Cursor = None,
    limit: Limit = PAGE,
) -> Success[Page[RunHead]]:
    """List imports, the newest first."""
    before = place_at(cursor, tuple[f.Instant, UUID])
    async with connected(request) as connection:
        found = await runs.find(
            connection,
            track_slug=track_slug,
            state=state_,
            before=before,
            limit=limit + 1,
        )
        heads = await heads_of(connection, found)
    return success(page_of(heads, limit, lambda head: (head.requested_at, head.run_id)))


@get(
    RUN,
    operation_id="readIngestRun",
    tags=["import"],
    guards=[needs(Scope.read)],
    responses=refusals(400, 401, 403, 404, 429, 503),
)
async def read_run(request: ApiRequest, run_id: RunId) -> Success[RunView]:
    """Look at an import: its state, its counts so far, each failed session with its reason."""
    async with connected(request) as connection:
        run = await run_changes.the_run(connection, run_id)
        return success(await view_of(connection, run))


@delete(
    RUN,
    operation_id="cancelIngestRun",
    tags=["import"],
    status_code=HTTPStatus.OK,
    guards=[needs(Scope.ingest)],
    responses=refusals(400, 401, 403, 404, 429, 503),
)
async def cancel_run(request: ApiRequest, run_id: RunId) -> Success[RunView]:
    """Cancel an import: what came in stays, the rest is not fetched. One that ended is left as it is."""
    async with connected(request) as connection:
        run, ended = await run_changes.cancel(connection, run_id)
        if ended:
            report_ended([run])
        return success(await view_of(connection, run))


@post(
    f"{RUN}/retry-failed",
    operation_id="retryFailedSessions",
    tags=["import"],
    status_code=HTTPStatus.ACCEPTED,
    guards=[needs(Scope.ingest)],
    responses=refusals(400, 401, 403, 404, 409, 413, 429, 503),
)
async def retry_failed(request: ApiRequest, run_id: RunId) -> Response[Success[RunView]]:
    """Fetch the failed sessions of an import again, or its list where that failed, within the same run."""
    async with connected(request) as connection:
        run = await run_changes.retry_failed(connection, run_id)
        view = await view_of(connection, run)
    headers = {"Location": location_of(run), "Retry-After": str(RETRY_SECONDS)}
    return Response(success(view), headers=headers)
