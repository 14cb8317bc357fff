"""Who asks, how often, and for what: keys become callers, callers are counted, routes say what they need."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from litestar.connection import ASGIConnection, Request
from litestar.enums import ScopeType
from litestar.handlers import BaseRouteHandler
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Send
from litestar.types import Scope as AsgiScope
from msgspec.structs import replace

from schemas.scopes import Scope
from server.http import api_keys
from server.http.proxy_users import user_of
from server.http.refusals import Refusal
from server.http.services import ApiRequest, Caller, connected, services_of

Guard = Callable[[ASGIConnection[Any, Any, Any, Any], BaseRouteHandler], None]
"""Raises a `Refusal` for a request that a route does not take."""


TokenOf = Callable[[ApiRequest], str | None]
"""Where a request shows its token; None where it shows none."""


class CallerMiddleware(ASGIMiddleware):
    """Finds out who asks, and refuses who asks too often; keys that are tried out are counted by address.

    `token_of` says where a request shows its key: programs in a header, browsers in a cookie. With
    `knows_users` the users that a believed proxy names are known, too.
    """

    scopes = (ScopeType.HTTP,)

    def __init__(self, token_of: TokenOf, *, knows_users: bool = False) -> None:
        self._token_of = token_of
        self._knows_users = knows_users

    async def handle(self, scope: AsgiScope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Put the caller into the scope, or refuse."""
        request: ApiRequest = Request(scope)
        address = request.client.host if request.client else "unknown"
        caller = await self._caller(request, address)
        services_of(request).limiter.count(_counted_as(caller, address))
        scope["user"] = caller
        await next_app(scope, receive, send)

    async def _caller(self, request: ApiRequest, address: str) -> Caller:
        caller = self._user(request)
        token = self._token_of(request)
        if token is None:
            return caller
        limiter = services_of(request).limiter
        limiter.count(f"tries {address}")
        async with connected(request) as connection:
            key = await api_keys.find(connection, token)
        if key is not None:
            limiter.discount(f"tries {address}")
        return replace(caller, key=key, shown=True)

    def _user(self, request: ApiRequest) -> Caller:
        """The caller as far as the proxy names one."""
        if not self._knows_users:
            return Caller(key=None, shown=False)
        scope = Scope(services_of(request).settings.api_proxy_scope)
        return Caller(key=None, shown=False, user=user_of(request.scope), user_scope=scope)


def _counted_as(caller: Caller, address: str) -> str:
    """Who a request is counted for."""
    if caller.key:
        return f"key {caller.key.id}"
    return f"user {caller.user}" if caller.user else f"address {address}"


def token_of(request: ApiRequest) -> str | None:
    """The token that a program sends, in one of two headers; under another scheme, it is none of ours."""
    header = request.headers.get("authorization")
    if header is None:
        return request.headers.get("x-api-key")
    scheme, _, token = header.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def needs(scope: Scope) -> Guard:
    """A guard of routes for which a key with this scope is needed, unless reading is left open."""

    def guard(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        caller: Caller = connection.user
        is_open = scope is Scope.read and services_of(connection).settings.api_open_read
        if caller.shown and caller.key is None:
            raise Refusal(HTTPStatus.UNAUTHORIZED, "unknown_key", "this API key is not in force")
        if not caller.is_known and not is_open:
            raise Refusal(
                HTTPStatus.UNAUTHORIZED,
                "key_required",
                f"an API key with the scope {scope} is needed, as `Authorization: Bearer …`: "
                "`lapstream keys create` makes one",
            )
        if caller.is_known and not is_open and not caller.allows(scope):
            who = "this API key" if caller.key else caller.name
            raise Refusal(
                HTTPStatus.FORBIDDEN, "scope_missing", f"{who} lacks the scope {scope}, which is needed"
            )

    return guard
