"""The one gate that every request to the site passes: robots.txt, then a permit of the fleet's budget.

An address goes in; out comes a block in which one request may be made. robots.txt is kept in PostgreSQL for
the whole fleet, and remembered a minute by each process; so is a failure to fetch it. While one host's is
asked for, requests to other hosts go on.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator
from functools import partial
from weakref import WeakValueDictionary

from producer import budget as sites
from producer.budget import ROBOTS_SECONDS, KeptRobots, Pace
from producer.errors import FetchError, RobotsRefused, RobotsUnavailable, SiteBackingOff
from producer.http import Client, Page
from producer.patience import at_database
from producer.permits import Permits
from producer.robots import Robots, read_rules, rules_of
from producer.site import robots_address
from store.pool import TRANSIENT, Connection, Pool
from telemetry import health

STALE_ROBOTS_SECONDS = 24 * 3600.0
"""How long an old one is obeyed while no new one can be had."""

MEMORY_SECONDS = 60.0

REMEMBERED_HOSTS = 500
"""Hosts whose robots.txt a process remembers: those that it asked last."""

OTHERS_ASK_SECONDS = 0.1
"""How long to wait before looking again, while another process asks for a robots.txt."""


class Gate:
    """Lets requests through one after another, at the pace and with as many open as the fleet may have."""

    def __init__(self, pool: Pool, client: Client, site: str, pace: Pace) -> None:
        self._pool = pool
        self._client = client
        self._permits = Permits(pool, site, pace)
        self._robots: dict[str, tuple[float, Robots]] = {}
        self._asking: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @contextlib.asynccontextmanager
    async def permit(self, url: str) -> AsyncGenerator[None]:
        """A block in which one request for the address may be made.

        Raises `RobotsRefused`, `SiteBackingOff` if back-off lasts longer than a minute, and what kept the
        robots.txt from coming.
        """
        with health.waiting("robots.txt of the site"):
            rules = await self._rules(url)
        if not rules.can_fetch(url, self._client.user_agent):
            raise RobotsRefused(
                url, f"{robots_address(url)} does not allow it for {self._client.user_agent!r}"
            )
        async with self._permits.one(url):
            yield

    async def back_off(self, seconds: float, reason: str) -> None:
        """Leave the whole site alone for a while."""
        await self._permits.back_off(seconds, reason)

    async def _rules(self, url: str) -> Robots:
        address = robots_address(url)
        async with self._asking.setdefault(address, asyncio.Lock()):
            known = self._robots.pop(address, None)
            if known is None or time.monotonic() - known[0] > MEMORY_SECONDS:
                known = (time.monotonic(), read_rules(await self._text(address)))
            self._robots[address] = known
            while len(self._robots) > REMEMBERED_HOSTS:
                del self._robots[next(iter(self._robots))]
        return known[1]

    async def _text(self, address: str) -> str:
        """A host's robots.txt, asked for by one process at a time; an old one does where none can be had."""
        while True:
            kept, ours = await at_database(self._pool, partial(_claim, address))
            if (rules := kept.rules_within(ROBOTS_SECONDS)) is not None:
                return rules
            old = kept.rules_within(STALE_ROBOTS_SECONDS)
            if ours:
                return await self._ask(address, old)
            if old is not None:
                return old
            if kept.failure is not None:
                raise RobotsUnavailable(address, f"it failed to be fetched just now: {kept.failure}")
            await asyncio.sleep(OTHERS_ASK_SECONDS)

    async def _ask(self, address: str, old: str | None) -> str:
        """The robots.txt as the site has it, or else an old one; raises `FetchError` where there is none."""
        try:
            async with self._permits.one(address):
                rules = await rules_of(self._get(address))
        except FetchError as failure:
            await at_database(self._pool, partial(_failed, address, failure))
            if old is None:
                raise
            return old
        except BaseException:
            with contextlib.suppress(*TRANSIENT):
                async with self._pool.acquire() as connection:
                    await sites.give_up_robots(connection, address)
            raise
        await at_database(self._pool, lambda connection: sites.keep_robots(connection, address, rules))
        return rules

    async def _get(self, address: str) -> Page:
        return await self._client.get(address)


async def _claim(address: str, connection: Connection) -> tuple[KeptRobots, bool]:
    """What is known of a robots.txt; and whether it is this process that asks for it now."""
    kept = await sites.read_robots(connection, address)
    if kept.rules_within(ROBOTS_SECONDS) is not None:
        return kept, False
    return kept, await sites.claim_robots(connection, address)


async def _failed(address: str, failure: FetchError, connection: Connection) -> None:
    """Let all know that a robots.txt failed to be fetched; while it backs off, nobody asked for it."""
    if isinstance(failure, SiteBackingOff):
        await sites.give_up_robots(connection, address)
    else:
        await sites.robots_failed(connection, address, f"{failure.code}: {failure.found}")
