"""What stands before the application: each request gets an id and a line in the log, each answer its headers.

In the log stand the address and what was asked for, never a header: a key is nowhere to be read. In an answer
of JSON what a terminal would obey is escaped, since many an answer is looked at in one.
"""

import re
import time
import uuid
from typing import Any, cast

import structlog
from litestar.datastructures import MutableScopeHeaders
from litestar.types import ASGIApp, HTTPResponseStartEvent, HTTPScope, Message, Receive, Scope, Send

from schemas.terminal import clean_json

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-site",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""Of every answer that has none of its own; pages may load their own files."""

PROBES = ("/healthz", "/livez", "/readyz")
"""Asked every few seconds: a line in the log only when it fails."""

_LONGEST_PATH = 300
_BAD = 400
_JSON = ("application/json", "application/problem+json")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

log = structlog.get_logger("lapstream.api")


class RequestMiddleware:
    """The application with request ids, security headers and a log of who was answered what."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or pass on what is none."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(cast("HTTPScope", scope), send)
        with structlog.contextvars.bound_contextvars(request_id=exchange.request_id):
            try:
                await self._app(scope, receive, exchange.send)
            finally:
                exchange.note()


class _Exchange:
    """One request and its answer."""

    def __init__(self, scope: HTTPScope, send: Send) -> None:
        self._scope = scope
        self._send = send
        self._begin = time.monotonic()
        self._status = 0
        self._head: HTTPResponseStartEvent | None = None
        self.request_id = _request_id(scope)

    async def send(self, message: Message) -> None:
        """Send a part of the answer, its head with the headers that all answers have.

        The head of JSON waits for its body, whose length it names.
        """
        if message["type"] == "http.response.start":
            self._status = message["status"]
            if self._completed(message).get("content-type", "").startswith(_JSON):
                self._head = message
                return
        elif message["type"] == "http.response.body" and self._head is not None:
            head, self._head = self._head, None
            message["body"] = clean_json(message["body"])
            if message["body"]:
                MutableScopeHeaders(head)["Content-Length"] = str(len(message["body"]))
            await self._send(head)
        await self._send(message)

    def _completed(self, head: HTTPResponseStartEvent) -> dict[str, str]:
        """Give an answer's head the headers that all have; returns those that it has now."""
        headers = MutableScopeHeaders(head)
        if "Cache-Control" not in headers:
            headers["Cache-Control"] = "no-store"
        headers["X-Request-Id"] = self.request_id
        for name, value in SECURITY_HEADERS.items():
            if name not in headers:
                headers[name] = value
        return {name.decode("latin-1"): value.decode("latin-1") for name, value in head["headers"]}

    def note(self) -> None:
        """Write the line in the log."""
        path = self._scope["raw_path"].decode("latin-1")[:_LONGEST_PATH]
        if path in PROBES and self._status < _BAD:
            return
        user: Any = cast("dict[str, Any]", self._scope).get("user")
        client = self._scope["client"]
        log.info(
            "api_request",
            method=self._scope["method"],
            path=path,
            status=int(self._status) or None,
            duration_ms=round((time.monotonic() - self._begin) * 1000, 1),
            key=user.key.name if user and user.key else None,
            user=user.user if user else None,
            address=client[0] if client else None,
        )


def _request_id(scope: HTTPScope) -> str:
    """The caller's own id, where it is one that can be shown; else a new one."""
    given = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
    return given if _REQUEST_ID.fullmatch(given) else str(uuid.uuid4())
