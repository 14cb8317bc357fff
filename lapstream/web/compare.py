"""Two to four sessions compared: laps over each other, gaps lap by lap, head to head in numbers."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from litestar import Response, get
from litestar.params import QueryParameter

from lapstream.http.callers import needs
from lapstream.http.refusals import Refusal
from lapstream.http.services import ApiRequest, connected
from lapstream.web import compare_view
from lapstream.web.pages import page
from ops.laps import comparing, sessions
from ops.laps.comparing import FEWEST, MOST
from schemas.scopes import Scope
from store.pool import Connection

Chosen = Annotated[list[UUID] | None, QueryParameter(name="session", description="A session's row.")]


@get("/compare", guards=[needs(Scope.read)])
async def read_comparison(request: ApiRequest, chosen: Chosen = None) -> Response[bytes]:
    """Show sessions beside each other; where too few or too many are chosen, what to do."""
    each = list(dict.fromkeys(chosen or ()))
    if not FEWEST <= len(each) <= MOST:
        return page(request, "choose.html", status=HTTPStatus.UNPROCESSABLE_ENTITY, chosen=len(each))
    async with connected(request) as connection:
        found = comparing.compare(await _sessions(connection, each))
    return page(
        request,
        "compare.html",
        sides=compare_view.sides_of(found),
        laps_chart=compare_view.laps_chart(found),
        gap_chart=compare_view.gap_chart(found),
        figures=compare_view.figures_of(found),
        laps=found.laps,
    )


async def _sessions(connection: Connection, chosen: Sequence[UUID]) -> list[sessions.SessionReport]:
    """The sessions of these ids; raises a `Refusal` for one that is not stored."""
    reports = [(one, await sessions.read_session(connection, one)) for one in chosen]
    for one, report in reports:
        if report is None:
            raise Refusal.not_found(f"no session {one} is stored")
    return [report for _, report in reports if report]
