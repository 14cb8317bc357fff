"""The one gate that every request to the site passes: robots.txt, the switch, rests, and the pace.

The budget is one for the whole fleet, in PostgreSQL; robots.txt is kept for an hour by each process.
"""

import asyncio
import random
import time
from typing import Protocol

from protego import Protego

from producer.errors import BadStatus, RobotsRefused, SiteResting
from producer.http import Client
from producer.site import robots_address
from store import sites
from store.pool import Pool

ROBOTS_SECONDS = 3600.0
JITTER = 0.2
SWITCH_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 60.0
_CLIENT_ERROR = range(400, 500)


class Robots(Protocol):
    """The rules of a robots.txt."""

    def can_fetch(self, url: str, user_agent: str) -> bool: ...


class Gate:
    """Lets requests through one after another, `interval_seconds` apart over the whole fleet."""

    def __init__(self, pool: Pool, client: Client, site: str, interval_seconds: float) -> None:
        self._pool = pool
        self._client = client
        self._site = site
        self._interval = interval_seconds
        self._robots: dict[str, tuple[float, Robots]] = {}
        self._asking = asyncio.Lock()

    async def pass_through(self, url: str) -> None:
        """Return when a request for the address may begin.

        Raises `RobotsRefused`, and `SiteResting` for a rest that lasts longer than a minute.
        """
        if not (await self._rules(url)).can_fetch(url, self._client.user_agent):
            raise RobotsRefused(
                url, f"{robots_address(url)} does not allow it for {self._client.user_agent!r}"
            )
        await self._turn(url)

    async def rest(self, seconds: float, reason: str) -> None:
        """Leave the whole site alone for a while."""
        async with self._pool.acquire() as connection:
            await sites.rest(connection, self._site, seconds, reason)

    async def _turn(self, url: str) -> None:
        interval = self._interval * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - jitter is no secret
        while True:
            async with self._pool.acquire() as connection:
                wait = await sites.reserve(connection, self._site, interval)
                held = sites.SiteState() if wait is not None else await sites.state(connection, self._site)
            if wait is not None:
                await asyncio.sleep(wait)
                return
            if (held.rest_seconds or 0) > LONGEST_WAIT_SECONDS:
                raise SiteResting(url, f"for {held.rest_seconds:.0f} s more, because {held.rest_reason}")
            await asyncio.sleep(min(held.rest_seconds or SWITCH_SECONDS, SWITCH_SECONDS))

    async def _rules(self, url: str) -> Robots:
        address = robots_address(url)
        async with self._asking:
            kept = self._robots.get(address)
            if kept is None or time.monotonic() - kept[0] > ROBOTS_SECONDS:
                await self._turn(address)
                kept = (time.monotonic(), await self._ask(address))
                self._robots[address] = kept
        return kept[1]

    async def _ask(self, address: str) -> Robots:
        """The rules; a client error says that there are none. Raises `FetchError` where nobody answers."""
        try:
            page = await self._client.get(address)
        except BadStatus as error:
            if error.status in _CLIENT_ERROR and not error.transient:
                return Protego.parse("")
            raise
        return Protego.parse(page.body.decode(errors="replace"))
