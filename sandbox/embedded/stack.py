"""The verbs of the embedded stack.

In: a home, the one folder that holds data, logs and state. Out: the addresses of Apache Kafka and PostgreSQL,
which run on after the program that started them, until `down`; `running` is for those who want them only for
the length of a block. Every verb raises a `StackError` when it can't do what it says.
"""

import os
import shutil
import signal
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Literal, NoReturn

import msgspec
from msgspec import Struct

from sandbox.embedded import jars, paths, ports, servers, state
from sandbox.embedded.errors import HomeUnusable, NoSpace, NotOurs, NotRunning, ServerDied
from sandbox.embedded.kafka import Kafka
from sandbox.embedded.postgres import Postgres, check_programs
from sandbox.embedded.servers import Server
from sandbox.embedded.state import StackState, Which

NEEDED_BYTES = 500 * 1024 * 1024
PORT_TRIES = 3
OTHERS = 0o077
"""What neither the owner's group nor anybody else may do with the files of a home."""

OURS = ("kafka", "postgres", "jars", "logs", "state.json")

Report = Callable[[str], None]


class Addresses(Struct, frozen=True, kw_only=True):
    """Where clients find the servers."""

    kafka_bootstrap: str
    postgres_dsn: str


class ServerStatus(Struct, frozen=True, kw_only=True):
    """One server: `pid` is None when it doesn't run; a silent one runs but doesn't answer."""

    state: Literal["running", "silent", "stopped"]
    pid: int | None
    address: str
    log: str


class Status(Struct, frozen=True, kw_only=True):
    """The whole stack of a home; the servers are None when none was ever started there."""

    home: str
    running: bool
    kafka: ServerStatus | None
    postgres: ServerStatus | None


def default_home() -> Path:
    """`LAPSTREAM_HOME`, or `.lapstream` in the current directory."""
    return Path(os.environ.get("LAPSTREAM_HOME") or ".lapstream")


def up(home: Path, *, report: Report, durable: bool = True) -> Addresses:
    """Start what doesn't run, find again what does, and return when both answer.

    Without `durable`, PostgreSQL skips its fsync: quicker, and a crash of the machine (not of the server) may
    damage its data. Servers that are found running stay as they were started.
    """
    _check(home)
    with _held(home, report) as place:
        return _up(place, report=report, durable=durable)[0]


def down(home: Path, *, report: Report = lambda _: None) -> bool:
    """Stop both servers and keep their data; returns whether there was one to stop."""
    return bool(_stop(home, ("kafka", "postgres"), report))


def wipe(home: Path, *, report: Report = lambda _: None) -> None:
    """Stop both servers and remove the data, logs and state; raises `NotOurs` for any other folder."""
    with _usable(home) as place:
        if not state.path_of(place).is_file():
            raise NotOurs(home)
    down(home, report=report)
    with _held(home, report) as place:
        for name in OURS:
            path = place / name
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        (place / ".lock").unlink()
    if not any(place.iterdir()):
        place.rmdir()


def status(home: Path) -> Status:
    """How the servers are, asked now; changes nothing."""
    with _usable(home) as place:
        known = state.load(place)
    if known is None:
        return Status(home=str(place), running=False, kafka=None, postgres=None)
    kafka, postgres = (_status(server, known) for server in _both(place, known))
    running = kafka.state == postgres.state == "running"
    return Status(home=str(place), running=running, kafka=kafka, postgres=postgres)


@contextmanager
def running(home: Path, *, report: Report, durable: bool = True) -> Generator[Addresses]:
    """Both servers for the length of a block; on the way out stops those that it started.

    Also on Ctrl-C, SIGTERM and SIGHUP, which become a SystemExit in the main thread where nobody else
    handles them.
    """
    _check(home)
    with ending_by_signal():
        with _held(home, report) as place:
            addresses, started = _up(place, report=report, durable=durable)
        try:
            yield addresses
        finally:
            _stop(home, started, report)


def start(home: Path, which: Which, *, report: Report = lambda _: None) -> None:
    """Start one server of a known home on its port, and return when it answers."""
    with _held(home, report) as place:
        known = _known(place)
        server = _server(place, known, which)
        if servers.find(server, known.pid(which)) is None:
            servers.end_all(server)
            servers.check_ports(server)
            _start([server], state.Memory(place, known), report)


def stop(home: Path, which: Which, *, report: Report = lambda _: None) -> bool:
    """Stop one server; returns whether it ran."""
    return bool(_stop(home, (which,), report))


def restart(home: Path, which: Which, *, report: Report = lambda _: None) -> None:
    """Stop one server and start it again on the same port."""
    stop(home, which, report=report)
    start(home, which, report=report)


def check_space(folder: Path, *, free_bytes: Callable[[Path], int] | None = None) -> None:
    """Raise `NoSpace` when the disk of a folder has less than 500 MB free."""
    there = paths.nearest(folder)
    free = free_bytes(there) if free_bytes else shutil.disk_usage(there).free
    if free < NEEDED_BYTES:
        raise NoSpace(folder, free, NEEDED_BYTES)


def _check(home: Path) -> None:
    """Refuse folders from which no server can be started, before anything is written."""
    with _usable(home) as place:
        check_programs()
        jars.place(place)


@contextmanager
def _usable(home: Path) -> Generator[Path]:
    """The home as an absolute path; what is wrong with it or with a file there becomes `HomeUnusable`."""
    try:
        place = home.resolve()
    except (OSError, RuntimeError) as cause:  # the current folder is gone, or links lead in a circle
        raise HomeUnusable(home, cause) from cause
    if reason := paths.complaint(place):
        raise HomeUnusable(place, reason)
    try:
        yield place
    except OSError as cause:
        if cause.filename is None:
            raise
        raise HomeUnusable(place, cause) from cause


