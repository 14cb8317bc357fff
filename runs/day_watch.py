"""Following days as the tables have them: when a day changed, and how it is followed.

All followers of a day share one look at it, as those of a run do.
"""

import contextlib
import datetime as dt
from collections.abc import AsyncGenerator
from typing import NamedTuple

from runs import following
from runs.following import DayName, FollowedDay
from runs.sharing import Shared
from schemas.identity import practice_event_id
from store import days
from store.pool import Pool

LOOK_SECONDS = 2.0
"""How often a day is looked at."""


class DaySeen(NamedTuple):
    """What counts of a day: which observations the tables hold, and how it is followed, if it is."""

    version: str
    followed: FollowedDay | None

    def is_followed(self, now: dt.datetime) -> bool:
        """Whether it is asked for while it is on."""
        return self.followed is not None and self.followed.is_followed(now)


class DayWatch:
    """Follows days."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._shared = Shared(self._look, LOOK_SECONDS)

    def updates(self, day: DayName) -> AsyncGenerator[DaySeen]:
        """The day as it is, then again and again, for as long as it is asked for."""
        return self._shared.updates(day)

    async def close(self) -> None:
        """Look at no day any more."""
        await self._shared.close()

    async def _look(self, day: DayName) -> DaySeen:
        async with self._pool.acquire() as connection:
            version = await days.read_version(connection, practice_event_id(*day))
            return DaySeen(version, await following.read(connection, day))


@contextlib.asynccontextmanager
async def watching_days(pool: Pool) -> AsyncGenerator[DayWatch]:
    """What follows days by a pool."""
    watch = DayWatch(pool)
    try:
        yield watch
    finally:
        await watch.close()
