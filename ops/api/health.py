"""Whether the process lives, and whether it can do its work: for whatever starts it, and balances load."""

from http import HTTPStatus
from typing import Literal

from litestar import get
from msgspec import Struct

from ops.api.responses import refusals
from ops.api.services import ApiRequest, connected


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
