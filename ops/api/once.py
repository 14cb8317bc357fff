"""What a request may say but once: said twice, it is refused, since nobody knows which one counts."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Literal

from litestar.connection import Request
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from ops.api.answers import FieldFault
from ops.api.refusals import Refusal
from ops.api.services import ApiRequest

HEADERS = frozenset({b"authorization", b"content-type", b"idempotency-key", b"prefer", b"x-api-key"})
"""The headers that routes read."""


class OnceMiddleware(ASGIMiddleware):
    """Refuses requests with a query parameter, or one of the headers, that stands twice."""

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Pass the request on, or refuse it."""
        request: ApiRequest = Request(scope)
        _check_once("query", (name for name, _ in request.query_params.multi_items()))
        names = (name for name, _ in scope["headers"] if name in HEADERS)
        _check_once("header", (name.decode().title() for name in names))
        await next_app(scope, receive, send)


def _check_once(source: Literal["query", "header"], names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            fault = FieldFault(field=name[:64], message="stands twice", source=source)
            raise Refusal.of_field(HTTPStatus.BAD_REQUEST, "invalid_request", fault)
        seen.add(name)
