"""The application: the routes and pages, who may ask how often, and how errors are told."""

import functools
from typing import Any

from litestar import Litestar, Request, Response, Router, get
from litestar.config.cors import CORSConfig

from server.api.contract import read_asyncapi, read_schema
from server.api.document import document
from server.api.health import metrics
from server.api.parameters import ParametersMiddleware
from server.api.routes import HEALTH, version_1
from server.http.callers import CallerMiddleware, token_of
from server.http.refusals import answer
from server.web import session
from server.web.errors import answer_page, wants_page
from server.web.pages import template_config
from server.web.routes import pages

BODY_BYTES = 64 * 1024
"""The largest body of a request."""

ASKED_HEADERS = ("Authorization", "X-Api-Key", "Content-Type", "Idempotency-Key", "Prefer", "X-Request-Id")
"""What a page of an allowed origin may send."""

ANSWERED_HEADERS = ("Location", "Retry-After", "Preference-Applied", "X-Request-Id")
"""What such a page may read."""


@get("/openapi.json", include_in_schema=False)
async def openapi() -> Response[bytes]:
    """Show the document that describes the API, as it is on file."""
    return Response(document(), media_type="application/json")


@functools.cache
def app_of(cors_origins: str) -> Litestar:
    """The application whose answers pages of these origins may read; what it works with comes with a request.

    It is made once in a process, which takes a tenth of a second.
    """
    document()  # made now, so that no request waits for it
    callers = CallerMiddleware(token_of)
    visitors = CallerMiddleware(session.token_of, knows_users=True)
    watched = Router("/", route_handlers=[metrics], middleware=[callers])
    return Litestar(
        [
            *HEALTH,
            watched,
            *pages(visitors),
            version_1(openapi, read_asyncapi, read_schema, middleware=[callers, ParametersMiddleware()]),
        ],
        exception_handlers={Exception: _answer},
        request_max_body_size=BODY_BYTES,
        cors_config=_cors(cors_origins),
        template_config=template_config(),
        openapi_config=None,
        logging_config=None,
    )


def _answer(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """What a request that met an error is answered: browsers get a page, programs JSON."""
    return answer_page(request, error) if wants_page(request) else answer(request, error)


def _cors(origins: str) -> CORSConfig | None:
    allowed = [origin.strip() for origin in origins.split(",") if origin.strip()]
    if not allowed:
        return None
    return CORSConfig(
        allow_origins=allowed,
        allow_methods=["GET", "POST", "DELETE"],
        allow_headers=list(ASKED_HEADERS),
        expose_headers=list(ANSWERED_HEADERS),
    )
