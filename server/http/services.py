"""What the API works with, and how a request gets hold of it."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, MutableMapping
from typing import Any, cast
from uuid import UUID

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.types import ASGIApp, Receive, Send
from litestar.types import Scope as AsgiScope
from msgspec import Struct, field

from runs.day_watch import DayWatch
from runs.run import Run
from runs.watch import RunWatch
from runtime.obtaining import Discover
from runtime.readiness import Readiness
from runtime.settings import Settings
from schemas.scopes import Scope
from server.http.api_keys import ApiKey
from server.http.limits import Limiter
from store.pool import Connection, Pool

DATABASE_SECONDS = 10.0
"""How long a request may take at the database, waiting for a connection included."""


class Caller(Struct, frozen=True, kw_only=True):
    """Who asks: the key that was shown, where it is one in force; `shown` tells whether any was.

    `user` is who a believed proxy says is signed in, who may do what `user_scope` says. Where a key is in
    force, it alone says what may be done.
    """

    key: ApiKey | None
    shown: bool
    user: str | None = None
    user_scope: Scope = Scope.read

    @property
    def is_known(self) -> bool:
        """Whether it is known who asks."""
        return self.key is not None or self.user is not None

    @property
    def name(self) -> str | None:
        """What who asks is called, as it is kept with what they did."""
        if self.key:
            return self.key.name
        return f"user {self.user}" if self.user else None

    def allows(self, wanted: Scope) -> bool:
        """Whether this may be done by who asks."""
        if self.key:
            return self.key.allows(wanted)
        return self.user is not None and self.user_scope.includes(wanted)


KEY = "lapstream_services"
"""Where a request's scope has what it is answered with."""

SEARCHES = 1
"""Requests that read the log at a time; who waits for it longer than a search may take, gives it up."""

ApiRequest = Request[Caller, Any, Any]
"""A request whose caller is known."""


class Services(Struct, frozen=True, kw_only=True):
    """What the API works with; `stopping` is set when it is to stop, `streams` bounds the open ones.

    `limiter` bounds how often a caller may ask, `searches` who reads the log at a time.
    """

    settings: Settings
    limiter: Limiter
    pool: Pool
    watch: RunWatch
    days: DayWatch
    readiness: Readiness
    discover: Discover
    stopping: asyncio.Event
    streams: asyncio.Semaphore
    searches: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(SEARCHES))

    async def ended(self, run_id: UUID, seconds: float) -> Run:
        """A run when it has ended, or as it is after so many seconds, or when the server stops."""
        waiting = asyncio.create_task(self.watch.ended(run_id, seconds))
        stopped = asyncio.create_task(self.stopping.wait())
        try:
            await asyncio.wait({waiting, stopped}, return_when=asyncio.FIRST_COMPLETED)
            return await (waiting if waiting.done() else self.watch.ended(run_id, 0))
        finally:
            for task in (waiting, stopped):
                task.cancel()


class Served:
    """An application whose requests are answered with these services."""

    def __init__(self, app: ASGIApp, services: Services) -> None:
        self._app = app
        self._services = services

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Pass a request on, with the services in its scope."""
        cast("MutableMapping[str, Any]", scope)[KEY] = self._services
        await self._app(scope, receive, send)


def services_of(connection: ASGIConnection[Any, Any, Any, Any]) -> Services:
    """What this request is answered with."""
    return cast("MutableMapping[str, Any]", connection.scope)[KEY]


@contextlib.asynccontextmanager
async def connected(request: ApiRequest) -> AsyncGenerator[Connection]:
    """A connection to the database, for as long as a request may take there."""
    async with asyncio.timeout(DATABASE_SECONDS), services_of(request).pool.acquire() as connection:
        yield connection
