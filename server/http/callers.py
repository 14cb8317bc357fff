"""Who asks, how often, and for what: keys become callers, callers are counted, routes say what they need."""

import time
from collections import Counter
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
from server.http.answers import Details
from server.http.proxy_users import user_of
from server.http.refusals import Refusal
from server.http.services import ApiRequest, Caller, connected, services_of

WINDOW_SECONDS = 60

Guard = Callable[[ASGIConnection[Any, Any, Any, Any], BaseRouteHandler], None]
"""Raises a `Refusal` for a request that a route does not take."""


TokenOf = Callable[[ApiRequest], str | None]
"""Where a request shows its token; None where it shows none."""


class Limiter:
    """Counts each caller's requests in the minute at hand; the minute that follows begins from nothing."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._begin = time.monotonic()
        self._counts: Counter[str] = Counter()

    def count(self, caller: str) -> None:
        """Count a request; raises a `Refusal` where the caller has used up the minute."""
        left = self._begin + WINDOW_SECONDS - time.monotonic()
        if left <= 0:
            self._begin, left = time.monotonic(), float(WINDOW_SECONDS)
            self._counts.clear()
        if self._counts[caller] >= self._limit:
            raise Refusal(
                HTTPStatus.TOO_MANY_REQUESTS,
                "too_many_requests",
                f"more than {self._limit} requests in a minute: slow down",
                details=Details(retry_after_seconds=int(left) + 1),
            )
        self._counts[caller] += 1

    def discount(self, caller: str) -> None:
        """Take a request back that was counted."""
        self._counts[caller] = max(0, self._counts[caller] - 1)


class CallerMiddleware(ASGIMiddleware):
    """Finds out who asks, and refuses who asks too often; keys that are tried out are counted by address.

    `token_of` says where a request shows its key: programs in a header, browsers in a cookie. With
    `user_scope` the users that a believed proxy names are known, too, and may do that.
    """

    scopes = (ScopeType.HTTP,)

    def __init__(self, limiter: Limiter, token_of: TokenOf, user_scope: Scope | None = None) -> None:
        self._limiter = limiter
        self._token_of = token_of
        self._user_scope = user_scope

    async def handle(self, scope: AsgiScope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Put the caller into the scope, or refuse."""
        request: ApiRequest = Request(scope)
        address = request.client.host if request.client else "unknown"
        caller = await self._caller(request, address)
        self._limiter.count(_counted_as(caller, address))
        scope["user"] = caller
        await next_app(scope, receive, send)

    async def _caller(self, request: ApiRequest, address: str) -> Caller:
        caller = self._user(request)
        token = self._token_of(request)
        if token is None:
            return caller
        self._limiter.count(f"tries {address}")
        async with connected(request) as connection:
            key = await api_keys.find(connection, token)
        if key is not None:
            self._limiter.discount(f"tries {address}")
        return replace(caller, key=key, shown=True)

    def _user(self, request: ApiRequest) -> Caller:
        """The caller as far as the proxy names one."""
        if self._user_scope is None:
            return Caller(key=None, shown=False)
        return Caller(key=None, shown=False, user=user_of(request.scope), user_scope=self._user_scope)


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
