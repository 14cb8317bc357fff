"""Gates of several processes at one site and one budget, and what the budget holds."""

from collections.abc import AsyncGenerator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from producer import budget as sites
from producer.budget import Pace, SiteState
from producer.errors import FetchError
from producer.gate import Gate
from producer.http import Client
from producer.site import Site
from sandbox.sample_site.server import RunningSite
from store.pool import Pool
from tests.conftest import DAY, TRACK

AGENT = "lapstream/0.1 (test)"


@asynccontextmanager
async def gates(
    pool: Pool, running: RunningSite, pace: Pace, count: int = 2
) -> AsyncGenerator[list[tuple[Gate, Client]]]:
    """The gates of so many processes, each with a client of its own."""
    async with AsyncExitStack() as stack:
        fleet: list[tuple[Gate, Client]] = []
        for _ in range(count):
            client = Client(AGENT, connections=20)
            stack.push_async_callback(client.close)
            fleet.append((Gate(pool, client, running.site_template, pace), client))
        yield fleet


async def ask(gate: Gate, client: Client, url: str) -> None:
    async with gate.permit(url):
        await client.get(url)


async def state(pool: Pool, running: RunningSite) -> SiteState:
    async with pool.acquire() as connection:
        return await sites.state(connection, running.site_template)


async def execute(pool: Pool, query: str) -> None:
    async with pool.acquire() as connection:
        await connection.execute(query)


def day_of(running: RunningSite) -> str:
    return Site(running.site_template).day(TRACK, DAY)


async def fails(work: Awaitable[None], kind: type[FetchError]) -> FetchError:
    with pytest.raises(kind) as caught:
        await work
    return caught.value


async def opened(pool: Pool, running: RunningSite, count: int) -> bool:
    return (await state(pool, running)).open_requests == count
