"""One session of the database: how it is opened, what is set in it, and how it ends when its network is dead.

A connection may die without a word: a firewall forgets it, a machine is gone, a proxy goes on with nothing
behind it. Then no answer comes, and no error. A statement that got no answer for a while is therefore asked
after, over a second connection; a session that does not work at it is terminated, and whoever waits gets the
error of a lost connection. A statement may take as long as the server works at it.
"""

import asyncio
import contextlib
import socket
from asyncio.trsock import TransportSocket
from collections.abc import Awaitable, Callable, Collection, Coroutine
from types import SimpleNamespace
from typing import Any, TypeVar

import asyncpg
import structlog

from store import built_in_types
from store.sharing import refuse_shared
from store.statements import statements_of
from telemetry import health

statement = statements_of(__file__)

ResultT = TypeVar("ResultT")

CONNECT_SECONDS = 10.0
"""How long opening a session may take."""

SILENT_SECONDS = 5.0
"""How long a statement may go without an answer before the server is asked whether it works at it."""

ASK_SECONDS = 5.0
"""How long the server may take to say so."""

GRACE_SECONDS = 5.0
"""How long an answer may be on its way after the server is done, or a statement before the server has it."""

CANCEL_SECONDS = 1.0
"""How long the server may take to stop a statement that is not wanted any more."""

CLOSE_SECONDS = 0.5
"""How long a session may take to say goodbye."""

KEEPALIVE = {"TCP_KEEPIDLE": 15, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 20_000}
"""When the kernel gives a silent connection up, as far as it can be told: seconds, and milliseconds."""

_TCP_INFO_BYTES = 136
_MOVED = slice(120, 136)
"""Where Linux's `tcp_info` has the bytes that were acknowledged and those that came."""

_LOST = (OSError, asyncpg.InterfaceError, asyncpg.PostgresConnectionError)

_NO_STATEMENT = SimpleNamespace(name="none")
"""In place of the one that asks about types, where none was needed: one with a name disturbs no other."""

WhenDead = Callable[[], Awaitable[None]]
"""Told when a session was found dead."""

log = structlog.get_logger("lapstream.database")


