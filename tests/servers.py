"""Where the tests' broker and database come from: the environment, else a Docker engine, else embedded.

The same suite runs on each. A run may have several processes: the servers are started once, by the process
that controls the run, when the first test asks for them. The others get their addresses over a socket; and
the place of the home that modules copy which start servers of their own.
"""

import asyncio
import contextlib
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from enum import StrEnum
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path
from typing import Any, NamedTuple

from msgspec.structs import replace
from testcontainers.community.postgres import PostgresContainer
from testcontainers.core.container import DockerContainer

from sandbox.embedded import kafka, ports, postgres, stack
from sandbox.embedded.jars import KAFKA_VERSION
from tests import databases, homes
from tests.databases import Servers

KAFKA_IMAGE = f"apache/kafka:{KAFKA_VERSION}"
POSTGRES_IMAGE = f"postgres:{postgres.MAJOR}"
START_SECONDS = 120.0

SOCKET = "LAPSTREAM_TEST_SERVERS"
"""The variable that names the socket to the processes of a run."""


class Asked(StrEnum):
    """What a process of the run asks for."""

    servers = "servers"
    home = "home"


class Question(NamedTuple):
    """What is asked for, for which module of tests, by which process; instead of one, None ends the run."""

    asked: Asked
    module: str
    process: int


class ModuleScattered(Exception):
    """Several processes run the tests of a module, and each would start servers for it: see `--dist`."""


@contextmanager
def lending() -> Generator[None]:
    """Make what processes of the run ask for when the first one does, and stop and remove it in the end."""
    # The path of a socket is short, which that of TMPDIR may not be.
    with tempfile.TemporaryDirectory(prefix="lapstream-run-", dir="/tmp") as folder:
        address = str(Path(folder) / "servers")
        os.environ[SOCKET] = address
        with stack.ending_by_signal(), Listener(address, "AF_UNIX") as listener:
            lender = threading.Thread(target=_lend, args=[listener])
            lender.start()
            try:
                yield
            finally:
                with Client(address, "AF_UNIX") as connection:
                    connection.send(None)
                lender.join()


def borrowed() -> Servers:
    """The servers of this run; waits until they answer."""
    return _ask(Asked.servers)


@contextmanager
def running() -> Generator[homes.Home]:
    """Servers of the asker's own, which it may stop."""
    with homes.running(_ask(Asked.home)) as home:
        yield home


def _ask(what: Asked) -> Any:
    module = os.environ["PYTEST_CURRENT_TEST"].partition("::")[0]
    with Client(os.environ[SOCKET], "AF_UNIX") as connection:
        connection.send(Question(what, module, os.getpid()))
        found = connection.recv()
    if isinstance(found, BaseException):
        raise found
    return found


def _lend(listener: Listener) -> None:
    """Answer each process, until one of them says that the run is over."""
    with contextlib.ExitStack() as started:
        lent = _Lent(started)
        while True:
            with listener.accept() as connection:
                question = connection.recv()
                if question is None:
                    return
                _send(connection, lent.answer(question))


def _send(connection: Connection, answer: object) -> None:
    with contextlib.suppress(BrokenPipeError):  # the process that asked was interrupted meanwhile
        connection.send(answer)


class _Lent:
    """What was made for the run so far."""

    def __init__(self, started: contextlib.ExitStack) -> None:
        self._started = started
        self._made: dict[Asked, Any] = {}
        self._homes: dict[str, int] = {}

    def answer(self, question: Question) -> Any:
        """What was asked for, or an error that is raised in the process that asked."""
        try:
            if question.asked == Asked.home:
                self._check(question)
            return self._of(question.asked)
        except Exception as error:  # noqa: BLE001
            return RuntimeError(f"the tests' servers did not start: {error!r}")

    def _check(self, question: Question) -> None:
        """Let one process alone start servers for a module: the tests of a module must stay together."""
        if self._homes.setdefault(question.module, question.process) != question.process:
            raise ModuleScattered(question.module)

    def _of(self, asked: Asked) -> Any:
        if asked not in self._made:
            self._made[asked] = self._servers() if asked == Asked.servers else self._home()
        return self._made[asked]

    def _servers(self) -> Servers:
        broker, database = (os.environ.get(f"LAPSTREAM_TEST_{name}") for name in ("KAFKA", "POSTGRES"))
        if broker and database:
            return self._started.enter_context(_with_template(Servers(broker, database)))
        if _docker_answers():
            return self._started.enter_context(_with_template(self._started.enter_context(_containers())))
        return self._started.enter_context(homes.running(self._of(Asked.home))).servers

    def _home(self) -> Path:
        return self._started.enter_context(homes.made())


@contextmanager
def _with_template(servers: Servers) -> Generator[Servers]:
    """A migrated database, dropped in the end: the server may outlive the run."""
    name = f"{servers.template}_{os.getpid()}"
    asyncio.run(databases.make_migrated(servers.postgres_dsn, name))
    try:
        yield replace(servers, template=name)
    finally:
        asyncio.run(databases.drop(servers.postgres_dsn, name))


def _docker_answers() -> bool:
    docker = shutil.which("docker")
    if docker is None:
        return False
    asked = subprocess.run([docker, "version"], capture_output=True, check=False, timeout=10)
    return asked.returncode == 0


@contextmanager
def _containers() -> Generator[Servers]:
    """Both servers from their official images, with the settings of the embedded ones."""
    port = ports.choose()
    bootstrap = f"{ports.HOST}:{port}"
    settings = kafka.SETTINGS | kafka.listeners(f"0.0.0.0:{port}", bootstrap, "localhost:9093")
    broker = DockerContainer(KAFKA_IMAGE).with_bind_ports(port, port)
    for name, value in settings.items():
        broker.with_env(kafka.variable(name), value)
    told = {"max_connections": postgres.SETTINGS["max_connections"]} | postgres.NOT_DURABLE
    command = " ".join(("postgres", *(f"-c {name}={value}" for name, value in told.items())))
    with (
        broker,
        PostgresContainer(POSTGRES_IMAGE, driver=None).with_command(command) as database,
    ):
        _await(bootstrap)
        yield Servers(bootstrap, database.get_connection_url())


def _await(bootstrap: str) -> None:
    """Return when the broker's group coordinator answers, a while after the broker itself does."""
    until = time.monotonic() + START_SECONDS
    while complaint := kafka.complaint_of(bootstrap):
        if time.monotonic() > until:
            raise TimeoutError(f"the broker in its container is not ready: {complaint}")
        time.sleep(0.2)
