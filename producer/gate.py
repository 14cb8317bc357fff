"""The one gate that every request to the site passes: robots.txt, then a permit of the fleet's budget.

An address goes in; out comes a block in which one request may be made. robots.txt is kept in PostgreSQL for
the whole fleet, and remembered a minute by each process.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator

from producer.errors import FetchError, RobotsRefused
from producer.http import Client, Page
from producer.permits import Permits
from producer.robots import Robots, read_rules, rules_of
from producer.site import robots_address
from store import sites
from store.pool import Pool
from store.sites import ROBOTS_SECONDS, Pace

STALE_ROBOTS_SECONDS = 24 * 3600.0
"""How long an old one is obeyed while no new one can be had."""

MEMORY_SECONDS = 60.0

OTHERS_ASK_SECONDS = 0.1
"""How long to wait before looking again, while another process asks for a robots.txt."""


class Gate:
    """Lets requests through one after another, at the pace and with as many open as the fleet may have."""

    def __init__(self, pool: Pool, client: Client, site: str, pace: Pace) -> None:
        self._pool = pool
        self._client = client
        self._permits = Permits(pool, site, pace)
        self._robots: dict[str, tuple[float, Robots]] = {}
        self._asking = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def permit(self, url: str) -> AsyncGenerator[None]:
        """A block in which one request for the address may be made.

        Raises `RobotsRefused`, and `SiteResting` for a rest that lasts longer than a minute.
        """
        if not (await self._rules(url)).can_fetch(url, self._client.user_agent):
            raise RobotsRefused(
                url, f"{robots_address(url)} does not allow it for {self._client.user_agent!r}"
            )
        async with self._permits.one(url):
            yield

    async def rest(self, seconds: float, reason: str) -> None:
        """Leave the whole site alone for a while."""
        await self._permits.rest(seconds, reason)

    async def close(self) -> None:
        """Give back what is left of the budget."""
        await self._permits.close()

    async def _rules(self, url: str) -> Robots:
        address = robots_address(url)
        async with self._asking:
            known = self._robots.get(address)
            if known is None or time.monotonic() - known[0] > MEMORY_SECONDS:
                known = (time.monotonic(), read_rules(await self._text(address)))
                self._robots[address] = known
        return known[1]

    async def _text(self, address: str) -> str:
        """A host's robots.txt, asked for by one process at a time; an old one does where none can be had."""
        while True:
            async with self._pool.acquire() as connection:
                kept = await sites.read_robots(connection, address)
                if kept and kept.age < ROBOTS_SECONDS:
                    return kept.rules
                ours = await sites.claim_robots(connection, address)
            if ours:
                try:
                    return await self._ask(address)
                except FetchError:
                    if kept is None or kept.age > STALE_ROBOTS_SECONDS:
                        raise
            if kept and kept.age < STALE_ROBOTS_SECONDS:
                return kept.rules
            await asyncio.sleep(OTHERS_ASK_SECONDS)

    async def _ask(self, address: str) -> str:
        """The robots.txt as the site has it; raises `FetchError`."""
        try:
            async with self._permits.one(address):
                rules = await rules_of(self._get(address))
        except BaseException:
            async with self._pool.acquire() as connection:
                await sites.give_up_robots(connection, address)
            raise
        async with self._pool.acquire() as connection:
            await sites.keep_robots(connection, address, rules)
        return rules

    async def _get(self, address: str) -> Page:
        return await self._client.get(address)
