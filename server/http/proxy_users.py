"""Who a proxy says is signed in, by a header; believed of the addresses in `FORWARDED_ALLOW_IPS`.

What counts is the address of the connection itself, never one that a header tells: this stands before
whatever replaces it.
"""

import ipaddress
import os
from collections.abc import MutableMapping
from typing import Any, cast

import structlog
from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from runtime.settings import Settings, SettingsError, variable

KEY = "lapstream_user"
"""Where a request's scope has the user's name."""

ALLOWED = "FORWARDED_ALLOW_IPS"
"""The variable that names the addresses, as uvicorn has it."""

LONGEST_NAME = 200
MOST_TOLD = 100
"""So many reasons and addresses are logged."""

log = structlog.get_logger("lapstream.api")


def behind_proxies(app: ASGIApp, settings: Settings) -> ASGIApp:
    """The application with what believed proxies say of their clients, and of who is signed in.

    Raises `SettingsError` where a user's header would be believed of every address.
    """
    allowed = os.environ.get(ALLOWED, "127.0.0.1")
    forwarded = ProxyHeadersMiddleware(cast("Any", app), trusted_hosts=allowed)
    if not settings.api_proxy_user_header:
        return cast("ASGIApp", forwarded)
    _check(allowed)
    return ProxyUsers(forwarded, settings.api_proxy_user_header)


def _check(allowed: str) -> None:
    for one in map(str.strip, allowed.split(",")):
        if one == "*" or _is_everything(one):
            raise SettingsError(
                f"{ALLOWED} is {allowed!r}, and {variable('api_proxy_user_header')} is set: anybody could "
                "say who they are. Name the addresses of the proxies"
            )


def _is_everything(network: str) -> bool:
    try:
        return "/" in network and ipaddress.ip_network(network, strict=False).prefixlen == 0
    except ValueError:
        return False


class ProxyUsers:
    """The application, each of whose requests has the user that a believed proxy names."""

    def __init__(self, app: ProxyHeadersMiddleware, header: str) -> None:
        self._app = cast("ASGIApp", app)
        self._believed = app.trusted_hosts
        self._header = header.lower().encode()
        self._told: set[tuple[str, str | None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Note the user of a request, and pass it on."""
        if scope["type"] == "http":
            cast("MutableMapping[str, Any]", scope)[KEY] = self._user(cast("HTTPScope", scope))
        await self._app(scope, receive, send)

    def _user(self, scope: HTTPScope) -> str | None:
        given = [value for name, value in scope["headers"] if name.lower() == self._header]
        if not given or given == [b""]:
            return None
        client = scope["client"]
        address = client[0] if client else None
        if address not in self._believed:
            return self._ignore("the address is not believed", address)
        if len(given) > 1:
            return self._ignore("the header stands more than once", address)
        name = name_in(given[0])
        return name or self._ignore("the header holds no name", address)

    def _ignore(self, why: str, address: str | None) -> None:
        """Log, once for each address, that a header counts for nothing."""
        if (why, address) not in self._told and len(self._told) < MOST_TOLD:
            self._told.add((why, address))
            log.warning("api_proxy_user_ignored", why=why, address=address)


def name_in(value: bytes) -> str | None:
    """The one name that a header holds; None where it is none, or could be several."""
    try:
        name = value.decode().strip()
    except UnicodeDecodeError:
        return None
    is_name = 0 < len(name) <= LONGEST_NAME and name.isprintable() and "," not in name
    return name if is_name else None


def user_of(scope: Scope) -> str | None:
    """The user that a believed proxy names."""
    return cast("MutableMapping[str, Any]", scope).get(KEY)
