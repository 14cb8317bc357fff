"""Whether the process lives, can do its work, and what it counted: for whatever starts and watches it."""

from http import HTTPStatus
from typing import Literal, TypeVar

from litestar import Response, get
from litestar.openapi.datastructures import ResponseSpec
from msgspec import Struct

from runtime.readiness import Ready
from schemas.scopes import Scope
from server.http.callers import needs
from server.http.services import ApiRequest, services_of
from telemetry import health
from telemetry.health import Live
from telemetry.metrics import exposition

ProbeT = TypeVar("ProbeT", Live, Ready)


class Health(Struct, frozen=True, kw_only=True):
    """The process answers."""

    status: Literal["ok"]


@get("/healthz", operation_id="health", tags=["health"])
async def healthz() -> Health:
    """Tell that the process answers."""
    return Health(status="ok")


def _or_else(container: type[Struct], description: str) -> dict[int, ResponseSpec]:
    return {503: ResponseSpec(container, generate_examples=False, description=description)}


@get(
    "/livez",
    operation_id="live",
    tags=["health"],
    responses=_or_else(Live, "Some of it is stuck: a restart helps."),
)
async def livez() -> Response[Live]:
    """Tell whether the work of the process goes on, and what is stuck."""
    return _probe(health.live())


@get(
    "/readyz",
    operation_id="ready",
    tags=["health"],
    responses=_or_else(Ready, "The database can't be used; requests are answered with 503, too."),
)
async def readyz(request: ApiRequest) -> Response[Ready]:
    """Tell whether the API can answer: the database is there, and its migrations are applied."""
    return _probe(await services_of(request).readiness.now())


def _probe(found: ProbeT) -> Response[ProbeT]:
    good = found.status == "ok"
    return Response(found, status_code=HTTPStatus.OK if good else HTTPStatus.SERVICE_UNAVAILABLE)


@get("/metrics", include_in_schema=False, guards=[needs(Scope.read)])
async def metrics() -> Response[bytes]:
    """Show this process's metrics, in Prometheus' text format."""
    body, content_type = exposition()
    return Response(body, media_type=content_type)