class Session(asyncpg.Connection):
    """asyncpg's connection, none of whose calls waits for a network that is dead.

    `ended` is set when it is closed, however that came about.
    """

    def __init__(self, *parts: Any) -> None:
        _, transport, _, addr, *_ = parts
        super().__init__(*parts)
        self.ended = asyncio.Event()
        self.add_termination_listener(self._note_end)
        self._host, self._port = (addr, None) if isinstance(addr, str) else addr[:2]
        self._socket = transport.get_extra_info("socket")
        self._cut_short = False
        self._watch: asyncio.Task[None] | None = None
        self._pid = 0
        keep_alive(self._socket)

    def _note_end(self, _: object) -> None:
        self.ended.set()

    async def prepare_for(self, dsn: str, search_path: str, when_dead: WhenDead | None) -> None:
        """Set what statements rely on; `dsn` is where to ask after the session. Raises `SharedSessions`."""
        self._dsn = dsn
        self._when_dead = when_dead
        self._pid = await refuse_shared(super(), self._open_another)
        await super().execute(statement("prepare_session"))
        await super().execute(statement("use_search_path"), search_path)

    async def _open_another(self) -> asyncpg.Connection:
        """A plain session with the same server."""
        return await asyncpg.connect(self._dsn, host=self._host, port=self._port, statement_cache_size=0)

    def get_reset_query(self) -> str:
        """What is done when the session goes back to its pool."""
        return statement("reset_session")

    async def execute(self, query: str, *args: object, **options: Any) -> str:
        return await self._watched(super().execute(query, *args, **self._bounded(options)))

    async def fetch(self, query: str, *args: object, **options: Any) -> list[asyncpg.Record]:
        return await self._watched(super().fetch(query, *args, **self._bounded(options)))

    async def fetchrow(self, query: str, *args: object, **options: Any) -> asyncpg.Record | None:
        return await self._watched(super().fetchrow(query, *args, **self._bounded(options)))

    async def fetchval(self, query: str, *args: object, **options: Any) -> Any:  # noqa: ANN401 - of the column's type
        return await self._watched(super().fetchval(query, *args, **self._bounded(options)))

    async def copy_records_to_table(self, table_name: str, **rows: Any) -> str:
        """As asyncpg's, which would wait for ever to send what a connection that is lost does not take."""
        return await self._watched(self._unless_ended(super().copy_records_to_table(table_name, **rows)))

    def terminate(self) -> None:
        """End the session without a word."""
        super().terminate()

    async def close(self, *, timeout: float | None = None) -> None:  # noqa: ASYNC109 - asyncpg's pool gives it
        """Close the session; a server that does not answer is not waited for."""
        with contextlib.suppress(TimeoutError):
            await super().close(timeout=timeout or CLOSE_SECONDS)

    async def _introspect_types(self, typeoids: Collection[int], timeout: float | None) -> tuple[Any, Any]:  # noqa: ASYNC109 - asyncpg's own
        """The rows of types that asyncpg does not know, and the statement that gave them."""
        if known := built_in_types.described(typeoids):
            return known, _NO_STATEMENT
        base: Any = super()
        types, asked_by = await base._introspect_types(typeoids, timeout)  # noqa: SLF001
        built_in_types.remember(types)
        return types, asked_by

    def _bounded(self, options: dict[str, Any]) -> dict[str, Any]:
        """A statement's options: it may not take long where it first waits for one that was cut short."""
        return {"timeout": CANCEL_SECONDS, **options} if self._cut_short else options

    async def _watched(self, work: Awaitable[ResultT]) -> ResultT:
        """Do a statement; terminates the session where no answer comes and the server does not work at it."""
        soon = asyncio.get_running_loop().call_later(SILENT_SECONDS, self._begin_to_watch)
        try:
            result = await work
        except asyncio.CancelledError:
            self._cut_short = True
            raise
        except TimeoutError:  # only what follows a statement that was cut short is bounded
            await self._give_up()
            raise
        finally:
            soon.cancel()
            if self._watch:
                self._watch.cancel()
                self._watch = None
        self._cut_short = False
        health.beat()
        return result

    def _begin_to_watch(self) -> None:
        self._watch = asyncio.create_task(self._terminate_if_dead())

    async def _terminate_if_dead(self) -> None:
        """Ask after the statement until it is done, or the session is dead; who waits for it is not stuck."""
        while await self._is_alive():
            health.beat()
            await asyncio.sleep(SILENT_SECONDS)
        await self._give_up()

    async def _give_up(self) -> None:
        log.warning("database_connection_dead", pid=self._pid)
        if self._when_dead:
            await self._when_dead()
        self.terminate()

    async def _is_alive(self) -> bool:
        """Whether the server works at the statement, or bytes go to and fro."""
        if await self._is_at_work():
            return True
        before = self._moved()
        await asyncio.sleep(GRACE_SECONDS)
        return self._moved() != before

    async def _is_at_work(self) -> bool:
        """What the server says; False where it can't be reached, True where it is there and does not say."""
        try:
            async with asyncio.timeout(ASK_SECONDS):
                asking = await self._open_another()
        except _LOST:
            return False
        except asyncpg.PostgresError:
            return True
        try:
            async with asyncio.timeout(ASK_SECONDS):
                return await asking.fetchval(statement("is_session_at_work"), self._pid)
        except (*_LOST, asyncpg.PostgresError):
            return True
        finally:
            asking.terminate()

    def _moved(self) -> bytes:
        """How many bytes went and came, where the kernel says so."""
        with contextlib.suppress(AttributeError, OSError):
            return self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES)[_MOVED]
        return b""

    async def _unless_ended(self, work: Coroutine[Any, Any, ResultT]) -> ResultT:
        doing, ended = asyncio.create_task(work), asyncio.create_task(self.ended.wait())
        try:
            await asyncio.wait({doing, ended}, return_when=asyncio.FIRST_COMPLETED)
            if not doing.done():
                raise asyncpg.ConnectionDoesNotExistError("the connection was lost while rows were sent")
            return doing.result()
        finally:
            doing.cancel()
            ended.cancel()
            await asyncio.wait({doing, ended})
            if not doing.cancelled():
                doing.exception()


def keep_alive(connected: TransportSocket | None) -> None:
    """Let the kernel find out that a connection is dead, and end it."""
    if connected is None or connected.family not in {socket.AF_INET, socket.AF_INET6}:
        return
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in KEEPALIVE.items():
        if hasattr(socket, name):
            connected.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


async def open_session(dsn: str, search_path: str, when_dead: WhenDead | None = None) -> Session:
    """A session in which all is set that our statements rely on, and tables are found along this path.

    Raises OSError or an asyncpg error where the database does not answer, or does not let us in, and
    `SharedSessions`.
    """
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            return await _opened(dsn, search_path, when_dead)
    except TimeoutError as error:
        raise TimeoutError(f"no answer within {CONNECT_SECONDS:.0f} s") from error


async def _opened(dsn: str, search_path: str, when_dead: WhenDead | None) -> Session:
    session: Session = await asyncpg.connect(
        dsn, connection_class=Session, server_settings={"application_name": "lapstream"}
    )
    try:
        await session.prepare_for(dsn, search_path, when_dead)
    except BaseException:
        session.terminate()
        raise
    return session
