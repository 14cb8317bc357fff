"""The one gate that every request to the site passes: robots.txt, the switch, rests, the pace, open requests.

An address goes in; out comes a block in which one request may be made. The budget is one for the whole fleet,
in PostgreSQL; so is robots.txt, which each process remembers a minute.
"""

import asyncio
import contextlib
import random
import time
import uuid
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager

from producer.errors import (
    FORBIDDEN,
    TOO_MANY,
    UNAVAILABLE,
    BadStatus,
    FetchError,
    RobotsRefused,
    SiteResting,
    Unreachable,
)
from producer.http import Client, Page
from producer.robots import Robots, read_rules, rules_of
from producer.site import robots_address
from store import sites
from store.pool import Connection, Pool
from store.sites import PERMIT_SECONDS, ROBOTS_SECONDS, Outcome, Pace, SiteState
from telemetry import metrics

STALE_ROBOTS_SECONDS = 24 * 3600.0
"""How long an old one is obeyed while no new one can be had."""

MEMORY_SECONDS = 60.0
JITTER = 0.2
SWITCH_SECONDS = 1.0
FULL_SECONDS = 0.02
"""How long to wait before asking again, where as many requests are open as may be."""

OTHERS_ASK_SECONDS = 0.1
"""How long to wait before looking again, while another process asks for a robots.txt."""

LONGEST_WAIT_SECONDS = 60.0
"""A rest that lasts longer is an answer, not a wait."""

LONGEST_RETRY_AFTER_SECONDS = 3600.0

TOO_MUCH_REST_SECONDS = 60.0
"""How long the site is left alone when it says that we ask too much, and not how long to wait."""

_TOO_MUCH = (TOO_MANY, UNAVAILABLE)


class Gate:
    """Lets requests through one after another, at the pace and with as many open as the fleet may have."""

    def __init__(self, pool: Pool, client: Client, site: str, pace: Pace) -> None:
        self._pool = pool
        self._client = client
        self._site = site
        self._pace = pace
        self._robots: dict[str, tuple[float, Robots]] = {}
        self._asking = asyncio.Lock()
        self._turn = asyncio.Lock()
        self._given_back = asyncio.Event()

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
        name = str(uuid.uuid4())
        try:
            await self._take(url, name)
            yield
        except BaseException as error:
            await self._give_back(name, _outcome(error), error)
            raise
        await self._give_back(name, Outcome.answered)

    async def _give_back(self, name: str, outcome: Outcome, error: BaseException | None = None) -> None:
        """Give a permit back, together with the rest that the site asks for: no request slips between."""
        seconds = _wanted_rest(error)
        async with self._pool.acquire() as connection, _joint(connection, at_all=bool(seconds)):
            await sites.give_back(connection, self._site, name, outcome, str(error))
            if seconds:
                await sites.rest(connection, self._site, seconds, str(error))
        self._given_back.set()

    async def _take(self, url: str, name: str) -> None:
        """Wait for a permit of this name and its moment, one request of this process after another."""
        began = time.monotonic()
        async with self._turn:
            while not await self._begins(url, name):
                pass
        metrics.pace_waited(time.monotonic() - began)

    async def _begins(self, url: str, name: str) -> bool:
        """Reserve a moment and wait for it; whether a request may begin then.

        Not so where the site was paused meanwhile, or this process stood still: its permit might end while
        the request is open.
        """
        asked = time.monotonic()
        wait = await self._reserve(url, name)
        if wait is None:
            return False
        await asyncio.sleep(wait)
        wanted = wait == 0 or await self._is_open(name)
        if wanted and time.monotonic() < asked + wait + PERMIT_SECONDS / 2:
            return True
        await self._give_back(name, Outcome.unused)
        return False

    async def _reserve(self, url: str, name: str) -> float | None:
        """The seconds until the reserved moment; None where there was none to reserve, after a wait."""
        jitter = random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - jitter is no secret
        pace = self._pace._replace(interval_seconds=self._pace.interval_seconds * jitter)
        self._given_back.clear()
        async with self._pool.acquire() as connection:
            wait = await sites.reserve(connection, self._site, pace, name)
            if wait is not None:
                return wait
            held = await sites.state(connection, self._site)
        seconds = _pause(held, url)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._given_back.wait(), seconds)
        return None

    async def _is_open(self, name: str) -> bool:
        async with self._pool.acquire() as connection:
            return await sites.is_open(connection, self._site, name)

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


def _joint(connection: Connection, *, at_all: bool) -> AbstractAsyncContextManager[object]:
    """A transaction, which costs two turns to the database: only where there is more than one statement."""
    return connection.transaction() if at_all else contextlib.nullcontext()


def _outcome(error: BaseException) -> Outcome:
    """How a request ended that gave no page; an answer that is no page is an answer all the same."""
    refused = isinstance(error, BadStatus) and (error.transient or error.status == FORBIDDEN)
    if refused or isinstance(error, Unreachable):
        return Outcome.failed
    answered = isinstance(error, FetchError) and not isinstance(error, SiteResting)
    return Outcome.answered if answered else Outcome.unused


def _wanted_rest(error: BaseException | None) -> float | None:
    """How long the site wants to be left alone, in seconds; None where it does not say so."""
    if not isinstance(error, BadStatus):
        return None
    if error.retry_after is not None:
        return min(error.retry_after, LONGEST_RETRY_AFTER_SECONDS)
    return TOO_MUCH_REST_SECONDS if error.status in _TOO_MUCH else None


def _pause(held: SiteState, url: str) -> float:
    """How long to wait before the next attempt; raises `SiteResting`."""
    rest = held.rest_seconds or 0
    if rest > LONGEST_WAIT_SECONDS and not held.paused:
        until = f"{held.rest_until:%Y-%m-%d %H:%M:%S} UTC" if held.rest_until else "later"
        raise SiteResting(
            url, f"until {until}, for {rest:.0f} s more, because {held.rest_reason}", retry_after=rest
        )
    if held.paused or rest:
        return min(rest or SWITCH_SECONDS, SWITCH_SECONDS)
    return FULL_SECONDS
