"""The overview: whether all is well, what needs attention, what waits, and how each group does."""

from litestar import Response, get

from ops.status.observed import observed_status
from schemas.scopes import Scope
from server.http.callers import needs
from server.http.services import ApiRequest, connected, services_of
from server.web.operate import overview_view
from server.web.pages import page


@get("/operate", guards=[needs(Scope.operate)])
async def read_overview(request: ApiRequest) -> Response[bytes]:
    """Show whether the installation is well."""
    async with connected(request) as connection:
        status, lag = await observed_status(connection, services_of(request).settings.site)
    return page(
        request,
        "operate/overview.html",
        found=status,
        attention=overview_view.attention(status.lines, lag.groups),
        lag=lag,
    )
