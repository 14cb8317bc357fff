"""`/backfills`: months of a track, imported by the fleet, looked at, tried again, cancelled."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from litestar import Response, get, post
from litestar.params import JSONBody, PathParameter, QueryParameter
from msgspec import Meta, Struct

from ops.backfill import queries as backfills
from ops.backfill import views
from ops.backfill.queries import Months
from ops.backfill.views import BackfillHead, BackfillView
from producer.pages.month import YearMonth
from producer.site import SOURCE, Site
from runs.run import Refresh
from schemas import fields as f
from schemas.askable import fault_of_months, first_of_month
from schemas.scopes import Scope
from server.api.bodies import StrictJson, unacceptable
from server.api.fields import PAGE, SLUG, Cursor, Limit, page_of, place_at
from server.api.runs_form import RETRY_SECONDS
from server.http.answers import Page, Success, success
from server.http.callers import needs
from server.http.refusals import Refusal
from server.http.responses import refusals
from server.http.services import ApiRequest, connected, services_of
from store.pool import Connection

BACKFILLS = "/api/v1/backfills"
BACKFILL = "/backfills/{backfill_id:uuid}"
BackfillId = Annotated[UUID, PathParameter(description="The backfill's id, as its answer has it.")]


class BackfillRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which months are wanted, as YYYY-MM, the last one included; at most 240."""

    track_slug: f.TrackSlug
    from_month: YearMonth
    to_month: YearMonth
    refresh: Annotated[
        Refresh,
        Meta(
            description="Of days that are stored: `all` fetches every page, `missing` those that are not, "
            "`changed` those too whose row in the day's list changed."
        ),
    ] = "missing"


@post(
    "/backfills",
    operation_id="beginBackfill",
    tags=["import"],
    status_code=HTTPStatus.ACCEPTED,
    dto=StrictJson[BackfillRequest],
    guards=[needs(Scope.ingest)],
    responses=refusals(400, 401, 403, 413, 422, 429, 503),
)
async def begin_backfill(
    request: ApiRequest, data: JSONBody[BackfillRequest]
) -> Response[Success[BackfillView]]:
    """Import months of a track, day by day, when nobody waits for another one; the fleet works at them.

    Those that are asked for already are joined, and what failed of them is tried again.
    """
    return _accepted(await begin(request, data))


async def begin(request: ApiRequest, asked: BackfillRequest) -> BackfillView:
    """The backfill that the request stands for: one that is not finished, or a new one."""
    months = _months(asked)
    async with connected(request) as connection, connection.transaction():
        found = await backfills.open_backfill(connection, months)
        await backfills.want(connection, found.id)
        return await view_of(request, connection, found.id)


def _months(asked: BackfillRequest) -> Months:
    first, last = first_of_month(asked.from_month), first_of_month(asked.to_month)
    if first is None or last is None:
        raise unacceptable("from_month" if first is None else "to_month", "is no month of the calendar")
    if fault := fault_of_months(first, last):
        raise unacceptable("to_month", fault)
    return Months(SOURCE, asked.track_slug, first, last, asked.refresh)


async def view_of(request: ApiRequest, connection: Connection, backfill_id: UUID) -> BackfillView:
    """A backfill as it is; raises a `Refusal` where there is none of this id."""
    return _found(await views.read(connection, backfill_id, _site(request)), backfill_id)


def _found(view: BackfillView | None, backfill_id: UUID) -> BackfillView:
    if view is None:
        raise Refusal.not_found(f"there is no backfill {backfill_id}")
    return view


def _site(request: ApiRequest) -> Site:
    return Site(services_of(request).settings.site)


@get(
    "/backfills",
    operation_id="listBackfills",
    tags=["import"],
    guards=[needs(Scope.read)],
    responses=refusals(400, 401, 403, 422, 429, 503),
)
async def list_backfills(
    request: ApiRequest,
    track_slug: Annotated[str | None, QueryParameter(pattern=SLUG, description="Only this track's.")] = None,
    cursor: Cursor = None,
    limit: Limit = PAGE,
) -> Success[Page[BackfillHead]]:
    """List backfills, the newest first."""
    before = place_at(cursor, tuple[f.Instant, UUID])
    async with connected(request) as connection:
        found = await views.find(connection, track_slug, before, limit + 1)
    return success(page_of(found, limit, lambda head: (head.created_at, head.backfill_id)))


@get(
    BACKFILL,
    operation_id="readBackfill",
    tags=["import"],
    guards=[needs(Scope.read)],
    responses=refusals(400, 401, 403, 404, 429, 503),
)
async def read_backfill(request: ApiRequest, backfill_id: BackfillId) -> Success[BackfillView]:
    """Look at a backfill: its months and days, what failed and why, and what it does at present."""
    async with connected(request) as connection:
        return success(await view_of(request, connection, backfill_id))


@post(
    f"{BACKFILL}/retry-failed",
    operation_id="retryFailedDays",
    tags=["import"],
    status_code=HTTPStatus.ACCEPTED,
    guards=[needs(Scope.ingest)],
    responses=refusals(400, 401, 403, 404, 409, 413, 429, 503),
)
async def retry_failed(request: ApiRequest, backfill_id: BackfillId) -> Response[Success[BackfillView]]:
    """Let the fleet go on with a backfill: months, days and sessions that failed are fetched again."""
    return _accepted(await retry(request, backfill_id))


async def retry(request: ApiRequest, backfill_id: UUID) -> BackfillView:
    """The backfill, which goes on; raises `BackfillEnded`, and a `Refusal` where there is none of this id."""
    async with connected(request) as connection:
        return _found(await views.retry(connection, backfill_id, _site(request)), backfill_id)


@post(
    f"{BACKFILL}/cancel",
    operation_id="cancelBackfill",
    tags=["import"],
    status_code=HTTPStatus.OK,
    guards=[needs(Scope.ingest)],
    responses=refusals(400, 401, 403, 404, 413, 429, 503),
)
async def cancel_backfill(request: ApiRequest, backfill_id: BackfillId) -> Success[BackfillView]:
    """Cancel a backfill: what came in stays, no further day is asked for. One that ended is left as it is."""
    return success(await cancel(request, backfill_id))


async def cancel(request: ApiRequest, backfill_id: UUID) -> BackfillView:
    """The backfill, which asks for no further day."""
    async with connected(request) as connection:
        await backfills.cancel(connection, backfill_id)
        return await view_of(request, connection, backfill_id)


def _accepted(view: BackfillView) -> Response[Success[BackfillView]]:
    headers = {"Location": f"{BACKFILLS}/{view.backfill_id}", "Retry-After": str(RETRY_SECONDS)}
    return Response(success(view), headers=headers)
