"""The names in a request: one that stands twice is refused, since nobody knows which one counts.

So is a query parameter that the route does not know: ignored, a misspelt one would widen a search.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from http import HTTPStatus
from typing import Literal

from litestar.connection import Request
from litestar.enums import ScopeType
from litestar.handlers import BaseRouteHandler
from litestar.middleware import ASGIMiddleware
from litestar.params import QueryParameter
from litestar.types import ASGIApp, Receive, Scope, Send

from server.http.answers import FieldFault
from server.http.refusals import Refusal
from server.http.services import ApiRequest

HEADERS = frozenset({b"authorization", b"content-type", b"idempotency-key", b"prefer", b"x-api-key"})
"""The headers that routes read."""


class ParametersMiddleware(ASGIMiddleware):
    """Refuses requests with a query parameter that is unknown, or that stands twice, or such a header."""

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Pass the request on, or refuse it."""
        request: ApiRequest = Request(scope)
        given = [name for name, _ in request.query_params.multi_items()]
        _check_known(given, _parameters(scope["route_handler"]))
        _check_once("query", given)
        names = (name for name, _ in scope["headers"] if name in HEADERS)
        _check_once("header", (name.decode().title() for name in names))
        await next_app(scope, receive, send)


@cache
def _parameters(handler: BaseRouteHandler) -> list[str]:
    """The query parameters of a route."""
    fields = handler.parsed_fn_signature.parameters.items()
    return [
        field.kwarg_definition.name or name
        for name, field in fields
        if isinstance(field.kwarg_definition, QueryParameter)
    ]


def _check_known(names: Iterable[str], known: Sequence[str]) -> None:
    for name in names:
        if name not in known:
            has = f"it has {', '.join(known)}" if known else "it has none"
            raise _refused("query", name, f"is no parameter of this address: {has}")


def _check_once(source: Literal["query", "header"], names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise _refused(source, name, "stands twice")
        seen.add(name)


def _refused(source: Literal["query", "header"], name: str, what: str) -> Refusal:
    fault = FieldFault(field=name[:64], message=what, source=source)
    return Refusal.of_field(HTTPStatus.BAD_REQUEST, "invalid_request", fault)
