"""The application: the routes, who may ask how often, how errors are told, and which pages may ask."""

from litestar import Litestar, Response, Router, get
from litestar.config.cors import CORSConfig
from litestar.datastructures import State

from lapstream.api.contract import read_asyncapi, read_schema
from lapstream.api.document import document
from lapstream.api.health import metrics
from lapstream.api.parameters import ParametersMiddleware
from lapstream.api.routes import HEALTH, version_1
from lapstream.http.callers import CallerMiddleware
from lapstream.http.refusals import answer
from lapstream.http.services import Services

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


def make_app(services: Services) -> Litestar:
    """The application, which works with these."""
    document()  # made now, so that no request waits for it
    callers = CallerMiddleware(services.settings.api_requests_per_minute)
    watched = Router("/", route_handlers=[metrics], middleware=[callers])
    return Litestar(
        [
            *HEALTH,
            watched,
            version_1(openapi, read_asyncapi, read_schema, middleware=[callers, ParametersMiddleware()]),
        ],
        exception_handlers={Exception: answer},
        request_max_body_size=BODY_BYTES,
        cors_config=_cors(services.settings.api_cors_origins),
        state=State({"services": services}),
        openapi_config=None,
        logging_config=None,
    )


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
