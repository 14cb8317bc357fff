"""Roads to servers over proxies, whose connections can die without a word: no byte goes through any more."""

import asyncio
import contextlib
import socket
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncGenerator, Generator
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

import msgspec

from runtime.settings import Settings
from sandbox.embedded import kafka, ports
from sandbox.embedded.ports import HOST

CHUNK = 64 * 1024

FORGET_SECONDS = 30.0
"""When the server notices that a client is gone, by keepalives of its own."""

Dark = Literal["stops reading", "swallows"]
"""What a dead connection does with what is sent into it: its buffers fill, or it takes everything."""


class Proxy:
    """Connections to a server that can be cut off, and the road to new ones, too."""

    def __init__(self, host: str, port: int, listen: int = 0, chunk_seconds: float = 0) -> None:
        self._to = (host, port)
        self._chunk_seconds = chunk_seconds
        self._server: asyncio.Server | None = None
        self._alive = asyncio.Event()
        self._dark: Dark = "stops reading"
        self._tasks: set[asyncio.Task[None]] = set()
        self._links: set[_Link] = set()
        self._alive.set()
        self.met_dark = asyncio.Event()
        """Set when a new connection was made while it was dark."""
        self.port = listen

    async def start(self) -> None:
        """Listen on the port, by default a free one."""
        listening = socket.create_server((HOST, self.port))
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, CHUNK)
        self._server = await asyncio.start_server(self._accept, sock=listening)
        self.port = listening.getsockname()[1]

    def cut(self, dark: Dark = "stops reading") -> None:
        """Let every connection that there is die; new ones work."""
        for link in self._links:
            link.die(dark)
        self._links.clear()

    def go_dark(self, dark: Dark = "stops reading") -> None:
        """As `cut`, and new connections are accepted and lead nowhere."""
        self._alive.clear()
        self._dark = dark
        self.cut(dark)

    def come_back(self) -> None:
        """Let new connections through; those that died stay dead."""
        self._alive.set()

    async def close(self) -> None:
        """Close everything, with a word."""
        if self._server:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        link = _Link()
        if self._alive.is_set():
            self._links.add(link)
        else:
            link.die(self._dark)
            self.met_dark.set()
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await link.carry(reader, writer, self._to, self._chunk_seconds)
        self._tasks.discard(task)
        self._links.discard(link)
        writer.close()


class _Link:
    """One connection through the proxy."""

    def __init__(self) -> None:
        self._dark: Dark | None = None
        self._ways: list[asyncio.Task[None]] = []

    def die(self, dark: Dark) -> None:
        self._dark = dark
        for way in self._ways:
            way.cancel()

    async def carry(
        self, reader: StreamReader, writer: StreamWriter, to: tuple[str, int], chunk_seconds: float
    ) -> None:
        """Carry bytes both ways until one side ends; once dead, until the task is cancelled."""
        if self._dark is None:
            await self._carry(reader, writer, to, chunk_seconds)
        await self._be_dead(reader)

    async def _carry(
        self, reader: StreamReader, writer: StreamWriter, to: tuple[str, int], chunk_seconds: float
    ) -> None:
        there, back = await asyncio.open_connection(*to)
        try:
            if self._dark is None:
                await self._pump((reader, back), (there, writer), chunk_seconds=chunk_seconds)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._be_dead(reader, there), FORGET_SECONDS)
        finally:
            back.close()

    async def _pump(self, *ways: tuple[StreamReader, StreamWriter], chunk_seconds: float) -> None:
        self._ways = [asyncio.create_task(pump(*way, chunk_seconds)) for way in ways]
        try:
            await asyncio.wait(self._ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in self._ways:
                way.cancel()
            await asyncio.wait(self._ways)  # two may not read from one connection

    async def _be_dead(self, *readers: StreamReader) -> None:
        """Nothing, for ever, where the connection died; at once where it ended as connections do."""
        if self._dark == "swallows":
            await asyncio.gather(*(swallow(reader) for reader in readers))
        if self._dark:
            await asyncio.Event().wait()


async def pump(reader: StreamReader, writer: StreamWriter, chunk_seconds: float) -> None:
    while chunk := await reader.read(CHUNK):
        await asyncio.sleep(chunk_seconds)
        writer.write(chunk)
        await writer.drain()


async def swallow(reader: StreamReader) -> None:
    while await reader.read(CHUNK):
        pass


@contextlib.asynccontextmanager
async def before(dsn: str, chunk_seconds: float = 0) -> AsyncGenerator[tuple[Proxy, str]]:
    """A proxy before a database, and the database's address through it."""
    parts = urlsplit(dsn)
    async with proxy(parts.hostname or "", parts.port or 0, chunk_seconds=chunk_seconds) as found:
        user = parts.netloc.rpartition("@")[0]
        yield found, parts._replace(netloc=f"{user}@{HOST}:{found.port}").geturl()


@contextlib.asynccontextmanager
async def proxy(host: str, port: int, listen: int = 0, chunk_seconds: float = 0) -> AsyncGenerator[Proxy]:
    """A proxy before a server, for the length of a block; it takes so long for 64 KiB."""
    found = Proxy(host, port, listen, chunk_seconds)
    await found.start()
    try:
        yield found
    finally:
        await found.close()


class Listener(NamedTuple):
    """A broker's second listener: its port, and the port that it tells clients to come by."""

    port: int
    told: int


@contextlib.contextmanager
def second_listener() -> Generator[Listener]:
    """Brokers that are started in this block have a second listener."""
    port = ports.choose()
    listener = Listener(port, ports.choose({port}))
    usual = kafka.listeners

    def both(bind: str, address: str, controller: str) -> dict[str, str]:
        found = usual(bind, address, controller)
        found["listeners"] += f",SECOND://{HOST}:{listener.port}"
        found["advertised.listeners"] += f",SECOND://{HOST}:{listener.told}"
        protocols = kafka.SETTINGS["listener.security.protocol.map"]
        return found | {"listener.security.protocol.map": f"{protocols},SECOND:PLAINTEXT"}

    kafka.listeners = both
    try:
        yield listener
    finally:
        kafka.listeners = usual


class Roads(NamedTuple):
    """The roads to both servers; `through` are settings that lead over them."""

    database: Proxy
    broker: Proxy
    through: Settings

    def to(self, which: str) -> list[Proxy]:
        """The roads to `database`, `broker`, or both."""
        return [getattr(self, name) for name in ("database", "broker") if name in which]


@contextlib.asynccontextmanager
async def leading(settings: Settings, listener: Listener) -> AsyncGenerator[Roads]:
    """Roads to the servers of these settings, whose broker has this second listener."""
    async with (
        before(settings.postgres_dsn) as (to_database, dsn),
        proxy(HOST, listener.port, listener.told) as to_broker,
    ):
        through = msgspec.structs.replace(
            settings, postgres_dsn=dsn, kafka_bootstrap=f"{HOST}:{listener.told}"
        )
        yield Roads(to_database, to_broker, through)
