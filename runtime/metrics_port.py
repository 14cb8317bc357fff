"""The metrics over HTTP, on threads of their own: they are shown whatever the event loop does.

Connections are bounded: where one more comes, the oldest ends.
"""

import contextlib
import socket
import threading
from collections.abc import Generator
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer
from wsgiref.types import StartResponse, WSGIEnvironment

from telemetry.metrics import exposition

CONNECTIONS = 8
SILENT_SECONDS = 5.0
"""How long a connection may say nothing."""


@contextlib.contextmanager
def showing(host: str, port: int) -> Generator[int]:
    """Show the metrics for the length of a block; gives the port. Raises OSError where it can't listen."""
    server = _Server(host, port)
    server.set_app(_answer)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _answer(_environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    body, content_type = exposition()
    start_response("200 OK", [("Content-Type", content_type)])
    return [body]


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
