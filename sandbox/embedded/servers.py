"""What both servers have in common: start, wait until they answer, recognise, end.

In: a server of a home. Out: its process id; or the error that says why it doesn't run, with the
end of its log.
"""

import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, Protocol

import psutil

from sandbox.embedded import ports, processes
from sandbox.embedded.errors import LOG_LINES, NotReady, PortTaken, ServerDied
from sandbox.embedded.processes import Command
from sandbox.embedded.state import Which

START_SECONDS = 90.0
STOP_SECONDS = 30.0
TAIL_BYTES = 16 * 1024


class Server(Protocol):
    """A server of one home."""

    which: ClassVar[Which]
    name: ClassVar[str]
    stop_signal: ClassVar[signal.Signals]

    @property
    def home(self) -> Path: ...
    @property
    def ports(self) -> tuple[int, ...]: ...
    @property
    def address(self) -> str: ...
    @property
    def shown(self) -> str: ...
    @property
    def is_open(self) -> bool: ...

    def provide(self, report: Callable[[str], None]) -> None: ...
    def make_data(self, report: Callable[[str], None]) -> None: ...
    def command(self) -> Command: ...
    def owns(self, process: psutil.Process) -> bool: ...
    def complaint(self) -> str | None: ...
    def settle(self) -> None: ...


def log_of(server: Server) -> Path:
    """The file that holds all that a server writes."""
    return server.home / "logs" / f"{server.which}.log"


def find(server: Server, pid: int | None) -> psutil.Process | None:
    """The server's process, when the remembered id is (still) its own."""
    process = processes.find(pid) if pid is not None else None
    return process if process and processes.is_owned(process, server.owns) else None


def end_all(server: Server) -> bool:
    """End every process of a server, also those that nobody remembers; returns whether there was one."""
    found = processes.matching(server.owns)
    for process in found:
        processes.end(process, sign=server.stop_signal, grace_seconds=STOP_SECONDS)
    return bool(found)


def check_ports(server: Server) -> None:
    """Raise `PortTaken` when another program listens where the server must."""
    for port in server.ports:
        if not ports.is_free_soon(port):
            raise PortTaken(server.name, port)


def start(
    server: Server,
    *,
    report: Callable[[str], None],
    remember: Callable[[int], None],
    given_up: threading.Event,
) -> None:
    """Start a server that doesn't run, and return when it answers; ends it again when it doesn't.

    `remember` is told the process id at once. `given_up` makes the wait end early. Raises `SetupFailed`,
    `ServerDied`, `NotReady`.
    """
    server.make_data(report)
    report(f"starting {server.name}…")
    log = log_of(server)
    log.parent.mkdir(parents=True, exist_ok=True)
    before = log.stat().st_size if log.exists() else 0
    pid = processes.spawn(server.command(), log=log)
    remember(pid)
    try:
        _await_answer(server, pid, log_from=before, given_up=given_up)
        server.settle()
    except BaseException:
        end_all(server)
        raise


def _await_answer(server: Server, pid: int, *, log_from: int, given_up: threading.Event) -> None:
    deadline = time.monotonic() + START_SECONDS
    reason = "it was never asked"
    while time.monotonic() < deadline and not given_up.is_set():
        if processes.find(pid) is None:
            raise ServerDied(server.name, log_of(server), tail(log_of(server), log_from))
        reason = server.complaint()
        if reason is None:
            return
        given_up.wait(processes.POLL_SECONDS)
    raise NotReady(server.name, log_of(server), START_SECONDS, reason)


def tail(log: Path, start: int) -> str:
    """The last lines of what a log got since it was `start` bytes long."""
    with log.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(start, size - TAIL_BYTES))
        lines = file.read().decode(errors="replace").splitlines()
    return "\n".join(lines[-LOG_LINES:]) or "(it wrote nothing)"
