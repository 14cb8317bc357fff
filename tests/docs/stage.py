"""What the pages' commands meet: servers without anything in them, and ports of their own."""

import asyncio
import contextlib
import os
import tempfile
from collections.abc import Generator
from pathlib import Path

from broker import topics as declared
from broker.access import BrokerAccess
from broker.clients import administering
from sandbox.embedded import ports, postgres, stack
from sandbox.embedded.postgres import POSTGRES_VERSIONS
from schemas.topics import Topics
from tests import databases, homes
from tests.databases import Servers
from tests.docs import shell
from tests.docs.outputs import merged
from tests.docs.page import Block, commands, filled
from tests.members import until
from tests.sources import ROOT

BEGIN = Path(__file__).with_name("begin.sh").read_text()
FOUR_DIGITS = range(2_000, 10_000)
"""The free ports have as many digits as those on the pages."""

PORTS = ("8080", "8090", "9464", "9090")
"""Ports that the pages name: of the API, the sample site, metrics, and Prometheus."""


class CommandFailed(Exception):
    """A command that nobody is shown did not end with 0."""


class Stage:
    """Servers, made empty for each page."""

    def __init__(self, home: homes.Home) -> None:
        self._home = home.folder
        self._addresses = home.servers
        self._ports: dict[str, str] = {}
        for port in PORTS:
            taken = set(map(int, self._ports.values()))
            self._ports[port] = str(ports.choose(taken, within=FOUR_DIGITS))

    def played(self, text: str) -> str:
        """A page's text with what its commands print now."""
        stack.up(self._home, report=homes.silent, durable=False)  # the page before may have stopped them
        asyncio.run(_emptied(self._addresses))
        with (
            tempfile.TemporaryDirectory(prefix="lapstream-page-") as folder,
            _homes_stopped(Path(folder)),
            self._terminal(Path(folder)) as terminal,
        ):
            return filled(text, lambda block: _played(block, terminal, Path(folder) / "work"))

    @contextlib.contextmanager
    def _terminal(self, folder: Path) -> Generator[shell.Shell]:
        work = folder / "work"
        work.mkdir()
        places = {**self._ports, "/backup": str(folder / "backup")}
        with shell.opened(work, self._environment(), places) as terminal:
            terminal.run(BEGIN)
            yield terminal

    def _environment(self) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("LAPSTREAM", "PRACTICE"))
        }
        programs = os.pathsep.join(
            [str(ROOT / ".venv" / "bin"), kept["PATH"], str(POSTGRES_VERSIONS[postgres.MAJOR] / "bin")]
        )
        return kept | {
            "PATH": programs,
            "COLUMNS": "120",
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
            "CHECKOUT": str(ROOT),
            "LAPSTREAM_HOME": str(self._home),
            "LAPSTREAM_API_PORT": self._ports["8080"],
        }


def _played(block: Block, terminal: shell.Shell, folder: Path) -> str:
    if block.file:
        (folder / block.file).write_text(terminal.here(block.body))
    if not block.runs:
        return block.body
    if block.language == "sh":
        _run_unseen(terminal, block.body)
        return block.body
    if block.hidden:
        for command in commands(block.body):
            _run_unseen(terminal, command.text)
        return block.body
    return "".join(line + "\n" for line in _shown(block, terminal))


def _shown(block: Block, terminal: shell.Shell) -> Generator[str]:
    for command in commands(block.body):
        printed, _ = terminal.run(command.text)
        yield from command.lines
        yield from merged(command.output, printed)


def _run_unseen(terminal: shell.Shell, text: str) -> None:
    printed, code = terminal.run(text)
    if code:
        raise CommandFailed("\n".join([text, *printed]))


@contextlib.contextmanager
def _homes_stopped(folder: Path) -> Generator[None]:
    """Stop the servers of homes that a page made."""
    try:
        yield
    finally:
        for state in folder.rglob("state.json"):
            stack.down(state.parent)


async def _emptied(addresses: Servers) -> None:
    """A database and topics as `migrate up` and `topics create` leave them."""
    server = databases.dsn_of(addresses.postgres_dsn, "postgres")
    await databases.make_migrated(server, "lapstream")
    access = BrokerAccess(bootstrap=addresses.kafka_bootstrap)
    async with administering(access) as broker:
        own = {spec.name for spec in Topics().specs()}
        await broker.delete_topics(sorted(own & set(await broker.list_topics())))

        async def gone() -> bool:
            return not own & set(await broker.list_topics())

        await until(gone)
    await declared.create_topics(access, Topics(), replication_factor=1)
