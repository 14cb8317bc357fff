"""`GET /provenance/{table}`: where a row comes from: its events, their pages, producers and parsers."""

from functools import partial
from typing import Annotated

from litestar import get
from litestar.params import PathParameter, QueryParameter

from ops.provenance.answer import NoSuchRow, Provenance, Table
from ops.provenance.explain import explain
from ops.provenance.keys import LONGEST
from ops.provenance.search import search
from producer.site import Site
from schemas.scopes import Scope
from server.http.answers import Success, success
from server.http.callers import needs
from server.http.refusals import Refusal
from server.http.responses import refusals
from server.http.services import ApiRequest, connected, services_of

SEARCH_SECONDS = 2.0
"""How long records are looked for in the log; what was not found by then has its `record_note`."""


@get(
    "/provenance/{table:str}",
    operation_id="readProvenance",
    tags=["reading"],
    guards=[needs(Scope.read)],
    responses=refusals(400, 401, 403, 404, 429, 503),
)
async def read_provenance(
    request: ApiRequest,
    table: Annotated[Table, PathParameter(description="The row's table.")],
    key: Annotated[
        str,
        QueryParameter(
            min_length=1,
            max_length=LONGEST,
            description=(
                "The row's id, or its natural key, as `canberraoffroad/2025-10-25/21290331` of a session; of "
                "a lap with `/` and its number behind."
            ),
        ),
    ],
) -> Success[Provenance]:
    """Read where a row comes from: the events that set it, their pages and records."""
    services = services_of(request)
    settings = services.settings
    searching = partial(
        search, settings.broker, settings.topics, seconds=SEARCH_SECONDS, turn=services.searches
    )
    try:
        found = await explain(Site(settings.site), partial(connected, request), table, key, searching)
    except NoSuchRow as error:
        raise Refusal.not_found(str(error)) from error
    return success(found)
