"""Servers that a module of tests starts for itself: their folders, and what is in them from the beginning.

A folder is in memory where there is much of it: making a topic or a database makes hundreds of files, which
costs ten times as much on a disk. What a new home needs, a formatted broker and an initialised and migrated
database, is made once for a run of the suite, and copied.
"""

import asyncio
import base64
import os
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psutil
from msgspec import Struct
from msgspec.structs import replace

from sandbox.embedded import jars, servers, stack, state
from sandbox.embedded.java import ARCHIVE
from sandbox.embedded.kafka import Kafka
from sandbox.embedded.postgres import Postgres
from sandbox.embedded.servers import Server
from sandbox.embedded.state import StackState
from tests import databases
from tests.databases import Servers

MEMORY = Path("/dev/shm")
NEEDED_BYTES = 4 * 1024**3
"""How much memory must be free: a run of the suite fills less than half of it."""


def silent(_: str) -> None:
    """What servers report as they start, and no test reads."""


def place() -> Path | None:
    """The folder for folders of servers; None for the usual one of temporary files."""
    try:
        free = min(shutil.disk_usage(MEMORY).free, psutil.virtual_memory().available)
    except OSError:
        return None
    return MEMORY if os.access(MEMORY, os.W_OK) and free >= NEEDED_BYTES else None


@contextmanager
def folder() -> Generator[Path]:
    """An empty folder for servers, for the length of a block."""
    with tempfile.TemporaryDirectory(prefix="lapstream-tests-", dir=place()) as name:
        yield Path(name)


@contextmanager
def made() -> Generator[Path]:
    """What new homes are copies of; no server runs in it."""
    with folder() as home:
        known = replace(state.fresh(), durable=False)
        broker, database = Kafka(home, known), Postgres(home, known)
        for server in (broker, database):
            server.provide(silent)
        broker.make_data(silent)
        _archive_classes(known)
        with started(database):
            asyncio.run(databases.make_migrated(database.address))
        shutil.rmtree(home / "logs")
        yield home


def _archive_classes(known: StackState) -> None:
    """Let a broker end before the many of a run start, which then start from its archive of classes."""
    with folder() as home:
        broker = Kafka(home, known)
        if not list(jars.place(home).glob(f"*{ARCHIVE}")):
            with started(broker):
                pass


@contextmanager
def started(server: Server) -> Generator[None]:
    """A single server that runs for the length of a block."""
    servers.start(server, report=silent, remember=_forget, given_up=threading.Event())
    try:
        yield
    finally:
        servers.end_all(server)


def _forget(_: int) -> None:
    """The process is found by its folder."""


class Home(Struct, frozen=True):
    """Servers that run, and their folder."""

    folder: Path
    servers: Servers


@contextmanager
def running(pattern: Path) -> Generator[Home]:
    """Servers in a home of their own, a copy of `pattern`; tests may stop them, or kill them."""
    with folder() as home:
        subprocess.run(["cp", "-a", f"{pattern}/.", home], check=True)  # with its owners
        _make_another_cluster(home / "kafka" / "data" / "meta.properties")
        with stack.running(home, report=silent, durable=False) as found:
            yield Home(home, Servers(found.kafka_bootstrap, found.postgres_dsn, databases.TEMPLATE))


def _make_another_cluster(properties: Path) -> None:
    """Give a formatted broker an id of a cluster of its own: copies of the log tell clusters by it."""
    known = properties.read_text()
    mine = base64.urlsafe_b64encode(uuid4().bytes).decode().rstrip("=")
    properties.write_text(re.sub(r"(?m)^cluster\.id=.*$", f"cluster.id={mine}", known))
