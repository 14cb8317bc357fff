"""`GET /parked`: the records that could not be applied, as their producers need to know of them."""

import datetime as dt
from typing import Annotated

from litestar import get
from litestar.params import QueryParameter
from msgspec import Struct

from ops.parked import queries as parked
from ops.parked.queries import Head, ParkedState, RecordPlace, Selection, by_place
from schemas.scopes import Scope
from server.api.fields import PAGE, AnySource, Cursor, Limit, page_of, place_at
from server.http.answers import Page, Success, success
from server.http.callers import needs
from server.http.responses import refusals
from server.http.services import ApiRequest, connected


class ParkedFinding(Struct, frozen=True, kw_only=True):
    """What a consumer group found wrong with a record, and what became of it there."""

    group: str
    state: ParkedState
    code: str
    reason: str
    parked_at: dt.datetime


class ParkedEntry(Struct, frozen=True, kw_only=True):
    """A record that could not be applied, by its place: once, however many groups parked it.

    `source` is the timing service that it speaks of, null where that can't be read.
    """

    topic: str
    partition: int
    offset: int
    source: str | None
    groups: list[ParkedFinding]


@get(
    "/parked",
    operation_id="listParkedRecords",
    tags=["reading"],
    guards=[needs(Scope.read)],
    responses=refusals(400, 401, 403, 422, 429, 503),
)
async def list_parked(
    request: ApiRequest,
    source: AnySource = None,
    state_: Annotated[
        ParkedState, QueryParameter(name="state", description="What became of it; by default it still waits.")
    ] = ParkedState.parked,
    cursor: Cursor = None,
    limit: Limit = PAGE,
) -> Success[Page[ParkedEntry]]:
    """List the records that could not be applied, by their places, with the reasons; never their bytes."""
    after = place_at(cursor, RecordPlace)
    async with connected(request) as connection:
        wanted = Selection(source=source, state=state_)
        heads = await parked.find(connection, wanted, limit=limit + 1, after=after)
    found = [_entry(place, ones) for place, ones in by_place(heads)]
    return success(page_of(found, limit, lambda one: (one.topic, one.partition, one.offset)))


def _entry(place: RecordPlace, ones: list[Head]) -> ParkedEntry:
    found = [
        ParkedFinding(
            group=one.group, state=one.state, code=one.code, reason=one.reason, parked_at=one.parked_at
        )
        for one in ones
    ]
    return ParkedEntry(**place._asdict(), source=ones[0].source, groups=found)
