"""`POST /practice-days/ingest`: a day is asked for, waited for, and told as it stands in the tables.

The run and its request event are one transaction with the caller's Idempotency-Key.
"""

import datetime as dt
import re
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Response, post
from litestar.params import HeaderParameter, JSONBody
from msgspec import Meta, Struct

from producer.site import SOURCE
from runs import changes as run_changes
from runs import run as runs
from runs.outcome import IngestOutcome
from runs.run import Refresh, Run
from schemas import fields as f
from schemas.askable import fault_of_day
from schemas.checks import fault_of
from schemas.events import PracticeDayRequested
from schemas.identity import digest
from schemas.scopes import Scope
from server.api.bodies import StrictJson, unacceptable
from server.api.runs_form import RETRY_SECONDS, check_listed, location_of, outcome_of
from server.http import idempotency
from server.http.answers import Success, success
from server.http.callers import needs
from server.http.refusals import Refusal
from server.http.responses import refusals, success_spec
from server.http.services import ApiRequest, connected, services_of
from store import reading
from store.pool import Connection
from telemetry import tracing

LONGEST_WAIT_SECONDS = 300
RESPOND_ASYNC = "respond-async"

_TRACEPARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


class IngestRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which day is wanted: of a track by its slug, or by the id of its row; and which sessions' pages."""

    date: dt.date
    track_slug: f.TrackSlug | None = None
    track_id: UUID | None = None
    refresh: Annotated[
        Refresh,
        Meta(
            description="`all` fetches every session's page, `missing` those that are not stored, "
            "`changed` those too whose row in the day's list changed."
        ),
    ] = "all"
    wait_seconds: Annotated[
        float,
        Meta(ge=0, le=LONGEST_WAIT_SECONDS, description="How long the answer may wait for the run's end."),
    ] = 60.0


@post(
    "/practice-days/ingest",
    operation_id="ingestPracticeDay",
    tags=["import"],
    status_code=HTTPStatus.OK,
    dto=StrictJson[IngestRequest],
    guards=[needs(Scope.ingest)],
    responses={
        HTTPStatus.ACCEPTED: success_spec(
            Success[IngestOutcome], "The import goes on: `Location` tells where it is followed."
        ),
        **refusals(400, 401, 403, 404, 413, 422, 429, 500, 502, 503),
    },
)
async def ingest(
    request: ApiRequest,
    data: JSONBody[IngestRequest],
    idempotency_key: Annotated[
        str | None,
        HeaderParameter(
            name="Idempotency-Key",
            pattern=r"^[\x21-\x7e]{1,255}\Z",
            description="The same key with the same body gives the same run again, for a day.",
        ),
    ] = None,
    prefer: Annotated[
        str | None,
        HeaderParameter(name="Prefer", description="`respond-async`: answer at once (RFC 7240)."),
    ] = None,
) -> Response[Success[IngestOutcome]]:
    """Import a practice day: its list, every session's page, all laps.

    A day that is being imported is joined. The answer waits for the run's end; past the wait it is 202, and
    the run goes on.
    """
    run = await begin(request, data, idempotency_key)
    at_once = RESPOND_ASYNC in _preferences(prefer)
    if run.state == "running" and not at_once:
        run = await services_of(request).ended(run.id, data.wait_seconds)
    check_listed(run)
    async with connected(request) as connection:
        outcome = await outcome_of(connection, run)
    if run.state != "running":
        return Response(success(outcome))
    headers = {"Location": location_of(run), "Retry-After": str(RETRY_SECONDS)}
    applied = {"Preference-Applied": RESPOND_ASYNC} if at_once else {}
    return Response(success(outcome), status_code=HTTPStatus.ACCEPTED, headers=headers | applied)


def _preferences(header: str | None) -> set[str]:
    return {part.partition(";")[0].strip().lower() for part in (header or "").split(",")}


async def begin(request: ApiRequest, asked: IngestRequest, key: str | None = None) -> Run:
    """The run that the request stands for: one that its key recalls, one that it joins, or a new one."""
    async with connected(request) as connection, connection.transaction():
        event = await _event(connection, asked)
        caller = request.user.key
        if key is None or caller is None:
            return await _request(request, connection, event)
        body = digest(msgspec.json.encode(asked))
        known = await idempotency.recall(connection, caller.id, key, body)
        if known and (run := await runs.read(connection, known)):
            return run
        run = await _request(request, connection, event)
        await idempotency.keep(connection, caller.id, key, body, run.id)
        return run


async def _request(request: ApiRequest, connection: Connection, event: PracticeDayRequested) -> Run:
    header = request.headers.get(tracing.HEADER, "")
    came = header if _TRACEPARENT.fullmatch(header) else None
    traceparent = tracing.carried(came) or tracing.current()
    run, _ = await run_changes.request(connection, event, traceparent=traceparent)
    return run


async def _event(connection: Connection, asked: IngestRequest) -> PracticeDayRequested:
    if fault := fault_of_day(asked.date):
        raise unacceptable("date", fault)
    event = PracticeDayRequested(
        source=SOURCE,
        track_slug=await _slug(connection, asked),
        date=asked.date,
        requested_at=dt.datetime.now(dt.UTC),
        refresh=asked.refresh,
    )
    if fault := fault_of(event):
        raise unacceptable("date", fault)
    return event


async def _slug(connection: Connection, asked: IngestRequest) -> str:
    if (asked.track_slug is None) == (asked.track_id is None):
        raise unacceptable("track_slug", "one of track_slug and track_id is needed")
    if asked.track_id is None:
        return str(asked.track_slug)
    track = await reading.track_name_of(connection, asked.track_id)
    if track is None:
        raise Refusal(
            HTTPStatus.NOT_FOUND,
            "track_not_found",
            f"no track {asked.track_id} is stored: give its track_slug",
        )
    if track.source != SOURCE:
        raise unacceptable(
            "track_id",
            f"is a track of {track.source}, which publishes its own days: {SOURCE}'s are imported",
        )
    return track.track_slug
