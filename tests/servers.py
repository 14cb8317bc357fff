"""Where the tests' broker and database come from: the environment, else a Docker engine, else embedded.

The same suite runs on each. A run may have several processes: the servers are started once, by the process
that controls the run, when the first test asks for them. The others get their addresses over a socket.
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
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace
from testcontainers.community.postgres import PostgresContainer
from testcontainers.core.container import DockerContainer

from embedded import kafka, ports, postgres, stack
from embedded.jars import KAFKA_VERSION
from runtime import migrate
from store.pool import connect

KAFKA_IMAGE = f"apache/kafka:{KAFKA_VERSION}"
POSTGRES_IMAGE = f"postgres:{postgres.MAJOR}"
START_SECONDS = 120.0

SOCKET = "LAPSTREAM_TEST_SERVERS"
"""The variable that names the socket to the processes of a run."""


class Servers(Struct, frozen=True):
    """The addresses of a broker and a database, and a migrated database to copy each test's own from."""

    kafka_bootstrap: str
    postgres_dsn: str
    template: str = ""

    def dsn_of(self, database: str) -> str:
        """The address of another database of the same server."""
        return urlsplit(self.postgres_dsn)._replace(path=f"/{database}").geturl()


@contextmanager
def lending() -> Generator[None]:
    """Start servers when a process of the run first asks for them (`borrowed`), and stop them in the end."""
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
                    connection.send(False)
                lender.join()


def borrowed() -> Servers:
    """The servers of this run; waits until they answer."""
    with Client(os.environ[SOCKET], "AF_UNIX") as connection:
        connection.send(True)
        found = connection.recv()
    if isinstance(found, BaseException):
        raise found
    return found


def _lend(listener: Listener) -> None:
    """Answer each process with the servers' addresses, until one of them says that the run is over."""
    with contextlib.ExitStack() as started:
        answer: Servers | Exception | None = None
        while True:
            with listener.accept() as connection:
                if not connection.recv():
                    return
                answer = answer or _started(started)
                _send(connection, answer)


def _send(connection: Connection, answer: Servers | Exception) -> None:
    with contextlib.suppress(BrokenPipeError):  # the process that asked was interrupted meanwhile
        connection.send(answer)


def _started(started: contextlib.ExitStack) -> Servers | Exception:
    try:
        servers = started.enter_context(_servers())
        return started.enter_context(_with_template(servers))
    except Exception as error:  # noqa: BLE001 - it is raised in the process that asked
        return RuntimeError(f"the tests' servers did not start: {error!r}")


@contextmanager
def _servers() -> Generator[Servers]:
    """A broker and a database for one run of the suite."""
    kafka, postgres = os.environ.get("LAPSTREAM_TEST_KAFKA"), os.environ.get("LAPSTREAM_TEST_POSTGRES")
    if kafka and postgres:
        yield Servers(kafka, postgres)
    elif _docker_answers():
        with _containers() as found:
            yield found
    else:
        with _embedded() as found:
            yield found


@contextmanager
def _with_template(servers: Servers) -> Generator[Servers]:
    """A migrated database, dropped in the end: the server may outlive the run."""
    name = f"lapstream_template_{os.getpid()}"
    asyncio.run(_execute(servers, f"DROP DATABASE IF EXISTS {name}", f"CREATE DATABASE {name}"))
    asyncio.run(migrate.apply(servers.dsn_of(name)))
    try:
        yield replace(servers, template=name)
    finally:
        asyncio.run(_execute(servers, f"DROP DATABASE {name}"))


async def _execute(servers: Servers, *statements: str) -> None:
    connection = await connect(servers.postgres_dsn)
    for one in statements:
        await connection.execute(one)
    await connection.close()


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
    connections = f"max_connections={postgres.SETTINGS['max_connections']}"
    with (
        broker,
        PostgresContainer(POSTGRES_IMAGE, driver=None).with_command(f"postgres -c {connections}") as database,
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


@contextmanager
def _embedded() -> Generator[Servers]:
    with (
        tempfile.TemporaryDirectory(prefix="lapstream-tests-") as folder,
        stack.running(Path(folder), report=lambda _: None, durable=False) as found,
    ):
        yield Servers(found.kafka_bootstrap, found.postgres_dsn)
