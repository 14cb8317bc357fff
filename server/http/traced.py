"""A span for each request to the API, of the trace that the caller's `traceparent` names."""

from collections.abc import MutableMapping
from typing import Any, cast

from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send
from opentelemetry.trace import Span, SpanKind, StatusCode

from server.http.middleware import PROBES
from telemetry import tracing

UNTRACED = (*PROBES, "/metrics")
"""Asked every few seconds, by machines."""

_FAULT = 500


class Traced:
    """The application with a span around each request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or pass on what is none."""
        if scope["type"] != "http" or scope["path"] in UNTRACED:
            await self._app(scope, receive, send)
            return
        request = cast("HTTPScope", scope)
        with tracing.span(request["method"], _traceparent(request), kind=SpanKind.SERVER) as span:
            await self._app(scope, receive, _noting(send, span))
            _name(span, cast("MutableMapping[str, Any]", scope))


def _traceparent(scope: HTTPScope) -> str | None:
    header = dict(scope["headers"]).get(tracing.HEADER.encode())
    return header.decode("latin-1") if header else None


def _name(span: Span, scope: MutableMapping[str, Any]) -> None:
    """Name the span by the route that took the request, never by what stood in its place."""
    span.set_attribute("http.request.method", scope["method"])
    if route := scope.get("path_template"):
        span.set_attribute("http.route", route)
        span.update_name(f"{scope['method']} {route}")


def _noting(send: Send, span: Span) -> Send:
    """Send on, and note the answer's status."""

    async def note(message: Message) -> None:
        if message["type"] == "http.response.start":
            span.set_attribute("http.response.status_code", message["status"])
            if message["status"] >= _FAULT:
                span.set_status(StatusCode.ERROR)
        await send(message)

    return note
