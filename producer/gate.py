"""The one gate that every request to the site passes: robots.txt, the switch, rests, the pace, open requests.

The budget is one for the whole fleet, in PostgreSQL; so is robots.txt, which each process remembers a minute.
"""

import asyncio
import contextlib
import random
import time
import uuid
from collections.abc import AsyncGenerator

from producer.errors import FetchError, RobotsRefused, SiteResting
from producer.http import Client, Page
from producer.robots import Robots, read_rules, rules_of
from producer.site import robots_address
from store import sites
from store.pool import Pool
from store.sites import PERMIT_SECONDS, Pace, SiteState
from telemetry import metrics

ROBOTS_SECONDS = 3600.0
"""How long a robots.txt counts as fresh."""

STALE_ROBOTS_SECONDS = 24 * 3600.0
"""How long an old one is obeyed while no new one can be had."""

MEMORY_SECONDS = 60.0
JITTER = 0.2
SWITCH_SECONDS = 1.0
FULL_SECONDS = 0.02
"""How long to wait before asking again, where as many requests are open as may be."""

LONGEST_WAIT_SECONDS = 60.0


class Gate:
    """Lets requests through one after another, at the pace and with as many open as the fleet may have."""

    def __init__(self, pool: Pool, client: Client, site: str, pace: Pace) -> None:
        self._pool = pool
        self._client = client
        self._site = site
        self._pace = pace
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
        async with self._permit(url):
            yield

    async def rest(self, seconds: float, reason: str) -> None:
        """Leave the whole site alone for a while."""
        async with self._pool.acquire() as connection:
            await sites.rest(connection, self._site, seconds, reason)

    @contextlib.asynccontextmanager
    async def _permit(self, url: str) -> AsyncGenerator[None]:
        """Hold a permit; it is given back with how the request ended, or ends by itself."""
        name = await self._take(url)
        try:
            yield
        except BaseException as error:
            await (self._failed(name, error) if _is_the_sites(error) else self._done(name))
            raise
        await self._done(name)

    async def _failed(self, name: str, error: BaseException) -> None:
        async with self._pool.acquire() as connection:
            await sites.failed(connection, self._site, name, str(error))

    async def _done(self, name: str) -> None:
        async with self._pool.acquire() as connection:
            await sites.done(connection, self._site, name)

    async def _take(self, url: str) -> str:
        """Wait for a permit and its moment; returns its name."""
        began = time.monotonic()
        while True:
            name, asked = str(uuid.uuid4()), time.monotonic()
            wait = await self._reserve(url, name)
            await asyncio.sleep(wait)
            if time.monotonic() < asked + wait + PERMIT_SECONDS / 2:
                metrics.pace_waited(time.monotonic() - began)
                return name
            await self._done(name)  # this process stood still: the permit may end while its request is open

    async def _reserve(self, url: str, name: str) -> float:
        """Reserve a moment under this name; the seconds until then."""
        jitter = random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - jitter is no secret
        pace = self._pace._replace(interval_seconds=self._pace.interval_seconds * jitter)
        while True:
            async with self._pool.acquire() as connection:
                wait = await sites.reserve(connection, self._site, pace, name)
                if wait is not None:
                    return wait
                held = await sites.state(connection, self._site)
            await asyncio.sleep(_pause(held, url))

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
            await asyncio.sleep(FULL_SECONDS)

    async def _ask(self, address: str) -> str:
        """The robots.txt as the site has it; raises `FetchError`."""
        try:
            async with self._permit(address):
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


def _is_the_sites(error: BaseException) -> bool:
    """Whether a request failed by the site's fault, or the way's to it."""
    return isinstance(error, FetchError) and error.transient


def _pause(held: SiteState, url: str) -> float:
    """How long to wait before the next attempt; raises `SiteResting`."""
    rest = held.rest_seconds or 0
    if rest > LONGEST_WAIT_SECONDS and not held.paused:
        until = f"{held.rest_until:%Y-%m-%d %H:%M:%S} UTC" if held.rest_until else "later"
        raise SiteResting(url, f"until {until}, for {rest:.0f} s more, because {held.rest_reason}")
    if held.paused or rest:
        return min(rest or SWITCH_SECONDS, SWITCH_SECONDS)
    return FULL_SECONDS
