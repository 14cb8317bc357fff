"""What gets pages from the site, for roles and commands: one budget for all of them, in PostgreSQL."""

import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable

from broker.clients import make_reader, reading
from producer import discovery
from producer.archive import Archive
from producer.budget import Pace
from producer.gate import Gate
from producer.http import Client
from producer.obtain import Obtainer
from producer.pages import MonthPage
from producer.publisher import Publisher
from producer.site import Site
from runtime.database import database
from runtime.settings import Settings, check_contact
from runtime.wiring import publishing
from schemas.envelope import Context
from store.pool import Pool

Discover = Callable[[str, int, int], Awaitable[MonthPage]]
"""The days of a track's month, asked of the site: slug, year, month go in; raises `Unobtainable`."""

SOURCE = "lapstream/discover"


@contextlib.asynccontextmanager
async def obtaining(
    settings: Settings, pool: Pool, publisher: Publisher, *, at_once: int
) -> AsyncGenerator[Obtainer]:
    """An obtainer with a client of its own, for so many requests at once."""
    pace = Pace(settings.site_interval_seconds, settings.site_parallel_requests)
    async with contextlib.AsyncExitStack() as stack:
        client = Client(settings.user_agent, connections=at_once)
        stack.push_async_callback(client.close)
        consumer = await stack.enter_async_context(reading(make_reader(settings.broker)))
        gate = Gate(pool, client, Site(settings.site).name, pace)
        archive = Archive(pool, consumer)
        obtainer = Obtainer(client, gate, publisher, archive, attempts=settings.fetch_attempts)
        stack.push_async_callback(obtainer.close)
        yield obtainer


@contextlib.asynccontextmanager
async def discovering(settings: Settings) -> AsyncGenerator[Discover]:
    """Asks the site for months, one at a time; raises `SettingsError` where nobody says who asks."""
    check_contact(settings)
    site = Site(settings.site)
    async with contextlib.AsyncExitStack() as stack:
        pool = await stack.enter_async_context(database(settings, size=2))
        publisher = await stack.enter_async_context(publishing(settings))
        obtainer = await stack.enter_async_context(obtaining(settings, pool, publisher, at_once=2))

        yield discover_by(obtainer, site)


def discover_by(obtainer: Obtainer, site: Site) -> Discover:
    """Asks the site for months by an obtainer that is there."""

    async def discover(track_slug: str, year: int, month: int) -> MonthPage:
        context = Context(source=SOURCE)
        return await discovery.discover(obtainer, site, track_slug, year, month, context)

    return discover
