"""Whether the process lives, can do its work, and what it counted: for whatever starts and watches it."""

from http import HTTPStatus
from typing import Literal

from litestar import Response, get
from msgspec import Struct

from lapstream.http.callers import needs
from lapstream.http.responses import refusals
from lapstream.http.services import ApiRequest, connected
from schemas.scopes import Scope
from telemetry.metrics import exposition


class Health(Struct, frozen=True, kw_only=True):
    """The process lives, or is ready."""

    status: Literal["ok"]


@get("/healthz", operation_id="health", tags=["health"])
async def healthz() -> Health:
    """Tell that the process lives."""
    return Health(status="ok")


@get("/readyz", operation_id="ready", tags=["health"], responses=refusals(HTTPStatus.SERVICE_UNAVAILABLE))
async def readyz(request: ApiRequest) -> Health:
    """Tell that the database can be reached."""
    async with connected(request) as connection:
        await connection.fetchval("SELECT 1")
    return Health(status="ok")


@get("/metrics", include_in_schema=False, guards=[needs(Scope.read)])
async def metrics() -> Response[bytes]:
    """Show this process's metrics, in Prometheus' text format."""
    body, content_type = exposition()
    return Response(body, media_type=content_type)
