"""The role `api`: the application on uvicorn, until it is told to stop.

Requests that wait for a run are answered, and streams ended, as soon as the server is to stop.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, Generator
from functools import partial

import structlog
import uvicorn

from runs.day_watch import watching_days
from runs.watch import watching
from runtime.database import database
from runtime.obtaining import Discover
from runtime.readiness import Readiness, look_at_database
from runtime.settings import Settings, SettingsError, variable
from server.app import app_of
from server.http.connections import BACKLOG, Bounds, Connections, bounds_here
from server.http.limits import Limiter
from server.http.middleware import RequestMiddleware
from server.http.proxy_users import behind_proxies
from server.http.services import Served, Services
from server.http.traced import Traced
from store.faults import said_by

CONNECTIONS = 8
"""Connections to the database of one API process."""

STREAMS = 100
"""Streams of progress that one API process has open at a time; no more than half of its connections."""

STOP_SECONDS = 5
"""How long open requests may take after the server was told to stop."""

log = structlog.get_logger("lapstream.api")


async def run_api(settings: Settings, stop: asyncio.Event, discover: Discover) -> None:
    """Serve the API until told to stop."""
    async with serving(settings, discover) as address:
        log.info("api_start", address=address)
        await stop.wait()
    log.info("api_stop")


@contextlib.asynccontextmanager
async def serving(
    settings: Settings, discover: Discover, bounds: Bounds | None = None
) -> AsyncGenerator[str]:
    """The API for the length of a block; gives its address, also where it took a free port.

    Its connections have `bounds`, or else those of this process. Raises `SettingsError` where the address
    can't be listened on, `ServerAway` where the database is.
    """
    listening = _listen(settings)
    bounds = bounds or bounds_here()
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(listening.close)
        stopping = asyncio.Event()
        pool = await stack.enter_async_context(database(settings, size=CONNECTIONS))
        services = Services(
            settings=settings,
            limiter=Limiter(settings.api_requests_per_minute),
            pool=pool,
            readiness=Readiness({"the database": partial(look_at_database, pool.acquire)}),
            watch=await stack.enter_async_context(watching(settings.postgres_dsn, pool)),
            days=await stack.enter_async_context(watching_days(pool)),
            discover=discover,
            stopping=stopping,
            streams=asyncio.Semaphore(min(STREAMS, bounds.connections // 2)),
        )
        server = _Server(_config(services, bounds))
        work = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            host, port = listening.getsockname()[:2]
            yield f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        finally:
            stopping.set()
            server.should_exit = True
            await work


class _Server(uvicorn.Server):
    """A server that leaves signals to its caller."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


def _config(services: Services, bounds: Bounds) -> uvicorn.Config:
    app = Served(app_of(services.settings.api_cors_origins), services)
    return uvicorn.Config(
        http=Connections(bounds).protocol(),
        ws="none",
        backlog=BACKLOG,
        app=behind_proxies(Traced(RequestMiddleware(app)), services.settings),
        proxy_headers=False,  # they are read there
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=STOP_SECONDS,
    )


def _listen(settings: Settings) -> socket.socket:
    """A socket at the configured address."""
    try:
        [(family, *_, address), *_] = socket.getaddrinfo(
            settings.api_host, settings.api_port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        return socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except OSError as error:
        raise SettingsError(
            f"can't listen on {settings.api_host}:{settings.api_port}: {said_by(error)}; "
            f"{variable('api_host')} and {variable('api_port')} say where"
        ) from error
