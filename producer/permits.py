"""Permits to ask the site: the pace, open requests, the switch and back-off, one budget for the whole fleet.

The budget is in PostgreSQL: each request reserves its moment there, and gives its permit back in the end.

While the database is away, a request waits for its permit, and an answer until it is noted: no page is lost
by it, and no back-off that the site asked for.
"""

import asyncio
import contextlib
import random
import time
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from functools import partial

import structlog

from producer import budget as sites
from producer.budget import PERMIT_SECONDS, Pace, PermitOutcome, SiteState
from producer.errors import (
    FORBIDDEN,
    TOO_MANY,
    UNAVAILABLE,
    BadStatus,
    FetchError,
    SiteBackingOff,
    Unreachable,
)
from producer.patience import at_database
from store.pool import TRANSIENT, Connection, Pool
from telemetry import health, metrics

JITTER = 0.2
SWITCH_SECONDS = 1.0
FULL_SECONDS = 0.02
"""How long to wait before asking again, where as many requests are open as may be."""

LONGEST_WAIT_SECONDS = 60.0
"""Back-off that lasts longer is an answer, not a wait."""

LONGEST_RETRY_AFTER_SECONDS = 3600.0

TOO_MUCH_BACK_OFF_SECONDS = 60.0
"""How long the site is left alone when it says that we ask too much, and not how long to wait."""

_TOO_MUCH = (TOO_MANY, UNAVAILABLE)

log = structlog.get_logger("lapstream.fetcher")


class Permits:
    """Gives permits of this process's site one after another."""

    def __init__(self, pool: Pool, site: str, pace: Pace) -> None:
        self._pool = pool
        self._site = site
        self._pace = pace
        self._one_asks = asyncio.Lock()
        self._given_back = asyncio.Event()

    @contextlib.asynccontextmanager
    async def one(self, url: str) -> AsyncGenerator[None]:
        """A block for one request; raises `SiteBackingOff` if back-off lasts longer than a minute."""
        permit = await self._take(url)
        try:
            yield
        except BaseException as error:
            await self._give_back(permit, _outcome(error), error)
            raise
        await self._give_back(permit, PermitOutcome.answered)

    async def back_off(self, seconds: float, reason: str) -> None:
        """Leave the whole site alone for a while."""
        await at_database(
            self._pool, lambda connection: sites.back_off(connection, self._site, seconds, reason)
        )

    async def _take(self, url: str) -> str:
        """Wait for a permit and its moment, one request of this process after another; returns its name."""
        began = time.monotonic()
        with health.waiting("its turn at the site"):
            permit = await self._taken(url)
        metrics.pace_waited(time.monotonic() - began)
        return permit

    async def _taken(self, url: str) -> str:
        async with self._one_asks:
            while (permit := await self._new(url)) is None:
                pass
        return permit

    async def _new(self, url: str) -> str | None:
        """A permit of the fleet's, at its moment; None where there was none, after a wait."""
        name = str(uuid.uuid4())
        try:
            return name if await self._begins(url, name) else None
        except BaseException as error:
            await self._give_back(name, _outcome(error), error)
            raise

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
        await self._give_back(name, PermitOutcome.unused)
        return False

    async def _reserve(self, url: str, name: str) -> float | None:
        """The seconds until the reserved moment; None where there was none to reserve, after a wait."""
        jitter = random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - jitter is no secret
        pace = self._pace._replace(interval_seconds=self._pace.interval_seconds * jitter)
        self._given_back.clear()
        reserve = partial(sites.reserve, site=self._site, pace=pace, permit=name)
        if (wait := await at_database(self._pool, reserve)) is not None:
            return wait
        held = await self._state()
        seconds = _pause(held, url)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._given_back.wait(), seconds)
        return None

    async def _state(self) -> SiteState:
        return await at_database(self._pool, partial(sites.state, site=self._site))

    async def _is_open(self, name: str) -> bool:
        return await at_database(self._pool, partial(sites.is_open, site=self._site, permit=name))

    async def _give_back(self, name: str, outcome: PermitOutcome, error: BaseException | None = None) -> None:
        """Give a permit back, together with the back-off that the site asks for: no request slips between.

        What says nothing of the site is told at once or not at all: the permit ends by itself.
        """
        seconds = _wanted_rest(error)

        async def tell(connection: Connection) -> None:
            async with _joint(connection, at_all=bool(seconds)):
                await sites.give_back(connection, self._site, name, outcome, str(error))
                if seconds:
                    await sites.back_off(connection, self._site, seconds, str(error))

        if outcome is PermitOutcome.unused:
            await self._try(tell)
        else:
            await at_database(self._pool, tell)
        self._given_back.set()

    async def _try(self, tell: Callable[[Connection], Awaitable[None]]) -> None:
        try:
            async with self._pool.acquire() as connection:
                await tell(connection)
        except TRANSIENT as error:
            log.warning("permit_not_given_back", site=self._site, error=repr(error))


def _joint(connection: Connection, *, at_all: bool) -> AbstractAsyncContextManager[object]:
    """A transaction, which costs two turns to the database: only where there is more than one statement."""
    return connection.transaction() if at_all else contextlib.nullcontext()


def _outcome(error: BaseException) -> PermitOutcome:
    """How a request ended that gave no page; an answer that is no page is an answer all the same."""
    refused = isinstance(error, BadStatus) and (error.transient or error.status == FORBIDDEN)
    if refused or isinstance(error, Unreachable):
        return PermitOutcome.failed
    answered = isinstance(error, FetchError) and not isinstance(error, SiteBackingOff)
    return PermitOutcome.answered if answered else PermitOutcome.unused


def _wanted_rest(error: BaseException | None) -> float | None:
    """How long the site wants to be left alone, in seconds; None where it does not say so."""
    if not isinstance(error, BadStatus):
        return None
    if error.retry_after is not None:
        return min(error.retry_after, LONGEST_RETRY_AFTER_SECONDS)
    return TOO_MUCH_BACK_OFF_SECONDS if error.status in _TOO_MUCH else None


def _pause(held: SiteState, url: str) -> float:
    """How long to wait before the next attempt; raises `SiteBackingOff`."""
    rest = held.rest_seconds or 0
    if rest > LONGEST_WAIT_SECONDS and not held.paused:
        until = f"{held.rest_until:%Y-%m-%d %H:%M:%S} UTC" if held.rest_until else "later"
        raise SiteBackingOff(
            url,
            f"backing off until {until}, for {rest:.0f} s more, because {held.rest_reason}",
            retry_after=rest,
        )
    if held.paused or rest:
        return min(rest or SWITCH_SECONDS, SWITCH_SECONDS)
    return FULL_SECONDS
