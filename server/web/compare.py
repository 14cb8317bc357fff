"""Two to four sessions compared: laps over each other, gaps lap by lap, head to head in numbers."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from litestar import Response, get
from litestar.params import QueryParameter

from laps import comparing
from laps.comparing import FEWEST, MOST, Comparison
from schemas.scopes import Scope
from server.http.callers import needs
from server.http.refusals import Refusal
from server.http.services import ApiRequest, connected
from server.web import compare_view
from server.web.lap_session import the_session
from server.web.pages import page
from store.pool import Connection

Chosen = Annotated[list[UUID] | None, QueryParameter(name="session", description="A session's row.")]


@get("/compare", guards=[needs(Scope.read)])
async def read_comparison(request: ApiRequest, chosen: Chosen = None) -> Response[bytes]:
    """Show sessions beside each other."""
    each = few_enough(chosen)
    async with connected(request) as connection:
        found = await compared(connection, each)
    return page(
        request,
        "compare.html",
        sides=compare_view.sides_of(found),
        laps_chart=compare_view.laps_chart(found),
        gap_chart=compare_view.gap_chart(found),
        figures=compare_view.figures_of(found),
        laps=found.laps,
    )


def few_enough(chosen: Sequence[UUID] | None) -> list[UUID]:
    """The sessions that are chosen, each once; raises a `Refusal` where they are too few or too many."""
    each = list(dict.fromkeys(chosen or ()))
    if not FEWEST <= len(each) <= MOST:
        message = f"{FEWEST} to {MOST} sessions can be compared, not {len(each)}"
        raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, "wrong_number", message)
    return each


async def compared(connection: Connection, chosen: Sequence[UUID]) -> Comparison:
    """The comparison of these sessions; raises a `Refusal` for one that is not stored."""
    return comparing.compare([await the_session(connection, one) for one in chosen])
