"""The observer: looks at the fleet again and again, and stores what it found, for all who show it.

It works beside each relay. Of each kind of look, one of them takes it: it holds a lease, as the relay does
that publishes. Where it is gone without a word, another one takes over when the lease has ended.
"""

import asyncio
from typing import NamedTuple, Protocol

import asyncpg
import structlog

from ops.fleet import looks
from outbox.lease import Lease
from store.faults import said_by
from store.pool import TRANSIENT, Pool
from store.waiting import set_within, until_stopping
from telemetry import health

FIRST_SECONDS = 3.0
"""How long a process has been at work when it first looks."""

FINISH_SECONDS = 1.0
"""How long a look may take after the process was told to stop."""

EVERY_SECONDS = 10.0
WINDOW_SECONDS = 600.0

LEASE_SECONDS = 30.0
"""How long an observer that is gone without a word keeps the others waiting."""

log = structlog.get_logger("lapstream.observer")


class Looker(Protocol):
    """What looks at one kind of thing."""

    @property
    def kind(self) -> str: ...
    async def look(self) -> bytes:
        """What is found now, as JSON. A server that is away is found, and no error."""
        ...

    async def close(self) -> None:
        """Look no more, for now: another process does."""
        ...


class Rhythm(NamedTuple):
    """How often the fleet is looked at, and for how long what was found is kept, in seconds."""

    first: float = FIRST_SECONDS
    every: float = EVERY_SECONDS
    window: float = WINDOW_SECONDS


USUAL = Rhythm()


async def observe(pool: Pool, looker: Looker, stop: asyncio.Event, rhythm: Rhythm) -> None:
    """Look, and store what was found, while this process holds the lease of the kind; until told to stop."""
    observer = _Observer(pool, looker, rhythm)
    try:
        with health.working(f"observer of {looker.kind}"):
            await set_within(stop, rhythm.first)
            while not stop.is_set():
                await until_stopping(
                    observer.turn(), stop, finish_seconds=FINISH_SECONDS, end_seconds=FINISH_SECONDS
                )
                health.beat("look")
                await set_within(stop, rhythm.every)
    finally:
        await observer.end()


class _Observer:
    """One process's observer of one kind."""

    def __init__(self, pool: Pool, looker: Looker, rhythm: Rhythm) -> None:
        self._pool = pool
        self._looker = looker
        self._rhythm = rhythm
        self._lease = Lease(pool, f"fleet_looks/{looker.kind}", LEASE_SECONDS)
        self._holds = False

    async def turn(self) -> None:
        """Look, where this process is the one that does; a database that is away stores nothing.

        An internal error of a look is logged: nothing else that this process does ends for it.
        """
        try:
            if await self._take():
                found = await self._looker.look()
                async with self._pool.acquire() as connection:
                    await looks.add(connection, self._looker.kind, found, self._rhythm.window)
        except (asyncpg.PostgresError, *TRANSIENT) as error:
            log.warning("fleet_look_not_stored", kind=self._looker.kind, error=said_by(error))
        except Exception:
            log.exception("fleet_look_failed", kind=self._looker.kind)

    async def _take(self) -> bool:
        holds = await self._lease.take()
        if holds != self._holds:
            log.info("fleet_observer", kind=self._looker.kind, active=holds)
            self._holds = holds
            if not holds:
                await self._looker.close()
        return holds

    async def end(self) -> None:
        """Let another one look at once; where the database is away, the lease ends by itself."""
        await self._looker.close()
        if self._holds:
            try:
                async with asyncio.timeout(1):
                    await self._lease.give_back()
            except (asyncpg.PostgresError, *TRANSIENT) as error:
                log.info("fleet_observer_lease_not_given_back", kind=self._looker.kind, error=said_by(error))
