"""The metrics' own port: whoever asks is answered, however many others hold connections and say nothing."""

import contextlib
import socket
from urllib.request import urlopen

from runtime.metrics_port import CONNECTIONS, showing

SILENT = 100


def test_silent_connections_keep_nobody_from_the_metrics() -> None:
    with showing("127.0.0.1", 0) as port, contextlib.ExitStack() as stack:
        silent = [
            stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=4))
            for _ in range(SILENT)
        ]
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=4) as answer:
            assert b"lapstream_ingest_runs_total" in answer.read()
        assert all(ended(one) for one in silent[: SILENT - CONNECTIONS])


def ended(connection: socket.socket) -> bool:
    """Whether the server closed the connection."""
    try:
        return connection.recv(1) == b""
    except ConnectionError:
        return True
