"""The follower: in each fetcher, it asks for followed days, one after another, when it is their turn.

All that it knows lies in rows: one that goes on after a kill, or beside others, chooses by the same ones.
"""

import asyncio
import contextlib
import datetime as dt
from collections.abc import Awaitable, Callable

import structlog

from producer.obtain import Unobtainable
from producer.patience import at_database
from runs import following
from runs.following import FollowedDay
from store.pool import TRANSIENT, Connection, Pool
from store.turns import take_turns
from telemetry import health

LOOK_SECONDS = 1.0
"""How often it is looked whose turn it is."""

OPEN_SECONDS = 60.0
"""How often the days of subscribed tracks are opened."""

LONGEST_SECONDS = 120.0
"""How long a request for a day may take, with the wait for its turn at the site; shorter than its claim."""

FINISH_SECONDS = 2.0
END_SECONDS = 1.0
"""How long the day at hand may take after the process was told to stop, and giving it up."""

LONGEST_ERROR = 500

Look = Callable[[FollowedDay], Awaitable[bool]]
"""Asks for a day's list, and says whether anything was new; raises `Unobtainable`."""

log = structlog.get_logger("lapstream.fetcher")


class Follower:
    """Asks for the followed days of a site, at the fleet's pace, in seconds between two requests.

    The clock is the database's, which all fetchers share, unless one is given.
    """

    def __init__(
        self,
        pool: Pool,
        site: str,
        pace_seconds: float,
        look: Look,
        clock: Callable[[], dt.datetime] | None = None,
    ) -> None:
        self._pool = pool
        self._site = site
        self._pace_seconds = pace_seconds
        self._look = look
        self._clock = clock
        self._opened: dt.datetime | None = None

    async def work(self, stop: asyncio.Event) -> None:
        """Follow until told to stop; while the database is away, that waits."""
        with health.working("follower"):
            await take_turns(
                self._turn,
                stop,
                every_seconds=LOOK_SECONDS,
                finish_seconds=FINISH_SECONDS,
                end_seconds=END_SECONDS,
                away=lambda why: log.warning("following_waits", error=why),
            )

    async def _turn(self) -> None:
        while await self.step():
            pass

    async def step(self) -> bool:
        """Ask for one day, if it is any's turn; whether it was."""
        async with self._pool.acquire() as connection:
            now = await self._now(connection)
            if self._opened is None or now - self._opened >= dt.timedelta(seconds=OPEN_SECONDS):
                await following.open_wanted(connection, now)
                self._opened = now
            day = await following.claim(connection, self._site, self._pace_seconds, now)
        if day is not None:
            await self._ask(day)
        return day is not None

    async def _ask(self, day: FollowedDay) -> None:
        """Ask for a day that was claimed, and note what came of it."""
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                news = await self._look(day)
        except (Unobtainable, TimeoutError) as error:
            await self._failed(day, str(error) or f"no answer within {LONGEST_SECONDS:.0f} s")
        except (*TRANSIENT, asyncio.CancelledError):
            await self._give_up(day)
            raise
        except Exception as error:
            log.exception("followed_day_broken", track=day.track_slug, date=str(day.date))
            await self._failed(day, repr(error))
        else:
            await self._note(
                lambda connection, now: following.answered(
                    connection, day, self._pace_seconds, now, news=news
                )
            )

    async def _give_up(self, day: FollowedDay) -> None:
        """Let another process ask for the day; where the database is away, the claim ends by itself."""
        with contextlib.suppress(*TRANSIENT):
            async with self._pool.acquire() as connection:
                await following.give_up(connection, day)

    async def _failed(self, day: FollowedDay, error: str) -> None:
        log.warning("followed_day_failed", track=day.track_slug, date=str(day.date), error=error)
        await self._note(
            lambda connection, now: following.failed(connection, day, error[:LONGEST_ERROR], now)
        )

    async def _note(self, note: Callable[[Connection, dt.datetime], Awaitable[None]]) -> None:
        async def note_now(connection: Connection) -> None:
            await note(connection, await self._now(connection))

        await at_database(self._pool, note_now)

    async def _now(self, connection: Connection) -> dt.datetime:
        return self._clock() if self._clock else await following.clock(connection)
