"""The API's connections: a bounded number, and none for longer than it is made use of.

By itself uvicorn takes as many connections as there are descriptors, and waits on each for ever. Here one
that is silent, or slow to ask, to send or to read, is closed after a while. Where no more may be open and a
new one comes, the one that was waited on for longest is closed at once. So requests are answered whatever
other connections do, and the rest of the process keeps its descriptors.
"""

import asyncio
import resource
import socket
from functools import partial
from typing import Any

import structlog
from msgspec import Struct
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol

MOST = 500
"""Connections of one API process; fewer where the process may not open four times as many descriptors."""

BACKLOG = 128
"""Connections that the system keeps until they are accepted; so many at most are accepted at once."""

_REFUSAL = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
)
_DEAD_SECONDS = 30
"""After so long without a sign of the other side a connection is dead."""

log = structlog.get_logger("lapstream.api")


class Bounds(Struct, frozen=True, kw_only=True):
    """How many connections may be open, and how long each may take for what, in seconds.

    `request_seconds` is from a connection's begin, or the answer before, to the end of a request's head, and
    again from there to the end of its body; `read_seconds` is how long an answer may wait for its reader.
    """

    connections: int = MOST
    request_seconds: float = 15.0
    read_seconds: float = 20.0


def bounds_here() -> Bounds:
    """The bounds in this process."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return Bounds(connections=MOST if files == resource.RLIM_INFINITY else min(MOST, files // 4))


class Connections:
    """The connections of one server; those that it waits on are known, in the order in which that began."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self.open = 0
        self._idle: dict[_Connection, None] = {}

    def protocol(self) -> Any:  # noqa: ANN401 - uvicorn calls what it takes for a class
        """What makes a connection, as uvicorn wants it."""
        return partial(_Connection, self)

    def idles(self, connection: "_Connection") -> None:
        """The server waits on this connection from now on."""
        self._idle.pop(connection, None)
        self._idle[connection] = None

    def works(self, connection: "_Connection") -> None:
        """The connection waits on the server, or is closed."""
        self._idle.pop(connection, None)

    def make_room(self) -> bool:
        """Close the connection that the server has waited on for longest; False where it waits on none."""
        log.warning("api_connections_full", connections=self.bounds.connections)
        oldest = next(iter(self._idle), None)
        if oldest is not None:
            oldest.abort()
        return oldest is not None


class _Connection(H11Protocol):
    """A connection that is closed when it takes too long."""

    def __init__(self, connections: Connections, config: Config, **options: Any) -> None:
        super().__init__(config, **options)
        self._all = connections
        self._deadline: asyncio.TimerHandle | None = None
        self._awaited: object = None
        self._lost = False

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self._all.open += 1
        _notice_death(transport.get_extra_info("socket"))
        if self._all.open > self._all.bounds.connections and not self._all.make_room():
            transport.write(_REFUSAL)
            transport.close()
        else:
            self._await_request()

    def connection_lost(self, exc: Exception | None) -> None:
        self._all.open -= 1
        self._lost = True
        self._settle()
        super().connection_lost(exc)

    def abort(self) -> None:
        """End the connection at once, whatever is left to be sent."""
        self._settle()
        self.transport.abort()

    def handle_events(self) -> None:
        super().handle_events()
        self._await_request()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._await_request()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._await("reader", self._all.bounds.read_seconds)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._settle()
        self._await_request()

    def _await_request(self) -> None:
        """Wait so long for the part of a request that is to come; for its answer, as long as that takes."""
        if self.flow.write_paused:
            return
        if self.transport.is_closing():
            self._await("end", self._all.bounds.read_seconds)
        elif not self.cycle or self.cycle.response_complete:
            self._await((self.cycle, "head"), self._all.bounds.request_seconds)
        elif self.cycle.more_body:
            self._await((self.cycle, "body"), self._all.bounds.request_seconds)
        else:
            self._settle()

    def _await(self, what: object, seconds: float) -> None:
        if what != self._awaited and not self._lost:
            self._settle()
            self._awaited = what
            self._all.idles(self)
            self._deadline = self.loop.call_later(seconds, self.abort)

    def _settle(self) -> None:
        """Nothing is waited for."""
        self._awaited = None
        self._all.works(self)
        if self._deadline:
            self._deadline.cancel()
            self._deadline = None


def _notice_death(connection: socket.socket) -> None:
    """Let the system end a connection whose other side is gone without a word."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", 15), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, name):
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _DEAD_SECONDS * 1000)
