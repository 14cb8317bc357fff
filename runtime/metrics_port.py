"""Metrics and health over HTTP, on threads of their own: they are shown whatever the event loop does.

Connections are bounded: where one more comes, the oldest ends.
"""

import contextlib
import socket
import threading
from collections.abc import Callable, Generator
from functools import partial
from http import HTTPStatus
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer
from wsgiref.types import StartResponse, WSGIEnvironment

import msgspec

from runtime.readiness import Ready
from telemetry import health
from telemetry.health import Live
from telemetry.metrics import exposition

LIVE, READY = "/livez", "/readyz"
"""The paths of what probes ask for."""

METRICS = ("/metrics", "/")
"""Those of what is scraped. Any other is not found: a probe that asks for one would pass whatever happens."""

CONNECTIONS = 8
SILENT_SECONDS = 5.0
"""How long a connection may say nothing."""


@contextlib.contextmanager
def showing(host: str, port: int, ready: Callable[[], Ready]) -> Generator[int]:
    """Show metrics and health, for the length of a block; gives the port.

    Raises OSError where it can't listen.
    """
    server = _Server(host, port)
    server.set_app(partial(_answer, ready))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _answer(
    ready: Callable[[], Ready], environ: WSGIEnvironment, start_response: StartResponse
) -> list[bytes]:
    status, content_type, body = _page(environ.get("PATH_INFO", ""), ready)
    start_response(f"{status.value} {status.phrase}", [("Content-Type", content_type)])
    return [body]


def _page(path: str, ready: Callable[[], Ready]) -> tuple[HTTPStatus, str, bytes]:
    if path == LIVE:
        return _probe(health.live())
    if path == READY:
        return _probe(ready())
    if path not in METRICS:
        return HTTPStatus.NOT_FOUND, "text/plain", f"there are {METRICS[0]}, {LIVE} and {READY}\n".encode()
    body, content_type = exposition()
    return HTTPStatus.OK, content_type, body


def _probe(found: Live | Ready) -> tuple[HTTPStatus, str, bytes]:
    """The page of a probe, which goes by the status."""
    status = HTTPStatus.OK if found.status == "ok" else HTTPStatus.SERVICE_UNAVAILABLE
    return status, "application/json", msgspec.json.encode(found) + b"\n"


class _Handler(WSGIRequestHandler):
    timeout = SILENT_SECONDS

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Log nothing."""


class _Server(ThreadingMixIn, WSGIServer):
    """A thread for each connection."""

    daemon_threads = True
    request_queue_size = 128
    """With socketserver's 5, who connects behind a burst waits for seconds, for its own retries."""

    def __init__(self, host: str, port: int) -> None:
        [(self.address_family, *_), *_] = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        self._open: dict[Any, None] = {}
        self._lock = threading.Lock()
        super().__init__((host, port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - a socket, an address
        with self._lock:
            self._open[request] = None
            oldest = next(iter(self._open)) if len(self._open) > CONNECTIONS else None
            self._open.pop(oldest, None)
        if oldest is not None:
            with contextlib.suppress(OSError):
                oldest.shutdown(socket.SHUT_RDWR)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401 - a socket
        with self._lock:
            self._open.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as above
        """Say nothing of connections that broke off."""
