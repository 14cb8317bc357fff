"""Lag: how each group does, how it did in the last minutes, and where it stands in each partition."""

from typing import Annotated

from litestar import Response, get
from litestar.params import PathParameter

from ops.lag import history
from ops.lag.report import NoSuchGroup, observed, of_group
from schemas import fields as f
from schemas.scopes import Scope
from server.http.callers import needs
from server.http.refusals import Refusal
from server.http.services import ApiRequest, connected
from server.web.operate import lag_view
from server.web.pages import page

GroupName = Annotated[str, PathParameter(max_length=249, pattern=f.NO_NUL, description="A consumer group.")]


@get("/operate/lag", guards=[needs(Scope.operate)])
async def read_lag(request: ApiRequest) -> Response[bytes]:
    """Show how far each group is behind, and how that was."""
    async with connected(request) as connection:
        lag = await observed(connection)
        past = await history.of_groups(connection)
    return page(request, "operate/lag.html", lag=lag, groups=lag_view.groups_of(lag.groups, past))


@get("/operate/lag/{group:str}", guards=[needs(Scope.operate)])
async def read_group_lag(request: ApiRequest, group: GroupName) -> Response[bytes]:
    """Show how far one group is behind in each partition, and how that was."""
    async with connected(request) as connection:
        lag = await observed(connection)
        past = await history.of_groups(connection, group)
        partitions = await history.of_partitions(connection, group)
    try:
        [found] = of_group(lag.groups, group) if lag.groups else [None]
    except NoSuchGroup as error:
        raise Refusal.not_found(str(error)) from error
    return page(
        request,
        "operate/group.html",
        name=group,
        lag=lag,
        group=found,
        chart=lag_view.chart_of(past.get(group, [])),
        past=list(reversed(past.get(group, []))),
        partitions=lag_view.partitions_of(found.partitions if found else [], partitions),
        left_out=max(0, len(found.partitions) - lag_view.MOST_PARTITIONS) if found else 0,
        slot_minutes=lag_view.SLOT_MINUTES,
    )
