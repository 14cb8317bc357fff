"""`GET /lag`: how far each consumer group is behind, as the observer has seen it."""

from typing import Annotated

from litestar import get
from litestar.params import QueryParameter
from msgspec.structs import replace

from ops.lag.report import LagReport, observed
from schemas.scopes import Scope
from server.http.answers import Success, success
from server.http.callers import needs
from server.http.responses import refusals
from server.http.services import ApiRequest, connected


@get(
    "/lag",
    operation_id="readLag",
    tags=["reading"],
    guards=[needs(Scope.read)],
    responses=refusals(400, 401, 403, 429, 503),
)
async def read_lag(
    request: ApiRequest,
    group: Annotated[
        str | None, QueryParameter(description="Only this consumer group; an empty list where there is none.")
    ] = None,
) -> Success[LagReport]:
    """Tell how far each consumer group is behind, with a verdict, as it was seen in the last minute.

    The look is the observer's: a request asks the database only. `trouble` says why there are no figures.
    """
    async with connected(request) as connection:
        found = await observed(connection)
    groups = [one for one in found.groups if group in {None, one.group}]
    return success(replace(found, groups=groups))