@contextmanager
def _held(home: Path, report: Report) -> Generator[Path]:
    """As `_usable`, and locked."""
    before = os.umask(OTHERS)
    try:
        with _usable(home) as place, state.locked(place / ".lock", report=report):
            _close(place)
            yield place
    finally:
        os.umask(before)


def _close(place: Path) -> None:
    """Let nobody but its owner into what is in a home, also where an earlier version made it."""
    for path in (place / name for name in (*OURS, ".lock")):
        if path.exists() and path.stat().st_mode & OTHERS:
            path.chmod(path.stat().st_mode & ~OTHERS)


def _both(home: Path, known: StackState) -> tuple[Kafka, Postgres]:
    return Kafka(home, known), Postgres(home, known)


def _server(home: Path, known: StackState, which: Which) -> Server:
    return Kafka(home, known) if which == "kafka" else Postgres(home, known)


def _known(home: Path) -> StackState:
    known = state.load(home)
    if known is None:
        raise NotRunning(home)
    return known


def _up(home: Path, *, report: Report, durable: bool) -> tuple[Addresses, tuple[Which, ...]]:
    known = state.load(home) or state.fresh()
    missing: tuple[Which, ...] = tuple(
        server.which for server in _both(home, known) if not _answers(server, known)
    )
    if missing:
        check_space(home)
        check_space(jars.place(home))
        for which in missing:
            servers.end_all(_server(home, known, which))
        if "postgres" in missing:
            known = msgspec.structs.replace(known, durable=durable)
        known = _start_on_free_ports(home, known, missing, report)
    kafka, postgres = _both(home, known)
    return Addresses(kafka_bootstrap=kafka.address, postgres_dsn=postgres.address), missing


def _answers(server: Server, known: StackState) -> bool:
    """Whether a server is to stay as it runs: it answers, and not to everybody."""
    runs = servers.find(server, known.pid(server.which)) is not None
    return runs and not server.is_open and server.complaint() is None


def _start_on_free_ports(
    home: Path, known: StackState, missing: Sequence[Which], report: Report, tries: int = PORT_TRIES
) -> StackState:
    """Start servers; on other ports, where another program took a port before its server did."""
    known = _with_free_ports(known, missing, report)
    try:
        _start([_server(home, known, which) for which in missing], state.Memory(home, known), report)
    except ServerDied:
        other = _with_free_ports(known, missing, report)
        if other == known or tries == 1:
            raise
        return _start_on_free_ports(home, other, missing, report, tries - 1)
    return known


def _with_free_ports(known: StackState, missing: Sequence[Which], report: Report) -> StackState:
    """The state with another port for each that a missing server can't have any more."""
    names = {"kafka": ("kafka_port", "controller_port"), "postgres": ("postgres_port",)}
    for name in (name for which in missing for name in names[which]):
        port: int = getattr(known, name)
        if not ports.is_free_soon(port):
            other = ports.choose({known.kafka_port, known.controller_port, known.postgres_port})
            report(f"port {port} is taken by another program; taking {other} instead")
            known = msgspec.structs.replace(known, **{name: other})
    return known


def _start(missing: Sequence[Server], memory: state.Memory, report: Report) -> None:
    """Start servers side by side; when one fails, or somebody interrupts, none of them stays."""
    for server in missing:
        server.provide(report)
    memory.save()
    given_up = threading.Event()
    with ThreadPoolExecutor(len(missing)) as pool:

        def begin(server: Server) -> "Future[None]":
            remember = memory.of(server.which)
            return pool.submit(servers.start, server, report=report, remember=remember, given_up=given_up)

        try:
            for done in as_completed([begin(server) for server in missing]):
                done.result()
        except BaseException:
            given_up.set()
            pool.shutdown()
            for server in missing:
                servers.end_all(server)
            raise


def _stop(home: Path, which: Sequence[Which], report: Report) -> list[Which]:
    """Stop servers side by side; returns which of them ran."""
    with _usable(home) as place:
        known = state.load(place)
    if known is None or not which:
        return []
    with _held(home, report) as place, ThreadPoolExecutor(len(which)) as pool:
        affected = [_server(place, known, each) for each in which]
        report("stopping " + " and ".join(server.name for server in affected) + "…")
        ended = pool.map(servers.end_all, affected)
        return [each for each, ran in zip(which, ended, strict=True) if ran]


def _status(server: Server, known: StackState) -> ServerStatus:
    process = servers.find(server, known.pid(server.which))
    return ServerStatus(
        state="stopped" if process is None else "silent" if server.complaint() else "running",
        pid=process.pid if process else None,
        address=server.shown,
        log=str(servers.log_of(server)),
    )


def _exit_on(number: int, _: FrameType | None) -> NoReturn:
    signal.signal(number, signal.SIG_IGN)  # a second one must not interrupt the end that the first one began
    raise SystemExit(128 + number)


@contextmanager
def ending_by_signal() -> Generator[None]:
    """Make the signals that would end this program at once a SystemExit, so that what it started ends too."""
    handled: list[int] = []
    if threading.current_thread() is threading.main_thread():
        handled = [n for n in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(n) is signal.SIG_DFL]
    for number in handled:
        signal.signal(number, _exit_on)
    try:
        yield
    finally:
        for number in handled:
            signal.signal(number, signal.SIG_DFL)
