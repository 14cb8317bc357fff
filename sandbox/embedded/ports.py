"""Free ports of 127.0.0.1.

Below the range that systems hand out to outgoing connections: otherwise a client that retries a stopped
server could be given that server's port as its own, and keep it from coming back.
"""

import random
import socket
import time
from collections.abc import Collection

HOST = "127.0.0.1"
RANGE = range(20_000, 32_000)
RELEASE_SECONDS = 2.0

_random = random.SystemRandom()
"""Not the shared generator: processes that seed it alike would choose the same ports."""


def is_free(port: int) -> bool:
    """Whether a server could listen on this port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def is_free_soon(port: int) -> bool:
    """Whether a port is free now or within 2 seconds: a killed server holds its own a moment longer."""
    deadline = time.monotonic() + RELEASE_SECONDS
    while not is_free(port):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def is_answering(port: int) -> bool:
    """Whether somebody accepts connections on this port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


def choose(taken: Collection[int] = (), within: range = RANGE) -> int:
    """A free port that is not in `taken`."""
    for port in _random.sample(within, len(within)):
        if port not in taken and is_free(port):
            return port
    raise OSError(f"no port from {within.start} to {within.stop} is free on {HOST}")
